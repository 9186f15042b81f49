use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_test_issuer::SigningAlgorithm;
use serde_json::json;

use super::*;
use crate::{
    keys::KeyHint,
    keys::set::Found,
    testing::{ISSUER, builder, issuer, issuer_of_all_algorithms},
};

fn import(keys: &[Value]) -> Result<KeySet, InvalidKeySetError> {
    import_bytes(json!({ "keys": keys }).to_string().as_bytes(), Import::new())
}

fn why(jwk: &Value) -> Option<Unusable> {
    import_key(jwk, Import::new()).err()
}

fn jwk(algorithm: SigningAlgorithm) -> Value {
    let keys = issuer_of_all_algorithms().jwks();
    let keys = keys["keys"].as_array().unwrap();
    keys.iter().find(|key| key["alg"] == algorithm.name()).unwrap().clone()
}

fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
    jwk[name] = value.into();
    jwk
}

fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

fn has(set: &KeySet, kid: Option<&str>, algorithm: SignatureAlgorithm) -> bool {
    matches!(set.find(&KeyHint { kid, algorithm }), Found::Key(_))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn octets(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}

#[test]
fn jwk_01_of_two_keys_with_one_name_neither_is_used() {
    let (ec, rsa) = (jwk(SigningAlgorithm::ES256), jwk(SigningAlgorithm::RS256));
    let okp = jwk(SigningAlgorithm::EdDSA);
    let second = jwk(SigningAlgorithm::ES384);
    let name = |key: &Value| with(key.clone(), "kid", "x");
    for pair in [[name(&ec), name(&rsa)], [name(&ec), name(&ec)], [name(&ec), name(&second)]] {
        assert_eq!(import(&pair).err(), Some(InvalidKeySetError::NoUsableKey));
        let set = import(&[pair[0].clone(), okp.clone(), pair[1].clone()]).unwrap();
        assert_eq!(set.len(), 1, "the others stay");
    }
    // A key that cannot be used takes nobody's name.
    let set = import(&[name(&ec), with(name(&rsa), "use", "enc")]).unwrap();
    assert!(has(&set, Some("x"), SignatureAlgorithm::ES256));
}

#[test]
fn jwk_02_secrets_are_not_keys() {
    let oct = json!({ "kty": "oct", "k": "AAAA", "kid": "o", "alg": "HS256" });
    assert_eq!(why(&oct), Some(Unusable::Symmetric));
    assert_eq!(why(&without(oct.clone(), "k")), Some(Unusable::Symmetric));
    for (algorithm, member) in [
        (SigningAlgorithm::ES256, "d"),
        (SigningAlgorithm::RS256, "d"),
        (SigningAlgorithm::RS256, "p"),
        (SigningAlgorithm::RS256, "q"),
        (SigningAlgorithm::RS256, "dp"),
        (SigningAlgorithm::RS256, "dq"),
        (SigningAlgorithm::RS256, "qi"),
        (SigningAlgorithm::RS256, "oth"),
        (SigningAlgorithm::EdDSA, "d"),
        (SigningAlgorithm::EdDSA, "k"),
    ] {
        assert_eq!(why(&with(jwk(algorithm), member, "AAAA")), Some(Unusable::Private), "{member}");
        assert_eq!(why(&with(jwk(algorithm), member, json!(null))), Some(Unusable::Private));
    }
    // Whose secret is in the set is out, whatever else the set says about it.
    let okp = jwk(SigningAlgorithm::EdDSA);
    for algorithm in [SigningAlgorithm::ES256, SigningAlgorithm::RS256] {
        let public = jwk(algorithm);
        for leaked in [with(public.clone(), "d", "AAAA"), without(public.clone(), "kid")] {
            let leaked = with(leaked, "d", "AAAA");
            let set = import(&[public.clone(), leaked, okp.clone()]).unwrap();
            assert_eq!(set.len(), 1, "{}", algorithm.name());
        }
    }
    // Spelled otherwise, it is the same number.
    let public = jwk(SigningAlgorithm::RS256);
    let n = public["n"].as_str().unwrap();
    let signed = [&[0], URL_SAFE_NO_PAD.decode(n).unwrap().as_slice()].concat();
    for n in
        [format!("{n}=="), n.replace('-', "+").replace('_', "/"), URL_SAFE_NO_PAD.encode(signed)]
    {
        let leaked = with(with(without(public.clone(), "kid"), "d", "AAAA"), "n", n);
        assert_eq!(import(&[public.clone(), leaked, okp.clone()]).unwrap().len(), 1);
    }
    let leaked = with(okp, "d", "AAAA");
    assert_eq!(
        import(std::slice::from_ref(&leaked)).unwrap().len(),
        0,
        "it is said, and is no error"
    );
    let alone = json!({ "keys": [leaked] }).to_string();
    let error = crate::keys::StaticKeys::from_jwks_json(&alone).err();
    assert_eq!(error, Some(InvalidKeySetError::NoUsableKey));

    let mixed = import(&[oct, jwk(SigningAlgorithm::ES256)]).unwrap();
    assert_eq!(mixed.len(), 1, "the public key beside it is used");
}

#[test]
fn jwk_03_rsa_keys_have_a_sound_size_and_exponent() {
    let rsa = jwk(SigningAlgorithm::RS256);
    let modulus = octets(&rsa, "n");
    let n = |bytes: &[u8]| with(rsa.clone(), "n", encode(bytes));
    let e = |bytes: &[u8]| with(rsa.clone(), "e", encode(bytes));
    let huge = vec![0xff; MAX_RSA_BITS / 8 + 1];
    let mut even = modulus.clone();
    *even.last_mut().unwrap() &= 0xfe;
    let mut bits_2047 = modulus.clone();
    bits_2047[0] &= 0x7f;
    for (name, key) in [
        ("empty", n(&[])),
        ("zero", n(&[0])),
        ("512 bits", n(&modulus[..64])),
        ("1024 bits", n(&modulus[..128])),
        ("2047 bits", n(&bits_2047)),
        ("too many bits", n(&huge)),
        ("16384 bits", n(&vec![0xff; 2048])),
        ("even", n(&even)),
    ] {
        assert_eq!(why(&key), Some(Unusable::RsaSize), "{name}");
    }
    for (name, key) in [
        ("empty", e(&[])),
        ("0", e(&[0])),
        ("1", e(&[1])),
        ("2", e(&[2])),
        ("3", e(&[3])),
        ("65535", e(&[0xff, 0xff])),
        ("65536", e(&[1, 0, 0])),
        ("65538", e(&[1, 0, 2])),
        ("2^33 + 1", e(&[2, 0, 0, 0, 1])),
        ("2^72 + 1", e(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ("the modulus", e(&modulus)),
    ] {
        assert_eq!(why(&key), Some(Unusable::RsaExponent), "{name}");
    }
    assert_eq!(why(&n(&[[0].as_slice(), &modulus].concat())), None, "a sign octet in front");
    assert_eq!(why(&rsa), None);
}

#[test]
fn jwk_03_an_rsa_key_of_the_broken_generator_is_left_out() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../vectors/json_web_key_test.json")).unwrap();
    let groups = vectors["testGroups"].as_array().unwrap();
    let group = groups.iter().find(|group| group["comment"] == "jws_rsa_roca_key").unwrap();
    let roca = &group["public"]["keys"][0];
    assert_eq!(why(roca), Some(Unusable::Roca));
    let set = import(&[roca.clone(), jwk(SigningAlgorithm::RS256)]).unwrap();
    assert_eq!(set.len(), 1, "the others stay");
    // With another last digit it would be taken.
    let mut modulus = octets(roca, "n");
    *modulus.last_mut().unwrap() ^= 2;
    assert_eq!(why(&with(roca.clone(), "n", encode(&modulus))), None);
}

#[test]
fn jwk_04_curve_algorithm_and_numbers_belong_together() {
    let (p256, p384, ed) =
        (jwk(SigningAlgorithm::ES256), jwk(SigningAlgorithm::ES384), jwk(SigningAlgorithm::EdDSA));
    let (p521, rsa) = (jwk(SigningAlgorithm::ES512), jwk(SigningAlgorithm::RS256));
    let x = octets(&p256, "x");
    let mut off_curve = octets(&p256, "y");
    off_curve[31] ^= 1;
    let rows = [
        ("alg of another curve", with(p256.clone(), "alg", "ES384"), Unusable::AlgorithmMismatch),
        ("alg of another type", with(p256.clone(), "alg", "RS256"), Unusable::AlgorithmMismatch),
        ("alg of HMAC", with(rsa.clone(), "alg", "HS256"), Unusable::AlgorithmMismatch),
        ("alg none", with(p256.clone(), "alg", "none"), Unusable::OtherAlgorithm),
        ("alg of encryption", with(rsa.clone(), "alg", "RSA-OAEP"), Unusable::OtherAlgorithm),
        ("alg of ECDSA on RSA", with(rsa, "alg", "ES256"), Unusable::AlgorithmMismatch),
        ("alg of ECDSA on Ed25519", with(ed.clone(), "alg", "ES256"), Unusable::AlgorithmMismatch),
        ("alg is no string", with(p256.clone(), "alg", 1), Unusable::Malformed),
        ("label of another curve", with(p256.clone(), "crv", "P-384"), Unusable::AlgorithmMismatch),
        (
            "label of another curve, no alg",
            without(with(p256.clone(), "crv", "P-384"), "alg"),
            Unusable::WrongLength,
        ),
        ("short x", with(p256.clone(), "x", encode(&x[1..])), Unusable::WrongLength),
        (
            "long x",
            with(p256.clone(), "x", encode(&[[0].as_slice(), &x].concat())),
            Unusable::WrongLength,
        ),
        ("empty x", with(p256.clone(), "x", ""), Unusable::WrongLength),
        ("off the curve", with(p256.clone(), "y", encode(&off_curve)), Unusable::Refused),
        (
            "zero point",
            with(with(p256.clone(), "x", encode(&[0; 32])), "y", encode(&[0; 32])),
            Unusable::Refused,
        ),
        ("padded x", with(p256.clone(), "x", format!("{}=", encode(&x))), Unusable::Malformed),
        ("off the larger curve", with(p384, "y", encode(&[1; 48])), Unusable::Refused),
        ("short Ed25519", with(ed.clone(), "x", encode(&[1; 31])), Unusable::WrongLength),
        ("long Ed25519", with(ed.clone(), "x", encode(&[1; 44])), Unusable::WrongLength),
        ("X25519", with(ed.clone(), "crv", "X25519"), Unusable::OtherType),
        ("P-256 as OKP", with(ed.clone(), "crv", "P-256"), Unusable::OtherType),
        ("Ed448", with(ed, "crv", "Ed448"), Unusable::OtherType),
        (
            "P-521 with the numbers of P-256",
            without(with(p256.clone(), "crv", "P-521"), "alg"),
            Unusable::WrongLength,
        ),
        (
            "P-521 without its leading octet",
            with(p521.clone(), "x", encode(&[1; 65])),
            Unusable::WrongLength,
        ),
        ("P-521, off the curve", with(p521.clone(), "y", encode(&[1; 66])), Unusable::Refused),
        ("P-521 with the name of P-256", with(p521, "alg", "ES256"), Unusable::AlgorithmMismatch),
        ("secp256k1", with(p256.clone(), "crv", "secp256k1"), Unusable::OtherType),
        ("Ed25519 as EC", with(p256.clone(), "crv", "Ed25519"), Unusable::OtherType),
        ("no x", without(p256.clone(), "x"), Unusable::OtherType),
        ("kid is no string", with(p256.clone(), "kid", 7), Unusable::Malformed),
        ("kid too long", with(p256, "kid", "k".repeat(257)), Unusable::NameTooLong),
    ];
    for (name, key, expected) in rows {
        assert_eq!(why(&key), Some(expected), "{name}");
    }
}

#[test]
fn jwk_05_one_odd_key_does_not_spoil_the_set() {
    let odd = [
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "a", "pub": "AAAA" }),
        json!({ "kty": "EC" }),
        json!({ "kid": "b" }),
        json!({ "kty": 1 }),
        json!(1),
        json!(null),
        json!([]),
        json!("key"),
    ];
    let mut keys = odd.to_vec();
    keys.insert(3, jwk(SigningAlgorithm::ES256));
    let set = import(&keys).unwrap();
    assert_eq!(set.len(), 1);
    assert_eq!(import(&odd).err(), Some(InvalidKeySetError::NoUsableKey));
}

#[test]
fn keys_for_other_purposes_are_left_out() {
    let key = || jwk(SigningAlgorithm::ES256);
    for (name, jwk, expected) in [
        ("use enc", with(key(), "use", "enc"), Some(Unusable::ForbiddenUse)),
        ("use in upper case", with(key(), "use", "SIG"), Some(Unusable::ForbiddenUse)),
        ("use is no string", with(key(), "use", 1), Some(Unusable::Malformed)),
        ("no use", without(key(), "use"), None),
        ("sign only", with(key(), "key_ops", json!(["sign"])), Some(Unusable::ForbiddenUse)),
        ("no operation", with(key(), "key_ops", json!([])), Some(Unusable::ForbiddenUse)),
        ("verify", with(key(), "key_ops", json!(["sign", "verify"])), None),
        (
            "verify, but use enc",
            with(with(key(), "key_ops", json!(["verify"])), "use", "enc"),
            Some(Unusable::ForbiddenUse),
        ),
    ] {
        assert_eq!(why(&jwk), expected, "{name}");
    }
}

#[test]
fn jwk_06_and_10_the_set_as_a_whole() {
    let one = jwk(SigningAlgorithm::ES256);
    let from = |json: &str| import_bytes(json.as_bytes(), Import::new()).err();
    for json in [
        "",
        "<html></html>",
        "[]",
        "null",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[]}x"#,
        "\u{feff}{\"keys\":[]}",
    ] {
        assert_eq!(from(json), Some(InvalidKeySetError::NotAKeySet), "{json}");
    }
    assert_eq!(from(r#"{"keys":[]}"#), Some(InvalidKeySetError::NoUsableKey));
    let twice = one.to_string().replacen('{', r#"{"kid":"other","#, 1);
    assert_eq!(from(&format!(r#"{{"keys":[{twice}]}}"#)), Some(InvalidKeySetError::NotAKeySet));
    let padded = format!(r#"{{"keys":[{one}],"x":"{}"}}"#, "x".repeat(MAX_SET_BYTES));
    assert_eq!(from(&padded), Some(InvalidKeySetError::TooLarge));
    let many: Vec<_> = (0..101).map(|n| with(one.clone(), "kid", n.to_string())).collect();
    assert_eq!(import(&many).err(), Some(InvalidKeySetError::TooManyKeys));
    assert_eq!(import(&many[..100]).unwrap().len(), 100);
}

#[test]
fn a_key_without_a_name_is_used_if_it_is_alone() {
    let nameless = |algorithm| without(jwk(algorithm), "kid");
    let set = import(&[nameless(SigningAlgorithm::ES256)]).unwrap();
    assert!(has(&set, None, SignatureAlgorithm::ES256));
    assert!(!has(&set, Some("x"), SignatureAlgorithm::ES256));
    let both = [nameless(SigningAlgorithm::ES256), jwk(SigningAlgorithm::EdDSA)];
    let set = import(&both).unwrap();
    assert!(!has(&set, None, SignatureAlgorithm::ES256));
    assert!(has(&set, None, SignatureAlgorithm::Ed25519));
    let two = [nameless(SigningAlgorithm::ES256), nameless(SigningAlgorithm::EdDSA)];
    assert_eq!(import(&two).err(), Some(InvalidKeySetError::NoUsableKey));
}

#[test]
fn a_key_without_a_label_has_one_algorithm_all_the_same() {
    let rsa = without(jwk(SigningAlgorithm::RS256), "alg");
    let kid = rsa["kid"].as_str().unwrap();
    let rs256 = import(std::slice::from_ref(&rsa)).unwrap();
    assert!(has(&rs256, Some(kid), SignatureAlgorithm::RS256));
    assert!(!has(&rs256, Some(kid), SignatureAlgorithm::PS256));
    let how = Import { unlabelled_rsa: SignatureAlgorithm::PS256 };
    let ps256 = import_value(&json!({ "keys": [rsa] }), how).unwrap();
    assert!(has(&ps256, Some(kid), SignatureAlgorithm::PS256));
    assert!(!has(&ps256, Some(kid), SignatureAlgorithm::RS256));
    for (algorithm, expected) in [
        (SigningAlgorithm::ES256, SignatureAlgorithm::ES256),
        (SigningAlgorithm::ES384, SignatureAlgorithm::ES384),
        (SigningAlgorithm::ES512, SignatureAlgorithm::ES512),
        (SigningAlgorithm::EdDSA, SignatureAlgorithm::Ed25519),
    ] {
        let key = import_key(&without(jwk(algorithm), "alg"), Import::new()).unwrap();
        assert_eq!(key.algorithm(), expected);
    }
    let named = with(jwk(SigningAlgorithm::EdDSA), "alg", "Ed25519");
    assert_eq!(why(&named), None, "RFC 9864");
}

#[test]
fn hdr_05_keys_of_two_issuers_do_not_mix() {
    let (ours, theirs) = (issuer(), builder().in_process("https://other.example").unwrap());
    assert_eq!(ours.current_kid(), theirs.current_kid(), "the same name");
    let foreign = theirs.mint().claim("iss", ISSUER).sign();
    let verifier = crate::testing::verifier(&ours);
    assert!(crate::testing::rejection(&verifier, &foreign).is_some());
}

#[test]
fn debug_shows_names_and_no_numbers() {
    let ec = jwk(SigningAlgorithm::ES256);
    let shown = format!("{:?}", import(std::slice::from_ref(&ec)).unwrap());
    assert!(shown.contains(ec["kid"].as_str().unwrap()), "{shown}");
    assert!(!shown.contains(ec["x"].as_str().unwrap()), "{shown}");
}

#[test]
fn jwk_10_an_odd_member_spoils_its_key_and_not_the_set() {
    let odd = json!({ "kty": "x", "x": [[[[[[[[[[[[[[1]]]]]]]]]]]]]] });
    assert_eq!(import(&[odd, jwk(SigningAlgorithm::ES256)]).unwrap().len(), 1);
}

#[test]
fn alg_08_keys_that_anybody_can_forge_for_are_left_out() {
    let okp = jwk(SigningAlgorithm::EdDSA);
    let mut one = [0; 32];
    one[0] = 1;
    for x in [[0; 32], one] {
        assert_eq!(why(&with(okp.clone(), "x", encode(&x))), Some(Unusable::SmallOrder));
    }
}
