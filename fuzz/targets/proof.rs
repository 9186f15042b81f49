//! Which DPoP proofs are for a request. The input is a header, claims and a signature, a line each.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let (Some(header), Some(claims), Some(signature)) = (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    let found = palisade_token_verify::fuzzing::proof(header, claims, signature);
    assert_eq!(found, palisade_fuzz::proof::proof(header, claims, signature));
});
