//! Running programs, and knowing afterwards where the time went.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Why a task ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line made no sense: exit status 2.
    Usage(String),
    /// The work failed: exit status 1.
    Failed(String),
}

impl Failure {
    pub(crate) fn because(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }
}

/// The folder that holds the workspace.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// One call of one program in the workspace root, kept as a value so that what is run, what is
/// printed and what a failure tells people to type are the same thing.
pub(crate) struct Call {
    program: String,
    arguments: Vec<String>,
    environment: Option<(&'static str, &'static str)>,
}

impl Call {
    pub(crate) fn new(program: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program.to_owned(), arguments, environment: None }
    }

    /// A program that was built here. `path` is from the workspace root.
    pub(crate) fn in_root(path: &str) -> Self {
        Self::new(path, &[])
    }

    pub(crate) fn cargo(arguments: &[&str]) -> Self {
        Self::new("cargo", arguments)
    }

    pub(crate) fn with(mut self, arguments: &[String]) -> Self {
        self.arguments.extend_from_slice(arguments);
        self
    }

    pub(crate) fn with_variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment = Some((name, value));
        self
    }

    /// Prints the call, runs it with its output going straight through, and fails if it does.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        println!("$ {self}");
        let status = self
            .command()
            .status()
            .map_err(|error| Failure::because(format!("cannot start `{self}`: {error}")))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::because(format!("{status}. To run it again:\n\n    {self}\n")))
        }
    }

    /// Runs the call quietly and gives back what it wrote to standard output. What it has to
    /// complain about still goes to the terminal.
    pub(crate) fn capture(&self) -> Result<String, Failure> {
        let output = self
            .command()
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| Failure::because(format!("cannot start `{self}`: {error}")))?;
        if !output.status.success() {
            return Err(Failure::because(format!("`{self}`: {}", output.status)));
        }
        String::from_utf8(output.stdout)
            .map_err(|_| Failure::because(format!("`{self}` printed something that is not UTF-8")))
    }

    /// What the program writes to standard output, if it is there and answers.
    pub(crate) fn quietly(&self) -> Option<String> {
        let output = self.command().stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()
    }

    /// Prints the call and runs it quietly. Gives back what it wrote to standard error, or fails with the end
    /// of that.
    pub(crate) fn capture_report(&self) -> Result<String, Failure> {
        println!("$ {self}");
        let output = self
            .command()
            .output()
            .map_err(|error| Failure::because(format!("cannot start `{self}`: {error}")))?;
        let report = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            return Ok(report);
        }
        let lines: Vec<&str> = report.lines().collect();
        let end = lines.get(lines.len().saturating_sub(60)..).unwrap_or(&lines).join("\n");
        Err(Failure::because(format!("{end}\n{}. To run it again:\n\n    {self}\n", output.status)))
    }

    /// Whether the program is there and answers.
    pub(crate) fn answers(&self) -> bool {
        self.quietly().is_some()
    }

    /// Whether a path is relative to the folder of the parent or of the child differs between platforms.
    fn program_path(&self) -> PathBuf {
        if self.program.contains('/') {
            root().join(&self.program)
        } else {
            (&*self.program).into()
        }
    }

    fn command(&self) -> Command {
        let mut command = if self.program == "cargo" {
            // The cargo that runs us, not whichever comes first in the path.
            Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        } else {
            Command::new(self.program_path())
        };
        command.args(&self.arguments).current_dir(root()).envs(self.environment);
        command
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, value)) = self.environment {
            write!(f, "{name}={} ", Quoted(value))?;
        }
        f.write_str(&self.program)?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", Quoted(argument)))
    }
}

/// An argument as it must be typed.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/@".contains(c);
        if !self.0.is_empty() && self.0.chars().all(plain) {
            f.write_str(self.0)
        } else {
            write!(f, "'{}'", self.0.replace('\'', r"'\''"))
        }
    }
}

/// Named, timed steps of a task.
#[derive(Default)]
pub(crate) struct Phases(Vec<Phase>);

struct Phase {
    name: &'static str,
    took: Duration,
    passed: bool,
}

impl Phases {
    pub(crate) fn run(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        println!("\n== {name}");
        let stop = stopwatch();
        let result = work();
        self.0.push(Phase { name, took: stop(), passed: result.is_ok() });
        result.map_err(|failure| match failure {
            Failure::Failed(message) => Failure::Failed(format!("`{name}` failed: {message}")),
            usage @ Failure::Usage(_) => usage,
        })
    }
}

impl fmt::Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16}{:>8}", "phase", "seconds")?;
        for phase in &self.0 {
            let note = if phase.passed { "" } else { "  FAILED" };
            writeln!(f, "{:<16}{:>8.1}{note}", phase.name, phase.took.as_secs_f64())?;
        }
        let total: Duration = self.0.iter().map(|phase| phase.took).sum();
        write!(f, "{:<16}{:>8.1}", "total", total.as_secs_f64())
    }
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch for people, nothing is decided by it")]
pub(crate) fn stopwatch() -> impl FnOnce() -> Duration {
    let started = Instant::now();
    move || started.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_shown_as_it_must_be_typed() {
        let call = Call::cargo(&["doc", "-D warnings", "a'b", ""])
            .with_variable("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            call.to_string(),
            r"RUSTDOCFLAGS='-D warnings' cargo doc '-D warnings' 'a'\''b' ''"
        );
    }

    #[test]
    fn a_failed_phase_is_named_and_marked_and_the_total_comes_last() {
        let mut phases = Phases::default();
        phases.run("first", || Ok(())).expect("passes");
        let failure = phases.run("second", || Err(Failure::because("broken")));
        assert!(
            matches!(failure, Err(Failure::Failed(message)) if message == "`second` failed: broken")
        );

        let table = phases.to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[1].starts_with("first") && !lines[1].contains("FAILED"));
        assert!(lines[2].starts_with("second") && lines[2].ends_with("FAILED"));
        assert!(lines[3].starts_with("total"));
    }

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        assert!(Call::cargo(&["--version"]).answers());
        assert!(!Call::new("no-such-program-anywhere", &[]).answers());
    }
}
