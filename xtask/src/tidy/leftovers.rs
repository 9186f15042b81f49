//! Nothing half done, and nothing from anyone's machine.

use crate::tidy::{Finding, repo::Repo, rust};

/// Holds the words it looks for.
const THIS_FILE: &str = "xtask/src/tidy/leftovers.rs";

const SOURCES: &[&str] =
    &[".rs", ".toml", ".sh", ".yml", ".yaml", ".proto", ".py", ".ts", ".mjs", ".ci/run"];
const WORDS: &[&str] = &["TODO", "FIXME", "XXX"];
const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

/// Homes of people, wherever they live.
const HOMES: &[&str] = &["/root/", "/home/", "/Users/", "C:\\Users\\"];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repo.files.iter().filter(|file| file.path != THIS_FILE) {
        let is_source = SOURCES.iter().any(|end| file.path.ends_with(end));
        for (index, line) in file.text.lines().enumerate() {
            let mut found = |message: String| {
                findings.push(Finding::at(&file.path, index + 1, message));
            };
            if let Some(word) = rust::words(line).find(|word| WORDS.contains(&word.text))
                && is_source
            {
                found(format!("`{}`: do it, or open an issue and leave the code alone", word.text));
            }
            if let Some(path) = machine_path(line, &repo.root) {
                found(format!(
                    "`{path}` is one machine's: write the path from the repository root"
                ));
            }
        }
    }
    for (file, source) in repo.sources() {
        for (index, line) in source.lines.iter().enumerate() {
            let calls =
                |word: &rust::Word<'_>| MACROS.contains(&word.text) && word.after.starts_with("!");
            if let Some(word) = rust::words(&line.bare).find(calls) {
                let message = format!("`{}!`: write the code, or refuse with an error", word.text);
                findings.push(Finding::at(&file.path, index + 1, message));
            }
        }
    }
    findings
}

/// A path that only exists on the machine of whoever wrote the line, this one's included.
fn machine_path<'a>(line: &str, root: &'a str) -> Option<&'a str> {
    let starts_a_path = |path: &str| {
        line.match_indices(path).any(|(index, _)| {
            let before = line.get(..index).and_then(|before| before.chars().next_back());
            !before.is_some_and(|c| c.is_alphanumeric() || "._-/*}".contains(c))
        })
    };
    if let Some(home) = HOMES.iter().find(|home| starts_a_path(home)) {
        return Some(home);
    }
    // A checkout in `/src` would find half the documentation.
    let telling = root.matches(['/', '\\']).count() > 1;
    (telling && starts_a_path(root)).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    fn found(path: &str, line: &str) -> usize {
        let mut repo = Repo::of(&[(path, line)]);
        repo.root = "/builds/palisade".to_owned();
        let findings = check(&repo);
        assert!(places(&findings).iter().all(|place| *place == (path, 1)));
        findings.len()
    }

    #[test]
    fn each_leftover_is_found() {
        let rows = [
            ("a note", "a.rs", "// TODO: later"),
            ("a note in a manifest", "Cargo.toml", "# FIXME"),
            ("a hole", "a.rs", "let x = todo!();"),
            ("another", "a.rs", "unimplemented!(\"x\")"),
            ("a probe", "a.rs", "dbg!(x);"),
            ("a home", "README.md", "cd /home/me/palisade"),
            ("the root's home", "a.rs", "f(\"/root/x\")"),
            ("this machine", "tests/ui/a.stderr", "--> /builds/palisade/crates/a"),
        ];
        for (name, path, line) in rows {
            assert_eq!(found(path, line), 1, "{name}");
        }
    }

    #[test]
    fn what_only_looks_alike_is_fine() {
        let rows = [
            ("part of a word", "a.rs", "let TODOS = mastodon;"),
            ("prose about notes", "CONTRIBUTING.md", "No TODO without an issue."),
            ("a URL", "a.rs", "f(\"https://example.com/home/x\")"),
            ("a macro in a comment", "a.rs", "// never dbg!(x)"),
            ("a method", "a.rs", "x.dbg()"),
        ];
        for (name, path, line) in rows {
            assert_eq!(found(path, line), 0, "{name}");
        }
    }

    #[test]
    fn a_checkout_at_the_top_of_the_disk_tells_nothing() {
        assert_eq!(machine_path("see /src/lib.rs", "/src"), None);
    }
}
