//! Layers start no tasks and no threads.

use crate::tidy::{Finding, repo::Repo, rust};

/// The one background task, which refreshes a remote key set; and a whole server.
const ALLOWED: &[&str] = &["crates/token-verify/src/keys/", "crates/test-issuer/src/"];

const SPAWNERS: &[&str] =
    &["spawn", "spawn_blocking", "spawn_local", "spawn_on", "spawn_scoped", "spawn_unchecked"];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    repo.shipped_lines()
        .filter(|at| !ALLOWED.iter().any(|allowed| at.path.starts_with(allowed)))
        .filter(|at| spawns(&at.line.bare))
        .map(|at| {
            let message = "hand the caller a future to run instead; the one task that may run by \
                           itself refreshes keys, in crates/token-verify/src/keys/";
            Finding::at(at.path, at.number, message)
        })
        .collect()
}

/// `x::spawn` or `x.spawn(…)`, imported or called.
fn spawns(code: &str) -> bool {
    rust::words(code).any(|word| {
        SPAWNERS.contains(&word.text)
            && (word.before.ends_with("::")
                || word.before.ends_with('.')
                || is_imported(word.before))
    })
}

/// `use tokio::{spawn, …}`.
fn is_imported(before: &str) -> bool {
    let before = before.trim_start();
    before.starts_with("use ") || before.starts_with("pub use ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn a_layer_that_starts_a_task_or_a_thread_is_found() {
        for code in [
            "tokio::spawn(refresh());",
            "std::thread::spawn(|| {});",
            "thread::Builder::new().spawn(work)",
            "task::spawn_blocking(parse)",
            "use tokio::{spawn, time};",
        ] {
            let repo = Repo::of(&[("crates/audit-log/src/layer.rs", code)]);
            assert_eq!(places(&check(&repo)), [("crates/audit-log/src/layer.rs", 1)], "{code}");
        }
    }

    #[test]
    fn the_key_refresher_servers_tests_and_comments_are_free() {
        let spawn = "tokio::spawn(refresh());";
        let repo = Repo::of(&[
            ("crates/token-verify/src/keys/remote.rs", spawn),
            ("crates/test-issuer/src/server.rs", spawn),
            ("crates/audit-log/src/tests.rs", spawn),
            ("crates/audit-log/src/layer.rs", "// never tokio::spawn(x)\nlet spawn = 1;"),
            ("examples/src/bin/axum.rs", spawn),
        ]);
        assert_eq!(check(&repo), []);
    }
}
