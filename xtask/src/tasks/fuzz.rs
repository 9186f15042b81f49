//! `cargo xtask fuzz`: each parser against its naive twin, for a bounded time.
//!
//! libFuzzer on the pinned stable toolchain: what `cargo fuzz` asks of a nightly are the coverage flags
//! below, which are stable, and sanitizers, which find nothing where `unsafe` is forbidden.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{
    prerequisites,
    run::{Call, Failure, Phases, root},
};

/// For each target. A machine that does nothing else may be given hours.
const DEFAULT_SECONDS: u64 = 15;

const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Everything that is built and found, relative to the root.
const HOME: &str = "target/fuzz";

pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    let seconds = match arguments {
        [] => DEFAULT_SECONDS,
        [seconds] => seconds
            .to_str()
            .and_then(|text| text.parse().ok())
            .filter(|seconds| *seconds > 0)
            .ok_or_else(|| {
                Failure::Usage("give the seconds for each target, such as 60".to_owned())
            })?,
        _ => return Err(Failure::Usage("`fuzz` takes one number of seconds".to_owned())),
    };
    let mut phases = Phases::default();
    let result = phases
        .run("prerequisites", || {
            prerequisites::check(&[
                prerequisites::CARGO,
                prerequisites::CXX_COMPILER,
                prerequisites::RUSTC,
            ])
        })
        .and_then(|()| run_phases(&mut phases, seconds));
    println!("\n{phases}");
    result.map(|()| ExitCode::SUCCESS)
}

/// What `ci` does.
pub(crate) fn run_shortly(phases: &mut Phases) -> Result<(), Failure> {
    run_phases(phases, DEFAULT_SECONDS)
}

fn run_phases(phases: &mut Phases, seconds: u64) -> Result<(), Failure> {
    let host = host()?;
    let targets = targets(&root().join("fuzz/targets"))?;
    phases.run("fuzz build", || build(&host).run())?;
    phases.run("fuzz", || {
        let runs: Vec<_> =
            targets.iter().map(|target| fuzz(target, &host, seconds)).collect::<Result<_, _>>()?;
        // All of them, so that one finding does not hide the next.
        runs.iter().map(report).fold(Ok(()), Result::and)
    })
}

/// Runs a target and says how often it was run.
fn report(call: &Call) -> Result<(), Failure> {
    let report = call.capture_report().inspect_err(|_| println!("  FOUND SOMETHING"))?;
    println!("  {}", executions(&report));
    Ok(())
}

fn executions(report: &str) -> String {
    let stat = |name: &str| {
        let of_name = |line: &str| Some(line.strip_prefix(name)?.trim().to_owned());
        report.lines().find_map(of_name).unwrap_or_else(|| "unknown".to_owned())
    };
    format!(
        "{} runs, {} a second",
        stat("stat::number_of_executed_units:"),
        stat("stat::average_exec_per_sec:")
    )
}

/// For a named platform even if it is this one: otherwise build scripts and macros get the flags as well.
fn build(host: &str) -> Call {
    let platform = format!("--target={host}");
    let folder = format!("--target-dir={HOME}");
    let arguments =
        ["build", "--manifest-path=fuzz/Cargo.toml", "--release", "--locked", &platform, &folder];
    Call::cargo(&arguments).with_variable("RUSTFLAGS", FLAGS)
}

fn fuzz(target: &str, host: &str, seconds: u64) -> Result<Call, Failure> {
    let corpus = format!("{HOME}/corpus/{target}");
    fs::create_dir_all(root().join(&corpus))
        .map_err(|error| Failure::because(format!("cannot create `{corpus}`: {error}")))?;
    let program = format!("{HOME}/{host}/release/{target}{}", env::consts::EXE_SUFFIX);
    let arguments = [
        format!("-max_total_time={seconds}"),
        "-max_len=4096".to_owned(),
        "-timeout=10".to_owned(),
        "-verbosity=0".to_owned(),
        "-print_final_stats=1".to_owned(),
        format!("-artifact_prefix={HOME}/found-{target}-"),
        format!("-dict=fuzz/seeds/{target}.dict"),
        // What is new goes to the first; the second is only read.
        corpus,
        format!("fuzz/seeds/{target}"),
    ];
    Ok(Call::in_root(&program).with(&arguments))
}

/// One for each file.
fn targets(folder: &Path) -> Result<Vec<String>, Failure> {
    let unreadable =
        |error| Failure::because(format!("cannot read `{}`: {error}", folder.display()));
    let paths: Vec<PathBuf> = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(unreadable)?;
    let mut names: Vec<String> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    if names.is_empty() { Err(Failure::because("there is no fuzz target")) } else { Ok(names) }
}

fn host() -> Result<String, Failure> {
    let version = Call::new("rustc", &["-vV"]).capture()?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(ToOwned::to_owned)
        .ok_or_else(|| Failure::because("`rustc -vV` names no host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_a_seed_and_a_dictionary() {
        let fuzz = root().join("fuzz");
        let targets = targets(&fuzz.join("targets")).expect("there are targets");
        for target in targets {
            let seeds = fuzz.join("seeds").join(&target);
            assert!(fs::read_dir(&seeds).is_ok_and(|mut seeds| seeds.next().is_some()), "{target}");
            assert!(fuzz.join(format!("seeds/{target}.dict")).is_file(), "{target}");
        }
    }

    #[test]
    fn the_number_of_runs_is_told() {
        let report = "noise\nstat::number_of_executed_units: 683618\nstat::average_exec_per_sec:     62147\n";
        assert_eq!(executions(report), "683618 runs, 62147 a second");
        assert_eq!(executions(""), "unknown runs, unknown a second");
    }

    #[test]
    fn a_target_runs_for_as_long_as_it_is_told() {
        let call = fuzz("header", "x86_64-unknown-linux-gnu", 7).expect("a call").to_string();
        assert!(call.starts_with("target/fuzz/x86_64-unknown-linux-gnu/release/header"), "{call}");
        assert!(call.contains(" -max_total_time=7 "), "{call}");
    }
}
