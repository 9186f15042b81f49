use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::crypto::{KeyMaterial, PublicKey, SignatureAlgorithm};

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// The key of RFC 8037 §A.1, in PKCS#8 (RFC 8410 §7).
fn ed25519() -> Vec<u8> {
    const PREFIX: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    [&PREFIX[..], &decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")].concat()
}

fn ed25519_public() -> Vec<u8> {
    decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
}

/// The key of RFC 7515 §A.3, in PKCS#8 (RFC 5958, RFC 5915).
fn p256() -> Vec<u8> {
    const PREFIX: [u8; 36] = [
        0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30,
        0x6b, 0x02, 0x01, 0x01, 0x04, 0x20,
    ];
    const MIDDLE: [u8; 5] = [0xa1, 0x44, 0x03, 0x42, 0x00];
    let private = decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    [&PREFIX[..], &private, &MIDDLE, &p256_public()].concat()
}

fn p256_public() -> Vec<u8> {
    let x = decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    [&[4], &x[..], &y].concat()
}

fn sign(algorithm: AssertionAlgorithm, key: &[u8]) -> Vec<u8> {
    SigningKey::from_pkcs8(algorithm, key).unwrap().sign(b"message").unwrap()
}

fn verifies(algorithm: SignatureAlgorithm, public: KeyMaterial<'_>, signature: &[u8]) -> bool {
    PublicKey::parse(algorithm, public).unwrap().verify(b"message", signature).is_some()
}

#[test]
fn ed25519_gives_the_signature_of_rfc_8037() {
    let key = SigningKey::from_pkcs8(AssertionAlgorithm::EdDSA, &ed25519()).unwrap();
    let signature = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").unwrap();
    assert_eq!(
        URL_SAFE_NO_PAD.encode(signature),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
}

#[test]
fn what_is_signed_verifies_with_the_public_key() {
    let signature = sign(AssertionAlgorithm::EdDSA, &ed25519());
    let x = ed25519_public();
    assert!(verifies(SignatureAlgorithm::Ed25519, KeyMaterial::Ed25519 { x: &x }, &signature));
    let signature = sign(AssertionAlgorithm::ES256, &p256());
    let point = p256_public();
    assert!(verifies(SignatureAlgorithm::ES256, KeyMaterial::Ec { point: &point }, &signature));
}

#[test]
fn a_key_of_another_kind_is_refused() {
    for (algorithm, key) in [
        (AssertionAlgorithm::EdDSA, p256()),
        (AssertionAlgorithm::ES256, ed25519()),
        (AssertionAlgorithm::PS256, p256()),
        (AssertionAlgorithm::RS256, ed25519()),
        (AssertionAlgorithm::ES256, p256_public()),
        (AssertionAlgorithm::EdDSA, Vec::new()),
    ] {
        assert!(SigningKey::from_pkcs8(algorithm, &key).is_none(), "{algorithm}");
    }
}

#[test]
#[cfg(feature = "aws-lc-rs")]
fn rsa_keys_sign_in_both_paddings() {
    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der},
        rsa::KeySize,
        signature::{KeyPair, RsaKeyPair, RsaPublicKeyComponents},
    };

    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let key: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let public: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
    let material = KeyMaterial::Rsa { n: &public.n, e: &public.e };
    let signature = sign(AssertionAlgorithm::PS256, key.as_ref());
    assert!(verifies(SignatureAlgorithm::PS256, material, &signature));
    let signature = sign(AssertionAlgorithm::RS256, key.as_ref());
    assert!(verifies(SignatureAlgorithm::RS256, material, &signature));
}

#[test]
#[cfg(all(feature = "aws-lc-rs", feature = "rust-crypto"))]
fn the_backend_that_is_not_selected_signs_too_and_refuses_rsa() {
    use super::rust_crypto::Key;

    let key = Key::from_pkcs8(AssertionAlgorithm::EdDSA, &ed25519()).unwrap();
    assert_eq!(key.sign(b"message"), Some(sign(AssertionAlgorithm::EdDSA, &ed25519())));
    let signature =
        Key::from_pkcs8(AssertionAlgorithm::ES256, &p256()).unwrap().sign(b"message").unwrap();
    let point = p256_public();
    assert!(verifies(SignatureAlgorithm::ES256, KeyMaterial::Ec { point: &point }, &signature));
    assert!(Key::from_pkcs8(AssertionAlgorithm::RS256, &p256()).is_none());
}
