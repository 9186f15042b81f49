//! No status is chosen outside the core's table of refusals.

use crate::tidy::{Finding, repo::Repo, rust};

/// The table, and answers that are not refusals: the metadata document and a whole server.
const ALLOWED: &[&str] = &[
    "crates/core/src/denial.rs",
    "crates/core/src/denial/",
    "crates/resource-metadata/src/",
    "crates/test-issuer/src/",
];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    repo.shipped_lines()
        .filter(|at| !ALLOWED.iter().any(|allowed| at.path.starts_with(allowed)))
        .filter(|at| chooses_a_status(&at.line.bare))
        .map(|at| {
            let message = "refuse with a `DenialKind` and let the core choose the status; a new \
                           kind of refusal is a line in crates/core/src/denial.rs";
            Finding::at(at.path, at.number, message)
        })
        .collect()
}

fn chooses_a_status(code: &str) -> bool {
    rust::words(code).any(|word| match word.text {
        "StatusCode" => word.after.starts_with("::"),
        "status" => {
            word.before.ends_with('.')
                && word.after.strip_prefix('(').is_some_and(|argument| {
                    argument.trim_start().starts_with(|c: char| c.is_ascii_digit())
                })
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn a_status_chosen_in_a_layer_is_found() {
        let rows = [
            ("a constant", "f(StatusCode::FORBIDDEN)"),
            ("by number", "StatusCode::from_u16(403)"),
            ("in a builder", "Response::builder().status(403)"),
        ];
        for (name, code) in rows {
            let repo = Repo::of(&[("crates/scope-policy/src/check.rs", code)]);
            assert_eq!(places(&check(&repo)), [("crates/scope-policy/src/check.rs", 1)], "{name}");
        }
    }

    #[test]
    fn what_chooses_nothing_is_fine() {
        let rows = [
            ("a type", "fn f(status: StatusCode)"),
            ("an import", "use http::StatusCode;"),
            ("reading one", "let s = response.status();"),
            ("passing one on", "builder.status(denial.status())"),
            ("a comment", "// StatusCode::OK"),
            ("text", r#"log("StatusCode::OK")"#),
            ("a test", "#[cfg(test)] mod tests { StatusCode::OK }"),
            ("another name", "GrpcStatusCode::Ok"),
        ];
        for (name, code) in rows {
            let repo = Repo::of(&[("crates/scope-policy/src/check.rs", code)]);
            assert_eq!(check(&repo), [], "{name}");
        }
    }

    #[test]
    fn the_table_and_the_documents_may_choose() {
        for path in [
            "crates/core/src/denial.rs",
            "crates/core/src/denial/table.rs",
            "crates/resource-metadata/src/service.rs",
            "crates/test-issuer/src/lib.rs",
        ] {
            assert_eq!(check(&Repo::of(&[(path, "StatusCode::OK")])), [], "{path}");
        }
    }
}
