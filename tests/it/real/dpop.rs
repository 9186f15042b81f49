//! Tokens that are bound to a key (RFC 9449).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_core::{Clock, ManualClock, PlainRenderer, SystemClock};
use palisade_integration::{
    AuthorizationServer, Form, OTHER_RESOURCE, Proof, ProofKey, RESOURCE, SCOPE, World,
};
use palisade_token_verify::{
    Issuer, JwtVerifier, TokenVerifyLayer,
    dpop::DpopProofs,
    keys::{HttpSource, RemoteKeys},
};
use tower::Layer;

use super::{
    LEEWAY, LIFETIME, Outcome, ask, behind_the_verifier,
    introspection::{asking_as, basic},
};

/// A layer that takes bound tokens of a server, and the memory of their proofs.
struct Protected {
    server: AuthorizationServer,
    layer: TokenVerifyLayer<JwtVerifier, PlainRenderer, DpopProofs>,
    key: ProofKey,
}

impl Protected {
    async fn start() -> Self {
        let server = AuthorizationServer::start().await.unwrap();
        let proofs = DpopProofs::new(&World::resource().unwrap()).unwrap();
        let layer = TokenVerifyLayer::new(verifier(&server)).with_dpop(proofs);
        Self { server, layer, key: ProofKey::generate().unwrap() }
    }

    async fn token(&self) -> String {
        self.server.bound_token(RESOURCE, SCOPE, &self.key).await.unwrap()
    }

    async fn ask(&self, token: &str, proof: &str) -> Outcome {
        let service = self.layer.layer(behind_the_verifier());
        ask(service, &[("authorization", &format!("DPoP {token}")), ("dpop", proof)]).await
    }
}

fn verifier(server: &AuthorizationServer) -> JwtVerifier {
    let issuer = Issuer::parse(server.issuer()).unwrap();
    let keys = RemoteKeys::spawn(HttpSource::discover(&issuer).unwrap()).unwrap();
    JwtVerifier::new(issuer, keys).unwrap()
}

fn proof<'a>(key: &'a ProofKey, token: &str) -> Proof<'a> {
    key.proof("POST", RESOURCE).for_token(token)
}

#[tokio::test]
async fn a_real_bound_token_is_accepted_with_each_new_proof_of_its_key() {
    let protected = Protected::start().await;
    let token = protected.token().await;
    for _ in 0..2 {
        let proof = proof(&protected.key, &token).sign().unwrap();
        let principal = protected.ask(&token, &proof).await.principal();
        let bound = principal.confirmation().unwrap();
        let bound = URL_SAFE_NO_PAD.encode(bound.jwk_thumbprint().unwrap());
        assert_eq!(bound, protected.key.thumbprint());
    }
}

#[tokio::test]
async fn pop_01_a_real_bound_token_is_no_bearer_token() {
    let protected = Protected::start().await;
    let token = protected.token().await;
    let good = proof(&protected.key, &token).sign().unwrap();
    for headers in [
        &[("authorization", format!("Bearer {token}"))][..],
        &[("authorization", format!("Bearer {token}")), ("dpop", good.clone())],
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let service = protected.layer.layer(behind_the_verifier());
        assert_eq!(ask(service, &headers).await.refusal(), (401, "token_bound"));
    }
}

#[tokio::test]
async fn pop_03_a_proof_for_a_real_token_works_once() {
    let protected = Protected::start().await;
    let token = protected.token().await;
    let once = proof(&protected.key, &token).sign().unwrap();
    protected.ask(&token, &once).await.principal();
    assert_eq!(protected.ask(&token, &once).await.refusal(), (401, "proof_replayed"));
}

#[tokio::test]
async fn pop_02_and_04_a_real_token_needs_a_proof_of_its_own_key_for_this_request() {
    let protected = Protected::start().await;
    let (token, another) = (protected.token().await, protected.token().await);
    let thief = ProofKey::generate().unwrap();
    for (name, proof, reason) in [
        ("another key", proof(&thief, &token), "proof_key_wrong"),
        ("another token", proof(&protected.key, &another), "proof_token_wrong"),
        ("no token", protected.key.proof("POST", RESOURCE), "proof_token_wrong"),
        (
            "another method",
            protected.key.proof("GET", RESOURCE).for_token(&token),
            "proof_method_wrong",
        ),
        (
            "another place",
            protected.key.proof("POST", OTHER_RESOURCE).for_token(&token),
            "proof_target_wrong",
        ),
        (
            "the server's own",
            protected.key.proof("POST", &protected.server.endpoint("/token")).for_token(&token),
            "proof_target_wrong",
        ),
        ("long ago", proof(&protected.key, &token).claim("iat", 1_000_000_000), "proof_not_fresh"),
    ] {
        let refusal = protected.ask(&token, &proof.sign().unwrap()).await.refusal();
        assert_eq!(refusal, (401, reason), "{name}");
    }
}

#[tokio::test]
async fn a_real_bound_token_for_another_resource_is_refused_whatever_is_proved() {
    let protected = Protected::start().await;
    let token = protected.server.bound_token(OTHER_RESOURCE, SCOPE, &protected.key).await.unwrap();
    let proof = proof(&protected.key, &token).sign().unwrap();
    assert_eq!(protected.ask(&token, &proof).await.refusal(), (401, "audience_mismatch"));
}

#[tokio::test]
async fn a_real_bound_token_ends_like_any_other_whatever_is_proved() {
    let protected = Protected::start().await;
    let clock = ManualClock::at(SystemClock::new().now());
    // The proofs are of today, and only the token grows old.
    let proofs = DpopProofs::new(&World::resource().unwrap()).unwrap();
    let verifier = verifier(&protected.server).with_clock(clock.clone());
    let layer = TokenVerifyLayer::new(verifier).with_dpop(proofs);
    let token = protected.token().await;
    for (name, passes, expected) in [
        ("to the last second", LIFETIME, None),
        ("and not longer", LEEWAY + Duration::from_secs(1), Some((401, "token_expired"))),
    ] {
        clock.advance(passes);
        let proof = proof(&protected.key, &token).sign().unwrap();
        let credential = format!("DPoP {token}");
        let service = layer.layer(behind_the_verifier());
        match (ask(service, &[("authorization", &credential), ("dpop", &proof)]).await, expected) {
            (Outcome::Accepted(_), None) => {}
            (Outcome::Refused(status, reason), Some(expected)) => {
                assert_eq!((status, reason), expected, "{name}");
            }
            (outcome, expected) => panic!("{name}: {outcome:?}, not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn pop_01_a_real_token_that_is_not_bound_is_not_taken_for_one_that_is() {
    let protected = Protected::start().await;
    let token = protected.server.token(RESOURCE, SCOPE).await.unwrap();
    let proof = proof(&protected.key, &token).sign().unwrap();
    assert_eq!(protected.ask(&token, &proof).await.refusal(), (401, "token_not_bound"));
}

#[tokio::test]
async fn rev_05_a_real_opaque_token_that_is_bound_needs_its_proof_until_it_is_revoked() {
    let mut server = AuthorizationServer::start().await.unwrap();
    server.issue(Form::Opaque, LIFETIME).await.unwrap();
    let (key, thief) = (ProofKey::generate().unwrap(), ProofKey::generate().unwrap());
    let token = server.bound_token(RESOURCE, SCOPE, &key).await.unwrap();
    let asking = asking_as(&server, basic()).remember_active_for(Duration::ZERO).unwrap().build();
    let layer = TokenVerifyLayer::new(asking)
        .with_dpop(DpopProofs::new(&World::resource().unwrap()).unwrap());
    let ask = async |key: &ProofKey| {
        let proof = proof(key, &token).sign().unwrap();
        let credential = format!("DPoP {token}");
        let service = layer.layer(behind_the_verifier());
        ask(service, &[("authorization", &credential), ("dpop", &proof)]).await
    };

    assert_eq!(ask(&thief).await.refusal(), (401, "proof_key_wrong"));
    ask(&key).await.principal();

    server.revoke(&token).await.unwrap();
    assert_eq!(ask(&key).await.refusal(), (401, "token_inactive"));
}
