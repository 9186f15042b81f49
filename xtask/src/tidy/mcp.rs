//! Only mcp-request knows the letters MCP.

use crate::tidy::{Finding, repo::Repo};

/// The protocol's own crate, and the issuer, which plays the world around a service.
const ALLOWED: &[&str] = &["mcp-request", "test-issuer"];

/// Tests may: a path called `/mcp` in a table of examples is not knowledge.
pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    repo.shipped_lines()
        .filter(|at| !ALLOWED.contains(&at.folder))
        .filter(|at| at.line.code.to_ascii_lowercase().contains("mcp"))
        .map(|at| {
            let message = "say it in terms of an `Operation`, or move it to crates/mcp-request";
            Finding::at(at.path, at.number, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn the_letters_are_found_in_names_and_in_text() {
        let text = "use x::McpCall;\nf(\"Mcp-Method\");\nlet operation = 1;";
        let repo = Repo::of(&[("crates/rate-limit/src/key.rs", text)]);
        let path = "crates/rate-limit/src/key.rs";
        assert_eq!(places(&check(&repo)), [(path, 1), (path, 2)]);
    }

    #[test]
    fn comments_tests_and_the_protocols_own_crate_are_free() {
        let repo = Repo::of(&[
            ("crates/rate-limit/src/key.rs", "//! For MCP, see mcp-request.\n// MCP"),
            ("crates/rate-limit/src/tests.rs", "f(\"/mcp\");"),
            ("crates/mcp-request/src/call.rs", "pub struct McpCall;"),
            ("examples/src/bin/rmcp.rs", "use rmcp::x;"),
        ]);
        assert_eq!(check(&repo), []);
    }
}
