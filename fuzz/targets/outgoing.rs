//! Whether an outgoing header field has a token in it. The input is which field it is, the `Authorization` that came
//! in, and on a line of its own the value that would go out.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((choice, lines)) = data.split_first() else { return };
    let Some(end) = lines.iter().position(|byte| *byte == b'\n') else { return };
    let (authorization, value) = (&lines[..end], &lines[end + 1..]);
    let name = if choice % 2 == 0 { "x-a" } else { "authorization" };
    let found = palisade_passthrough_guard::fuzzing::is_refused(authorization, name, value);
    let Some(found) = found else { return };
    let is_credential = name == "authorization";
    assert_eq!(found, palisade_fuzz::outgoing::is_refused(authorization, is_credential, value));
});
