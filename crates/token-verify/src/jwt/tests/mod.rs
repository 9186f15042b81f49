//! The attack catalogue, by identifier. Each row is a token and what becomes of it.

mod algorithms;
mod cache;
mod claims;
mod configuration;
mod encoding;
mod headers;
mod time;
mod vectors;

use std::future::Ready;

use palisade_core::ManualClock;

use crate::{
    JwtVerifier, Rejection,
    keys::{KeyAnswer, KeyHint, KeyLookup, KeySource},
    testing::rejection,
};

/// Checks all rows, so that a failure shows the whole table.
fn check_table(
    verifier: &JwtVerifier<ManualClock>,
    rows: impl IntoIterator<Item = (impl AsRef<str>, String, Option<Rejection>)>,
) {
    let wrong: Vec<_> = rows
        .into_iter()
        .filter_map(|(name, token, expected)| {
            let found = rejection(verifier, &token);
            (found != expected)
                .then(|| format!("{}: found {found:?}, expected {expected:?}", name.as_ref()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_malformed(verifier: &JwtVerifier<ManualClock>, token: &str) -> bool {
    matches!(rejection(verifier, token), Some(Rejection::Malformed { .. }))
}

/// For tokens that must be refused before a key is looked up.
struct NobodyMayAsk;

impl KeySource for NobodyMayAsk {
    type Wait = Ready<KeyAnswer>;

    fn find(&self, _: &KeyHint<'_>) -> KeyLookup<Self::Wait> {
        panic!("asked for a key")
    }
}
