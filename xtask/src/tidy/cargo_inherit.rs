//! Members take what they share from the workspace.

use crate::tidy::{Finding, repo::Repo, toml};

const SHARED: &[&str] = &["version", "edition", "rust-version", "license"];

/// Has lints of its own, and says there which it leaves out.
const OWN_LINTS: &[&str] = &["xtask"];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &repo.workspace.members {
        let path = format!("{}/Cargo.toml", member.folder);
        let Some(file) = repo.file(&path) else { continue };
        let entries = toml::entries(&file.text);
        for key in SHARED {
            let entry = entries.iter().find(|e| e.table == "package" && e.key == *key);
            if !entry.is_some_and(toml::Entry::is_inherited) {
                let line = entry.map_or(1, |entry| entry.line);
                findings.push(Finding::at(&path, line, format!("write `{key}.workspace = true`")));
            }
        }
        let shares_lints =
            entries.iter().any(|e| e.table == "lints" && e.key == "workspace" && e.value == "true");
        if !shares_lints && !OWN_LINTS.contains(&member.name.as_str()) {
            findings.push(Finding::in_file(&path, "write `workspace = true` under `[lints]`"));
        }
        for entry in entries.iter().filter(|e| e.table.ends_with("dependencies")) {
            if !entry.is_inherited() {
                let message = format!(
                    "name the version of `{}` in the root Cargo.toml and write \
                     `{}.workspace = true` here",
                    entry.key, entry.key
                );
                findings.push(Finding::at(&path, entry.line, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{tidy::places, workspace::Member};

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\n\
        edition = { workspace = true }\nrust-version.workspace = true\nlicense.workspace = true\n\
        [lints]\nworkspace = true\n[dependencies]\n\
        http = { workspace = true, features = [\n  \"x\",\n] }\n";

    fn findings(name: &str, manifest: &str) -> Vec<Finding> {
        let mut repo = Repo::of(&[("crates/a/Cargo.toml", manifest)]);
        repo.workspace.members.push(Member {
            name: name.to_owned(),
            folder: "crates/a".to_owned(),
            ..Member::default()
        });
        check(&repo)
    }

    #[test]
    fn a_member_that_inherits_everything_is_fine() {
        assert_eq!(findings("a", GOOD), []);
    }

    #[test]
    fn what_a_member_decides_alone_is_found() {
        let rows = [
            ("a version of its own", "\nversion.workspace = true", "\nversion = \"1\"", 3),
            ("no edition", "edition = { workspace = true }", "", 1),
            (
                "a dependency of its own",
                "http = { workspace = true,",
                "http = { version = \"1\",",
                10,
            ),
            ("no lints", "[lints]\nworkspace = true", "", 0),
            ("lints of its own", "[lints]\nworkspace = true", "[lints.rust]\nx = \"warn\"", 0),
        ];
        for (name, good, bad, line) in rows {
            let found = findings("a", &GOOD.replace(good, bad));
            assert_eq!(places(&found), [("crates/a/Cargo.toml", line)], "{name}: {found:?}");
        }
    }

    #[test]
    fn xtask_may_have_lints_of_its_own() {
        assert_eq!(findings("xtask", &GOOD.replace("[lints]\nworkspace = true", "")), []);
    }
}
