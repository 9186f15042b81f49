use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, SERVER};
use palisade_test_issuer::{Behaviour, TestIssuerError};

use crate::support::{get, issuer, json, verifies};

#[tokio::test]
async fn the_jwks_endpoint_does_as_told() {
    let issuer = issuer();

    issuer.behave(Behaviour::Status(503)).unwrap();
    let response = issuer.handle(get("/jwks")).await;
    assert_eq!((response.status().as_u16(), response.body().len()), (503, 0));

    issuer.behave(Behaviour::Body(Bytes::from_static(b"<html>"))).unwrap();
    let response = issuer.handle(get("/jwks")).await;
    assert_eq!((response.status().as_u16(), response.body().as_ref()), (200, b"<html>".as_slice()));

    issuer.behave(Behaviour::Redirect("file:///etc/passwd".to_owned())).unwrap();
    let response = issuer.handle(get("/jwks")).await;
    assert_eq!(response.status().as_u16(), 302);
    assert_eq!(response.headers()[LOCATION], "file:///etc/passwd");

    issuer.behave(Behaviour::Normal).unwrap();
    let response = issuer.handle(get("/jwks")).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "application/jwk-set+json");
    assert_eq!(json(&response), issuer.jwks());
}

#[test]
fn a_hanging_endpoint_never_answers() {
    let issuer = issuer();
    issuer.behave(Behaviour::Hang).unwrap();
    let mut answer = pin!(issuer.handle(get("/jwks")));
    let mut context = Context::from_waker(Waker::noop());

    assert!(answer.as_mut().poll(&mut context).is_pending());
    issuer.behave(Behaviour::Normal).unwrap();
    assert!(answer.as_mut().poll(&mut context).is_pending(), "what hangs goes on hanging");
    let next = pin!(issuer.handle(get("/jwks")));
    assert!(matches!(next.poll(&mut context), Poll::Ready(_)));
}

#[tokio::test]
async fn only_the_jwks_endpoint_misbehaves() {
    let issuer = issuer();
    issuer.behave(Behaviour::Status(500)).unwrap();

    let metadata = issuer.handle(get("/.well-known/oauth-authorization-server")).await;
    assert_eq!(metadata.status().as_u16(), 200);
    assert!(verifies(&issuer.jwks(), &issuer.mint().sign()));
}

#[tokio::test]
async fn every_fetch_is_counted_however_it_ends() {
    let issuer = issuer();
    assert_eq!(issuer.jwks_fetches(), 0);

    issuer.handle(get("/jwks")).await;
    issuer.behave(Behaviour::Status(404)).unwrap();
    issuer.handle(get("/jwks")).await;
    issuer.behave(Behaviour::Hang).unwrap();
    drop(issuer.handle(get("/jwks")));
    assert_eq!(issuer.clone().jwks_fetches(), 3);

    let _ = issuer.jwks();
    issuer.handle(get("/.well-known/openid-configuration")).await;
    assert_eq!(issuer.jwks_fetches(), 3, "nothing else counts");
}

#[test]
fn a_behaviour_that_http_cannot_carry_is_an_error() {
    let issuer = issuer();
    for code in [0, 99, 100, 199, 1000] {
        let error = issuer.behave(Behaviour::Status(code)).unwrap_err();
        assert!(matches!(error, TestIssuerError::InvalidStatus(given) if given == code));
    }
    for code in [200, 204, 304, 999] {
        issuer.behave(Behaviour::Status(code)).unwrap();
    }
    let error = issuer.behave(Behaviour::Redirect("https://a\r\nb: c".to_owned())).unwrap_err();
    assert!(matches!(error, TestIssuerError::InvalidRedirect));
}

#[tokio::test]
async fn every_answer_says_what_the_server_is() {
    for path in ["/jwks", "/token", "/.well-known/openid-configuration", "/nothing"] {
        let response = issuer().handle(get(path)).await;
        assert_eq!(response.headers()[SERVER], "palisade-test-issuer (not for production)");
    }
}
