//! POP-06: nonces of ours (RFC 9449 §8, §9).

use std::time::Duration;

use palisade_core::ManualClock;

use super::support::{Answer, BOUND, Client, ask, nonces, proofs_at, request};
use crate::{
    TokenVerifyLayer,
    dpop::ServerNonces,
    testing::{NOW, clock, instant},
};

struct Server {
    client: Client,
    clock: ManualClock,
    nonces: ServerNonces,
}

impl Server {
    fn new() -> Self {
        Self { client: Client::new(), clock: clock(), nonces: nonces() }
    }

    /// A request that is good but, perhaps, for its nonce.
    async fn ask(&self, nonce: Option<&str>) -> Answer {
        let seconds = self.clock_seconds();
        let proof = self.client.proof().claim("iat", seconds);
        let proof = match nonce {
            Some(nonce) => proof.claim("nonce", nonce),
            None => proof,
        };
        let dpop = proofs_at(&self.clock).require_nonces(self.nonces.clone());
        let layer = TokenVerifyLayer::new(self.client.verifier()).with_dpop(dpop);
        ask(layer, request("DPoP", BOUND, &proof.sign())).await
    }

    fn clock_seconds(&self) -> i64 {
        use palisade_core::Clock;
        let now = self.clock.now().duration_since(instant(0)).unwrap();
        i64::try_from(now.as_secs()).unwrap()
    }
}

#[tokio::test]
async fn pop_06_a_proof_without_nonce_is_told_to_use_one() {
    let server = Server::new();
    let refused = server.ask(None).await;
    assert_eq!((refused.status, refused.code), (401, "proof_nonce_required"));
    let [challenge] = refused.challenges.as_slice() else { panic!("{refused:?}") };
    assert!(challenge.starts_with("DPoP error=\"use_dpop_nonce\", "), "{challenge}");
    assert_eq!(refused.cache_control.as_deref(), Some("no-store"));

    let passed = server.ask(refused.nonce.as_deref()).await;
    assert_eq!((passed.status, passed.code), (200, ""));
    assert_eq!((passed.nonce, passed.cache_control.as_deref()), (None, Some("public")));
}

#[tokio::test]
async fn pop_06_an_aging_nonce_passes_and_is_replaced() {
    let server = Server::new();
    let nonce = server.ask(None).await.nonce.unwrap();
    server.clock.advance(Duration::from_secs(120));
    let passed = server.ask(Some(&nonce)).await;
    assert_eq!(passed.status, 200);
    assert_eq!(passed.cache_control.as_deref(), Some("no-store"), "a cache would keep the nonce");
    let next = passed.nonce.unwrap();
    assert_ne!(next, nonce);
    assert_eq!(server.ask(Some(&next)).await.nonce, None, "nothing newer to hand out");
    server.clock.advance(Duration::from_secs(120));
    let refused = server.ask(Some(&nonce)).await;
    assert_eq!((refused.status, refused.code), (401, "proof_nonce_required"));
    assert!(refused.nonce.is_some_and(|handed_out| handed_out != next));
}

#[tokio::test]
async fn pop_06_nonces_of_other_servers_are_replaced() {
    let server = Server::new();
    let elsewhere =
        Server { nonces: ServerNonces::with_secret(&[8; 32]).unwrap(), ..Server::new() };
    let theirs = elsewhere.ask(None).await.nonce.unwrap();
    for nonce in ["", "x", &theirs] {
        let refused = server.ask(Some(nonce)).await;
        assert_eq!((refused.status, refused.code), (401, "proof_nonce_required"), "{nonce}");
        assert!(refused.nonce.is_some_and(|ours| ours != theirs));
    }
    assert_eq!(server.clock_seconds(), NOW);
}

#[tokio::test]
async fn pop_06_a_bad_proof_is_not_saved_by_its_nonce() {
    let server = Server::new();
    let nonce = server.ask(None).await.nonce.unwrap();
    server.clock.advance(Duration::from_secs(61));
    let old = server.client.proof().claim("nonce", nonce.as_str());
    let dpop = proofs_at(&server.clock).require_nonces(server.nonces.clone());
    let layer = TokenVerifyLayer::new(server.client.verifier()).with_dpop(dpop);
    let answer = ask(layer, request("DPoP", BOUND, &old.sign())).await;
    assert_eq!((answer.status, answer.code), (401, "proof_not_fresh"));
}
