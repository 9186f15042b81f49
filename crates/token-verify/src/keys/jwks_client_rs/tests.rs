use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jwks_client_rs::{JsonWebKeySet, JwksClient};
use palisade_test_issuer::SigningAlgorithm;
use tokio::time::{sleep, timeout};

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

/// Keys of `set`, and how often they were fetched.
async fn counted(set: Value) -> (RemoteKeys, Arc<AtomicUsize>) {
    let fetches = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&fetches);
    let keys = RemoteKeys::spawn(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        let set = set.clone();
        async {
            sleep(Duration::from_millis(100)).await;
            Ok::<_, io::Error>(KeyDocument::from_value(set))
        }
    })
    .unwrap();
    assert!(keys.ready().await.is_ready());
    (keys, fetches)
}

#[tokio::test(start_paused = true)]
async fn a_jwks_client_gets_the_keys_that_we_would_use_and_no_others() {
    let mut set = issuer_of_all_algorithms().jwks();
    let keys = set["keys"].as_array_mut().unwrap();
    for key in keys.iter_mut() {
        key.as_object_mut().unwrap().remove("alg");
    }
    let (first, second) = (keys[0].clone(), keys[1]["kid"].as_str().unwrap().to_owned());
    // One name twice, one key for something else, and what a `JwksClient` would drop a whole set for.
    keys.push(first.clone());
    let mut other = first.clone();
    (other["kid"], other["use"]) = ("e".into(), "enc".into());
    keys.push(other);
    keys.push(json!({ "kty": "oct", "k": "", "kid": "o" }));
    keys.push(json!({ "kty": "AKP", "kid": "a" }));
    let (keys, _) = counted(set).await;
    let client = JwksClient::builder().build(JwksSnapshot::new(keys));
    let key = client.get(&second).await.unwrap();
    assert_eq!(key.key_id(), second);
    assert!(key.alg().is_some(), "without it, it would be a key of HMAC");
    for kid in [first["kid"].as_str().unwrap(), "e", "o", "a", "invented"] {
        client.get(kid).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn a_jwks_client_gets_no_unfit_key_under_the_name_of_a_good_one() {
    let set = issuer_of_all_algorithms().jwks();
    let keys = set["keys"].as_array().unwrap();
    let of = |alg: &str| keys.iter().find(|key| key["alg"] == alg).unwrap().clone();
    let (good, foreign) = (of("RS256"), of("PS256")["n"].clone());
    let kid = good["kid"].as_str().unwrap().to_owned();
    let mut for_encryption = good.clone();
    (for_encryption["n"], for_encryption["use"]) = (foreign.clone(), "enc".into());
    let mut for_nothing = good.clone();
    (for_nothing["n"], for_nothing["e"]) = (foreign, "Aw".into());
    for unfit in [for_encryption, for_nothing] {
        let (keys, _) = counted(json!({ "keys": [unfit.clone(), good.clone(), unfit] })).await;
        let got = JwksClient::builder().build(JwksSnapshot::new(keys)).get(&kid).await.unwrap();
        assert_eq!(got.as_rsa_public_key().unwrap().modulus(), good["n"].as_str().unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn jwk_08_a_flood_through_a_jwks_client_does_not_reach_the_issuer() {
    let set = issuer_of_all_algorithms().jwks();
    let known = set["keys"][0]["kid"].as_str().unwrap().to_owned();
    let (keys, fetches) = counted(set).await;
    let client = JwksClient::builder().build(JwksSnapshot::new(keys));
    let flood = async {
        for n in 0..2000 {
            client.get(&format!("invented-{n}")).await.unwrap_err();
            client.get(&known).await.unwrap();
        }
    };
    // The time stands still unless somebody waits for it.
    timeout(Duration::from_millis(1), flood).await.expect("nobody waits for the issuer");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_jwks_client_gets_nothing_from_keys_that_are_not_there() {
    let failing = || async { Err::<KeyDocument, _>(io::Error::other("scripted")) };
    let keys = RemoteKeys::spawn(failing).unwrap();
    let error = JwksSnapshot::new(keys).fetch_keys().await.unwrap_err();
    assert!(!error.is_jwt_expired());
}
