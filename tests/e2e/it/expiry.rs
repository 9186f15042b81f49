//! A token ends while a client is at work, and the client gets another.

use std::time::Duration;

use palisade_e2e::{Exchange, Flow, Issuer, Kind, READ, Server, Story, Wire};

use crate::{
    play::Start,
    rows::{NEW, python, ts_v2},
};

/// Tokens live for ten minutes.
const LATER: Duration = Duration::from_secs(900);

/// Calls a tool, lets time go by for both servers, and calls it again. The client's own clock stands still: it learns
/// from the answer.
async fn play(start: Start) -> (Story, Vec<&'static str>) {
    let wire = Wire::new();
    let mut issuer = Issuer::start(&wire).await.unwrap();
    let server = Server::builder(&wire, issuer.url()).start().await.unwrap();
    issuer.serve(&[server.url()]).await.unwrap();
    let client = start(server.url(), NEW, Flow::Known, "whoami,wait,whoami");
    let mut client = client.start().unwrap();
    client.step("waiting").await.unwrap();
    issuer.authorization_server().advance(LATER).await.unwrap();
    server.clock().advance(LATER);
    client.go_on().await.unwrap();
    let steps = client.end().await.unwrap();
    let said: Vec<_> = steps.iter().filter(|step| step["tool"] == "whoami").collect();
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|step| step["text"] == format!("alice, with {READ}")), "{said:?}");
    let records = server.records();
    let denials = records.iter().filter_map(|record| record.outcome.denial());
    let refusals = denials.map(|denial| denial.reason().code()).collect();
    (Story::new(wire.take(), server.origin(), issuer.url()), refusals)
}

/// The second token, after the first one expired in use.
#[track_caller]
fn second_grant(story: &Story) -> &Exchange {
    let statuses: Vec<_> =
        story.calls("whoami").map(|call| call.status.unwrap().as_u16()).collect();
    assert_eq!(statuses, [200, 401, 200], "{}", story.transcript());
    let refused = story.calls("whoami").nth(1).unwrap();
    let challenge = refused.challenge().unwrap();
    assert!(challenge.starts_with("Bearer error=\"invalid_token\", "), "{challenge}");
    assert!(challenge.contains(&format!("scope=\"{READ}\"")), "{challenge}");
    story.of(Kind::Token).nth(1).unwrap()
}

#[tokio::test]
async fn the_typescript_sdk_uses_its_refresh_token() {
    let (story, refusals) = play(ts_v2).await;
    let second = second_grant(&story);
    assert_eq!(second.parameter("grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(second.parameter("refresh_token").as_deref(), Some("refresh-1"));
    assert_eq!(refusals, ["token_missing", "token_expired"]);
}

#[tokio::test]
async fn the_python_sdk_lets_the_person_sign_in_again() {
    let (story, refusals) = play(python).await;
    let second = second_grant(&story);
    assert_eq!(second.parameter("grant_type").as_deref(), Some("authorization_code"));
    assert_eq!(story.of(Kind::Authorization).count(), 2);
    assert_eq!(refusals, ["token_missing", "token_expired"]);
}
