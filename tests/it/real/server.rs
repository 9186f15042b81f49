//! That the authorization server of the tests does what the tests of its tokens rely on.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_integration::{APP, AuthorizationServer, Form, ProofKey, RESOURCE, SCOPE};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::LIFETIME;

/// What a JWT says. Nobody verifies it here.
fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn opaque() -> (AuthorizationServer, String) {
    let mut server = AuthorizationServer::start().await.unwrap();
    server.issue(Form::Opaque, LIFETIME).await.unwrap();
    let token = server.token(RESOURCE, SCOPE).await.unwrap();
    (server, token)
}

#[tokio::test]
async fn an_opaque_token_is_introspected_until_it_is_revoked() {
    let (server, token) = opaque().await;

    let answer = server.introspect(&token).await.unwrap();
    assert_eq!(answer["active"], true);
    assert_eq!(answer["aud"], RESOURCE);
    assert_eq!(answer["client_id"], APP);
    assert_eq!(answer["iss"], server.issuer());
    assert_eq!(answer["scope"], SCOPE);
    assert_eq!(answer.get("sub"), None, "nobody but the client is behind it");

    server.revoke(&token).await.unwrap();
    assert_eq!(server.introspect(&token).await.unwrap(), json!({ "active": false }));
}

#[tokio::test]
async fn an_opaque_token_ends_with_its_lifetime_and_not_with_a_key() {
    let (mut server, token) = opaque().await;

    server.add_key("ES256").await.unwrap();
    server.advance(LIFETIME - Duration::from_secs(60)).await.unwrap();
    assert_eq!(server.introspect(&token).await.unwrap()["active"], true);

    server.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(server.introspect(&token).await.unwrap()["active"], false);
}

#[tokio::test]
async fn an_opaque_token_of_a_person_names_the_person() {
    let (server, _) = opaque().await;
    let alice = server.sign_in(RESOURCE, SCOPE).await.unwrap();
    assert_eq!(server.introspect(&alice.access_token).await.unwrap()["sub"], "alice");
}

#[tokio::test]
async fn tokens_are_bound_to_the_key_that_was_proved() {
    let mut server = AuthorizationServer::start().await.unwrap();
    let key = ProofKey::generate().unwrap();

    let token = server.bound_token(RESOURCE, SCOPE, &key).await.unwrap();
    assert_eq!(claims(&token)["cnf"], json!({ "jkt": key.thumbprint() }));

    server.issue(Form::Opaque, LIFETIME).await.unwrap();
    let token = server.bound_token(RESOURCE, SCOPE, &key).await.unwrap();
    let answer = server.introspect(&token).await.unwrap();
    assert_eq!(answer["cnf"], json!({ "jkt": key.thumbprint() }));
    assert_eq!(answer["token_type"], "DPoP");
}

/// So that what our own layer accepts and refuses is not judged by our own proofs alone.
#[tokio::test]
async fn the_server_judges_our_proofs() {
    let server = AuthorizationServer::start().await.unwrap();
    let key = ProofKey::generate().unwrap();
    let url = server.endpoint("/token");
    let good = || key.proof("POST", &url);
    let form = [("resource", RESOURCE), ("scope", SCOPE)];
    let taken = good().sign().unwrap();
    for (name, proof, status) in [
        ("good", taken.clone(), 200),
        ("used before", taken, 400),
        ("for another method", key.proof("GET", &url).sign().unwrap(), 400),
        ("for another place", key.proof("POST", RESOURCE).sign().unwrap(), 400),
        ("old", good().claim("iat", 1_000_000_000).sign().unwrap(), 400),
    ] {
        let answer = server.grant(&form, &[("dpop", &proof)]).await.unwrap();
        assert_eq!(answer.status, status, "{name}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn jwts_are_neither_introspected_nor_revoked() {
    let server = AuthorizationServer::start().await.unwrap();
    let token = server.token(RESOURCE, SCOPE).await.unwrap();
    for refusal in [server.introspect(&token).await.map(drop), server.revoke(&token).await] {
        let error = refusal.unwrap_err().to_string();
        assert!(error.contains("unsupported_token_type"), "{error}");
    }
}

#[tokio::test]
async fn what_the_server_does_not_understand_is_an_error() {
    let mut server = AuthorizationServer::start().await.unwrap();
    server.add_key("none").await.unwrap_err();
    server.withdraw_key("unheard-of").await.unwrap_err();
    server.token("https://rs.example/unheard-of", SCOPE).await.unwrap_err();
    server.token(RESOURCE, SCOPE).await.unwrap();
}

#[tokio::test]
async fn the_server_ends_with_the_test() {
    let server = AuthorizationServer::start().await.unwrap();
    let address: SocketAddr = server.issuer().strip_prefix("http://").unwrap().parse().unwrap();
    drop(TcpStream::connect(address).await.unwrap());

    drop(server);

    let closed = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), closed).await.unwrap();
}
