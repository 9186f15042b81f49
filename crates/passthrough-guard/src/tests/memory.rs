//! How long something is remembered, and how much.

use std::{
    convert::Infallible,
    time::{Duration, SystemTime},
};

use http::{Request, Response};
use palisade_core::{Denial, DenialKind, ManualClock, Trail};
use tower::{Layer, ServiceExt, service_fn};

use super::{TOKEN, arrive, bearer, identify, send, verified};
use crate::PassthroughGuard;

fn is_refused(sent: &Result<(), crate::PassthroughError>) -> bool {
    sent.is_err()
}

#[tokio::test]
async fn a_token_is_remembered_for_a_while_after_its_request_and_then_forgotten() {
    let clock = ManualClock::at(SystemTime::UNIX_EPOCH);
    let builder = PassthroughGuard::builder().clock(clock.clone());
    let guard = builder.remember_for(Duration::from_secs(60)).build().unwrap();
    let trail = verified(&guard, TOKEN).await;
    clock.advance(Duration::from_secs(3600));
    assert!(is_refused(&send(&guard, bearer(TOKEN)).await), "however long the request takes");
    drop(trail);
    clock.advance(Duration::from_secs(59));
    assert!(is_refused(&send(&guard, bearer(TOKEN)).await));
    // Another use of it starts the time again.
    drop(verified(&guard, TOKEN).await);
    clock.advance(Duration::from_secs(59));
    assert!(is_refused(&send(&guard, bearer(TOKEN)).await));
    clock.advance(Duration::from_secs(1));
    assert!(!is_refused(&send(&guard, bearer(TOKEN)).await));
    // The place is free as soon as somebody comes along.
    drop(verified(&guard, &TOKEN.to_lowercase()).await);
    assert_eq!(guard.counts(), [0, 1, 1, 1]);
}

#[tokio::test]
async fn of_a_request_that_was_never_verified_nothing_is_left() {
    let guard = PassthroughGuard::new().unwrap();
    for _ in 0..3 {
        let request = Request::get("/").header("authorization", format!("Bearer {TOKEN}"));
        let trail = arrive(&guard, request).await;
        assert_eq!(guard.counts(), [1, 2, 0, 0], "as it is, and in small letters");
        drop(trail);
        assert_eq!(guard.counts(), [0, 0, 0, 0]);
    }
}

#[tokio::test]
async fn of_two_requests_with_one_token_each_counts() {
    let guard = PassthroughGuard::builder().remember_for(Duration::ZERO).build().unwrap();
    let (one, other) = (verified(&guard, TOKEN).await, verified(&guard, TOKEN).await);
    assert!(is_refused(&send(&guard, bearer(TOKEN)).await));
    assert_eq!((one.notes().withheld.count, other.notes().withheld.count), (1, 1));
    drop(one);
    assert!(is_refused(&send(&guard, bearer(TOKEN).header("x-a", TOKEN)).await));
    assert_eq!(other.notes().withheld.count, 2);
    drop(other);
    assert!(!is_refused(&send(&guard, bearer(TOKEN)).await));
    assert_eq!(guard.counts(), [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_flood_pushes_out_the_least_recent_and_never_what_is_in_the_works() {
    let guard = PassthroughGuard::builder().remember_at_most(10).build().unwrap();
    let token = |number: usize| format!("token-{number:020}");
    let working = verified(&guard, &token(0)).await;
    for number in 1..=100 {
        drop(verified(&guard, &token(number)).await);
    }
    assert_eq!(guard.counts(), [1, 11, 11, 10]);
    assert_eq!(guard.forgotten(), 90);
    assert!(is_refused(&send(&guard, bearer(&token(0))).await));
    assert!(!is_refused(&send(&guard, bearer(&token(90))).await));
    assert!(is_refused(&send(&guard, bearer(&token(91))).await));
    drop(working);
    assert_eq!(guard.counts(), [0, 10, 10, 10]);
}

#[tokio::test]
async fn a_request_is_in_the_works_while_its_response_is_made_even_if_nobody_keeps_its_head() {
    let guard = PassthroughGuard::builder().remember_for(Duration::ZERO).build().unwrap();
    let client = guard.clone();
    let inner = service_fn(move |request: Request<()>| {
        // What a verifier does; and no audit layer is around.
        identify(request.extensions().get::<Trail>().unwrap());
        drop(request);
        let client = client.clone();
        async move {
            tokio::task::yield_now().await;
            let sent = send(&client, bearer(TOKEN)).await;
            Ok::<_, Infallible>(Response::new(is_refused(&sent)))
        }
    });
    let request = Request::get("/").header("authorization", format!("Bearer {TOKEN}")).body(());
    let service =
        guard.inbound_layer().layer(inner.map_response(|it: Response<bool>| it.map(Some)));
    let response = service.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.into_body(), Some(true));
    assert_eq!(guard.counts(), [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_request_with_more_credentials_than_can_be_watched_is_refused() {
    let guard = PassthroughGuard::builder().cookies().build().unwrap();
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
    let cookies: Vec<_> = (0..65).map(|index| format!("n={index:016}")).collect();
    let request = Request::get("/").header("cookie", cookies.join("; ")).body(()).unwrap();
    let sees_nothing = |denial: &Denial, request: &http::request::Parts| {
        assert!(request.headers.is_empty(), "renderers do not see it");
        let mut response = Response::new(());
        *response.status_mut() = denial.kind().status();
        response
    };
    let layer = guard.inbound_layer().with_renderer(sees_nothing);
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    let denial = response.extensions().get::<Denial>().unwrap();
    assert_eq!((denial.kind(), denial.stage()), (DenialKind::HeadersTooLarge, "passthrough-guard"));
    assert_eq!(response.status(), 431);
}

#[tokio::test]
async fn two_guards_know_nothing_of_each_other_and_clones_everything() {
    let (guard, other) = (PassthroughGuard::new().unwrap(), PassthroughGuard::new().unwrap());
    let _trail = verified(&guard.clone(), TOKEN).await;
    assert!(is_refused(&send(&guard, bearer(TOKEN)).await));
    assert!(!is_refused(&send(&other, bearer(TOKEN)).await));
}

#[test]
fn handles_and_layers_go_anywhere() {
    const fn anywhere<T: Clone + Send + Sync + 'static>(_: &T) {}
    let guard = PassthroughGuard::new().unwrap();
    anywhere(&guard);
    anywhere(&guard.inbound_layer());
    anywhere(&guard.outbound_layer());
    let debug = format!("{guard:?} {:?} {:?}", guard.inbound_layer(), guard.outbound_layer());
    assert!(!debug.contains("key") && !debug.contains("watched"), "{debug}");
}
