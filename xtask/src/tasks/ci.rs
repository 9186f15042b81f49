//! `cargo xtask ci`: everything a change must pass, in the order in which it fails fastest.

use std::{ffi::OsString, process::ExitCode};

use crate::{
    prerequisites,
    run::{Call, Failure, Phases},
    tasks::{fuzz, test},
    tidy,
    workspace::{Member, Workspace},
};

pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    if !arguments.is_empty() {
        return Err(Failure::Usage("`ci` takes no arguments".to_owned()));
    }
    let mut phases = Phases::default();
    let result = run_phases(&mut phases);
    println!("\n{phases}");
    result.map(|()| ExitCode::SUCCESS)
}

fn run_phases(phases: &mut Phases) -> Result<(), Failure> {
    phases.run("prerequisites", || {
        prerequisites::check(&[
            prerequisites::CARGO,
            prerequisites::C_COMPILER,
            prerequisites::CLIPPY,
            prerequisites::CXX_COMPILER,
            prerequisites::GIT,
            prerequisites::NODE,
            prerequisites::NPM,
            prerequisites::PYTHON,
            prerequisites::RUSTC,
            prerequisites::RUSTFMT,
        ])
    })?;
    phases.run("format", || Call::cargo(&["fmt", "--all", "--check"]).run())?;
    phases.run("tidy", tidy::check)?;
    phases.run("clippy", || {
        let scope = ["--workspace", "--all-targets", "--all-features"];
        clippy(&scope).run()
    })?;
    phases.run("features", || {
        let workspace = Workspace::load()?;
        workspace.crates().flat_map(alone).try_for_each(|call| call.run())
    })?;
    phases.run("docs", || {
        Call::cargo(&["doc", "--workspace", "--no-deps", "--all-features", "--locked"])
            .with_variable("RUSTDOCFLAGS", "-D warnings")
            .run()
    })?;
    let tests = test::run_phases(phases, &[]);
    let fuzz = fuzz::run_shortly(phases);
    tests.and(fuzz)
}

/// A crate by itself, then with each of its features by itself. In the workspace as a whole cargo
/// unites features, so a crate that forgot one compiles there and nowhere else.
fn alone(member: &Member) -> Vec<Call> {
    let package = format!("--package={}", member.name);
    let mut calls = vec![clippy(&[&package])];
    if !member.features.is_empty() {
        calls.push(clippy(&[&package, "--no-default-features"]));
    }
    for feature in &member.features {
        let features = format!("--features={feature}");
        calls.push(clippy(&[&package, "--no-default-features", &features]));
    }
    calls
}

/// Clippy checks all that `cargo check` does, and can deny warnings without touching `RUSTFLAGS`,
/// which would build every dependency a second time.
fn clippy(scope: &[&str]) -> Call {
    Call::cargo(&[&["clippy", "--locked"], scope, &["--", "-D", "warnings"]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_is_checked_alone() {
        let member = Member {
            name: "palisade-x".to_owned(),
            features: vec!["a".to_owned(), "b".to_owned()],
            ..Member::default()
        };

        let calls: Vec<String> = alone(&member).iter().map(ToString::to_string).collect();

        let cargo = "cargo clippy --locked --package=palisade-x";
        assert_eq!(
            calls,
            [
                format!("{cargo} -- -D warnings"),
                format!("{cargo} --no-default-features -- -D warnings"),
                format!("{cargo} --no-default-features --features=a -- -D warnings"),
                format!("{cargo} --no-default-features --features=b -- -D warnings"),
            ]
        );
    }

    #[test]
    fn a_crate_without_features_is_checked_once() {
        let member = Member { name: "palisade-x".to_owned(), ..Member::default() };
        assert_eq!(alone(&member).len(), 1);
    }
}
