use async_trait::async_trait;
use jwks_client_rs::JsonWebKeySet;
use palisade_test_issuer::SigningAlgorithm;

use super::*;
use crate::{
    BearerToken, Issuer, JwtVerifier, VerifyToken,
    keys::{RemoteKeys, RemoteKeysError},
    testing::{ISSUER, clock, issuer_of_all_algorithms},
};

struct Fixed(Value);

#[async_trait]
impl JwksSource for Fixed {
    async fn fetch_keys(&self) -> Result<JsonWebKeySet, JwksClientError> {
        serde_json::from_value(self.0.clone()).map_err(|_| {
            JwksClientError::from(jsonwebtoken::errors::Error::from(
                jsonwebtoken::errors::ErrorKind::InvalidToken,
            ))
        })
    }
}

fn spawn(source: Value) -> Result<RemoteKeys, RemoteKeysError> {
    RemoteKeys::spawn(JwksClientSource::new(Fixed(source)))
}

async fn accepts(source: Value, token: &str) -> bool {
    let keys = spawn(source).unwrap();
    let verifier = JwtVerifier::new(Issuer::parse(ISSUER).unwrap(), keys).unwrap();
    verifier.with_clock(clock()).verify(BearerToken::parse(token).unwrap()).await.is_ok()
}

#[tokio::test]
async fn keys_of_a_jwks_source_verify_tokens() {
    let issuer = issuer_of_all_algorithms();
    for algorithm in [
        SigningAlgorithm::ES256,
        SigningAlgorithm::ES384,
        SigningAlgorithm::EdDSA,
        SigningAlgorithm::RS256,
        SigningAlgorithm::PS512,
    ] {
        let token = issuer.mint().algorithm(algorithm).sign();
        assert!(accepts(issuer.jwks(), &token).await, "{algorithm}");
    }
}

#[tokio::test]
async fn keys_for_encryption_verify_nothing() {
    let issuer = issuer_of_all_algorithms();
    let token = issuer.mint().algorithm(SigningAlgorithm::RS256).sign();
    let mut jwks = issuer.jwks();
    for key in jwks["keys"].as_array_mut().unwrap() {
        key["use"] = "enc".into();
    }
    assert!(!accepts(jwks, &token).await);
}

#[tokio::test]
async fn a_source_that_fails_has_a_text_without_details() {
    let source = JwksClientSource::new(Fixed(json!({ "keys": "https://user:secret@as.example" })));
    let error = source.fetch().await.unwrap_err();
    assert_eq!(error.to_string(), "the `JwksSource` has no keys");
}
