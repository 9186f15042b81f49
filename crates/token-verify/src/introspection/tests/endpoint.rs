//! Over sockets.

use palisade_test_issuer::TestIssuer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// Answers one connection with these bytes, again and again if they are to be many, and tells what it was sent.
async fn serve(listener: TcpListener, head: &str, filler: usize) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.ends_with(b"access_token") {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&request));
        request.extend_from_slice(&buffer[..read]);
    }
    stream.write_all(head.as_bytes()).await.unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..filler {
        // It hangs up when it had enough.
        if stream.write_all(&block).await.is_err() {
            break;
        }
    }
    String::from_utf8(request).unwrap()
}

async fn exchange(head: &str, filler: usize) -> (Result<Principal, Rejection>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/introspect?tenant=1", listener.local_addr().unwrap());
    let endpoint = IntrospectionEndpoint::new(&url).unwrap();
    let issuer = Issuer::parse(ISSUER).unwrap();
    let verifier = IntrospectionVerifier::builder(issuer, endpoint, credential())
        .unwrap()
        .with_clock(clock())
        .build();
    tokio::join!(verdict_on(&verifier, TOKEN), serve(listener, head, filler))
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn the_question_on_the_wire_is_that_of_rfc_7662() {
    let (verdict, request) = exchange(&ok(&active().to_string()), 0).await;
    assert_eq!(verdict.unwrap().subject(), "alice");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /introspect?tenant=1 HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    for line in [
        "accept: application/json",
        "content-type: application/x-www-form-urlencoded",
        "authorization: basic czzcagrsa3f0mzpnwdfmqmf0m2jw",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    assert_eq!(body, "token=mF_9.B5f-4.1JqM&token_type_hint=access_token");
}

#[tokio::test]
async fn rev_04_a_hundred_megabytes_are_not_read() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"active\":true}";
    let (verdict, _) = exchange(head, 100).await;
    assert!(is_outage(&verdict));
}

#[tokio::test]
async fn rev_04_a_redirect_is_not_followed() {
    let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = trap.local_addr().unwrap();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let head =
            format!("HTTP/1.1 {status}\r\nlocation: http://{place}/\r\ncontent-length: 0\r\n\r\n");
        let (verdict, _) = exchange(&head, 0).await;
        assert!(is_outage(&verdict), "{status}");
    }
    let nobody = tokio::time::timeout(Duration::from_millis(1), trap.accept()).await;
    assert!(nobody.is_err(), "our credentials went elsewhere");
}

#[tokio::test]
async fn a_wait_that_the_server_asks_for_is_passed_on() {
    let head = "HTTP/1.1 503 Busy\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n";
    let (verdict, _) = exchange(head, 0).await;
    let retry_after = Some(Duration::from_secs(17));
    assert_eq!(verdict.err(), Some(Rejection::IntrospectionUnavailable { retry_after }));
}

#[tokio::test]
async fn nobody_there_is_an_outage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/introspect", listener.local_addr().unwrap());
    drop(listener);
    let endpoint = IntrospectionEndpoint::new(&url).unwrap();
    let issuer = Issuer::parse(ISSUER).unwrap();
    let verifier = IntrospectionVerifier::builder(issuer, endpoint, credential()).unwrap().build();
    assert!(is_outage(&verdict_on(&verifier, TOKEN).await));
}

/// The whole way: an opaque token from the token endpoint's store, plain and signed answers, and revocation.
#[tokio::test]
async fn an_issuer_on_a_socket_vouches_for_a_token_until_it_is_revoked() {
    let server = TestIssuer::builder()
        .client(CLIENT, SECRET, "read")
        .default_audience(AUDIENCE)
        .start()
        .await
        .unwrap();
    let builder = || {
        let endpoint = IntrospectionEndpoint::new(&server.introspection_endpoint()).unwrap();
        let issuer = Issuer::parse(server.issuer()).unwrap();
        let builder = IntrospectionVerifier::builder(issuer, endpoint, credential()).unwrap();
        builder.remember_active_for(Duration::ZERO).unwrap()
    };
    let plain = builder().build();
    let signed = builder()
        .signed_answers(SignedAnswers::Required, crate::testing::keys(&server), CLIENT)
        .unwrap()
        .build();

    let opaque = server.mint().subject("alice").issue_opaque();
    assert_eq!(verdict_on(&plain, &opaque).await.unwrap().subject(), "alice");
    assert_eq!(verdict_on(&signed, &opaque).await.unwrap().subject(), "alice");
    assert_eq!(rejection(&plain, "unknown").await, Some(Rejection::Inactive));
    server.revoke(&opaque).unwrap();
    assert_eq!(rejection(&plain, &opaque).await, Some(Rejection::Inactive));
    assert_eq!(rejection(&signed, &opaque).await, Some(Rejection::Inactive));
    assert_eq!(server.introspections(), 5);
}

#[test]
fn an_endpoint_is_on_https_or_loopback() {
    for url in ["https://as.example/introspect", "http://127.0.0.1:1/i", "http://localhost/i"] {
        assert!(IntrospectionEndpoint::new(url).is_ok(), "{url}");
    }
    for url in ["http://as.example/i", "https://user:secret@as.example/i", "as.example", ""] {
        let error = IntrospectionEndpoint::new(url).unwrap_err();
        assert!(matches!(error, IntrospectionEndpointError::Url(_)), "{url}");
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}
