//! What the tests need from other registries than Cargo's, installed where they look for it and nowhere else; from
//! Debian, where it has to be. Each step says what it installs and how long that took, and is over at once if it was
//! done before.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    prerequisites::{self, NPM_PROGRAM, PYTHON_PROGRAM},
    run::{self, Call, Failure, stopwatch},
};

/// A folder with a lock file of npm. It gets its `node_modules` in place.
struct NpmFolder {
    path: &'static str,
    holds: &'static str,
    /// Whether its packages exist for this machine.
    fits: bool,
}

const NPM_FOLDERS: &[NpmFolder] = &[
    NpmFolder {
        path: "tests/authorization-server",
        holds: "a certified authorization server",
        fits: true,
    },
    NpmFolder { path: "tests/e2e/clients/node", holds: "the official TypeScript SDKs", fits: true },
    NpmFolder {
        path: "tests/e2e/clients/node24",
        holds: "Node 24, for what needs a newer one than the machine has",
        fits: prerequisites::NPM_HAS_NODE,
    },
    NpmFolder {
        path: "tests/e2e/clients/browser",
        holds: "what drives Chromium, and the SDK for a page in it",
        fits: true,
    },
    NpmFolder { path: "tests/e2e/clients/inspector", holds: "the MCP Inspector", fits: true },
];

/// All versions and digests of the packages for Python.
const REQUIREMENTS: &str = "tests/e2e/clients/python/requirements.txt";
const VENV: &str = "target/e2e/python";

/// A program that only Debian has, and how its package is called there.
struct DebianPackage {
    program: &'static str,
    package: &'static str,
}

const DEBIAN_PACKAGES: [DebianPackage; 2] = [
    DebianPackage { program: "chromium", package: "chromium" },
    DebianPackage { program: "glewlwyd", package: "glewlwyd" },
];

/// Of npm. Installs what each lock file lists, unless that was done.
pub(crate) fn npm_packages() -> Result<(), Failure> {
    NPM_FOLDERS.iter().filter(|folder| folder.fits).try_for_each(
        |NpmFolder { path, holds, .. }| {
            let folder = run::root().join(path);
            let lock = folder.join("package-lock.json");
            let done = Done::new(&lock, folder.join("node_modules/.installed-package-lock.json"))?;
            done.or_install(holds, || {
                Call::new(NPM_PROGRAM, &["ci", "--prefix", path, "--prefer-offline"]).run().map_err(
                    with_hint(
                        "It needs a registry of npm packages, once: without the network, set \
                     `npm_config_registry` to one that can be reached.",
                    ),
                )
            })
        },
    )
}

/// Of Python: into an environment of its own below `target`.
pub(crate) fn python_packages() -> Result<(), Failure> {
    let lock = run::root().join(REQUIREMENTS);
    let copy = run::root().join(VENV).join(".installed-requirements.txt");
    let python = Call::in_root(&format!("{VENV}/bin/python"));
    // An environment does not survive the Python that it was made with.
    if copy.exists() && !python.with(&["--version".to_owned()]).answers() {
        fs::remove_file(&copy).map_err(|error| at(&copy, &error))?;
    }
    let done = Done::new(&lock, copy)?;
    done.or_install("the official Python SDK and fastmcp", || {
        Call::new(PYTHON_PROGRAM, &["-m", "venv", "--clear", VENV]).run()?;
        Call::in_root(&format!("{VENV}/bin/python"))
            .with(
                &[
                    "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps",
                    "--only-binary=:all:", "--disable-pip-version-check",
                    &format!("--requirement={REQUIREMENTS}"),
                ]
                .map(ToOwned::to_owned),
            )
            .run()
            .map_err(with_hint(
                "It needs an index of Python packages, once: without the network, set `PIP_INDEX_URL` to one \
                 that can be reached.",
            ))
    })
}

/// Of Debian. They are the machine's, so they are installed only by who may: root, or `sudo` that does not ask.
pub(crate) fn debian_packages() -> Result<(), Failure> {
    let missing: Vec<&str> = DEBIAN_PACKAGES
        .iter()
        .filter(|package| !prerequisites::on_path(package.program))
        .map(|package| package.package)
        .collect();
    if missing.is_empty() {
        println!("installed: {}", debian_versions());
        return Ok(());
    }
    if !prerequisites::on_path("apt-get") {
        return Err(Failure::because(format!(
            "these programs are missing: {}. Only Debian and what is made of it has packages of all: run the tests \
             there, for example in a container.",
            missing.join(", ")
        )));
    }
    let is_root = Call::new("id", &["-u"]).quietly().is_some_and(|id| id.trim() == "0");
    let prefix: &[&str] = if is_root { &[] } else { &["sudo", "-n"] };
    let may = is_root || Call::new("sudo", &["-n", "true"]).answers();
    if !may {
        return Err(Failure::because(format!(
            "programs of these Debian packages are missing: {}. To install them:\n\n    {}\n",
            missing.join(", "),
            apt_get(&["sudo"], &missing)
        )));
    }
    let stop = stopwatch();
    apt(prefix, &["update", "--quiet"]).run()?;
    apt_get(prefix, &missing).run()?;
    println!("installed {} in {:.1} s", debian_versions(), stop().as_secs_f64());
    Ok(())
}

/// The packages, with their versions if Debian knows them: unlike all others, they are no choice of ours.
fn debian_versions() -> String {
    let format = "--showformat=${Package} ${Version}, ";
    let query = Call::new("dpkg-query", &["--show", format]);
    let packages = DEBIAN_PACKAGES.map(|package| package.package);
    match query.with(&packages.map(ToOwned::to_owned)).quietly() {
        Some(versions) => versions.trim_end_matches(", ").to_owned(),
        None => packages.join(", "),
    }
}

fn apt_get(prefix: &[&str], packages: &[&str]) -> Call {
    // glewlwyd's database schema is among its documentation, which images for containers leave out.
    let schema = "Dpkg::Options::=--path-include=/usr/share/doc/glewlwyd/*";
    let options = ["install", "--yes", "--quiet", "--no-install-recommends", "-o", schema];
    apt(prefix, &[&options, packages].concat())
}

/// Without questions, and without starting the services that packages bring: the tests start their own.
fn apt(prefix: &[&str], arguments: &[&str]) -> Call {
    let quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"];
    let all = [prefix, &quiet, arguments].concat();
    match all.split_first() {
        Some((program, arguments)) => Call::new(program, arguments),
        None => Call::new("apt-get", arguments),
    }
}

/// A lock file, and the copy of it that an installation leaves behind when it came to its end.
struct Done {
    lock: PathBuf,
    text: String,
    copy: PathBuf,
}

impl Done {
    fn new(lock: &Path, copy: PathBuf) -> Result<Self, Failure> {
        let text = read(lock)?
            .ok_or_else(|| Failure::because(format!("{} is missing", lock.display())))?;
        Ok(Self { lock: lock.to_path_buf(), text, copy })
    }

    fn or_install(
        &self,
        what: &str,
        install: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let lock = self.lock.strip_prefix(run::root()).unwrap_or(&self.lock).display();
        if read(&self.copy)?.as_ref() == Some(&self.text) {
            println!("installed: {what} ({lock})");
            return Ok(());
        }
        println!("installing {what} ({lock})");
        let stop = stopwatch();
        install()?;
        fs::write(&self.copy, &self.text).map_err(|error| at(&self.copy, &error))?;
        println!("installed {what} in {:.1} s", stop().as_secs_f64());
        Ok(())
    }
}

fn with_hint(hint: &'static str) -> impl Fn(Failure) -> Failure {
    move |failure| match failure {
        Failure::Failed(message) => Failure::Failed(format!("{message}\n{hint}")),
        usage @ Failure::Usage(_) => usage,
    }
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path, &error)),
    }
}

fn at(path: &Path, error: &io::Error) -> Failure {
    Failure::because(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_installation_says_how_to_repeat_it_and_what_it_needs() {
        let call = Call::new("no-such-program-anywhere", &["ci", "--prefix", "tests/x"]);
        let Err(Failure::Failed(message)) = call.run().map_err(with_hint("set `x_registry`"))
        else {
            panic!("there is no such program");
        };
        assert!(message.contains("ci --prefix tests/x"), "{message}");
        assert!(message.contains("set `x_registry`"), "{message}");
    }

    #[test]
    fn packages_of_the_machine_are_asked_for_without_questions_and_without_services() {
        assert_eq!(
            apt_get(&["sudo"], &["chromium", "glewlwyd"]).to_string(),
            "sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install --yes --quiet \
             --no-install-recommends -o 'Dpkg::Options::=--path-include=/usr/share/doc/glewlwyd/*' chromium glewlwyd"
        );
        assert!(apt(&[], &["update"]).to_string().starts_with("env "));
    }

    #[test]
    fn each_lock_file_is_there() {
        let npm = NPM_FOLDERS.iter().map(|folder| format!("{}/package-lock.json", folder.path));
        for lock in npm.chain([REQUIREMENTS.to_owned()]) {
            assert!(run::root().join(&lock).is_file(), "{lock}");
        }
    }
}
