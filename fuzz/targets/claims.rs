//! Who is named by which claims.
#![no_main]

use std::sync::LazyLock;

use palisade_fuzz::claims::{NOW, claims, rules};
use palisade_token_verify::trust::TrustedIssuer;

static RULES: LazyLock<TrustedIssuer> = LazyLock::new(rules);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let found = palisade_token_verify::fuzzing::claims(data, &RULES, NOW);
    if let Some(expected) = claims(data) {
        assert_eq!(found, expected);
    }
});
