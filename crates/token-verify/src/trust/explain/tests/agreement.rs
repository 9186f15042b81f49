//! No token is explained otherwise than it is judged.

use palisade_test_issuer::TestIssuer;
use proptest::prelude::*;
use serde_json::json;

use super::{good, strict};
use crate::{
    JwtVerifier, Rejection,
    testing::{ISSUER, NOW, check_what_is_told, clock, instant, issuer, keys, verdict},
    trust::Verdict,
};

/// One thing done to a token.
#[derive(Clone, Debug)]
enum Damage {
    Byte(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    None,
}

impl Damage {
    fn to(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Byte(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len().saturating_add(1))),
            Self::Insert(at, byte) => bytes.insert(at.index(bytes.len().saturating_add(1)), *byte),
            Self::Byte(..) | Self::None => {}
        }
        bytes
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        3 => Just(Damage::None),
        3 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        1 => any::<prop::sample::Index>().prop_map(Damage::Cut),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
    ]
}

/// Claims and header parameters that are sometimes right.
fn claims() -> impl Strategy<Value = Vec<(&'static str, Option<serde_json::Value>)>> {
    let names = prop::sample::select(vec![
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "client_id",
        "scope",
        "act",
        "cnf",
        "tid",
        "nonce",
        "groups",
    ]);
    let values = prop::sample::select(vec![
        None,
        Some(json!(null)),
        Some(json!("")),
        Some(json!("ours")),
        Some(json!("a b")),
        Some(json!(ISSUER)),
        Some(json!("https://as.example/")),
        Some(json!(["a", "b"])),
        Some(json!([])),
        Some(json!(0)),
        Some(json!(-1.5)),
        Some(json!(NOW)),
        Some(json!(NOW + 31)),
        Some(json!(NOW + 9000)),
        Some(json!(NOW - 31)),
        Some(json!(NOW - 6000)),
        Some(json!({ "sub": "a" })),
    ]);
    prop::collection::vec((names, values), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The damage is done before or after the token is signed, so that all checks are reached.
    #[test]
    fn an_explanation_says_what_the_verifier_says(
        claims in claims(),
        header in damage(),
        payload in damage(),
        whole in damage(),
        typ in prop::sample::select(vec!["at+jwt", "JWT", "\u{202e}"]),
    ) {
        static TEST_ISSUER: std::sync::LazyLock<TestIssuer> = std::sync::LazyLock::new(issuer);
        let mut mint = good(&TEST_ISSUER).header("typ", typ);
        for (name, value) in claims {
            mint = match value {
                Some(value) => mint.claim(name, value),
                None => mint.without_claim(name),
            };
        }
        let decode = |part: &str| {
            use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
            URL_SAFE_NO_PAD.decode(part).unwrap()
        };
        let (good_header, good_payload, _) = mint.sign_parts();
        let token = mint
            .raw_header(header.to(decode(&good_header)))
            .raw_payload(payload.to(decode(&good_payload)))
            .sign();
        let token = String::from_utf8_lossy(&whole.to(token.into_bytes())).into_owned();

        let keys = keys(&TEST_ISSUER);
        let verifier = JwtVerifier::new(strict(), keys.clone()).unwrap().with_clock(clock());
        let explanation = verifier.trust().explain_with_keys(&token, instant(NOW), &keys);
        check_what_is_told(&token, &explanation);
        if crate::BearerToken::parse(&token).is_ok() {
            let expected = match verdict(&verifier, &token) {
                Ok(_) => Verdict::Accepted,
                Err(rejection) => Verdict::Refused(rejection),
            };
            prop_assert_eq!(explanation.verdict(), &expected);
        } else {
            let is_malformed =
                matches!(explanation.verdict(), Verdict::Refused(Rejection::Malformed { .. }));
            prop_assert!(is_malformed);
        }
    }
}
