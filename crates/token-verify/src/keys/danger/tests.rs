use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use palisade_core::ManualClock;
use palisade_test_issuer::{SigningAlgorithm, TestIssuer};
use proptest::prelude::*;
use serde_json::json;
use sha2::Sha512;

use super::*;
use crate::{
    Issuer, JwtVerifier, Rejection,
    jwt::JwtVerifierError,
    keys::StaticKeys,
    testing::{ISSUER, clock, issuer, issuer_of_all_algorithms, rejection, rules},
    trust::{TrustError, TrustedIssuer},
};

use SignatureAlgorithm::{ES256, HS256, HS384, HS512, RS256};

const SECRET: [u8; 64] = *b"sixty-four bytes that a generator of random numbers has not made";

fn verifier(keys: HmacKeys, algorithms: &[SignatureAlgorithm]) -> JwtVerifier<ManualClock> {
    let rules = rules().algorithms(algorithms.iter().copied()).unwrap();
    JwtVerifier::new(rules, keys).unwrap().with_clock(clock())
}

/// Why there is no such verifier.
fn refusal<K>(algorithms: &[SignatureAlgorithm], keys: K) -> Option<String>
where
    K: KeySource<Wait: Send + 'static> + Send + Sync + 'static,
{
    let rules = rules().algorithms(algorithms.iter().copied()).unwrap();
    let error = JwtVerifier::new(rules, keys).err()?;
    std::error::Error::source(&error).map(ToString::to_string)
}

fn token(issuer: &TestIssuer, secret: &[u8]) -> palisade_test_issuer::TokenBuilder {
    issuer.mint().hmac_with(secret).without_header("kid")
}

#[test]
fn a_token_of_the_shared_secret_is_accepted_and_no_other() {
    let issuer = issuer();
    let verifier = verifier(HmacKeys::new(HS256, SECRET).unwrap(), &[HS256]);
    assert_eq!(rejection(&verifier, &token(&issuer, &SECRET).sign()), None);
    let mut other = SECRET;
    other[0] ^= 1;
    let forged = token(&issuer, &other).sign();
    assert_eq!(rejection(&verifier, &forged), Some(Rejection::BadSignature));
    let named = token(&issuer, &SECRET).header("kid", "x").sign();
    assert_eq!(rejection(&verifier, &named), Some(Rejection::UnknownKey));
    let (header, payload, _) = token(&issuer, &SECRET).sign_parts();
    for length in [0, 1, 16, 31, 33, 48, 64] {
        let code = URL_SAFE_NO_PAD.encode(vec![0; length]);
        let bent = format!("{header}.{payload}.{code}");
        assert_eq!(rejection(&verifier, &bent), Some(Rejection::BadSignature), "{length}");
    }
}

#[test]
fn a_secret_has_one_algorithm() {
    let issuer = issuer();
    let verifier = verifier(HmacKeys::new(HS512, SECRET).unwrap(), &[HS256, HS384, HS512]);
    // The code is right for HS256, which the issuer may use, but not with this secret.
    let token = token(&issuer, &SECRET).header("alg", "HS256").sign();
    assert_eq!(rejection(&verifier, &token), Some(Rejection::UnknownKey));
}

#[test]
fn alg_02_no_default_accepts_hmac() {
    assert!(SignatureAlgorithm::ALL.iter().all(|algorithm| !algorithm.is_symmetric()));
    let keys = HmacKeys::new(HS256, SECRET).unwrap();
    let complaint = refusal(SignatureAlgorithm::ALL, keys).unwrap();
    assert!(complaint.contains("TrustedIssuer::algorithms"), "it says what to do: {complaint}");
    let issuer = issuer();
    let verifier = crate::testing::verifier(&issuer);
    for algorithm in ["HS256", "HS384", "HS512"] {
        let token = token(&issuer, &SECRET).header("alg", algorithm).sign();
        assert_eq!(rejection(&verifier, &token), Some(Rejection::DisallowedAlgorithm));
    }
}

#[test]
fn alg_02_hmac_is_never_accepted_beside_public_keys() {
    for mixed in [[ES256, HS256], [HS512, RS256]] {
        assert_eq!(rules().algorithms(mixed).err(), Some(TrustError::MixedAlgorithms));
    }
    let keys = || StaticKeys::from_jwks_json(&issuer().jwks().to_string()).unwrap();
    for algorithms in [[HS256].as_slice(), &[HS256, HS384, HS512]] {
        let complaint = refusal(algorithms, keys()).unwrap();
        assert!(complaint.contains("HmacKeys"), "it says what to do: {complaint}");
    }
    // Nor as one more issuer.
    let secret = HmacKeys::new(HS256, SECRET).unwrap();
    let other = || TrustedIssuer::new(Issuer::parse("https://other.example").unwrap());
    let first = || JwtVerifier::new(rules(), keys()).unwrap();
    let symmetric = || other().algorithms([HS256]).unwrap();
    for refused in
        [first().add_issuer(other(), secret.clone()), first().add_issuer(symmetric(), keys())]
    {
        assert!(matches!(refused, Err(JwtVerifierError::Keys { .. })));
    }
    let both = first().add_issuer(symmetric(), secret).unwrap().with_clock(clock());
    // Each for itself: the secret of the one makes no tokens of the other.
    let issuer = issuer();
    let token = token(&issuer, &SECRET);
    assert_eq!(rejection(&both, &token.sign()), Some(Rejection::DisallowedAlgorithm));
    let of_other = token.claim("iss", "https://other.example").sign();
    assert_eq!(rejection(&both, &of_other), None);
}

#[test]
fn alg_02_a_source_that_lies_about_its_kind_cannot_confuse_them() {
    /// Answers with a secret, whatever it is asked for, and says that it has none.
    #[derive(Clone)]
    struct Careless(HmacKeys);
    impl KeySource for Careless {
        type Wait = Ready<KeyAnswer>;
        fn find(&self, _: &KeyHint<'_>) -> KeyLookup<Self::Wait> {
            self.0.find(&KeyHint { kid: None, algorithm: HS512 })
        }
    }
    let issuer = issuer();
    let careless = Careless(HmacKeys::new(HS512, SECRET).unwrap());
    let verifier = JwtVerifier::new(rules(), careless).unwrap().with_clock(clock());
    // The code of HS512 is right, and as long as a signature of these.
    for alg in ["ES256", "Ed25519"] {
        let (header, payload, _) = token(&issuer, &SECRET).header("alg", alg).sign_parts();
        let code = Hmac::<Sha512>::new_from_slice(&SECRET).unwrap();
        let code = code.chain_update(format!("{header}.{payload}")).finalize().into_bytes();
        let posing = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(code));
        assert_eq!(rejection(&verifier, &posing), Some(Rejection::BadSignature), "{alg}");
    }
    let honest = token(&issuer, &SECRET).header("alg", "HS512").sign();
    assert_eq!(rejection(&verifier, &honest), Some(Rejection::DisallowedAlgorithm));
}

#[test]
fn alg_09_empty_and_short_secrets_are_refused_when_they_are_given() {
    for (algorithm, needed) in [(HS256, 32), (HS384, 48), (HS512, 64)] {
        let too_short = Some(HmacKeysError::TooShort { algorithm, needed });
        for length in [0, 1, 8, needed - 1] {
            let short = &SECRET[..length];
            assert_eq!(HmacKeys::new(algorithm, short).err(), too_short, "{algorithm} {length}");
            assert_eq!(HmacKeys::named([("a", algorithm, short)]).err(), too_short);
        }
        drop(HmacKeys::new(algorithm, &SECRET[..needed]).unwrap());
        for byte in [0, b' ', b'a', 0xff] {
            let uniform = Some(HmacKeysError::Uniform);
            assert_eq!(HmacKeys::new(algorithm, vec![byte; 64]).err(), uniform);
        }
    }
    for algorithm in SignatureAlgorithm::ALL {
        let error = HmacKeys::new(*algorithm, SECRET).err();
        assert_eq!(error, Some(HmacKeysError::NotHmac(*algorithm)));
    }
    let words = HmacKeysError::TooShort { algorithm: HS256, needed: 32 }.to_string();
    assert!(words.contains("32 bytes") && words.contains("empty"), "{words}");
}

/// Every way in which a public key has been given as a secret.
fn public_keys() -> Vec<(String, Vec<u8>)> {
    let mut keys = Vec::new();
    for algorithm in [
        SigningAlgorithm::ES256,
        SigningAlgorithm::ES384,
        SigningAlgorithm::ES512,
        SigningAlgorithm::RS256,
        SigningAlgorithm::EdDSA,
    ] {
        let issuer = crate::testing::builder().algorithm(algorithm).in_process(ISSUER).unwrap();
        let (pem, der) = (issuer.public_key_pem(), issuer.public_key_der());
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let hex: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
        let colons: Vec<_> = der.iter().map(|byte| format!("{byte:02X}")).collect();
        let jwk = issuer.public_key_jwk_bytes();
        let jwk = String::from_utf8(jwk).unwrap();
        let mut forms = vec![
            ("pem", pem.clone().into_bytes()),
            ("pem without final newline", pem.trim_end().into()),
            ("pem after white space", format!("\n\t {pem}").into()),
            ("pem after a byte order mark", format!("\u{feff}{pem}").into()),
            ("pem with other line ends", pem.replace('\n', "\r\n").into()),
            ("pem after a remark", format!("# the key\n{pem}").into()),
            ("pem in base64", STANDARD.encode(&pem).into()),
            ("body of pem", body.clone().into()),
            ("body of pem, url safe", URL_SAFE_NO_PAD.encode(&der).into()),
            ("der", der.clone()),
            ("der and a newline", [der.as_slice(), b"\n"].concat()),
            ("der in hex", hex.into()),
            ("der in hex with colons", colons.join(":").into()),
            ("jwk", jwk.clone().into()),
            ("jwk after white space", format!(" \n{jwk}").into()),
            ("jwk in base64", STANDARD.encode(&jwk).into()),
            ("key set", issuer.jwks().to_string().into()),
            ("key set, printed", serde_json::to_vec_pretty(&issuer.jwks()).unwrap()),
        ];
        let jwk = &issuer.jwks()["keys"][0];
        if jwk["kty"] == "EC" {
            let coordinate =
                |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
            let bare = [coordinate("x"), coordinate("y")].concat();
            let tagged = [vec![4], bare.clone()].concat();
            let hex: String = tagged.iter().map(|byte| format!("{byte:02x}")).collect();
            forms.extend([("bare point", bare), ("point", tagged), ("point in hex", hex.into())]);
        }
        let named = forms.into_iter().map(|(name, key)| (format!("{algorithm} {name}"), key));
        keys.extend(named);
    }
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA0q4JmYw3 somebody@example and more text here";
    keys.push(("ssh".to_owned(), ssh.into()));
    let certificate =
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n and more text";
    keys.push(("certificate".to_owned(), certificate.into()));
    keys
}

#[test]
fn alg_02_what_looks_like_a_public_key_is_no_secret() {
    for (name, key) in public_keys() {
        let error = HmacKeys::new(HS256, &key).err();
        assert_eq!(error, Some(HmacKeysError::PublicKey), "{name}");
        assert_eq!(HmacKeys::named([("a", HS512, key)]).err(), error, "{name}");
    }
    let words = HmacKeysError::PublicKey.to_string();
    assert!(words.contains("`StaticKeys`"), "it says what to do: {words}");
}

#[test]
fn secrets_that_only_resemble_keys_are_taken() {
    let mut der_too_long = SECRET;
    (der_too_long[0], der_too_long[1], der_too_long[2]) = (0x30, 0x20, 0x30);
    let mut der_of_text = SECRET;
    (der_of_text[0], der_of_text[1], der_of_text[2]) = (0x30, 62, 0x0c);
    for secret in [
        SECRET.to_vec(),
        der_too_long.to_vec(),
        der_of_text.to_vec(),
        b"{\"a\":\"json, and no key of a key pair, though it is rather long by now\"}".to_vec(),
        STANDARD.encode(SECRET).into_bytes(),
        SECRET.map(|byte| format!("{byte:02x}")).concat().into_bytes(),
        b"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA is cut off here".to_vec(),
    ] {
        drop(HmacKeys::new(HS256, &secret).unwrap());
    }
}

proptest! {
    #[test]
    fn random_secrets_are_taken(secret in proptest::collection::vec(any::<u8>(), 64..140)) {
        prop_assert_eq!(HmacKeys::new(HS512, &secret).err(), None);
    }

    #[test]
    fn no_bytes_make_the_check_panic(secret in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut der = vec![0x30];
        der.extend(&secret);
        looks_public(&der);
        looks_public(&secret);
    }
}

#[test]
fn named_secrets_rotate() {
    let issuer = issuer();
    let (old, new) = (&SECRET[..32], &SECRET[32..]);
    let keys = HmacKeys::named([("old", HS256, old), ("new", HS256, new)]).unwrap();
    let verifier = verifier(keys, &[HS256]);
    for (kid, secret, other) in [("old", old, new), ("new", new, old)] {
        let good = issuer.mint().hmac_with(secret).header("kid", kid).sign();
        assert_eq!(rejection(&verifier, &good), None, "{kid}");
        let crossed = issuer.mint().hmac_with(other).header("kid", kid).sign();
        assert_eq!(rejection(&verifier, &crossed), Some(Rejection::BadSignature));
    }
    let nameless = token(&issuer, new).sign();
    assert_eq!(rejection(&verifier, &nameless), Some(Rejection::UnknownKey), "it could be either");
}

#[test]
fn names_and_secrets_are_used_once() {
    let none: [(&str, SignatureAlgorithm, &[u8]); 0] = [];
    assert_eq!(HmacKeys::named(none).err(), Some(HmacKeysError::NoKey));
    let twice = [("a", HS256, &SECRET[..32]), ("a", HS256, &SECRET[32..])];
    assert_eq!(HmacKeys::named(twice).err(), Some(HmacKeysError::SharedName));
    for second in [HS256, HS512] {
        let shared = [("a", HS256, SECRET), ("b", second, SECRET)];
        assert_eq!(HmacKeys::named(shared).err(), Some(HmacKeysError::SharedSecret));
    }
    let long = [("k".repeat(257), HS256, SECRET)];
    assert_eq!(HmacKeys::named(long).err(), Some(HmacKeysError::NameTooLong));
    drop(HmacKeys::named([("k".repeat(256), HS256, SECRET)]).unwrap());
}

#[test]
fn jwk_02_no_key_set_brings_a_secret() {
    let k = URL_SAFE_NO_PAD.encode(SECRET);
    let oct = json!({ "kty": "oct", "k": k, "alg": "HS256", "use": "sig", "kid": "a" });
    let alone = StaticKeys::from_jwks_json(&json!({ "keys": [&oct] }).to_string());
    assert_eq!(alone.err(), Some(crate::keys::InvalidKeySetError::NoUsableKey));
    let mut jwks = issuer_of_all_algorithms().jwks();
    jwks["keys"].as_array_mut().unwrap().push(oct);
    let keys = StaticKeys::from_jwks_json(&jwks.to_string()).unwrap();
    let with_secret = keys.len();
    let without = crate::testing::keys(issuer_of_all_algorithms()).len();
    assert_eq!(with_secret, without);
    for hint in [HS256, HS384, HS512] {
        let hint = KeyHint { kid: Some("a"), algorithm: hint };
        assert!(matches!(keys.find(&hint), KeyLookup::Ready(KeyAnswer::Unknown)));
    }
}

#[test]
fn debug_shows_names_and_no_secret() {
    let keys = HmacKeys::named([("the-name", HS256, SECRET)]).unwrap();
    let shown = format!("{keys:?}");
    assert!(shown.contains("the-name") && shown.contains("HS256"), "{shown}");
    assert!(!shown.contains("sixty") && !shown.contains("115, 105"), "{shown}");
}
