//! Servers that demand proof of possession (DPoP, RFC 9449) beyond what the matrix has.

use palisade_e2e::{Builder, Exchange, Flow, Issuer, Kind, READ, Server, Story, Wire};
use serde_json::Value;

use crate::{
    play::Start,
    rows::{NEW, python, ts_v2},
};

struct Played {
    story: Story,
    ended: Result<Vec<Value>, String>,
    refusals: Vec<&'static str>,
}

async fn play(start: Start, flow: Flow, server: fn(Builder) -> Builder) -> Played {
    let wire = Wire::new();
    let mut issuer = Issuer::start(&wire).await.unwrap();
    issuer.authorization_server().demand_nonces(true).await.unwrap();
    let server = server(Server::builder(&wire, issuer.url())).start().await.unwrap();
    issuer.serve(&[server.url()]).await.unwrap();
    let client = start(server.url(), NEW, flow, "whoami").start().unwrap();
    let ended = client.end().await.map_err(|error| error.to_string());
    let records = server.records();
    let denials = records.iter().filter_map(|record| record.outcome.denial());
    Played {
        story: Story::new(wire.take(), server.origin(), issuer.url()),
        ended,
        refusals: denials.map(|denial| denial.reason().code()).collect(),
    }
}

#[tokio::test]
async fn the_typescript_sdk_takes_nonces_from_both_servers() {
    let played = play(ts_v2, Flow::KnownAndBound, Builder::require_dpop_nonces).await;
    let transcript = played.story.transcript();

    let steps = played.ended.unwrap();
    assert!(steps.iter().any(|step| step["text"] == format!("alice, with {READ}")), "{transcript}");
    assert_eq!(played.refusals, ["token_missing", "proof_nonce_required"], "{transcript}");
    let asked: Vec<&Exchange> = played
        .story
        .exchanges()
        .iter()
        .filter(|exchange| exchange.answer_header("dpop-nonce").is_some() && !exchange.is_success())
        .collect();
    let [at_issuer, at_server] = asked[..] else { panic!("{transcript}") };
    assert_eq!((at_issuer.kind(), at_issuer.status.unwrap().as_u16()), (Kind::Token, 400));
    assert_eq!((at_server.kind(), at_server.status.unwrap().as_u16()), (Kind::Mcp, 401));
    assert!(at_server.challenge().unwrap().contains("error=\"use_dpop_nonce\""), "{transcript}");
}

#[tokio::test]
async fn a_client_that_knows_no_proofs_is_refused_and_gives_up() {
    let played = play(python, Flow::ClientCredentials, Builder::require_dpop).await;
    let transcript = played.story.transcript();

    played.ended.unwrap_err();
    assert!(played.story.calls("whoami").next().is_none(), "{transcript}");
    // With its token it tries once.
    assert_eq!(played.refusals, ["token_missing", "bearer_not_taken"], "{transcript}");
}
