//! What clients are told.

use http::header::RETRY_AFTER;
use palisade_core::{PlainRenderer, Reason};

use super::*;

#[tokio::test]
async fn a_refusal_over_http_says_when_to_come_back() {
    let clock = clock();
    let quota = Quota::per_minute(n(60)).burst(n(2)).named("search").unwrap();
    let layer = RateLimitLayer::new(quota, PerPrincipal::new()).with_clock(clock.clone());
    let service = layer.layer(Echo::default());
    let allowed = send(&service, request_of("alice")).await;
    assert_eq!(
        lines(allowed.headers()),
        ["ratelimit-policy: \"search\";q=2;w=2", "ratelimit: \"search\";r=1;t=1"]
    );
    send(&service, request_of("alice")).await;
    clock.advance(Duration::from_millis(300));

    let refused = send(&service, request_of("alice")).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(
        lines(refused.headers()),
        [
            "cache-control: no-store",
            "ratelimit-policy: \"search\";q=2;w=2",
            "ratelimit: \"search\";r=0;t=1",
            "retry-after: 1",
        ]
    );
    assert_eq!(refused.body(), "");
    let denial = refused.extensions().get::<Denial>().unwrap();
    assert_eq!((denial.kind(), denial.stage()), (DenialKind::RateLimited, STAGE));
    assert_eq!(denial.reason().code(), "rate_limited");
    let source = std::error::Error::source(denial).unwrap();
    let source = source.downcast_ref::<QuotaExceededError>().unwrap();
    assert_eq!((source.quota().name(), source.cost()), ("search", Cost::ONE));
}

#[tokio::test]
async fn a_refusal_over_grpc_is_a_status_in_the_headers() {
    let service = RateLimitLayer::new(Quota::per_minute(n(1)), PerPrincipal::new())
        .with_clock(clock())
        .without_headers()
        .layer(Echo::default());
    let grpc = || {
        let mut request = request_of("alice");
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        *request.method_mut() = http::Method::POST;
        request
    };
    assert_eq!(lines(send(&service, grpc()).await.headers()), [""; 0]);
    let refused = send(&service, grpc()).await;
    assert_eq!(refused.status(), 200);
    assert_eq!(
        lines(refused.headers())[..4],
        [
            "cache-control: no-store",
            "content-type: application/grpc",
            "grpc-message: too many requests for now",
            "grpc-status: 8",
        ]
    );
    assert_eq!(refused.headers().len(), 5);
    let retry_after = refused.headers()[RETRY_AFTER].to_str().unwrap().parse::<u64>().unwrap();
    assert!((60..=66).contains(&retry_after), "{retry_after}");
}

#[tokio::test]
async fn several_limits_add_up_to_one_list() {
    let outer =
        RateLimitLayer::new(Quota::per_hour(n(100)), PerPrincipal::new()).with_clock(clock());
    let inner =
        RateLimitLayer::new(Quota::per_second(n(1)), PerPrincipal::new()).with_clock(clock());
    let service = outer.layer(inner.layer(Echo::default()));
    assert_eq!(
        about_limits(&send(&service, request_of("alice")).await),
        [
            "ratelimit-policy: \"per-hour\";q=100;w=3600",
            "ratelimit-policy: \"per-second\";q=1;w=1",
            "ratelimit: \"per-hour\";r=99;t=36",
            "ratelimit: \"per-second\";r=0;t=1",
        ]
    );
    // Refused by the inner one. `Retry-After` is 1 or 2: it must not end before any `t`, so the outer
    // one, which would say 36, says none.
    assert_eq!(
        about_limits(&send(&service, request_of("alice")).await),
        [
            "ratelimit-policy: \"per-hour\";q=100;w=3600",
            "ratelimit-policy: \"per-second\";q=1;w=1",
            "ratelimit: \"per-hour\";r=98",
            "ratelimit: \"per-second\";r=0;t=1",
        ]
    );
}

#[tokio::test]
async fn an_answer_about_access_tells_no_counter() {
    type Answer = fn() -> Response<String>;
    fn status(code: u16) -> Response<String> {
        Response::builder().status(code).body(String::new()).unwrap()
    }
    fn grpc(code: &str) -> Response<String> {
        Response::builder().header("grpc-status", code).body(String::new()).unwrap()
    }
    fn restyled(kind: DenialKind) -> Response<String> {
        let (parts, ()) = Request::new(()).into_parts();
        let denial = Denial::new("test", kind, Reason::new("test", "test"));
        let mut response = denial.into_response(&PlainRenderer::new(), &parts);
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    }
    for (name, answer, told) in [
        ("200", (|| status(200)) as Answer, true),
        ("404", || status(404), true),
        ("500", || status(500), true),
        ("401", || status(401), false),
        ("403", || status(403), false),
        ("gRPC OK", || grpc("0"), true),
        ("gRPC PERMISSION_DENIED", || grpc("7"), false),
        ("gRPC UNAUTHENTICATED", || grpc("16"), false),
        ("404 that is a 401", || restyled(DenialKind::Unauthenticated), false),
        ("404 that is a bad token", || restyled(DenialKind::InvalidToken), false),
        ("404 that is a bad header", || restyled(DenialKind::InvalidCredentials), false),
        ("404 that is too little scope", || restyled(DenialKind::InsufficientScope), false),
        ("404 that is a 403", || restyled(DenialKind::Forbidden), false),
        ("404 that is a bad request", || restyled(DenialKind::BadRequest), true),
    ] {
        let inner = tower::service_fn(move |_: Request<String>| ready(Ok(answer())));
        let service =
            RateLimitLayer::new(Quota::per_second(n(9)), PerPrincipal::new()).layer(inner);
        let response = send(&service, request_of("alice")).await;
        assert_eq!(!about_limits(&response).is_empty(), told, "{name}");
    }
}

#[tokio::test]
async fn a_bucket_of_many_callers_does_not_tell_how_busy_they_are() {
    let policy = ["ratelimit-policy: \"per-minute\";q=1;w=60"];
    let service = RateLimitLayer::new(Quota::per_minute(n(1)), Global::new())
        .with_clock(clock())
        .layer(Echo::default());
    assert_eq!(about_limits(&send(&service, request()).await), policy);
    assert_eq!(about_limits(&send(&service, request()).await), policy, "429");
    let service = RateLimitLayer::new(Quota::per_minute(n(1)), PerOperation::new())
        .with_clock(clock())
        .layer(Echo::default());
    assert_eq!(about_limits(&send(&service, request()).await), policy);
    // A full table: the second caller is charged to the bucket of all others.
    let layer = RateLimitLayer::new(Quota::per_minute(n(1)), PerPrincipal::new())
        .with_clock(clock())
        .max_keys(NonZeroUsize::MIN);
    let service = layer.layer(Echo::default());
    assert_eq!(about_limits(&send(&service, request_of("alice")).await).len(), 2);
    assert_eq!(about_limits(&send(&service, request_of("bob")).await), policy);
    assert_eq!(send(&service, request_of("carol")).await.status(), 429);
    assert_eq!((layer.tracked_keys(), layer.overflowed()), (1, 2));
}

#[tokio::test]
async fn rl_10_and_rl_12_retry_after_is_never_too_early_and_not_the_same_for_all() {
    let service = RateLimitLayer::new(Quota::per_hour(n(1)), PerPrincipal::new())
        .with_clock(clock())
        .layer(Echo::default());
    let mut seen = std::collections::BTreeSet::new();
    for caller in 0..200 {
        let caller = caller.to_string();
        send(&service, request_of(&caller)).await;
        let refused = send(&service, request_of(&caller)).await;
        assert!(
            lines(refused.headers()).contains(&"ratelimit: \"per-hour\";r=0;t=3600".to_owned())
        );
        let retry_after = refused.headers()[RETRY_AFTER].to_str().unwrap().parse::<u64>().unwrap();
        assert!((3_600..=3_960).contains(&retry_after), "{retry_after}");
        seen.insert(retry_after);
    }
    assert!(seen.len() > 50, "{} of 200 differ", seen.len());
}
