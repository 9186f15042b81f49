use std::future::Ready;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_test_issuer::{Signature, SigningAlgorithm, TokenBuilder};
use serde_json::{Value, json};

use super::{NobodyMayAsk, check_table};
use crate::{
    Issuer, JwtVerifier, Rejection, SignatureAlgorithm,
    keys::{KeyAnswer, KeyHint, KeyLookup, KeySource, StaticKeys},
    testing::{
        ISSUER, builder, clock, issuer, issuer_of_all_algorithms, keys, rejection, verdict,
        verifier,
    },
};

const ALL: [SigningAlgorithm; 10] = [
    SigningAlgorithm::ES256,
    SigningAlgorithm::ES384,
    SigningAlgorithm::ES512,
    SigningAlgorithm::EdDSA,
    SigningAlgorithm::PS256,
    SigningAlgorithm::PS384,
    SigningAlgorithm::PS512,
    SigningAlgorithm::RS256,
    SigningAlgorithm::RS384,
    SigningAlgorithm::RS512,
];

#[test]
fn accepts_all_asymmetric_algorithms() {
    let issuer = issuer_of_all_algorithms();
    for algorithm in ALL {
        let token = issuer.mint().algorithm(algorithm).sign();
        assert_eq!(rejection(&verifier(issuer), &token), None, "{algorithm}");
    }
    let token = issuer.mint().algorithm(SigningAlgorithm::EdDSA).header("alg", "Ed25519").sign();
    assert!(verdict(&verifier(issuer), &token).is_ok(), "RFC 9864");
}

#[test]
fn alg_01_none_is_no_algorithm_however_it_is_written() {
    let issuer = issuer();
    let unsigned = || issuer.mint().unsigned();
    let names: [Value; 11] = [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!("none\0"),
        json!("none "),
        json!(""),
        json!(["none"]),
        json!(null),
        json!(0),
        json!({}),
    ];
    let rows = names.into_iter().map(|alg| {
        (
            alg.to_string(),
            unsigned().header("alg", alg).sign(),
            Some(Rejection::DisallowedAlgorithm),
        )
    });
    check_table(&verifier(&issuer), rows);
    let missing = unsigned().without_header("alg").sign();
    assert_eq!(rejection(&verifier(&issuer), &missing), Some(Rejection::DisallowedAlgorithm));
    // A good signature does not help a name that is not exactly right.
    for alg in ["es256", "ES256 ", " ES256", "ES256\0"] {
        let token = issuer.mint().header("alg", alg).sign();
        assert_eq!(rejection(&verifier(&issuer), &token), Some(Rejection::DisallowedAlgorithm));
    }
}

#[test]
fn alg_02_a_public_key_is_no_secret() {
    let issuer = issuer();
    let jwk = &issuer.jwks()["keys"][0];
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let pem = issuer.public_key_pem();
    let secrets = [
        ("jwk", issuer.public_key_jwk_bytes()),
        ("der", issuer.public_key_der()),
        ("pem", pem.clone().into_bytes()),
        ("pem without final newline", pem.trim_end().as_bytes().to_vec()),
        ("pem after white space", format!("\n {pem}").into_bytes()),
        ("point", [coordinate("x"), coordinate("y")].concat()),
        ("empty", Vec::new()),
    ];
    for (name, secret) in secrets {
        let confused = issuer.mint().hmac_with(secret);
        let rows = ["HS256", "HS384", "HS512"].map(|alg| {
            (name, confused.clone().header("alg", alg).sign(), Some(Rejection::DisallowedAlgorithm))
        });
        check_table(&verifier(&issuer), rows);
        let posing = confused.header("alg", "ES256").sign();
        assert_eq!(rejection(&verifier(&issuer), &posing), Some(Rejection::BadSignature), "{name}");
    }
}

#[test]
fn alg_03_a_key_verifies_one_algorithm_only() {
    let issuer = builder()
        .algorithm(SigningAlgorithm::RS256)
        .add_key(SigningAlgorithm::ES384)
        .in_process(ISSUER)
        .unwrap();
    // The signatures are right; the key was published for something else.
    for algorithm in ALL {
        let token = issuer.mint().algorithm(algorithm).sign();
        let published = [SigningAlgorithm::RS256, SigningAlgorithm::ES384];
        let expected = (!published.contains(&algorithm)).then_some(Rejection::UnknownKey);
        assert_eq!(rejection(&verifier(&issuer), &token), expected, "{algorithm}");
    }
    let keys = issuer.jwks();
    let kid_of_es384 = keys["keys"][1]["kid"].as_str().unwrap();
    let token = issuer
        .mint()
        .header("kid", kid_of_es384)
        .header("alg", "ES256")
        .signature(Signature::Bytes(vec![1; 64]));
    assert_eq!(rejection(&verifier(&issuer), &token.sign()), Some(Rejection::UnknownKey));
}

#[test]
fn alg_04_a_signature_has_its_length_and_is_right() {
    let issuer = issuer_of_all_algorithms();
    for algorithm in ALL {
        let token = || issuer.mint().algorithm(algorithm);
        let rows = [
            ("empty", Signature::Empty),
            ("extended", Signature::Extended),
            ("truncated", Signature::Truncated),
            ("zeros", Signature::Zeros),
            ("one byte", Signature::Bytes(vec![1])),
            ("of another size of key", Signature::Bytes(vec![1; 512])),
        ];
        let rows = rows.map(|(name, signature)| {
            let name = format!("{algorithm} {name}");
            (name, token().signature(signature).sign(), Some(Rejection::BadSignature))
        });
        check_table(&verifier(issuer), rows);
        let foreign = token().signed_with_foreign_key().sign();
        assert_eq!(rejection(&verifier(issuer), &foreign), Some(Rejection::BadSignature));
        let good = token().sign();
        let (head, signature) = good.rsplit_once('.').unwrap();
        let other = issuer.mint().algorithm(algorithm).subject("mallory").sign();
        let (other_head, _) = other.rsplit_once('.').unwrap();
        let spliced = format!("{other_head}.{signature}");
        assert_eq!(rejection(&verifier(issuer), &spliced), Some(Rejection::BadSignature));
        assert_eq!(rejection(&verifier(issuer), &format!("{head}.{signature}")), None);
    }
}

#[test]
fn alg_04_a_signature_of_an_impossible_length_causes_no_look_up() {
    let issuer = issuer_of_all_algorithms();
    let aloof = JwtVerifier::new(Issuer::parse(ISSUER).unwrap(), NobodyMayAsk).unwrap();
    let aloof = aloof.with_clock(clock());
    for algorithm in ALL {
        for length in [0, 1, 63, 65, 95, 97, 131, 133, 255, 1025] {
            let signature = Signature::Bytes(vec![1; length]);
            let token = issuer.mint().algorithm(algorithm).signature(signature).sign();
            assert_eq!(rejection(&aloof, &token), Some(Rejection::BadSignature), "{algorithm}");
        }
    }
}

#[test]
fn alg_03_a_source_that_ignores_the_algorithm_changes_nothing() {
    #[derive(Clone)]
    struct Careless(StaticKeys);
    impl KeySource for Careless {
        type Wait = Ready<KeyAnswer>;
        fn find(&self, hint: &KeyHint<'_>) -> KeyLookup<Self::Wait> {
            self.0.find(&KeyHint { algorithm: SignatureAlgorithm::RS256, ..*hint })
        }
    }
    let issuer = builder().algorithm(SigningAlgorithm::RS256).in_process(ISSUER).unwrap();
    let careless = Careless(keys(&issuer));
    let verifier = JwtVerifier::new(Issuer::parse(ISSUER).unwrap(), careless).unwrap();
    let verifier = verifier.with_clock(clock());
    // An RS256 signature, right in itself, over a header that says something else.
    for alg in ["PS256", "RS384", "RS512"] {
        let token = issuer.mint().header("alg", alg).sign();
        assert_eq!(rejection(&verifier, &token), Some(Rejection::BadSignature), "{alg}");
    }
    assert_eq!(rejection(&verifier, &issuer.mint().sign()), None);
}

/// The order of P-256.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn alg_05_psychic_signatures_are_wrong() {
    let issuer = issuer();
    let (mut one, mut before_n) = ([0; 32], N);
    one[31] = 1;
    before_n[31] -= 1;
    let numbers = [("0", [0; 32]), ("1", one), ("n-1", before_n), ("n", N), ("max", [0xff; 32])];
    let rows = numbers.iter().flat_map(|(r_name, r)| {
        let issuer = &issuer;
        numbers.iter().map(move |(s_name, s)| {
            let signature = Signature::Bytes([*r, *s].concat());
            let token = issuer.mint().signature(signature).sign();
            (format!("r={r_name} s={s_name}"), token, Some(Rejection::BadSignature))
        })
    });
    check_table(&verifier(&issuer), rows);
}

fn signature_of(token: &TokenBuilder) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.sign_parts().2).unwrap()
}

#[test]
fn alg_06_der_is_not_a_jose_signature() {
    fn integer(number: &[u8]) -> Vec<u8> {
        let number = &number[number.iter().take_while(|byte| **byte == 0).count()..];
        let sign = if number[0] >= 0x80 { vec![0] } else { vec![] };
        [vec![2, u8::try_from(number.len() + sign.len()).unwrap()], sign, number.to_vec()].concat()
    }
    let issuer = issuer();
    // ECDSA signs with fresh randomness, so the token that is bent must be the one that was signed.
    let (header, payload, signature) = issuer.mint().sign_parts();
    let raw = URL_SAFE_NO_PAD.decode(&signature).unwrap();
    let content = [integer(&raw[..32]), integer(&raw[32..])].concat();
    let der = [vec![0x30, u8::try_from(content.len()).unwrap()], content].concat();
    let token = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(der));
    assert_eq!(rejection(&verifier(&issuer), &token), Some(Rejection::BadSignature));
    assert_eq!(rejection(&verifier(&issuer), &format!("{header}.{payload}.{signature}")), None);
}

#[test]
fn alg_08_an_ed25519_signature_has_one_spelling() {
    // The order of the base point, little endian.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let issuer = issuer_of_all_algorithms();
    let token = issuer.mint().algorithm(SigningAlgorithm::EdDSA);
    let mut signature = signature_of(&token);
    let mut carry = 0_u16;
    for (byte, addend) in signature[32..].iter_mut().zip(L) {
        carry += u16::from(*byte) + u16::from(addend);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert_eq!(carry, 0, "S + L still fits");
    let malleable = token.clone().signature(Signature::Bytes(signature)).sign();
    assert_eq!(rejection(&verifier(issuer), &malleable), Some(Rejection::BadSignature));
    assert_eq!(rejection(&verifier(issuer), &token.sign()), None);
}

#[test]
fn alg_10_what_is_not_on_the_list_does_not_exist() {
    let issuer = issuer();
    let names = ["ES256K", "ES521", "ESP512", "Ed448", "RSA1_5", "HS1", "RS1", "dir", "A128GCM"];
    let rows = names.map(|alg| {
        (alg, issuer.mint().header("alg", alg).sign(), Some(Rejection::DisallowedAlgorithm))
    });
    check_table(&verifier(&issuer), rows);
}
