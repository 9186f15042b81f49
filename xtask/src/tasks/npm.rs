//! What the tests need from npm, installed where they look for it and nowhere else.

use std::{fs, io, path::Path};

use crate::{
    prerequisites::NPM_PROGRAM,
    run::{self, Call, Failure},
};

const FOLDER: &str = "tests/authorization-server";

/// Installs what the lock file lists, unless that was done.
pub(crate) fn install() -> Result<(), Failure> {
    let folder = run::root().join(FOLDER);
    let lock = read(&folder.join("package-lock.json"))?
        .ok_or_else(|| Failure::because(format!("{FOLDER}/package-lock.json is missing")))?;
    // A copy of the lock file, left behind by an installation that came to its end.
    let done = folder.join("node_modules/.installed-package-lock.json");
    if read(&done)?.as_ref() == Some(&lock) {
        println!("{FOLDER}: installed");
        return Ok(());
    }
    let call = Call::new(NPM_PROGRAM, &["ci", "--prefix", FOLDER, "--prefer-offline"]);
    call.run().map_err(with_hint)?;
    fs::write(&done, lock).map_err(|error| at(&done, &error))
}

fn with_hint(failure: Failure) -> Failure {
    const HINT: &str = "It needs a registry of npm packages, once: without the network, set \
                        `npm_config_registry` to one that can be reached.";

    match failure {
        Failure::Failed(message) => Failure::Failed(format!("{message}\n{HINT}")),
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
        let call = Call::new("no-such-program-anywhere", &["ci", "--prefix", FOLDER]);
        let Err(Failure::Failed(message)) = call.run().map_err(with_hint) else {
            panic!("there is no such program");
        };
        assert!(message.contains("ci --prefix tests/authorization-server"), "{message}");
        assert!(message.contains("npm_config_registry"), "{message}");
    }
}
