//! `docs/clients.md` says what the clients do.

use std::{env, fs, path::Path};

use palisade_e2e::page;

use crate::{browser, glewlwyd, inspector, rows};

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
