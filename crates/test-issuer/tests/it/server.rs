use std::net::SocketAddr;
use std::time::Duration;

use palisade_test_issuer::{Behaviour, TestIssuer, TestIssuerError};
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{RESOURCE, builder, claims, verifies};

/// For what happens at once, on the slowest machine.
const SOON: Duration = Duration::from_secs(20);

fn client() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

fn address(issuer: &TestIssuer) -> SocketAddr {
    issuer.issuer().strip_prefix("http://").unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_client_finds_its_way_from_the_metadata_to_a_token_that_verifies() {
    let issuer = builder().start().await.unwrap();
    let http = client();

    let url = format!("{}/.well-known/oauth-authorization-server", issuer.issuer());
    let metadata: Value = http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["issuer"], issuer.issuer());
    let answer: Value = http
        .post(metadata["token_endpoint"].as_str().unwrap())
        .basic_auth("app", Some("s3cret"))
        .form(&[
            ("grant_type", "client_credentials"),
            ("resource", RESOURCE),
            ("scope", "mcp:tools"),
        ])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = answer["access_token"].as_str().unwrap();
    let jwks_uri = metadata["jwks_uri"].as_str().unwrap();
    let jwks: Value = http.get(jwks_uri).send().await.unwrap().json().await.unwrap();

    assert!(verifies(&jwks, token));
    assert_eq!(claims(token)["iss"], issuer.issuer());
    assert_eq!(claims(token)["aud"], RESOURCE);
    assert_eq!(claims(token)["scope"], "mcp:tools");
    assert_eq!(jwks_uri, issuer.jwks_uri());
    assert_eq!(issuer.jwks_fetches(), 1);
}

#[tokio::test]
async fn refuses_every_address_that_others_could_reach() {
    let rows = [
        "0.0.0.0:0",
        "[::]:0",
        "192.0.2.1:0",
        "10.0.0.1:0",
        "169.254.0.1:0",
        "[::ffff:127.0.0.1]:0",
        "[fe80::1]:0",
        "255.255.255.255:0",
    ];
    for row in rows {
        let address: SocketAddr = row.parse().unwrap();
        match builder().bind(address).await {
            Err(TestIssuerError::NotLoopback(refused)) => assert_eq!(refused, address),
            other => panic!("{row}: {other:?}"),
        }
    }
}

// Other systems give the loopback interface one address only.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn any_loopback_address_will_do() {
    let issuer = builder().bind("127.0.0.2:0".parse().unwrap()).await.unwrap();

    assert!(issuer.issuer().starts_with("http://127.0.0.2:"));
    assert!(client().get(issuer.jwks_uri()).send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let issuer = builder().start().await.unwrap();
    let error = builder().bind(address(&issuer)).await.unwrap_err();

    assert!(matches!(error, TestIssuerError::Bind(_)));
}

#[test]
fn a_port_needs_a_runtime() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    let start = pin!(builder().start());
    let answer = start.poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answer, Poll::Ready(Err(TestIssuerError::NoRuntime))));
}

#[tokio::test]
async fn shutdown_frees_the_port_and_closes_connections() {
    let issuer = builder().start().await.unwrap();
    let address = address(&issuer);
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"GET /jwks HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    connection.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");

    let other = issuer.clone();
    timeout(SOON, async { tokio::join!(issuer.shutdown(), other.shutdown()) }).await.unwrap();

    TcpStream::connect(address).await.unwrap_err();
    timeout(SOON, connection.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    issuer.shutdown().await;
    assert!(verifies(&issuer.jwks(), &issuer.mint().sign()), "the rest goes on working");
}

#[tokio::test]
async fn the_server_stops_when_the_last_handle_is_dropped() {
    let issuer = builder().start().await.unwrap();
    let address = address(&issuer);
    let clone = issuer.clone();
    let token = clone.mint();

    drop(issuer);
    let url = clone.jwks_uri();
    assert!(client().get(url).send().await.unwrap().status().is_success());

    drop(clone);
    timeout(SOON, async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    drop(token);
}

#[tokio::test]
async fn a_hanging_request_does_not_keep_the_server() {
    let issuer = builder().start().await.unwrap();
    issuer.behave(Behaviour::Hang).unwrap();
    let mut connection = TcpStream::connect(address(&issuer)).await.unwrap();
    connection.write_all(b"GET /jwks HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    timeout(SOON, async {
        while issuer.jwks_fetches() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();

    timeout(SOON, issuer.shutdown()).await.unwrap();
    let mut answer = Vec::new();
    timeout(SOON, connection.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"");
}

#[tokio::test]
async fn misbehaviour_reaches_the_wire() {
    let issuer = builder().start().await.unwrap();
    let http = client();

    let huge = vec![b'x'; 4 << 20];
    issuer.behave(Behaviour::Body(huge.clone().into())).unwrap();
    let response = http.get(issuer.jwks_uri()).send().await.unwrap();
    assert_eq!(response.bytes().await.unwrap(), huge);

    issuer.behave(Behaviour::Redirect("http://192.0.2.1/".to_owned())).unwrap();
    let response = http.get(issuer.jwks_uri()).send().await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "http://192.0.2.1/");

    issuer.behave(Behaviour::Status(503)).unwrap();
    let response = http.get(issuer.jwks_uri()).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(issuer.jwks_fetches(), 3);
}

#[tokio::test]
async fn a_large_body_is_refused_before_it_is_read() {
    let issuer = builder().start().await.unwrap();
    let http = client();

    let declared = http.post(issuer.token_endpoint()).body(vec![b'a'; 20_000]);
    assert_eq!(declared.send().await.unwrap().status(), 413);

    // Without a length, the limit is found while reading.
    let mut connection = TcpStream::connect(address(&issuer)).await.unwrap();
    let head = b"POST /token HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    connection.write_all(head).await.unwrap();
    let mut chunk = b"5000\r\n".to_vec();
    chunk.extend_from_slice(&[b'a'; 0x5000]);
    connection.write_all(&chunk).await.unwrap();
    let mut first = [0; 12];
    timeout(SOON, connection.read_exact(&mut first)).await.unwrap().unwrap();
    assert_eq!(&first, b"HTTP/1.1 413");
}
