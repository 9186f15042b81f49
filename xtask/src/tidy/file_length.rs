//! Files stay short enough to be read.

use crate::tidy::{Finding, repo::Repo};

const AIM: usize = 400;
const LIMIT: usize = 500;

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    repo.sources()
        .filter_map(|(file, _)| {
            let length = file.text.lines().count();
            let message = format!("{length} lines: split by idea, under {AIM} each");
            let finding = Finding::in_file(&file.path, message);
            if length > LIMIT { Some(finding) } else { (length > AIM).then(|| finding.into_note()) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Severity;

    #[test]
    fn long_files_are_noted_and_very_long_ones_fail() {
        let rows = [
            (AIM, None),
            (AIM + 1, Some(Severity::Note)),
            (LIMIT, Some(Severity::Note)),
            (LIMIT + 1, Some(Severity::Failure)),
        ];
        for (length, expected) in rows {
            let repo = Repo::of(&[("examples/src/a.rs", &"a\n".repeat(length))]);
            let severity = check(&repo).first().map(|finding| finding.severity);
            assert_eq!(severity, expected, "{length} lines");
        }
    }

    #[test]
    fn only_rust_has_a_length() {
        let repo = Repo::of(&[("Cargo.lock", &"a\n".repeat(LIMIT + 1))]);
        assert_eq!(check(&repo), []);
    }
}
