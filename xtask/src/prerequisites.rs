//! What has to be on the machine. A missing tool is an error with the command that installs it,
//! never a test that quietly does not run.

use std::env;

use crate::run::{Call, Failure};

/// A program that a task cannot do without.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    needed: &'static str,
    works: fn() -> bool,
    /// Package manager, then the command. The first whose manager is present is shown; an empty
    /// name is always present.
    install: &'static [(&'static str, &'static str)],
}

pub(crate) const CARGO: Tool = Tool {
    name: "cargo",
    needed: "it builds everything",
    works: || Call::cargo(&["--version"]).answers(),
    install: &[("", "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh")],
};

pub(crate) const C_COMPILER: Tool = Tool {
    name: "a C compiler (`cc`)",
    needed: "aws-lc-rs, the signature backend, is partly C",
    // On Windows the tools that linked this very program hold one; `CC` names another.
    works: || {
        cfg!(windows) || env::var_os("CC").is_some() || Call::new("cc", &["--version"]).answers()
    },
    install: &[
        ("apt-get", "sudo apt-get install --yes gcc libc6-dev"),
        ("dnf", "sudo dnf install --assumeyes gcc glibc-devel"),
        ("pacman", "sudo pacman -S --noconfirm gcc"),
        ("apk", "sudo apk add gcc musl-dev"),
        ("xcode-select", "xcode-select --install"),
        ("", "your package manager's package for gcc or clang"),
    ],
};

pub(crate) const RUSTFMT: Tool = Tool {
    name: "rustfmt",
    needed: "the `format` phase",
    works: || Call::cargo(&["fmt", "--version"]).answers(),
    install: &[("", "rustup component add rustfmt")],
};

pub(crate) const CLIPPY: Tool = Tool {
    name: "clippy",
    needed: "the `clippy` and `features` phases",
    works: || Call::cargo(&["clippy", "--version"]).answers(),
    install: &[("", "rustup component add clippy")],
};

pub(crate) const GIT: Tool = Tool {
    name: "git",
    needed: "`tidy` asks it which files belong to the repository",
    works: || Call::new("git", &["--version"]).answers(),
    install: &[
        ("apt-get", "sudo apt-get install --yes git"),
        ("dnf", "sudo dnf install --assumeyes git"),
        ("pacman", "sudo pacman -S --noconfirm git"),
        ("apk", "sudo apk add git"),
        ("xcode-select", "xcode-select --install"),
        ("winget", "winget install Git.Git"),
        ("", "your package manager's package for git"),
    ],
};

/// Fails with one line per missing tool.
pub(crate) fn check(tools: &[Tool]) -> Result<(), Failure> {
    let missing: Vec<Tool> = tools.iter().copied().filter(|tool| !(tool.works)()).collect();
    report(&missing, on_path)
}

fn report(missing: &[Tool], present: impl Fn(&str) -> bool) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    let mut message = String::from("something is missing on this machine");
    for tool in missing {
        let command = tool
            .install
            .iter()
            .find(|(manager, _)| manager.is_empty() || present(manager))
            .map_or("", |(_, command)| *command);
        message.push_str(&format!(
            "\n\n  {}: {}. To install it:\n\n    {command}",
            tool.name, tool.needed
        ));
    }
    Err(Failure::because(message))
}

fn on_path(program: &str) -> bool {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(&name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_fails_with_the_command_for_this_machine() {
        let Err(Failure::Failed(message)) = report(&[C_COMPILER], |manager| manager == "dnf")
        else {
            panic!("a missing tool must fail");
        };
        assert!(message.contains("sudo dnf install --assumeyes gcc"), "{message}");
        assert!(!message.contains("apt-get"), "{message}");
    }

    #[test]
    fn every_missing_tool_is_named_at_once() {
        let Err(Failure::Failed(message)) = report(&[GIT, RUSTFMT], |_| false) else {
            panic!("a missing tool must fail");
        };
        assert!(message.contains("git") && message.contains("rustup component add rustfmt"));
    }

    #[test]
    fn each_tool_has_a_way_to_be_installed_on_any_machine() {
        for tool in [CARGO, C_COMPILER, RUSTFMT, CLIPPY, GIT] {
            assert!(tool.install.iter().any(|(manager, _)| manager.is_empty()), "{}", tool.name);
        }
    }
}
