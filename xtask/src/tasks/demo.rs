//! `cargo xtask demo`: the examples, played from start to end.

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, ExitCode},
};

use serde_json::Value;

use crate::{
    prerequisites,
    run::{Call, Failure},
};

/// Builds every example server, then becomes the program that plays them.
pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    prerequisites::check(&[prerequisites::C_COMPILER])?;
    eprintln!("building the examples (the first time takes a few minutes)");
    let built = Call::cargo(&[
        "build",
        "--package=palisade-examples",
        "--bins",
        "--locked",
        "--quiet",
        "--message-format=json-render-diagnostics",
    ])
    .capture()?;
    let demo = executable(&built, "demo")
        .ok_or_else(|| Failure::because("palisade-examples has no program `demo`"))?;
    become_program(Command::new(demo).args(arguments))
}

/// Where cargo put a program. Its messages know, whatever target folder or profile is configured.
fn executable(messages: &str, program: &str) -> Option<PathBuf> {
    messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let target = message.get("target")?;
        let is_program = target.get("name")?.as_str()? == program
            && target.get("kind")?.as_array()?.iter().any(|kind| kind == "bin");
        let path = message.get("executable")?.as_str()?;
        is_program.then(|| PathBuf::from(path))
    })
}

/// The program takes our place, so Ctrl-C reaches it alone and its exit status is ours.
#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<ExitCode, Failure> {
    use std::os::unix::process::CommandExt;

    let error = command.exec();
    Err(Failure::because(format!("cannot start the demo: {error}")))
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<ExitCode, Failure> {
    let status = command
        .status()
        .map_err(|error| Failure::because(format!("cannot start the demo: {error}")))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_program_and_not_the_library_of_the_same_name() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"demo","kind":["lib"]},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"axum","kind":["bin"]},"executable":"/t/axum"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"demo","kind":["bin"]},"executable":"/t/demo"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );

        assert_eq!(executable(messages, "demo"), Some(PathBuf::from("/t/demo")));
        assert_eq!(executable(messages, "rmcp"), None);
    }
}
