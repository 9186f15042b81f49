//! Every test runs, those in the documentation too.

use crate::tidy::{
    Finding,
    repo::{File, Repo},
};

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in repo.sources() {
        for (index, line) in source.lines.iter().enumerate() {
            if is_ignore_attribute(&line.bare) {
                let message = "let the test run, or remove it";
                findings.push(Finding::at(&file.path, index + 1, message));
            }
        }
    }
    for file in repo.files.iter().filter(|file| holds_doc_tests(file)) {
        for (index, line) in file.text.lines().enumerate() {
            if is_ignored_example(line) {
                let message = "let the example compile: hide set-up behind `# `, use `no_run` if \
                               it would wait, `text` if it is not Rust";
                findings.push(Finding::at(&file.path, index + 1, message));
            }
        }
    }
    findings
}

fn is_ignore_attribute(code: &str) -> bool {
    let code = code.trim_start();
    let conditional = code.starts_with("#[cfg_attr(") && code.contains(", ignore");
    code.contains("#[ignore") || conditional
}

fn holds_doc_tests(file: &File) -> bool {
    file.source.is_some() || file.path.ends_with("/README.md")
}

fn is_ignored_example(line: &str) -> bool {
    let documentation = line.trim_start().trim_start_matches(['/', '!']).trim_start();
    let Some(language) = documentation.strip_prefix("```") else { return false };
    language.split([',', ' ']).any(|word| word.trim().starts_with("ignore"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn ignored_tests_and_examples_are_found() {
        let rows = [
            ("an attribute", "crates/a/src/tests.rs", "#[ignore]"),
            ("with a reason", "tests/it/main.rs", "    #[ignore = \"slow\"]"),
            ("on a condition", "tests/it/main.rs", "#[cfg_attr(windows, ignore)]"),
            ("an example", "crates/a/src/lib.rs", "/// ```rust,ignore"),
            ("a README", "crates/a/README.md", "```ignore"),
        ];
        for (name, path, text) in rows {
            assert_eq!(places(&check(&Repo::of(&[(path, text)]))), [(path, 1)], "{name}");
        }
    }

    #[test]
    fn what_runs_or_only_looks_alike_is_fine() {
        let rows = [
            ("an example", "crates/a/src/lib.rs", "/// ```no_run"),
            ("a word", "crates/a/src/lib.rs", "let ignored = true;"),
            ("a comment", "crates/a/src/lib.rs", "// no #[ignore] here"),
            ("text", "crates/a/src/lib.rs", "f(\"#[ignore]\")"),
        ];
        for (name, path, text) in rows {
            assert_eq!(check(&Repo::of(&[(path, text)])), [], "{name}");
        }
    }
}
