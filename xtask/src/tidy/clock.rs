//! Time is read in one place.

use crate::tidy::{Finding, repo::Repo, rust};

/// The clock; the task that refreshes remote keys, which sleeps on the runtime's clock and must measure with
/// the same one, and whose tests pause it; and a whole server.
const ALLOWED: &[&str] = &[
    "crates/core/src/clock.rs",
    "crates/token-verify/src/keys/remote/",
    "crates/test-issuer/src/",
];

const CLOCKS: &[&str] = &["Instant", "SystemTime"];

/// Tests too: theirs is the manual clock.
pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    repo.crate_lines()
        .filter(|at| !ALLOWED.iter().any(|allowed| at.path.starts_with(allowed)))
        .filter(|at| reads_the_time(&at.line.bare))
        .map(|at| {
            let message = "take a `palisade_core::Clock` and ask it; in tests, a `ManualClock`";
            Finding::at(at.path, at.number, message)
        })
        .collect()
}

fn reads_the_time(code: &str) -> bool {
    rust::words(code).any(|word| {
        let Some(next) = word.after.strip_prefix("::").and_then(|rest| rust::words(rest).next())
        else {
            return false;
        };
        CLOCKS.contains(&word.text) && next.text == "now" && next.before.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn reading_the_time_is_found_in_code_and_in_tests() {
        let text =
            "let now = SystemTime::now();\n#[cfg(test)]\nmod t { fn f() { Instant::now() } }";
        let path = "crates/rate-limit/src/service.rs";
        assert_eq!(places(&check(&Repo::of(&[(path, text)]))), [(path, 1), (path, 3)]);
    }

    #[test]
    fn the_clock_servers_and_other_names_are_free() {
        let repo = Repo::of(&[
            ("crates/core/src/clock.rs", "SystemTime::now()"),
            ("crates/test-issuer/src/server.rs", "SystemTime::now()"),
            ("crates/rate-limit/src/service.rs", "self.clock.now(); SystemTime::UNIX_EPOCH"),
            ("crates/rate-limit/src/gcra.rs", "/// Not `Instant::now()`."),
        ]);
        assert_eq!(check(&repo), []);
    }
}
