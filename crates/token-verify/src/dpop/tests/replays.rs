//! POP-03 and CCH-05: each proof counts once, and each request is checked.

use std::{
    convert::Infallible,
    future::{Pending, Ready, pending, ready},
    task::Poll,
    time::Duration,
};

use http::{Request, Response};
use palisade_core::Clock;
use tower::{ServiceBuilder, ServiceExt};

use super::support::{BOUND, Client, ask, code_of, hash, proofs, proofs_at, request};
use crate::{
    TokenVerifyLayer,
    dpop::{ProofUse, ReplayStore, ReplayStoreError, UsedProof},
    testing::clock,
};

#[tokio::test]
async fn pop_03_a_proof_is_used_once() {
    let client = Client::new();
    let clock = clock();
    let dpop = proofs_at(&clock);
    let proof = client.proof();
    let send = |proof: String| code_of(&client, dpop.clone(), request("DPoP", BOUND, &proof));
    assert_eq!(send(proof.sign()).await, "");
    assert_eq!(send(proof.sign()).await, "proof_replayed", "signed anew, and the same `jti`");
    assert_eq!(send(proof.clone().claim("jti", "2").sign()).await, "");
    let spelled = proof.clone().claim("htu", "https://mcp.example:443/mcp");
    assert_eq!(send(spelled.sign()).await, "proof_replayed", "the same URI in another spelling");
    clock.advance(Duration::from_secs(60));
    assert_eq!(send(proof.sign()).await, "proof_replayed", "to the last second");
    clock.advance(Duration::from_secs(1));
    assert_eq!(send(proof.sign()).await, "proof_not_fresh");
}

#[tokio::test]
async fn pop_03_another_key_may_have_the_same_jti() {
    let (alice, bob) = (Client::new(), Client::new());
    let dpop = proofs();
    for client in [&alice, &bob] {
        let request = request("DPoP", BOUND, &client.proof().sign());
        assert_eq!(code_of(client, dpop.clone(), request).await, "");
    }
}

#[tokio::test]
async fn pop_03_who_does_not_get_in_uses_up_nothing() {
    let client = Client::new();
    let dpop = proofs();
    let good = client.proof().sign();
    let thief = Client::new();
    let forged = thief.proof().header("jwk", client.jwk()).sign();
    let send = |token: &'static str, proof: String| {
        code_of(&client, dpop.clone(), request("DPoP", token, &proof))
    };
    assert_eq!(send(BOUND, forged).await, "proof_signature_bad");
    let with_forged_token = client.proof().claim("ath", hash("forged")).sign();
    assert_eq!(send("forged", with_forged_token).await, "signature_bad");
    assert_eq!(send(BOUND, good).await, "");
}

#[tokio::test]
async fn pop_03_a_small_correction_of_the_clock_frees_no_proof() {
    let client = Client::new();
    let clock = clock();
    let dpop = proofs_at(&clock);
    let proof = client.proof().sign();
    let send = || code_of(&client, dpop.clone(), request("DPoP", BOUND, &proof));
    assert_eq!(send().await, "");
    clock.advance(Duration::from_secs(89));
    assert_eq!(send().await, "proof_not_fresh");
    clock.set_wall(clock.now() - Duration::from_secs(30));
    assert_eq!(send().await, "proof_replayed");
}

#[tokio::test]
async fn pop_03_a_proof_is_used_up_also_if_the_client_hangs_up() {
    let client = Client::new();
    let dpop = proofs();
    let proof = client.proof().sign();
    let layer = TokenVerifyLayer::new(client.verifier()).with_dpop(dpop.clone());
    let inner = async |_: Request<()>| pending::<Result<Response<String>, Infallible>>().await;
    let service = ServiceBuilder::new().layer(layer).service_fn(inner);
    let mut asked = Box::pin(service.oneshot(request("DPoP", BOUND, &proof)));
    let waits = std::future::poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx).is_pending())).await;
    assert!(waits, "the request is inside");
    drop(asked);
    assert_eq!(code_of(&client, dpop, request("DPoP", BOUND, &proof)).await, "proof_replayed");
}

#[tokio::test]
async fn cch_05_an_answer_of_before_is_no_answer() {
    let client = Client::new();
    let dpop = proofs();
    for jti in ["1", "2"] {
        let proof = client.proof().claim("jti", jti);
        let send = |proof: String| code_of(&client, dpop.clone(), request("DPoP", BOUND, &proof));
        assert_eq!(send(proof.sign()).await, "");
        // The same token with the same key, and nothing else right.
        assert_eq!(send(proof.clone().claim("htm", "PUT").sign()).await, "proof_method_wrong");
        let mut unsigned = proof.sign();
        unsigned.replace_range(unsigned.len() - 86.., &"A".repeat(86));
        assert_eq!(send(unsigned).await, "proof_signature_bad");
    }
}

/// A store that always gives one answer, and checks what it is told.
#[derive(Clone)]
struct Always(Result<ProofUse, ReplayStoreError>);

impl ReplayStore for Always {
    type Remembering = Ready<Result<ProofUse, ReplayStoreError>>;

    fn remember(&self, proof: UsedProof) -> Self::Remembering {
        assert_eq!(proof.keep_for(), Duration::from_secs(90), "the window and a margin");
        ready(self.0)
    }
}

#[tokio::test]
async fn pop_03_a_store_that_cannot_tell_lets_nothing_pass() {
    let client = Client::new();
    let wait = ReplayStoreError::new().retry_after(Duration::from_secs(7));
    for (answer, status, code) in [
        (Ok(ProofUse::First), 200, ""),
        (Ok(ProofUse::Repeated), 401, "proof_replayed"),
        (Err(wait), 503, "replay_store_unavailable"),
    ] {
        let dpop = proofs().with_replay_store(Always(answer));
        let layer = TokenVerifyLayer::new(client.verifier()).with_dpop(dpop);
        let answer = ask(layer, request("DPoP", BOUND, &client.proof().sign())).await;
        assert_eq!((answer.status, answer.code), (status, code));
        assert_eq!(answer.challenges.is_empty(), status != 401, "an outage is no challenge");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_waited_for() {
    #[derive(Clone)]
    struct Never;

    impl ReplayStore for Never {
        type Remembering = Pending<Result<ProofUse, ReplayStoreError>>;

        fn remember(&self, _: UsedProof) -> Self::Remembering {
            pending()
        }
    }

    let client = Client::new();
    let layer =
        TokenVerifyLayer::new(client.verifier()).with_dpop(proofs().with_replay_store(Never));
    let asked = ask(layer, request("DPoP", BOUND, &client.proof().sign()));
    tokio::time::timeout(Duration::from_secs(1), asked).await.unwrap_err();
}
