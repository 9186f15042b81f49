use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{
    HeaderMap, Request, Response, StatusCode,
    header::{COOKIE, PROXY_AUTHORIZATION},
};
use palisade_core::{Confirmation, Denial, Principal, Trail, stack::roles::Authenticates};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_layer::Layer;

use super::*;
use crate::{
    BearerToken, Rejection, STAGE, TokenVerifyLayer, TransportSecurity,
    deny_list::{DenyEntry, Network, WhenStale},
};

mod deny_list;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

type Verdict = Result<Principal, Rejection>;

#[expect(clippy::needless_pass_by_value, reason = "a verifier takes the token")]
fn demo(token: BearerToken) -> Ready<Verdict> {
    ready(match token.expose() {
        "alice" | "bob" => {
            Ok(Principal::assert_verified("https://as.example", token.expose()).build())
        }
        "expired" => Err(Rejection::Expired),
        "outage" => Err(Rejection::KeysUnavailable { retry_after: Some(Duration::from_secs(7)) }),
        _ => Err(Rejection::BadSignature),
    })
}

fn request(token: &str) -> Request<()> {
    Request::get("/?access_token=bob")
        .extension(TransportSecurity::tls())
        .header("authorization", format!("Bearer {token}"))
        .header("dpop", "proof")
        .header("x-user", "root")
        .body(())
        .unwrap()
}

/// Answers with who asked and which headers arrived.
async fn echo(request: Request<()>) -> Result<Response<String>, Infallible> {
    let subject = request.extensions().get::<Principal>().unwrap().subject().to_owned();
    let mut names: Vec<_> = request.headers().keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    Ok(Response::new(format!("{subject}: {}", names.join(" "))))
}

async fn call(
    layer: TokenVerifyLayer<fn(BearerToken) -> Ready<Verdict>>,
    request: Request<()>,
) -> Response<String> {
    ServiceBuilder::new().layer(layer).service_fn(echo).oneshot(request).await.unwrap()
}

fn layer() -> TokenVerifyLayer<fn(BearerToken) -> Ready<Verdict>> {
    TokenVerifyLayer::new(demo)
}

#[tokio::test]
async fn a_good_token_passes_and_is_gone_inside() {
    let response = call(layer(), request("alice")).await;
    assert_eq!(response.body(), "alice: x-user");
    let response = call(layer().insecure_keep_authorization_header(), request("alice")).await;
    assert_eq!(response.body(), "alice: authorization dpop x-user");
}

#[tokio::test]
async fn other_credentials_are_removed_if_asked() {
    let bring = || {
        let mut request = request("alice");
        for name in ["cookie", "proxy-authorization", "x-api-key"] {
            request.headers_mut().append(name, "one".parse().unwrap());
            request.headers_mut().append(name, "two".parse().unwrap());
        }
        request
    };
    let body = async |layer| call(layer, bring()).await.into_body();
    let all = "alice: cookie proxy-authorization x-api-key x-user";
    assert_eq!(body(layer()).await, all, "not asked");
    let none = layer()
        .also_remove_headers([COOKIE, PROXY_AUTHORIZATION])
        .also_remove_headers([X_API_KEY])
        .also_remove_headers([]);
    assert_eq!(body(none.clone()).await, "alice: x-user", "each call adds to those before");
    let ours = none.clone().insecure_keep_authorization_header();
    assert_eq!(body(ours).await, "alice: authorization dpop x-user");
    let renderer = none.with_renderer(PlainRenderer::new());
    assert_eq!(body(renderer).await, "alice: x-user", "also with another renderer");
}

#[tokio::test]
async fn a_principal_from_outside_is_replaced() {
    let mut request = request("alice");
    let planted = Principal::assert_verified("https://evil.example", "root").build();
    request.extensions_mut().insert(planted);
    assert_eq!(call(layer(), request).await.body(), "alice: x-user");
}

#[tokio::test]
async fn http_05_and_06_a_token_in_the_query_is_nothing() {
    let mut without = request("alice");
    without.headers_mut().remove("authorization");
    assert_eq!(call(layer(), without).await.status(), 401);
    assert_eq!(call(layer(), request("alice")).await.body(), "alice: x-user");
}

/// Status and challenge, and what is in the record.
#[tokio::test]
async fn every_refusal_has_its_status_and_challenge() {
    const REALM: &str = r#"Bearer realm="protected""#;
    const INVALID: &str =
        r#"Bearer error="invalid_token", error_description="the access token is invalid""#;
    const EXPIRED: &str =
        r#"Bearer error="invalid_token", error_description="the access token expired""#;
    const REQUEST: &str = r#"Bearer error="invalid_request", error_description="the Authorization header is malformed""#;

    let get = || Request::get("/").extension(TransportSecurity::tls());
    let with = |line: &str| get().header("authorization", line).body(()).unwrap();
    let rows = [
        (get().body(()).unwrap(), 401, Some(REALM), "token_missing"),
        (with("Basic YTpi"), 401, Some(REALM), "token_missing"),
        (with("Bearer"), 400, Some(REQUEST), "authorization_malformed"),
        (with("Bearer abcdefghijk"), 431, None, "token_too_large"),
        (with("Bearer forged"), 401, Some(INVALID), "signature_bad"),
        (with("Bearer expired"), 401, Some(EXPIRED), "token_expired"),
        (with("Bearer outage"), 503, None, "keys_unavailable"),
    ];
    for (mut request, status, challenge, code) in rows {
        let trail = Trail::new();
        request.extensions_mut().insert(trail.clone());
        let response = call(layer().max_token_bytes(10), request).await;
        let headers = response.headers();
        assert_eq!(response.status(), status, "{code}");
        assert_eq!(headers.get("www-authenticate").map(|value| value.to_str().unwrap()), challenge);
        assert_eq!(headers["cache-control"], "no-store");
        let denial = response.extensions().get::<Denial>().unwrap();
        assert_eq!((denial.stage(), denial.reason().code()), (STAGE, code));
        let notes = trail.notes();
        assert_eq!(notes.denial.unwrap().reason().code(), code);
        assert!(notes.principal.is_none());
    }
}

#[tokio::test]
async fn an_outage_says_when_to_come_back_and_grpc_hears_it_too() {
    let response = call(layer(), request("outage")).await;
    assert_eq!(response.headers()["retry-after"], "7");
    let mut outage = request("outage");
    outage.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    *outage.method_mut() = http::Method::POST;
    let response = call(layer(), outage).await;
    assert_eq!(
        (response.status(), &response.headers()["grpc-status"]),
        (StatusCode::OK, &"14".parse().unwrap())
    );
    let mut forged = request("forged");
    forged.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    *forged.method_mut() = http::Method::POST;
    let response = call(layer(), forged).await;
    assert_eq!(response.headers()["grpc-status"], "16");
}

#[tokio::test]
async fn http_08_nothing_that_a_client_sent_comes_back() {
    let all = |headers: &HeaderMap| format!("{headers:?}");
    for token in ["forged", "marker-marker", "outage"] {
        let response = call(layer(), request(token)).await;
        assert!(!all(response.headers()).contains(token));
        assert!(response.body().is_empty());
    }
}

#[tokio::test]
async fn renderers_do_not_see_the_token() {
    let renderer = |_: &Denial, parts: &Parts| {
        assert!(!parts.headers.contains_key("authorization"));
        assert!(!parts.headers.contains_key("dpop"));
        assert!(!parts.headers.contains_key("cookie"));
        assert!(!parts.headers.contains_key("x-api-key"));
        Response::new(String::from("no"))
    };
    let layer = TokenVerifyLayer::new(demo)
        .with_renderer(renderer)
        .max_token_bytes(20)
        .also_remove_headers([COOKIE, X_API_KEY]);
    let mut twice = request("alice");
    twice.headers_mut().append("authorization", "Bearer alice".parse().unwrap());
    let mut other = request("alice");
    other.headers_mut().insert("authorization", "Basic YWxpY2U6c2VjcmV0".parse().unwrap());
    let mut plain = request("alice");
    plain.extensions_mut().insert(TransportSecurity::plain());
    let huge = request(&"a".repeat(21));
    for mut request in [request("forged"), request("alice, alice"), huge, twice, other, plain] {
        request.headers_mut().insert(COOKIE, "session=secret".parse().unwrap());
        request.headers_mut().insert(X_API_KEY, "secret".parse().unwrap());
        // Nor do they where the service asked to keep it.
        for layer in [layer.clone(), layer.clone().insecure_keep_authorization_header()] {
            let service = layer.layer(service_fn(echo));
            assert_eq!(service.oneshot(request.clone()).await.unwrap().body(), "no");
        }
    }
}

#[tokio::test]
async fn the_trail_knows_who_asked() {
    let trail = Trail::new();
    let mut request = request("alice");
    request.extensions_mut().insert(trail.clone());
    call(layer(), request).await;
    assert_eq!(trail.notes().principal.unwrap().subject(), "alice");
}

/// Panics if it is called without having been polled ready. A clone has not been.
#[derive(Default)]
struct NeedsReady {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for NeedsReady {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request<()>> for NeedsReady {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(self.ready, "called without `poll_ready`");
        self.ready = false;
        self.calls.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Response::new(String::new())))
    }
}

#[tokio::test]
async fn calls_the_instance_that_was_polled_ready() {
    let inner = NeedsReady::default();
    let mut service = layer().layer(inner.clone());
    for _ in 0..3 {
        service.ready().await.unwrap().call(request("alice")).await.unwrap();
    }
    service.ready().await.unwrap().call(request("forged")).await.unwrap();
    assert_eq!(inner.calls.load(Ordering::Relaxed), 3, "a refused request does not get inside");
}

/// A connection that stays open and was refused must not keep a place of a concurrency limit inside.
#[tokio::test]
async fn a_refused_request_leaves_no_place_taken_inside() {
    let list = DenyList::new();
    list.deny(DenyEntry::address(Network::parse("192.0.2.7").unwrap())).unwrap();
    let mut no_token = request("");
    no_token.headers_mut().remove("authorization");
    for (list, request) in [
        (DenyList::new(), Request::get("/").body(()).unwrap()),
        (DenyList::new(), no_token),
        (DenyList::new(), request("two tokens")),
        (list, request("alice")),
    ] {
        let mut service = layer().with_deny_list(list).layer(NeedsReady::default());
        let response = service.ready().await.unwrap().call(request).await.unwrap();
        assert_ne!(response.status(), 200);
        assert!(!service.inner.ready);
    }
}

#[tokio::test]
async fn a_dropped_future_does_not_reach_the_service() {
    let inner = NeedsReady::default();
    let never = |_: BearerToken| std::future::pending::<Verdict>();
    let mut service = TokenVerifyLayer::new(never).layer(inner.clone());
    let future = service.ready().await.unwrap().call(request("alice"));
    tokio::time::timeout(Duration::from_millis(1), future).await.unwrap_err();
    assert_eq!(inner.calls.load(Ordering::Relaxed), 0);
}

#[test]
fn layer_service_and_future_go_where_they_are_needed() {
    fn is_portable<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn is_send<T: Send + 'static>(_: &T) {}
    fn authenticates<T: Authenticates>(_: &T) {}
    let layer = layer();
    is_portable(&layer);
    authenticates(&layer);
    let mut service = layer.layer(NeedsReady { ready: true, ..NeedsReady::default() });
    is_portable(&service);
    is_send(&service.call(request("alice")));
}

#[test]
fn debug_shows_no_verifier() {
    assert!(format!("{:?}", layer()).starts_with("TokenVerifyLayer"));
    assert!(format!("{:?}", layer().layer(())).starts_with("TokenVerify {"));
}
