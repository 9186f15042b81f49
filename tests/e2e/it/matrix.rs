//! `docs/clients.md` says what the clients do.

use std::{env, fs, path::Path, process::Command};

use palisade_e2e::page;
use serde_json::Value;

use crate::{browser, glewlwyd, inspector, rows};

/// Or the file would go on about the version before.
#[test]
fn clients_have_the_versions_of_the_lock_files() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let npm = |folder: &str, package: &str| {
        let lock = fs::read(here.join("clients").join(folder).join("package-lock.json")).unwrap();
        let lock: Value = serde_json::from_slice(&lock).unwrap();
        lock["packages"][format!("node_modules/{package}")]["version"].as_str().unwrap().to_owned()
    };
    let after = |file: &str, start: &str| {
        let text = fs::read_to_string(here.join(file)).unwrap();
        let (_, rest) = text.split_once(start).unwrap();
        rest.split([' ', '"', '\n']).next().unwrap().to_owned()
    };
    let python = "clients/python/requirements.txt";
    let glewlwyd = Command::new("glewlwyd").arg("--version").output().unwrap().stdout;
    let named = [
        (rows::TS_V1, npm("node", "@modelcontextprotocol/sdk")),
        (rows::TS_V2, npm("node", "@modelcontextprotocol/client")),
        (browser::CLIENT, npm("browser", "@modelcontextprotocol/client")),
        (rows::PYTHON, after(python, "\nmcp==")),
        (rows::FASTMCP, after(python, "\nfastmcp==")),
        (rows::RMCP, after("../../Cargo.lock", "name = \"rmcp\"\nversion = \"")),
        (inspector::CLI, npm("inspector", "@modelcontextprotocol/inspector")),
        (inspector::PAGE, npm("inspector", "@modelcontextprotocol/inspector")),
        (glewlwyd::NOTE, String::from_utf8(glewlwyd).unwrap().trim().to_owned()),
    ];
    for (name, version) in named {
        let numbers = name.split([' ', ',']).map(|word| word.trim_end_matches('.'));
        assert!(numbers.into_iter().any(|word| word == version), "{name}: it is {version}");
    }
}

#[tokio::test]
async fn the_matrix_of_clients_is_what_they_do() {
    let played = rows::all().await;
    let mut all: Vec<_> = played.iter().map(|played| &played.row).collect();
    all.extend(browser::rows().await);
    all.extend(inspector::rows().await);
    all.extend(glewlwyd::rows().await);
    let found = page(&all);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients.md");
    if env::var_os("PALISADE_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    if let Some((line, (expected, seen))) =
        written.lines().chain([""]).zip(found.lines()).enumerate().find(|(_, (a, b))| a != b)
    {
        panic!(
            "docs/clients.md is not what the clients do. Line {}:\n  is  {expected}\n  but {seen}\n\
             If that is as it should be: cargo xtask clients",
            line + 1
        );
    }
    assert_eq!(written, found, "to write it anew: cargo xtask clients");
}
