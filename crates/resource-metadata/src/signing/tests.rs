use std::error::Error as _;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use palisade_core::ScopeSet;
use serde_json::{Map, Value};

use super::*;
use crate::{Metadata, ResourceMetadataLayer};

/// A key that lives elsewhere.
struct Remote {
    algorithm: &'static str,
    key_id: Option<&'static str>,
    key: Result<Ed25519KeyPair, &'static str>,
}

impl Remote {
    fn new() -> Self {
        let key = Ed25519KeyPair::generate().map_err(|_| "no randomness");
        Self { algorithm: "EdDSA", key_id: Some("2026"), key }
    }
}

impl SignMetadata for Remote {
    fn algorithm(&self) -> &str {
        self.algorithm
    }

    fn key_id(&self) -> Option<&str> {
        self.key_id
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        match &self.key {
            Ok(key) => Ok(key.sign(message).as_ref().to_vec()),
            Err(text) => Err(SigningError::new(*text)),
        }
    }
}

fn metadata() -> Metadata {
    Metadata::new(Resource::parse("https://h/a").unwrap())
        .add_authorization_server("https://as.example/")
        .and_then(|metadata| metadata.scopes_supported(ScopeSet::parse("a b").unwrap()))
        .and_then(|metadata| metadata.resource_name_in("fr", "été"))
        .and_then(|metadata| metadata.add_extension("com.example", serde_json::json!({ "a": [1] })))
        .unwrap()
        .dpop_bound_access_tokens_required()
}

fn object(bytes: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(bytes).unwrap()
}

/// Header, claims, what is signed, and the signature.
pub(crate) fn read(
    document: &Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>, String, Vec<u8>) {
    let jws = document["signed_metadata"].as_str().unwrap();
    let (message, signature) = jws.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    (object(&decode(header)), object(&decode(claims)), message.to_owned(), decode(signature))
}

#[test]
fn the_claims_are_the_document_and_the_signature_is_the_keys() {
    let remote = Remote::new();
    let public = remote.key.as_ref().unwrap().public_key().as_ref().to_vec();
    let plain = object(&metadata().to_json().unwrap());
    let signed = metadata().signed_by("https://operator.example", remote).unwrap();
    let document = object(&signed.to_json().unwrap());

    let (header, mut claims, message, signature) = read(&document);
    assert_eq!(Value::Object(header), serde_json::json!({ "alg": "EdDSA", "kid": "2026" }));
    UnparsedPublicKey::new(&ED25519, &public).verify(message.as_bytes(), &signature).unwrap();
    assert_eq!(claims.remove("iss").unwrap(), "https://operator.example");
    assert!(!claims.contains_key("signed_metadata"));
    assert_eq!(claims, plain, "every member, as it is in the document");

    let mut document = document;
    document.remove("signed_metadata");
    assert_eq!(document, plain, "and the document is the same but for the signed form");
}

#[test]
fn what_is_said_after_it_is_signed_by_is_signed_as_well() {
    let metadata = metadata().signed_by("https://h", Remote::new()).unwrap().resource_name("Late");
    let document = object(&metadata.to_json().unwrap());
    assert_eq!(read(&document).1["resource_name"], "Late");
}

#[test]
fn a_key_without_name_is_signed_with_all_the_same() {
    let remote = Remote { key_id: None, ..Remote::new() };
    let metadata = metadata().signed_by("https://h", remote).unwrap();
    let (header, ..) = read(&object(&metadata.to_json().unwrap()));
    assert_eq!(Value::Object(header), serde_json::json!({ "alg": "EdDSA" }));
}

#[test]
fn refuses_signers_that_nobody_could_check() {
    let alg = MetadataError::InvalidAlgorithm { member: "alg" };
    let long: &'static str = "k".repeat(257).leak();
    for (name, algorithm, key_id, expected) in [
        ("none", "none", None, alg.clone()),
        ("none in capitals", "NONE", None, alg.clone()),
        ("a MAC", "HS256", None, alg.clone()),
        ("no name", "", None, alg.clone()),
        ("a name that breaks out", "ES256\",\"x\":\"", None, alg),
        ("an empty id", "EdDSA", Some(""), MetadataError::InvalidKeyId),
        ("a long id", "EdDSA", Some(long), MetadataError::InvalidKeyId),
        ("a line in an id", "EdDSA", Some("a\nb"), MetadataError::InvalidKeyId),
    ] {
        let remote = Remote { algorithm, key_id, ..Remote::new() };
        assert_eq!(metadata().signed_by("https://h", remote).unwrap_err(), expected, "{name}");
    }
    for issuer in ["", "operator", "http://operator.example", "https://h/#x"] {
        let error = metadata().signed_by(issuer, Remote::new()).unwrap_err();
        assert!(matches!(error, MetadataError::InvalidUrl { member: "iss", .. }), "{issuer}");
    }
}

#[test]
fn a_signer_that_does_not_sign_leaves_no_layer() {
    struct Silent;

    impl SignMetadata for Silent {
        fn algorithm(&self) -> &str {
            "ES256"
        }

        fn key_id(&self) -> Option<&str> {
            None
        }

        fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SigningError> {
            Ok(Vec::new())
        }
    }

    let failing = Remote { key: Err("the HSM is away"), ..Remote::new() };
    for (metadata, text) in [
        (metadata().signed_by("https://h", failing), "the HSM is away"),
        (metadata().signed_by("https://h", Silent), "no signature"),
    ] {
        let error = ResourceMetadataLayer::new(metadata.unwrap()).unwrap_err();
        assert!(matches!(error, MetadataError::Signing { .. }));
        let cause = error.source().and_then(|source| source.source()).unwrap();
        assert_eq!(cause.to_string(), text);
    }
}

#[test]
fn debug_shows_the_name_of_the_key_and_no_more() {
    let metadata = metadata().signed_by("https://h", Remote::new()).unwrap();
    let shown = format!("{metadata:?}");
    assert!(
        shown.contains(
            r#"Attestation { issuer: "https://h", algorithm: "EdDSA", key_id: Some("2026"), .. }"#
        ),
        "{shown}"
    );
}

#[test]
fn the_signed_form_counts_for_the_size() {
    let plain = |bytes: usize| metadata().resource_name("a".repeat(bytes));
    let signed = |bytes| plain(bytes).signed_by("https://h", Remote::new()).unwrap();
    plain(30_000).to_json().unwrap();
    signed(20_000).to_json().unwrap();
    assert!(matches!(signed(30_000).to_json(), Err(MetadataError::TooLarge { .. })));
}
