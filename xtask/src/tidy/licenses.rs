//! Every licence in the lock file is one that deny.toml lists.

mod spdx;

use crate::tidy::{Finding, repo::Repo, toml};

const LISTS: &str = "deny.toml";
const LOCK: &str = "Cargo.lock";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let Some(lists) = repo.file(LISTS).map(|file| Lists::read(&file.text)) else {
        return vec![Finding::in_file(LISTS, "write the list of licences under `[licenses]`")];
    };
    let mut findings = Vec::new();
    for package in &repo.workspace.packages {
        let allowed = |license: &str| lists.allow(&package.name, license);
        let problem = match &package.license {
            None => format!("`{}` names no licence: do without it", package.name),
            Some(license) => match spdx::is_satisfied(license, &allowed) {
                Some(true) => continue,
                Some(false) => format!(
                    "`{}` is under `{license}`: do without it, or read the licence and extend \
                     {LISTS}",
                    package.name
                ),
                None => format!("`{}` is under `{license}`, which is not SPDX", package.name),
            },
        };
        let entry = format!("name = \"{}\"", package.name);
        let line = repo.file(LOCK).map_or(0, |file| file.line_of(&entry));
        findings.push(Finding::at(LOCK, line, problem));
    }
    findings
}

/// What deny.toml allows: everyone, and single crates.
struct Lists {
    everyone: Vec<String>,
    exceptions: Vec<(String, Vec<String>)>,
}

impl Lists {
    fn read(text: &str) -> Self {
        let mut lists = Self { everyone: Vec::new(), exceptions: Vec::new() };
        for entry in toml::entries(text) {
            let strings = entry.strings().map(ToOwned::to_owned);
            match (entry.table.as_str(), entry.key.as_str()) {
                ("licenses", "allow") => lists.everyone.extend(strings),
                ("licenses.exceptions", "crate") => {
                    lists.exceptions.extend(strings.map(|name| (name, Vec::new())));
                }
                ("licenses.exceptions", "allow") => {
                    if let Some((_, allowed)) = lists.exceptions.last_mut() {
                        allowed.extend(strings);
                    }
                }
                _ => {}
            }
        }
        lists
    }

    fn allow(&self, package: &str, license: &str) -> bool {
        let exceptions = self.exceptions.iter().filter(|(name, _)| name == package);
        let mut allowed = exceptions.flat_map(|(_, allowed)| allowed).chain(&self.everyone);
        allowed.any(|allowed| allowed == license)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{tidy::places, workspace::Package};

    const DENY: &str = "[licenses]\nallow = [\"MIT\", \"ISC\"]\n\n[[licenses.exceptions]]\n\
        crate = \"roots\"\nallow = [\"CDLA-Permissive-2.0\"]\n\n[bans]\nallow = [\"GPL-3.0-only\"]\n";

    fn findings(name: &str, license: Option<&str>) -> Vec<Finding> {
        let lock = format!("[[package]]\nname = \"other\"\n\n[[package]]\nname = \"{name}\"\n");
        let mut repo = Repo::of(&[(LISTS, DENY), (LOCK, &lock)]);
        let license = license.map(ToOwned::to_owned);
        repo.workspace.packages.push(Package { name: name.to_owned(), license });
        check(&repo)
    }

    #[test]
    fn a_licence_that_is_not_listed_is_found() {
        let rows = [
            ("another", "x", Some("GPL-3.0-only")),
            ("one of two that both bind", "x", Some("MIT AND GPL-3.0-only")),
            ("none", "x", None),
            ("no expression", "x", Some("MIT OR")),
            ("another crate's exception", "x", Some("CDLA-Permissive-2.0")),
        ];
        for (name, package, license) in rows {
            assert_eq!(places(&findings(package, license)), [(LOCK, 5)], "{name}");
        }
    }

    #[test]
    fn listed_licences_and_exceptions_are_fine() {
        assert_eq!(findings("x", Some("GPL-3.0-only OR MIT")), []);
        assert_eq!(findings("roots", Some("CDLA-Permissive-2.0 AND ISC")), []);
    }

    #[test]
    fn without_a_list_nothing_is_allowed() {
        assert_eq!(places(&check(&Repo::of(&[]))), [(LISTS, 0)]);
    }
}
