//! Both layers together, through services.

mod cost;
mod forwarded;
mod memory;

use std::convert::Infallible;

use http::{Request, Response, request::Builder};
use palisade_core::{Principal, Trail};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::{PassthroughError, PassthroughGuard};

pub(super) const TOKEN: &str =
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

/// What a request does once somebody has verified it.
pub(super) fn identify(trail: &Trail) {
    trail.identify(&Principal::assert_verified("https://as.example", "alice").build());
}

/// A request that came in and is not over as long as its trail is kept.
pub(super) async fn arrive(guard: &PassthroughGuard, request: Builder) -> Trail {
    let trail = Trail::new();
    let request = request.extension(trail.clone()).body(()).unwrap();
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
    let response = guard.inbound_layer().layer(inner).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    trail
}

/// The same, and a verifier said that it is good.
pub(super) async fn verified(guard: &PassthroughGuard, token: &str) -> Trail {
    let header = format!("Bearer {token}");
    let trail = arrive(guard, Request::get("/").header("authorization", header)).await;
    identify(&trail);
    trail
}

/// What a client behind the outbound layer says.
pub(super) async fn send(
    guard: &PassthroughGuard,
    request: Builder,
) -> Result<(), PassthroughError> {
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(()));
    let mut client = guard.outbound_layer().layer(inner);
    let sent = client.ready().await.unwrap().call(request.body(()).unwrap()).await;
    sent.map_err(|error| error.downcast_ref::<PassthroughError>().unwrap().clone())
}

pub(super) fn bearer(token: &str) -> Builder {
    Request::get("https://up.example/").header("authorization", format!("Bearer {token}"))
}
