use proptest::prelude::*;

use super::*;
use palisade_core::is_unambiguous_path;

proptest! {
    /// Against a twin that decodes as often as it can and looks for what it would have done.
    #[test]
    fn what_is_unambiguous_survives_any_number_of_decoders(
        path in "/([ab/.;\\\\]|%[0-9a-f][0-9a-f]|%25|%2e|%2f|\\PC){0,8}",
    ) {
        if !is_unambiguous_path(&path) {
            return Ok(());
        }
        prop_assert!(path.is_ascii() && !path.contains([';', '\\', ' ', '?', '#']), "{}", path);
        let once = decode(&path).into_owned();
        let structure = |bytes: &[u8]| {
            let segments = bytes.split(|byte| *byte == b'/');
            segments.map(|segment| matches!(segment, b"." | b"..")).collect::<Vec<_>>()
        };
        prop_assert_eq!(structure(&once), structure(path.as_bytes()));
        prop_assert!(!structure(&once).contains(&true));
        prop_assert!(!once.contains(&0) && !once.contains(&b'\\') && !once.contains(&b'%'));
        prop_assert!(!once.windows(2).any(|pair| pair == b"//"));
    }

    /// Whatever arrives, decoding ends and never grows.
    #[test]
    fn decoding_is_total(text in any::<String>()) {
        prop_assert!(decode(&text).len() <= text.len());
        if !text.contains('%') {
            prop_assert_eq!(&*decode(&text), text.as_bytes());
        }
    }
}
