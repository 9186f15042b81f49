//! What `Forwarded` says about the scheme. The input is the number of trusted proxies, and the lines of the header.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((hops, header)) = data.split_first() else { return };
    let hops = hops % 4 + 1;
    let Some(found) = palisade_token_verify::fuzzing::forwarded(header, hops) else { return };
    assert_eq!(found, palisade_fuzz::forwarded::forwarded(header, hops));
});
