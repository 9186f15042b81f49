use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaKeyPair,
        UnparsedPublicKey, VerificationAlgorithm,
    },
};
use palisade_core::Resource;
use serde_json::{Map, Value};

use super::*;
use crate::{Metadata, signing};

/// RFC 8410 §10.3: the example of a private key, as OpenSSL writes them.
const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
     MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
     -----END PRIVATE KEY-----\n";

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}

fn p256() -> (Vec<u8>, Vec<u8>) {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let der = der.unwrap().as_ref().to_vec();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap();
    (der, key.public_key().as_ref().to_vec())
}

/// Verifies the signature over metadata, with another library than might have made it.
fn verifies(
    key: MetadataKey,
    public: &[u8],
    algorithm: &'static dyn VerificationAlgorithm,
) -> bool {
    let metadata = Metadata::new(Resource::parse("https://h/a").unwrap())
        .add_authorization_server("https://as.example")
        .and_then(|metadata| metadata.signed_by("https://h/a", key.with_key_id("k1")))
        .unwrap();
    let document: Map<String, Value> =
        serde_json::from_slice(&metadata.to_json().unwrap()).unwrap();
    let (header, claims, message, signature) = signing::tests::read(&document);
    assert_eq!(header["kid"], "k1");
    assert_eq!(claims["resource"], "https://h/a");
    UnparsedPublicKey::new(algorithm, public).verify(message.as_bytes(), &signature).is_ok()
}

#[test]
fn signs_with_an_ed25519_key() {
    let key = MetadataKey::from_pkcs8_pem(MetadataKeyAlgorithm::EdDSA, ED25519_PEM).unwrap();
    let der = der_of(ED25519_PEM).unwrap();
    let public = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap();
    assert!(verifies(key, public.public_key().as_ref(), &ED25519));
}

#[test]
fn signs_with_a_p256_key() {
    let (der, public) = p256();
    let key = MetadataKey::from_pkcs8_pem(MetadataKeyAlgorithm::ES256, &pem(&der)).unwrap();
    assert!(verifies(key, &public, &ECDSA_P256_SHA256_FIXED));
    let (_, other) = p256();
    let key = MetadataKey::from_pkcs8_der(MetadataKeyAlgorithm::ES256, &der).unwrap();
    assert!(!verifies(key, &other, &ECDSA_P256_SHA256_FIXED), "another key's");
}

#[test]
fn signs_with_an_rsa_key_if_the_library_does_it_in_constant_time() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    for (algorithm, verification) in [
        (MetadataKeyAlgorithm::RS256, &RSA_PKCS1_2048_8192_SHA256),
        (MetadataKeyAlgorithm::PS256, &RSA_PSS_2048_8192_SHA256),
    ] {
        let key = MetadataKey::from_pkcs8_der(algorithm, der.as_ref());
        if cfg!(feature = "aws-lc-rs") {
            assert!(verifies(key.unwrap(), pair.public_key().as_ref(), verification));
        } else {
            assert_eq!(key.unwrap_err(), InvalidMetadataKeyError::Key);
        }
    }
}

#[cfg(feature = "rust-crypto")]
#[test]
fn the_other_library_takes_and_refuses_the_same_keys() {
    let (der, public) = p256();
    for (algorithm, der, expected) in [
        (MetadataKeyAlgorithm::ES256, &der[..], true),
        (MetadataKeyAlgorithm::EdDSA, &der_of(ED25519_PEM).unwrap(), true),
        (MetadataKeyAlgorithm::EdDSA, &der, false),
        (MetadataKeyAlgorithm::RS256, &der, false),
        (MetadataKeyAlgorithm::ES256, &[], false),
    ] {
        assert_eq!(
            rust_crypto::Key::from_pkcs8(algorithm, der).is_some(),
            expected,
            "{algorithm:?}"
        );
    }
    let signature =
        rust_crypto::Key::from_pkcs8(MetadataKeyAlgorithm::ES256, &der).unwrap().sign(b"message");
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &public)
        .verify(b"message", &signature.unwrap())
        .unwrap();
}

#[test]
fn refuses_what_is_no_key_of_the_algorithm() {
    use InvalidMetadataKeyError as Invalid;

    let (p256, public) = p256();
    for (name, algorithm, text, expected) in [
        ("another curve", MetadataKeyAlgorithm::ES256, ED25519_PEM.to_owned(), Invalid::Key),
        ("another kind", MetadataKeyAlgorithm::EdDSA, pem(&p256), Invalid::Key),
        ("another kind, RSA", MetadataKeyAlgorithm::RS256, pem(&p256), Invalid::Key),
        ("a public key", MetadataKeyAlgorithm::ES256, pem(&public), Invalid::Key),
        ("nothing in it", MetadataKeyAlgorithm::EdDSA, pem(&[]), Invalid::Key),
        ("no PEM", MetadataKeyAlgorithm::EdDSA, "key".to_owned(), Invalid::Pem),
        ("no base64", MetadataKeyAlgorithm::EdDSA, pem(&[]).replace("\n\n", "\n!\n"), Invalid::Pem),
        (
            "encrypted",
            MetadataKeyAlgorithm::EdDSA,
            ED25519_PEM.replace("PRIVATE", "ENCRYPTED PRIVATE"),
            Invalid::Pem,
        ),
        ("two keys", MetadataKeyAlgorithm::EdDSA, ED25519_PEM.repeat(2), Invalid::Pem),
    ] {
        let error = MetadataKey::from_pkcs8_pem(algorithm, &text).unwrap_err();
        assert_eq!(error, expected, "{name}");
        assert!(!format!("{error} {error:?}").contains("MC4"), "{name}");
    }
}

#[test]
fn debug_shows_no_key() {
    let key = MetadataKey::from_pkcs8_pem(MetadataKeyAlgorithm::EdDSA, ED25519_PEM).unwrap();
    let shown = format!("{:?}", key.with_key_id("k1"));
    assert_eq!(shown, r#"MetadataKey { algorithm: EdDSA, key_id: Some("k1"), .. }"#);
}
