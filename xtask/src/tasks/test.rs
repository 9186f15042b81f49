//! `cargo xtask test`: the one way to run the tests.

use std::{ffi::OsString, process::ExitCode};

use crate::{
    prerequisites,
    run::{Call, Failure, Phases},
    tasks::install,
    workspace::{Member, Workspace},
};

pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    let filters: Vec<String> = arguments
        .iter()
        .map(|argument| argument.to_str().map(ToOwned::to_owned))
        .collect::<Option<_>>()
        .ok_or_else(|| Failure::Usage("a test's name is always UTF-8".to_owned()))?;

    let mut phases = Phases::default();
    let result = phases
        .run("prerequisites", || {
            prerequisites::check(&[
                prerequisites::CARGO,
                prerequisites::C_COMPILER,
                prerequisites::NODE,
                prerequisites::NPM,
                prerequisites::PYTHON,
            ])
        })
        .and_then(|()| run_phases(&mut phases, &filters));
    println!("\n{phases}");
    result.map(|()| ExitCode::SUCCESS)
}

/// What `test` and `ci` have in common. Every phase that can run does, so one broken test does
/// not hide the next.
pub(crate) fn run_phases(phases: &mut Phases, filters: &[String]) -> Result<(), Failure> {
    install(phases)?;
    phases.run("test build", || every_test(&["--no-run"], &[]).run())?;
    let targets = targets(&Workspace::load()?);
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let tests = phases.run("tests", || every_test(&targets, filters).run());
    let clients = phases.run("end to end", || end_to_end(filters).run());
    let docs = phases.run("doc tests", || every_test(&["--doc", "--no-fail-fast"], filters).run());
    let backend = phases.run("rust-crypto", || rust_crypto(filters).run());
    tests.and(clients).and(docs).and(backend)
}

/// All that the tests need beside Rust.
pub(crate) fn install(phases: &mut Phases) -> Result<(), Failure> {
    phases.run("npm packages", install::npm_packages)?;
    phases.run("python packages", install::python_packages)?;
    phases.run("debian packages", install::debian_packages)
}

/// The real clients and servers. Selected out of the whole workspace, or cargo would unite other features and build
/// half of the dependencies again.
pub(crate) fn end_to_end(filters: &[String]) -> Call {
    every_test(&[&format!("--test={END_TO_END}"), "--no-fail-fast"], filters)
}

const END_TO_END: &str = "end_to_end";

/// All test programs but that one, which has a phase of its own.
fn targets(workspace: &Workspace) -> Vec<String> {
    let mut names: Vec<&str> = workspace.members.iter().flat_map(Member::tests).collect();
    names.sort_unstable();
    names.dedup();
    let tests = names.into_iter().filter(|name| *name != END_TO_END);
    let fixed = ["--lib", "--bins", "--no-fail-fast"].map(ToOwned::to_owned);
    fixed.into_iter().chain(tests.map(|name| format!("--test={name}"))).collect()
}

/// With every feature, and so with both signature backends compiled in: the one situation in
/// which `jsonwebtoken` panics at first use unless token-verify has chosen for it.
fn every_test(options: &[&str], filters: &[String]) -> Call {
    let base = ["test", "--workspace", "--all-features", "--locked"];
    with_filters(Call::cargo(&[&base, options].concat()), filters)
}

/// The backend that every feature together never picks, because `aws-lc-rs` goes first.
fn rust_crypto(filters: &[String]) -> Call {
    let call = Call::cargo(&[
        "test",
        "--package=palisade-token-verify",
        "--no-default-features",
        "--features=rust-crypto",
        "--locked",
        "--tests",
        "--no-fail-fast",
    ]);
    with_filters(call, filters)
}

fn with_filters(call: Call, filters: &[String]) -> Call {
    if filters.is_empty() { call } else { call.with(&["--".to_owned()]).with(filters) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_program_is_in_one_phase() {
        let member = |tests: &[&str]| Member {
            tests: tests.iter().map(|&name| name.to_owned()).collect(),
            ..Member::default()
        };
        let members = vec![member(&["ui", "it"]), member(&["end_to_end"]), member(&["it"])];
        let workspace = Workspace { members, ..Workspace::default() };
        assert_eq!(
            targets(&workspace),
            ["--lib", "--bins", "--no-fail-fast", "--test=it", "--test=ui"]
        );
        assert!(end_to_end(&[]).to_string().contains("--test=end_to_end"));
    }

    #[test]
    fn filters_go_to_the_test_programs_and_not_to_cargo() {
        let call = every_test(&["--tests"], &["refuses".to_owned()]);
        assert_eq!(
            call.to_string(),
            "cargo test --workspace --all-features --locked --tests -- refuses"
        );
        assert!(!every_test(&["--tests"], &[]).to_string().contains(" -- "));
    }
}
