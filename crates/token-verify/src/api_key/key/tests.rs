use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn prefix() -> ApiKeyPrefix {
    ApiKeyPrefix::parse("acme_live").unwrap()
}

fn sealed(text: &str) -> String {
    format!("{text}{}", std::str::from_utf8(&checksum(text)).unwrap())
}

#[test]
fn the_checksum_is_the_crc_that_everybody_has() {
    // The check value of CRC-32/ISO-HDLC.
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    assert_eq!(crc32(b""), 0);
    assert_eq!(checksum(""), *b"000000");
}

#[test]
fn a_key_has_the_documented_form_and_reads_back() {
    let (key, id) = ApiKey::draw(&prefix()).unwrap();
    let text = key.expose();
    assert_eq!(text.len(), "acme_live_".len() + BODY_LEN);
    assert!(text.starts_with(&format!("acme_live_{id}_")));
    let presented = Presented::read(&prefix(), text).ok().unwrap();
    assert_eq!(presented.id, id);
    assert!(bool::from(presented.digest.is(&key.digest())));
    crate::BearerToken::parse(text).expect("a key travels as a bearer token");
}

#[test]
fn keys_are_drawn_from_the_whole_alphabet_and_never_twice() {
    let mut seen = [0_usize; 128];
    let mut secrets = HashSet::new();
    for _ in 0..400 {
        let (key, _) = ApiKey::draw(&prefix()).unwrap();
        let start = "acme_live_".len() + ID_LEN + 1;
        let secret = key.expose().get(start..start + SECRET_LEN).unwrap();
        secret.bytes().for_each(|byte| seen[usize::from(byte)] += 1);
        assert!(secrets.insert(secret.to_owned()));
    }
    // 17,200 letters: 277 of each are expected, and a biased draw gives some of them 336.
    for letter in ALPHABET {
        let count = seen[usize::from(*letter)];
        assert!((190..=375).contains(&count), "{} came {count} times", char::from(*letter));
    }
}

#[test]
fn a_byte_that_would_favour_some_letters_is_not_used() {
    assert_eq!(usize::from(UNBIASED_BELOW) % ALPHABET.len(), 0);
    assert_eq!(letter_of(u32::from(UNBIASED_BELOW)), ALPHABET[0]);
    assert_eq!(letter_of(u32::from(UNBIASED_BELOW) - 1), ALPHABET[61]);
}

#[test]
fn what_is_not_exactly_a_key_is_refused_before_any_lookup() {
    let good = sealed(&format!("acme_live_{}_{}", "a".repeat(ID_LEN), "b".repeat(SECRET_LEN)));
    assert_eq!(Presented::read(&prefix(), &good).err(), None);
    let short =
        |secret: usize| sealed(&format!("acme_live_{}_{}", "a".repeat(ID_LEN), "b".repeat(secret)));
    let last = good.len() - 1;
    let cut = good.get(..last).unwrap();
    let typo = format!("{cut}{}", if good.ends_with('0') { '1' } else { '0' });
    let rows = [
        ("nothing", String::new(), "not an API key of this ring"),
        ("a JWT", "eyJh.eyJi.c2ln".to_owned(), "not an API key of this ring"),
        ("another prefix", good.replace("live", "test"), "not an API key of this ring"),
        ("upper case", good.to_uppercase(), "not an API key of this ring"),
        ("only the prefix", "acme_live_".to_owned(), "an API key of the wrong length"),
        ("a short secret", short(SECRET_LEN - 1), "an API key of the wrong length"),
        ("a password", short(8), "an API key of the wrong length"),
        ("a long secret", short(SECRET_LEN + 1), "an API key of the wrong length"),
        ("cut off", cut.to_owned(), "an API key of the wrong length"),
        ("a typo", typo, "an API key with a wrong checksum"),
        ("swapped halves", sealed(&"b".repeat(last)), "not an API key of this ring"),
        (
            "no separator",
            sealed(&format!("acme_live_{}", "a".repeat(ID_LEN + 1 + SECRET_LEN))),
            "an API key of the wrong form",
        ),
        (
            "other letters",
            sealed(&format!("acme_live_{}_{}", "a".repeat(ID_LEN), "-".repeat(SECRET_LEN))),
            "an API key of the wrong form",
        ),
        (
            "an id of other letters",
            sealed(&format!("acme_live_{}_{}", "~".repeat(ID_LEN), "b".repeat(SECRET_LEN))),
            "an API key of the wrong form",
        ),
    ];
    for (name, text, expected) in rows {
        assert_eq!(Presented::read(&prefix(), &text).err(), Some(expected), "{name}");
    }
}

#[test]
fn prefixes_are_plain_words() {
    for (name, text, good) in [
        ("a word", "acme", true),
        ("two", "acme_live", true),
        ("digits", "k8s", true),
        ("the longest", "abcdefghijklmnopqrstuvwx", true),
        ("empty", "", false),
        ("one letter", "a", false),
        ("too long", "abcdefghijklmnopqrstuvwxy", false),
        ("upper case", "Acme", false),
        ("a digit first", "8ball", false),
        ("separator last", "acme_", false),
        ("a dot, as in a JWT", "ac.me", false),
    ] {
        assert_eq!(ApiKeyPrefix::parse(text).is_ok(), good, "{name}");
    }
}

#[test]
fn a_digest_has_one_text() {
    let digest = KeyDigest::of("x");
    let hex = digest.to_hex();
    assert!(bool::from(KeyDigest::from_hex(&hex).unwrap().is(&digest)));
    for (name, text) in [
        ("upper case", hex.to_uppercase()),
        ("short", hex.get(..62).unwrap().to_owned()),
        ("odd", hex.get(..63).unwrap().to_owned()),
        ("long", format!("{hex}00")),
        ("no hex", "g".repeat(64)),
        ("empty", String::new()),
    ] {
        assert!(KeyDigest::from_hex(&text).is_none(), "{name}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "acme_live_.{0,80}") {
        let _ = Presented::read(&prefix(), &text);
    }

    #[test]
    fn any_single_typo_is_found(at in 0_usize..76, letter in "[0-9A-Za-z_]") {
        let good = sealed(&format!("acme_live_{}_{}", "a".repeat(ID_LEN), "b".repeat(SECRET_LEN)));
        let mut bad = good.clone();
        bad.replace_range(at..=at, &letter);
        prop_assert_eq!(Presented::read(&prefix(), &bad).is_ok(), bad == good);
    }
}
