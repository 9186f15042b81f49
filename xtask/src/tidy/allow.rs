//! Exceptions, written where they apply: `// tidy: allow <rule> <reason>`, at the end of the line
//! or alone on the line above it.
//!
//! Like `#[expect]`, an exception needs a reason and is itself a finding once nothing needs it.

use crate::tidy::{Broken, Finding, repo::Repo, rust::Line};

const RULE: &str = "allow";
const START: &str = "tidy: allow";

struct Marker<'a> {
    path: &'a str,
    /// Where the comment stands.
    line: usize,
    /// The line it is about.
    covers: usize,
    rule: &'a str,
    reason: &'a str,
}

/// Drops what is excused, adds what is wrong with the excuses.
pub(super) fn apply(repo: &Repo, rules: &[&str], broken: Vec<Broken>) -> Vec<Broken> {
    let markers = markers(repo);
    let mut found: Vec<Broken> = Vec::new();
    for marker in &markers {
        let needed = broken.iter().any(|broken| marker.excuses(broken));
        let complaint = if !rules.contains(&marker.rule) {
            format!("there is no rule `{}`: see `cargo xtask tidy --list`", marker.rule)
        } else if marker.reason.is_empty() {
            "an exception needs a reason after the name of the rule".to_owned()
        } else if !needed {
            format!("the line no longer breaks `{}`: remove the exception", marker.rule)
        } else {
            continue;
        };
        found
            .push(Broken { rule: RULE, finding: Finding::at(marker.path, marker.line, complaint) });
    }
    found.extend(broken.into_iter().filter(|broken| !markers.iter().any(|m| m.excuses(broken))));
    found
}

impl Marker<'_> {
    fn excuses(&self, broken: &Broken) -> bool {
        broken.rule == self.rule
            && broken.finding.line == self.covers
            && broken.finding.path == self.path
    }
}

fn markers(repo: &Repo) -> Vec<Marker<'_>> {
    let mut markers = Vec::new();
    for (file, source) in repo.sources() {
        for (index, line) in source.lines.iter().enumerate() {
            let comment = line.comment.trim_start_matches('/').trim();
            let Some(text) = comment.strip_prefix(START) else { continue };
            let text = text.trim();
            let (rule, reason) = text.split_once(' ').unwrap_or((text, ""));
            let below = source.lines.iter().skip(index).position(has_code).unwrap_or_default();
            markers.push(Marker {
                path: &file.path,
                line: index + 1,
                covers: index + below + 1,
                rule,
                reason: reason.trim(),
            });
        }
    }
    markers
}

fn has_code(line: &Line) -> bool {
    !line.code.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/a/src/lib.rs";

    /// What is left of a finding of `spawn` on line 2, given the text of the file.
    fn left(text: &str) -> Vec<String> {
        let repo = Repo::of(&[(FILE, text)]);
        let broken = vec![Broken { rule: "spawn", finding: Finding::at(FILE, 2, "x") }];
        let left = apply(&repo, &["spawn", "clock"], broken);
        left.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_exception_covers_its_line_or_the_next() {
        let rows = [
            ("same line", "\nspawn(); // tidy: allow spawn because"),
            ("line above", "// tidy: allow spawn because\nspawn();"),
        ];
        for (name, text) in rows {
            assert_eq!(left(text), [""; 0], "{name}");
        }
    }

    #[test]
    fn an_exception_covers_nothing_else() {
        let rows = [
            ("another line", "a(); // tidy: allow spawn because\nspawn();", "remove the exception"),
            ("another rule", "\nspawn(); // tidy: allow clock because", "remove the exception"),
            ("an unknown rule", "\nspawn(); // tidy: allow swapn because", "no rule `swapn`"),
        ];
        for (name, text, complaint) in rows {
            let left = left(text);
            assert_eq!(left.len(), 2, "{name}: {left:?}");
            assert!(left[0].contains(complaint), "{name}: {left:?}");
        }
    }

    #[test]
    fn an_exception_covers_no_other_file() {
        let excused = "\nspawn(); // tidy: allow spawn because";
        let repo = Repo::of(&[(FILE, "\nspawn();"), ("crates/b/src/lib.rs", excused)]);
        let broken = vec![Broken { rule: "spawn", finding: Finding::at(FILE, 2, "x") }];
        let left = apply(&repo, &["spawn"], broken);
        assert!(left.iter().any(|broken| broken.finding.path == FILE));
    }

    #[test]
    fn an_exception_needs_a_reason() {
        let left = left("\nspawn(); // tidy: allow spawn");
        assert_eq!(
            left,
            [format!("{FILE}:2: [allow] an exception needs a reason after the name of the rule")]
        );
    }

    #[test]
    fn text_in_quotes_and_documentation_excuse_nothing() {
        assert_eq!(left("\nspawn(\"// tidy: allow spawn because\");").len(), 1);
        assert_eq!(left("/// tidy: allow spawn because\nspawn();").len(), 1);
    }
}
