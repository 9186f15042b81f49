//! Lock files pin what is installed, and not where from.

use serde_json::Value;

use crate::tidy::{
    Finding,
    repo::{File, Repo},
    toml,
};

/// How cargo names crates.io, whatever mirror a machine has configured for it.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &repo.files {
        match file.path.rsplit('/').next() {
            Some("Cargo.lock") => findings.extend(cargo(file)),
            Some("package-lock.json") => findings.extend(npm(file)),
            Some(".npmrc") => findings.extend(npm_settings(file)),
            Some("requirements.txt") => findings.extend(python(file)),
            _ => {}
        }
    }
    findings
}

fn cargo(file: &File) -> Vec<Finding> {
    toml::entries(&file.text)
        .iter()
        .filter(|entry| entry.table == "package" && entry.key == "source")
        .filter(|entry| entry.strings().any(|source| source != CRATES_IO))
        .map(|entry| Finding::at(&file.path, entry.line, "take the crate from crates.io"))
        .collect()
}

fn npm(file: &File) -> Vec<Finding> {
    let lock: Option<Value> = serde_json::from_str(&file.text).ok();
    let Some(packages) = lock.as_ref().and_then(|lock| lock.get("packages")?.as_object()) else {
        let message = "not a lock file of npm 7 or newer: `npm install --package-lock-only`";
        return vec![Finding::in_file(&file.path, message)];
    };
    let mut findings = Vec::new();
    for (folder, package) in packages.iter().filter(|(folder, _)| !folder.is_empty()) {
        let mut found = |message: &str| {
            let line = file.line_of(&format!("\"{folder}\":"));
            findings.push(Finding::at(&file.path, line, message));
        };
        if package.get("resolved").is_some() {
            found(
                "`resolved` names somebody's registry: put `omit-lockfile-registry-resolved=true` \
                 into .npmrc beside it, then `npm install --package-lock-only`",
            );
        }
        if package.get("integrity").is_none() {
            found(
                "without `integrity` a registry decides what is installed: make the lock file anew",
            );
        }
    }
    findings
}

fn npm_settings(file: &File) -> Vec<Finding> {
    let lines = file.text.lines().enumerate();
    lines
        .filter(|(_, line)| {
            let line = line.trim();
            !line.starts_with(['#', ';'])
                && (line.contains("://") || line.contains("//") && line.contains("_auth"))
        })
        .map(|(index, _)| {
            let message = "registries and credentials are each machine's own: leave them out";
            Finding::at(&file.path, index + 1, message)
        })
        .collect()
}

/// What `pip install --require-hashes` reads: `name==version \`, then digests.
fn python(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lines = file.text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let mut has_digest = line.contains("--hash=sha256:");
        while lines.next_if(|(_, next)| next.starts_with(' ')).is_some_and(|(_, next)| {
            has_digest |= next.trim().starts_with("--hash=sha256:");
            true
        }) {}
        let message = if line.starts_with('-') || line.contains("://") {
            "indexes and files are each machine's own: leave them out"
        } else if !line.contains("==") || !has_digest {
            "pin the version and its digests: `pip-compile --generate-hashes --no-emit-index-url`"
        } else {
            continue;
        };
        findings.push(Finding::at(&file.path, index + 1, message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn lock_files_that_name_no_registry_are_fine() {
        let cargo = format!(
            "[[package]]\nname = \"a\"\n\n[[package]]\nname = \"b\"\nsource = \"{CRATES_IO}\"\n"
        );
        let npm = r#"{ "packages": { "": { "name": "x" }, "node_modules/a": { "integrity": "sha512-x",
            "funding": { "url": "https://a.example" } } } }"#;
        let repo = Repo::of(&[
            ("Cargo.lock", cargo.as_str()),
            ("tests/x/package-lock.json", npm),
            ("tests/x/.npmrc", "# see https://a.example\naudit=false\n"),
            (
                "tests/x/requirements.txt",
                "# made\na==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n",
            ),
        ]);
        assert_eq!(check(&repo), []);
    }

    #[test]
    fn registries_in_lock_files_are_found() {
        let rows = [
            ("a registry", "Cargo.lock", "[[package]]\nsource = \"registry+https://a.example\"\n"),
            ("a fork", "Cargo.lock", "[[package]]\nsource = \"git+https://a.example/x#1\"\n"),
            (
                "of npm",
                "package-lock.json",
                "{ \"packages\": {\n\"node_modules/a\": { \"resolved\": \"https://a.example\", \"integrity\": \"x\" } } }",
            ),
            ("no digest", "x/package-lock.json", "{ \"packages\": {\n\"node_modules/a\": {} } }"),
            ("a setting", "x/.npmrc", "audit=false\nregistry=https://a.example\n"),
            ("of one scope", "x/.npmrc", "audit=false\n@x:registry=https://a.example\n"),
            (
                "an index",
                "requirements.txt",
                "a==1 --hash=sha256:1\n--index-url https://a.example\n",
            ),
            ("a file", "requirements.txt", "\na @ https://a.example/a.whl --hash=sha256:1\n"),
            ("no digest for Python", "requirements.txt", "a==1 --hash=sha256:1\nb==1\n"),
            (
                "no version",
                "requirements.txt",
                "a==1 --hash=sha256:1\nb>=1 \\\n    --hash=sha256:1\n",
            ),
            ("a credential", "x/.npmrc", "audit=false\n//a.example/:_authToken=x\n"),
        ];
        for (name, path, text) in rows {
            assert_eq!(places(&check(&Repo::of(&[(path, text)]))), [(path, 2)], "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_lock_file() {
        for text in ["", "{}", "{ \"dependencies\": {} }"] {
            let repo = Repo::of(&[("package-lock.json", text)]);
            assert_eq!(places(&check(&repo)), [("package-lock.json", 0)], "{text}");
        }
    }
}
