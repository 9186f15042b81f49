//! `cargo xtask tidy`: the rules of this repository that clippy cannot check.
//!
//! A rule is a function from the [`Repo`] to its findings, in a file of its own, with tests that
//! show it can fail. To add one: write the file, then add it to [`RULES`]. A line may be excused
//! from a rule by a comment, see [`allow`].

mod allow;
mod repo;
mod rust;
mod toml;

mod attacks;
mod cargo_inherit;
mod challenge_header;
mod clock;
mod crate_folder;
mod decisions;
mod dependency_graph;
mod file_length;
mod ignored_tests;
mod leftovers;
mod licenses;
mod lock_files;
mod mcp;
mod service_impls;
mod spawn;
mod status_codes;

use std::{ffi::OsString, fmt, process::ExitCode};

use crate::{run::Failure, tidy::repo::Repo};

struct Rule {
    name: &'static str,
    /// One sentence, so that the rule can be argued with.
    why: &'static str,
    check: fn(&Repo) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "attacks",
        why: "an attack without a test is not repelled, and one without a row is not known",
        check: attacks::check,
    },
    Rule {
        name: "cargo-inherit",
        why: "one version, edition, licence and lint table, so that no crate is held to less",
        check: cargo_inherit::check,
    },
    Rule {
        name: "challenge-header",
        why: "challenges are completed in one place, or clients do not find the metadata",
        check: challenge_header::check,
    },
    Rule {
        name: "clock",
        why: "expiry, quotas and records are only testable if time comes from a clock parameter",
        check: clock::check,
    },
    Rule {
        name: "crate-folder",
        why: "whoever opens a crate finds the same files, and its README is its compiled doc",
        check: crate_folder::check,
    },
    Rule {
        name: "decisions",
        why: "a decision that cannot be found is taken again, differently",
        check: decisions::check,
    },
    Rule {
        name: "dependency-graph",
        why: "each layer stands alone: on the core, on no sibling, framework, runtime or protocol",
        check: dependency_graph::check,
    },
    Rule {
        name: "file-length",
        why: "security code is read whole or not at all",
        check: file_length::check,
    },
    Rule {
        name: "ignored-tests",
        why: "a test that does not run protects nothing and looks as if it did",
        check: ignored_tests::check,
    },
    Rule {
        name: "leftovers",
        why: "what is unfinished belongs into an issue, and whose machine it was built on nowhere",
        check: leftovers::check,
    },
    Rule {
        name: "licenses",
        why: "users must be able to ship what they compile; the list is that of deny.toml",
        check: licenses::check,
    },
    Rule {
        name: "lock-files",
        why: "what is pinned is installed from every machine's own registry, by its digest",
        check: lock_files::check,
    },
    Rule {
        name: "mcp",
        why: "only mcp-request knows the protocol, so that every other layer also guards gRPC",
        check: mcp::check,
    },
    Rule {
        name: "service-impls",
        why: "a refusal is an answer: frameworks demand that a layer adds no error of its own",
        check: service_impls::check,
    },
    Rule {
        name: "spawn",
        why: "a task that a layer started outlives its request and answers to nobody",
        check: spawn::check,
    },
    Rule {
        name: "status-codes",
        why: "the table of refusals is written once, or two layers answer the same thing twice",
        check: status_codes::check,
    },
];

/// What is wrong, where, and what to do instead.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    message: String,
    severity: Severity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Failure,
    /// Said, but nothing fails.
    Note,
}

impl Finding {
    fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into(), severity: Severity::Failure }
    }

    fn in_file(path: &str, message: impl Into<String>) -> Self {
        Self::at(path, 0, message)
    }

    fn into_note(self) -> Self {
        Self { severity: Severity::Note, ..self }
    }
}

/// A finding and the name of the rule it breaks.
struct Broken {
    rule: &'static str,
    finding: Finding,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { path, line, message, severity } = &self.finding;
        if *severity == Severity::Note {
            f.write_str("note: ")?;
        }
        match line {
            0 => write!(f, "{path}: ")?,
            line => write!(f, "{path}:{line}: ")?,
        }
        write!(f, "[{}] {message}", self.rule)
    }
}

pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    match arguments {
        [] => check()?,
        [list] if list == "--list" => {
            for rule in RULES {
                println!("{:<18}{}", rule.name, rule.why);
            }
        }
        _ => return Err(Failure::Usage("`tidy` takes nothing but `--list`".to_owned())),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what is wrong and fails if that is more than notes.
pub(crate) fn check() -> Result<(), Failure> {
    let broken = broken_rules(&Repo::load()?, RULES);
    for broken in &broken {
        println!("{broken}");
    }
    let failures =
        broken.iter().filter(|broken| broken.finding.severity == Severity::Failure).count();
    if failures > 0 {
        let message = format!("{failures} findings. To look again: cargo xtask tidy");
        return Err(Failure::because(message));
    }
    println!("tidy: {} rules, all hold", RULES.len());
    Ok(())
}

fn broken_rules(repo: &Repo, rules: &[Rule]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for rule in rules {
        let mut findings = (rule.check)(repo);
        findings.sort();
        findings.dedup();
        broken.extend(findings.into_iter().map(|finding| Broken { rule: rule.name, finding }));
    }
    let names: Vec<&str> = rules.iter().map(|rule| rule.name).collect();
    allow::apply(repo, &names, broken)
}

/// For the tests of rules: where something was found.
#[cfg(test)]
fn places(findings: &[Finding]) -> Vec<(&str, usize)> {
    findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_the_place_the_rule_and_the_remedy() {
        let shown = |finding| Broken { rule: "spawn", finding }.to_string();
        assert_eq!(shown(Finding::at("a.rs", 3, "do b")), "a.rs:3: [spawn] do b");
        assert_eq!(shown(Finding::in_file("a.rs", "do b")), "a.rs: [spawn] do b");
        assert_eq!(shown(Finding::in_file("a", "do b").into_note()), "note: a: [spawn] do b");
    }

    #[test]
    fn rules_are_listed_in_order_and_once() {
        assert!(RULES.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn an_unknown_argument_is_a_usage_error() {
        assert!(matches!(run(&["--fix".into()]), Err(Failure::Usage(_))));
    }
}
