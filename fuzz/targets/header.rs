//! Which headers are accepted.
#![no_main]

use std::sync::LazyLock;

use palisade_token_verify::trust::TrustedIssuer;

static RULES: LazyLock<TrustedIssuer> = LazyLock::new(palisade_fuzz::header::rules);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let found = palisade_token_verify::fuzzing::header(data, &RULES);
    assert_eq!(found, palisade_fuzz::header::header(data));
});
