//! Three parts of strict base64url.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(token) = std::str::from_utf8(data) else { return };
    assert_eq!(palisade_token_verify::fuzzing::compact(token), palisade_fuzz::compact(token));
});
