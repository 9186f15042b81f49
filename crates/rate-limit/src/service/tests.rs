use std::{
    convert::Infallible,
    future::{Ready, ready},
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode};
use palisade_core::{ClientAddr, Denial, DenialKind, ManualClock, Principal, Trail};
use tower::{Layer, ServiceExt};

use super::*;
use crate::{
    CostTable, ExtractKey, Global, MissingKeyError, PerClient, PerClientAddr, PerOperation,
    PerPrincipal, PerPrincipalAndOperation, Quota, QuotaExceededError, RateLimitLayer, STAGE,
    UnpayableCostError,
};

mod told;

fn n(units: u32) -> NonZeroU32 {
    NonZeroU32::new(units).unwrap()
}

fn clock() -> ManualClock {
    ManualClock::at(SystemTime::UNIX_EPOCH)
}

/// Answers with the body of the request, counts calls, and panics if it is called without having been
/// polled ready. A clone was not.
#[derive(Default)]
struct Echo {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Echo {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request<String>> for Echo {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been polled ready");
        self.calls.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Response::new(request.into_body())))
    }
}

fn request() -> Request<String> {
    Request::new("body".to_owned())
}

fn request_of(subject: &str) -> Request<String> {
    let mut request = request();
    let principal = Principal::assert_verified("https://as.example", subject).build();
    request.extensions_mut().insert(principal);
    request
}

fn request_from(addr: &str) -> Request<String> {
    let mut request = request();
    let addr = ClientAddr::peer((addr.parse::<std::net::IpAddr>().unwrap(), 443).into());
    request.extensions_mut().insert(addr);
    request
}

async fn send<S>(service: &S, request: Request<String>) -> Response<String>
where
    S: Service<Request<String>, Response = Response<String>, Error = Infallible> + Clone,
{
    service.clone().oneshot(request).await.unwrap()
}

/// All lines of all fields, sorted.
fn lines(headers: &HeaderMap) -> Vec<String> {
    let line =
        |(name, value): (_, &http::HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    let mut lines: Vec<_> = headers.iter().map(line).collect();
    lines.sort();
    lines
}

fn about_limits(response: &Response<String>) -> Vec<String> {
    lines(response.headers()).into_iter().filter(|line| line.starts_with("ratelimit")).collect()
}

#[test]
fn layer_service_and_future_go_where_they_must() {
    fn travels<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn moves<T: Send + 'static>(_: &T) {}
    let layer = RateLimitLayer::new(Quota::per_second(n(1)), PerClientAddr::new());
    let mut service = layer.layer(Echo { ready: true, ..Echo::default() });
    travels(&layer);
    travels(&service);
    moves(&service.call(request()));
    fn limits<L: palisade_core::stack::roles::Limits>(_: &L) {}
    limits(&layer);
}

#[tokio::test]
async fn the_instance_that_was_polled_ready_is_the_one_that_is_called() {
    let mut service =
        RateLimitLayer::new(Quota::per_second(n(9)), Global::new()).layer(Echo::default());
    for _ in 0..3 {
        let response = service.ready().await.unwrap().call(request()).await.unwrap();
        assert_eq!((response.status(), &**response.body()), (StatusCode::OK, "body"));
    }
}

#[tokio::test]
async fn what_is_refused_is_never_called_and_what_is_never_called_costs_nothing() {
    let echo = Echo::default();
    let clock = clock();
    let mut service = RateLimitLayer::new(Quota::per_second(n(2)), Global::new())
        .with_clock(clock.clone())
        .layer(echo.clone());
    for _ in 0..10 {
        // Ready ten times, called never.
        service.ready().await.unwrap();
    }
    for expected in [200, 200, 429, 429, 429] {
        assert_eq!(send(&service, request()).await.status(), expected);
    }
    assert_eq!(echo.calls.load(Ordering::Relaxed), 2);
    // What was refused took nothing.
    clock.advance(Duration::from_millis(500));
    assert_eq!(send(&service, request()).await.status(), 200);
}

#[tokio::test]
async fn each_key_has_its_own_bucket() {
    let layer =
        RateLimitLayer::new(Quota::per_minute(n(1)), PerPrincipal::new()).with_clock(clock());
    let service = layer.layer(Echo::default());
    assert_eq!(send(&service, request_of("alice")).await.status(), 200);
    assert_eq!(send(&service, request_of("alice")).await.status(), 429);
    assert_eq!(send(&service, request_of("bob")).await.status(), 200);
    assert_eq!(layer.tracked_keys(), 2);

    let layer =
        RateLimitLayer::new(Quota::per_minute(n(1)), PerClientAddr::new()).with_clock(clock());
    let service = layer.layer(Echo::default());
    assert_eq!(send(&service, request_from("2001:db8::1")).await.status(), 200);
    assert_eq!(send(&service, request_from("2001:db8::2")).await.status(), 429, "the same /64");
    assert_eq!(send(&service, request_from("2001:db8:0:1::1")).await.status(), 200);
}

#[tokio::test]
async fn clones_and_all_services_of_a_layer_share_their_buckets() {
    let layer = RateLimitLayer::new(Quota::per_minute(n(2)), Global::new()).with_clock(clock());
    let (one, other) = (layer.layer(Echo::default()), layer.clone().layer(Echo::default()));
    assert_eq!(send(&one, request()).await.status(), 200);
    assert_eq!(send(&other, request()).await.status(), 200);
    assert_eq!(send(&one, request()).await.status(), 429);
    let apart = RateLimitLayer::new(Quota::per_minute(n(2)), Global::new()).layer(Echo::default());
    assert_eq!(send(&apart, request()).await.status(), 200);
}

#[tokio::test]
async fn a_missing_fact_is_a_wiring_mistake_whatever_the_cost() {
    async fn refused<K: ExtractKey + Clone>(name: &str, key: K) {
        let free = |_: &Operation| Cost::FREE;
        let echo = Echo::default();
        let service =
            RateLimitLayer::new(Quota::per_second(n(9)), key).with_cost(free).layer(echo.clone());
        let trail = Trail::new();
        let mut request = request();
        request.extensions_mut().insert(trail.clone());
        let response = send(&service, request).await;
        assert_eq!(response.status(), 500, "{name}");
        assert_eq!(lines(response.headers()), ["cache-control: no-store"], "{name}");
        let denial = response.extensions().get::<Denial>().unwrap();
        assert_eq!((denial.kind(), denial.stage()), (DenialKind::Misconfigured, STAGE), "{name}");
        assert_eq!(denial.reason().code(), "rate_limit_key_missing", "{name}");
        assert!(std::error::Error::source(denial).unwrap().is::<MissingKeyError>(), "{name}");
        assert!(trail.notes().denial.is_some(), "{name}");
        assert_eq!(echo.calls.load(Ordering::Relaxed), 0, "{name}");
    }
    refused("address", PerClientAddr::new()).await;
    refused("principal", PerPrincipal::new()).await;
    refused("client", PerClient::new()).await;
    refused("principal and operation", PerPrincipalAndOperation::new()).await;
    refused("closure", |_: &http::request::Parts| None::<u8>).await;
}

#[tokio::test]
async fn a_token_without_a_client_has_no_client_key() {
    let service =
        RateLimitLayer::new(Quota::per_second(n(9)), PerClient::new()).layer(Echo::default());
    assert_eq!(send(&service, request_of("alice")).await.status(), 500);
}

#[tokio::test]
async fn requests_without_a_key_share_one_quota_if_that_is_wanted() {
    let service = RateLimitLayer::new(Quota::per_minute(n(2)), PerPrincipal::new())
        .share_when_keyless()
        .with_clock(clock())
        .layer(Echo::default());
    for expected in [200, 200, 429] {
        let response = send(&service, request()).await;
        assert_eq!(response.status(), expected);
        assert_eq!(about_limits(&response), ["ratelimit-policy: \"per-minute\";q=2;w=60"]);
    }
    assert_eq!(send(&service, request_of("alice")).await.status(), 200);
}

#[tokio::test]
async fn rl_03_addresses_without_room_are_charged_by_the_network_around_them() {
    let service = RateLimitLayer::new(Quota::per_minute(n(1)), PerClientAddr::new())
        .with_clock(clock())
        .max_keys(NonZeroUsize::MIN)
        .layer(Echo::default());
    for (name, addr, expected) in [
        ("has the only bucket", "198.51.100.1", 200),
        ("has the bucket of its /24", "192.0.2.1", 200),
        ("finds that used up", "192.0.2.2", 429),
        ("finds the only group taken", "203.0.113.1", 200),
        ("finds the rest used up", "2001:db8::1", 429),
    ] {
        assert_eq!(send(&service, request_from(addr)).await.status(), expected, "{name}");
    }
}

#[tokio::test]
async fn operations_take_what_they_cost() {
    let table = CostTable::new()
        .every("http", "POST", Cost::new(4))
        .operation(Operation::http("GET", "/health"), Cost::FREE);
    let quota = Quota::per_minute(n(5));
    let layer = RateLimitLayer::new(quota, PerPrincipal::new()).with_clock(clock());
    let service = layer.with_cost_table(table).unwrap().layer(Echo::default());
    let of = |method: &str, path: &str| {
        let mut request = request_of("alice");
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        request
    };
    for (name, method, path, status, remaining) in [
        ("one", "GET", "/", 200, Some(4)),
        ("free", "GET", "/health", 200, None),
        ("four", "POST", "/", 200, Some(0)),
        ("one too many", "GET", "/", 429, Some(0)),
        ("free all the same", "GET", "/health", 200, None),
    ] {
        let response = send(&service, of(method, path)).await;
        assert_eq!(response.status(), status, "{name}");
        let told = about_limits(&response).pop().and_then(|line| {
            Some(line.split_once(";r=")?.1.split_once(';')?.0.parse::<u32>().unwrap())
        });
        assert_eq!(told, remaining, "{name}");
    }
}

#[tokio::test]
async fn a_refused_cost_leaves_what_is_left_to_cheaper_requests() {
    let clock = clock();
    let cost = |operation: &Operation| match operation.name() {
        "POST" => Cost::new(4),
        "GET" => Cost::new(3),
        _ => Cost::new(2),
    };
    let service = RateLimitLayer::new(Quota::per_second(n(6)), PerPrincipal::new())
        .with_cost(cost)
        .with_clock(clock)
        .layer(Echo::default());
    let of = |method: &str| {
        let mut request = request_of("alice");
        *request.method_mut() = method.parse().unwrap();
        request
    };
    assert_eq!(send(&service, of("POST")).await.status(), 200);
    let refused = send(&service, of("GET")).await;
    assert_eq!(refused.status(), 429);
    assert!(about_limits(&refused).contains(&"ratelimit: \"per-second\";r=2;t=1".to_owned()));
    assert_eq!(send(&service, of("GO")).await.status(), 200);
}

#[test]
fn a_table_with_a_cost_that_nobody_can_pay_is_an_error() {
    let layer = || RateLimitLayer::new(Quota::per_second(n(10)).burst(n(5)), Global::new());
    let _ = layer().with_cost_table(CostTable::new().otherwise(Cost::new(5))).unwrap();
    let error = layer().with_cost_table(CostTable::new().otherwise(Cost::new(6))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a cost of 6 is more than the quota `per-second` ever holds; raise its burst of 5 or lower the cost"
    );
}

#[tokio::test]
async fn a_cost_that_nobody_can_pay_is_no_reason_to_come_back() {
    let service = RateLimitLayer::new(Quota::per_second(n(5)), PerPrincipal::new())
        .with_cost(|_: &Operation| Cost::new(6))
        .layer(Echo::default());
    let refused = send(&service, request_of("alice")).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(lines(refused.headers()), ["cache-control: no-store"]);
    let denial = refused.extensions().get::<Denial>().unwrap();
    assert_eq!(denial.reason().code(), "cost_exceeds_burst");
    assert!(std::error::Error::source(denial).unwrap().is::<UnpayableCostError>());
}

#[tokio::test]
async fn a_caller_who_hangs_up_has_paid() {
    let mut service = RateLimitLayer::new(Quota::per_minute(n(1)), Global::new())
        .with_clock(clock())
        .layer(Echo::default());
    drop(service.ready().await.unwrap().call(request()));
    assert_eq!(send(&service, request()).await.status(), 429);
}

#[tokio::test]
async fn a_renderer_can_name_the_violated_policy() {
    let renderer = |denial: &Denial, _: &http::request::Parts| {
        let source = std::error::Error::source(denial).unwrap();
        let error = source.downcast_ref::<QuotaExceededError>().unwrap();
        Response::new(error.quota().name().to_owned())
    };
    let service = RateLimitLayer::new(Quota::per_minute(n(1)), Global::new())
        .with_renderer(renderer)
        .layer(Echo::default());
    send(&service, request()).await;
    let refused = send(&service, request()).await;
    assert_eq!((refused.status().as_u16(), &**refused.body()), (429, "per-minute"));
    assert!(refused.headers().contains_key("retry-after"));
}

#[test]
fn debug_shows_no_key() {
    let layer = RateLimitLayer::new(Quota::per_second(n(1)), "secret-key".len());
    let shown = format!("{layer:?} {:?}", layer.clone());
    assert!(shown.contains("per-second") && !shown.contains("secret"), "{shown}");
}
