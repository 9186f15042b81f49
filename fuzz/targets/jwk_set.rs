//! Which keys of a set are used, and for what.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(set) = std::str::from_utf8(data) else { return };
    let found = palisade_token_verify::fuzzing::jwk_set(set);
    assert_eq!(found, palisade_fuzz::jwk_set::jwk_set(set));
});
