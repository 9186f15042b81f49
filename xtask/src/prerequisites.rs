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

pub(crate) const CXX_COMPILER: Tool = Tool {
    name: "a C++ compiler (`c++`)",
    needed: "libFuzzer, which drives the fuzz targets, is C++",
    works: || {
        cfg!(windows) || env::var_os("CXX").is_some() || Call::new("c++", &["--version"]).answers()
    },
    install: &[
        ("apt-get", "sudo apt-get install --yes g++"),
        ("dnf", "sudo dnf install --assumeyes gcc-c++"),
        ("pacman", "sudo pacman -S --noconfirm gcc"),
        ("apk", "sudo apk add g++"),
        ("xcode-select", "xcode-select --install"),
        ("", "your package manager's package for g++ or clang"),
    ],
};

pub(crate) const RUSTC: Tool = Tool {
    name: "rustc",
    needed: "it says what this machine is",
    works: || Call::new("rustc", &["-vV"]).answers(),
    install: &[("", "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh")],
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

/// Whether npm's registry has a Node for this machine, for the clients that need a newer one than most machines have.
pub(crate) const NPM_HAS_NODE: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// Major and minor version: what `tests/authorization-server/package.json` asks for; else, what the MCP Inspector does.
const OLDEST_NODE: (u32, u32) = if NPM_HAS_NODE { (20, 0) } else { (22, 19) };

pub(crate) const NODE: Tool = Tool {
    name: if NPM_HAS_NODE {
        "Node.js 20 or newer (`node`)"
    } else {
        "Node.js 22.19 or newer (`node`)"
    },
    needed: "the tests run a certified authorization server and MCP clients that are JavaScript",
    works: || {
        let version = Call::new("node", &["--version"]).quietly();
        version.and_then(|version| node_version(&version)).is_some_and(|it| it >= OLDEST_NODE)
    },
    install: &[
        ("apk", "sudo apk add nodejs npm"),
        ("brew", "brew install node"),
        ("dnf", "sudo dnf install --assumeyes nodejs npm"),
        ("pacman", "sudo pacman -S --noconfirm nodejs npm"),
        ("winget", "winget install OpenJS.NodeJS.LTS"),
        // Last: Debian 12 and Ubuntu 24.04 have an older one.
        (
            "apt-get",
            "sudo apt-get install --yes nodejs npm    # if that is older: https://nodejs.org/en/download",
        ),
        ("", "see https://nodejs.org/en/download"),
    ],
};

pub(crate) const NPM: Tool = Tool {
    name: "npm",
    needed: "it installs the authorization server and the clients of the tests",
    works: || Call::new(NPM_PROGRAM, &["--version"]).answers(),
    install: &[
        ("apt-get", "sudo apt-get install --yes npm"),
        ("dnf", "sudo dnf install --assumeyes npm"),
        ("pacman", "sudo pacman -S --noconfirm npm"),
        ("apk", "sudo apk add npm"),
        ("", "see https://nodejs.org/en/download, which has both"),
    ],
};

pub(crate) const PYTHON: Tool = Tool {
    name: "Python 3.11 or newer with venv (`python3`)",
    needed: "the end-to-end tests run clients that are written in it",
    works: || {
        let check = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";
        Call::new(PYTHON_PROGRAM, &["-c", check]).answers()
    },
    install: &[
        ("apt-get", "sudo apt-get install --yes python3 python3-venv"),
        ("dnf", "sudo dnf install --assumeyes python3"),
        ("pacman", "sudo pacman -S --noconfirm python"),
        ("apk", "sudo apk add python3"),
        ("brew", "brew install python"),
        ("", "see https://www.python.org/downloads"),
    ],
};

pub(crate) const PYTHON_PROGRAM: &str = "python3";

/// On Windows it is a script, and those are only found by their whole name.
pub(crate) const NPM_PROGRAM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// 20 and 19 of `v20.19.2`.
fn node_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

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

pub(crate) fn on_path(program: &str) -> bool {
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
        for tool in
            [CARGO, C_COMPILER, CXX_COMPILER, RUSTC, RUSTFMT, CLIPPY, GIT, NODE, NPM, PYTHON]
        {
            assert!(tool.install.iter().any(|(manager, _)| manager.is_empty()), "{}", tool.name);
        }
    }

    #[test]
    fn reads_the_version_of_node() {
        let rows = [
            ("v20.20.2\n", Some((20, 20))),
            ("v8.0.0", Some((8, 0))),
            ("20.1", None),
            ("v20", None),
            ("", None),
        ];
        for (version, numbers) in rows {
            assert_eq!(node_version(version), numbers, "{version:?}");
        }
        assert!(node_version("v22.9.0") < Some((22, 19)), "not by the letters");
    }
}
