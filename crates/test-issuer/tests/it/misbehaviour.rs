use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AGE, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, SERVER};
use palisade_test_issuer::{Behaviour, Retire, TestIssuerError};

use crate::support::{builder, get, issuer, json, verifies};

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

#[tokio::test]
async fn a_cache_gives_out_what_it_was_given_and_says_how_old_it_is() {
    let issuer = issuer();
    let older = issuer.jwks();
    issuer.rotate(Retire::DropPrevious).unwrap();
    let age = Duration::from_secs(90);
    issuer.behave(Behaviour::Cached { keys: older.clone(), age }).unwrap();
    let response = issuer.handle(get("/jwks")).await;
    assert_eq!(json(&response), older);
    assert_eq!(response.headers()[AGE], "90");
}

#[tokio::test]
async fn a_set_that_did_not_change_is_not_sent_again() {
    let issuer = issuer();
    issuer.set_cache_control("max-age=60").unwrap();
    let first = issuer.handle(get("/jwks")).await;
    assert_eq!(first.headers()[CACHE_CONTROL], "max-age=60");
    let again = || {
        let mut request = get("/jwks");
        request.headers_mut().insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        issuer.handle(request)
    };
    let unmodified = again().await;
    assert_eq!((unmodified.status().as_u16(), unmodified.body().len()), (304, 0));
    assert_eq!(unmodified.headers()[ETAG], first.headers()[ETAG]);
    issuer.rotate(Retire::KeepPrevious).unwrap();
    assert_eq!(json(&again().await), issuer.jwks());
    assert_eq!((issuer.jwks_fetches(), issuer.jwks_unmodified()), (3, 1));
    assert!(matches!(issuer.set_cache_control("a\r\nb"), Err(TestIssuerError::InvalidHeader)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_answers_later() {
    let issuer = issuer();
    issuer.behave(Behaviour::Slow(Duration::from_secs(5))).unwrap();
    let early = tokio::time::timeout(Duration::from_secs(4), issuer.handle(get("/jwks"))).await;
    early.unwrap_err();
    let later = tokio::time::timeout(Duration::from_secs(6), issuer.handle(get("/jwks"))).await;
    assert_eq!(json(&later.unwrap()), issuer.jwks());
}

#[tokio::test]
async fn an_endless_answer_begins_like_a_good_one_and_goes_on() {
    let issuer = builder().start().await.unwrap();
    issuer.behave(Behaviour::Endless).unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut response = http.get(issuer.jwks_uri()).send().await.unwrap();
    let mut read = Vec::new();
    while read.len() < 1 << 20 {
        read.extend(response.chunk().await.unwrap().unwrap());
    }
    assert!(read.starts_with(issuer.jwks().to_string().as_bytes()));
    assert!(read.ends_with(b"   "));
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
