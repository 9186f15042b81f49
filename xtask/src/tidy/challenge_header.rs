//! `WWW-Authenticate` is written by the core alone.

use crate::tidy::{Finding, repo::Repo};

/// The core completes challenges; the layer for browsers lets pages read them; the issuer is a server, not a
/// layer.
const ALLOWED: &[&str] = &["core", "cors", "test-issuer"];

/// The place in a tool result for a copy of what the core wrote.
const COPY: &str = "mcp/www-authenticate";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    repo.shipped_lines()
        .filter(|at| !ALLOWED.contains(&at.folder))
        .filter(|at| {
            let code = at.line.code.to_ascii_lowercase().replace('_', "-");
            code.replace(COPY, "").contains("www-authenticate")
        })
        .map(|at| {
            let message = "attach a `Challenge` to the `Denial`: the core writes the header and \
                           completes it with the metadata URL";
            Finding::at(at.path, at.number, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn the_header_is_found_under_each_of_its_names() {
        for code in ["header::WWW_AUTHENTICATE", r#"("www-authenticate")"#, r#""WWW-Authenticate""#]
        {
            let repo = Repo::of(&[("crates/token-verify/src/service.rs", code)]);
            let found = check(&repo);
            assert_eq!(places(&found), [("crates/token-verify/src/service.rs", 1)], "{code}");
        }
    }

    #[test]
    fn the_core_writes_it_and_anyone_may_speak_of_it() {
        let repo = Repo::of(&[
            ("crates/core/src/challenge.rs", "WWW_AUTHENTICATE"),
            ("crates/token-verify/src/service.rs", "/// The `WWW-Authenticate` header."),
            ("crates/token-verify/src/tests.rs", "WWW_AUTHENTICATE"),
            ("crates/cors/src/layer.rs", "WWW_AUTHENTICATE"),
            ("crates/mcp-request/src/render.rs", r#"rename = "mcp/www_authenticate""#),
        ]);
        assert_eq!(check(&repo), []);
    }
}
