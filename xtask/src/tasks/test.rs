//! `cargo xtask test`: the one way to run the tests.

use std::{ffi::OsString, process::ExitCode};

use crate::{
    prerequisites,
    run::{Call, Failure, Phases},
    tasks::npm,
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
            ])
        })
        .and_then(|()| run_phases(&mut phases, &filters));
    println!("\n{phases}");
    result.map(|()| ExitCode::SUCCESS)
}

/// What `test` and `ci` have in common. Every phase that can run does, so one broken test does
/// not hide the next.
pub(crate) fn run_phases(phases: &mut Phases, filters: &[String]) -> Result<(), Failure> {
    phases.run("npm packages", npm::install)?;
    phases.run("test build", || every_test(&["--no-run"], &[]).run())?;
    let tests = phases.run("tests", || every_test(&["--tests", "--no-fail-fast"], filters).run());
    let docs = phases.run("doc tests", || every_test(&["--doc", "--no-fail-fast"], filters).run());
    let backend = phases.run("rust-crypto", || rust_crypto(filters).run());
    tests.and(docs).and(backend)
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
    fn filters_go_to_the_test_programs_and_not_to_cargo() {
        let call = every_test(&["--tests"], &["refuses".to_owned()]);
        assert_eq!(
            call.to_string(),
            "cargo test --workspace --all-features --locked --tests -- refuses"
        );
        assert!(!every_test(&["--tests"], &[]).to_string().contains(" -- "));
    }
}
