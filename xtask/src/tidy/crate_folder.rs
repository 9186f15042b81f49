//! Each crate has the files that a stranger expects, and stands in the table of the README.

use crate::tidy::{Finding, repo::Repo};

const FILES: &[&str] = &["Cargo.toml", "README.md", "CHANGELOG.md", "src/lib.rs"];
const FIRST_LINE: &str = r#"#![doc = include_str!("../README.md")]"#;
const README: &str = "README.md";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in repo.crate_folders() {
        let folder = format!("crates/{folder}");
        for name in FILES {
            let path = format!("{folder}/{name}");
            if repo.file(&path).is_none() {
                findings.push(Finding::in_file(&path, "every crate has this file: write it"));
            }
        }
        let library = format!("{folder}/src/lib.rs");
        if let Some(file) = repo.file(&library)
            && file.text.lines().next() != Some(FIRST_LINE)
        {
            let message = format!("the first line must be `{FIRST_LINE}`");
            findings.push(Finding::at(&library, 1, message));
        }
        if !is_in_the_table(repo, &folder) {
            let message = format!("the table of crates lacks a row that links to `{folder}`");
            findings.push(Finding::in_file(README, message));
        }
    }
    findings
}

fn is_in_the_table(repo: &Repo, folder: &str) -> bool {
    let links = [format!("({folder})"), format!("({folder}/")];
    repo.file(README).is_some_and(|file| {
        let mut rows = file.text.lines().filter(|line| line.starts_with('|'));
        rows.any(|row| links.iter().any(|link| row.contains(link)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    const GOOD: &[(&str, &str)] = &[
        ("README.md", "| crate |\n|---|\n| [a](crates/a) |\n"),
        ("crates/a/Cargo.toml", ""),
        ("crates/a/README.md", ""),
        ("crates/a/CHANGELOG.md", ""),
        ("crates/a/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n"),
    ];

    #[test]
    fn a_complete_crate_is_fine() {
        assert_eq!(check(&Repo::of(GOOD)), []);
    }

    #[test]
    fn each_file_is_missed() {
        for (missing, _) in GOOD {
            let rest: Vec<(&str, &str)> =
                GOOD.iter().copied().filter(|(path, _)| path != missing).collect();
            assert_eq!(places(&check(&Repo::of(&rest))), [(*missing, 0)], "{missing}");
        }
    }

    #[test]
    fn what_a_file_lacks_is_found() {
        let rows = [
            ("no row", "README.md", "[a](crates/a) | a\n", 0),
            ("the row of another crate", "README.md", "| [ab](crates/ab) |\n", 0),
            ("another first line", "crates/a/src/lib.rs", "//! About.\n", 1),
        ];
        for (name, path, text, line) in rows {
            let files: Vec<(&str, &str)> =
                GOOD.iter().map(|good| if good.0 == path { (path, text) } else { *good }).collect();
            assert_eq!(places(&check(&Repo::of(&files))), [(path, line)], "{name}");
        }
    }
}
