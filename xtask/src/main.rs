//! The project's own commands: `cargo xtask <task>`. The list is [`TASKS`].
//!
//! Everyone who runs a task compiles this package first, so it has one dependency and no
//! argument parser.

mod prerequisites;
mod run;
mod tasks;
mod tidy;
mod workspace;

use std::{env, ffi::OsString, process::ExitCode};

use crate::run::Failure;

struct Task {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[OsString]) -> Result<ExitCode, Failure>,
}

const TASKS: &[Task] = &[
    Task {
        name: "demo",
        arguments: "[args...]",
        about: "build the example servers and play a client against them",
        run: tasks::demo::run,
    },
    Task {
        name: "test",
        arguments: "[filter...]",
        about: "run every test, or those whose name contains a filter",
        run: tasks::test::run,
    },
    Task {
        name: "ci",
        arguments: "",
        about: "everything a change must pass: format, tidy, clippy, features, docs, tests, fuzz",
        run: tasks::ci::run,
    },
    Task {
        name: "clients",
        arguments: "",
        about: "run every MCP client and write what it sent and saw into docs/clients.md",
        run: tasks::clients::run,
    },
    Task {
        name: "fuzz",
        arguments: "[seconds]",
        about: "each parser against its naive twin, so many seconds each; 15 if not told",
        run: tasks::fuzz::run,
    },
    Task {
        name: "tidy",
        arguments: "[--list]",
        about: "the rules that clippy cannot check; `--list` names them and says why",
        run: tidy::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(Failure::Usage(message)) => {
            eprintln!("error: {message}\n\n{}", help());
            ExitCode::from(2)
        }
        Err(Failure::Failed(message)) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    let Some((name, rest)) = arguments.split_first() else {
        println!("{}", help());
        return Ok(ExitCode::SUCCESS);
    };
    if name == "--help" || name == "-h" || name == "help" {
        println!("{}", help());
        return Ok(ExitCode::SUCCESS);
    }
    let Some(task) = TASKS.iter().find(|task| name == task.name) else {
        return Err(Failure::Usage(format!("there is no task `{}`", name.to_string_lossy())));
    };
    (task.run)(rest)
}

fn help() -> String {
    let mut text = String::from("Usage: cargo xtask <task>\n");
    for task in TASKS {
        let call = format!("{} {}", task.name, task.arguments);
        text.push_str(&format!("\n  {call:<18} {}", task.about));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_task_is_a_usage_error() {
        let answer = dispatch(&[OsString::from("tset")]);
        assert!(matches!(answer, Err(Failure::Usage(message)) if message.contains("`tset`")));
    }

    #[test]
    fn help_has_one_line_for_each_task() {
        let help = help();
        for task in TASKS {
            assert_eq!(help.lines().filter(|line| line.contains(task.about)).count(), 1);
        }
    }
}
