//! LOG-11: exactly one record, however a request ends.

use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{Method, Request, Response, StatusCode, request::Parts};
use palisade_core::{
    Denial, DenialKind, GuardLayer, Operation, PlainRenderer, Principal, Reason, Trail,
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{Records, Scripted, Step, poll_times};
use crate::{Outcome, body::RequestBody};

type Incoming = Request<RequestBody<Scripted>>;

/// The record of a request that is answered with `response`, whose body is polled `polls` times at most.
async fn answered(
    request: Request<Scripted>,
    response: Response<Scripted>,
    polls: usize,
) -> crate::AuditRecord {
    let records = Records::default();
    let service = records
        .layer()
        .layer(service_fn(async |_: Incoming| Ok::<_, Infallible>(response.clone())));
    let mut response = service.oneshot(request).await.unwrap();
    poll_times(response.body_mut(), polls);
    drop(response);
    records.only()
}

#[tokio::test]
async fn the_end_of_the_body_decides() {
    use Step::{Data, Error, Trailers, Wait};

    let script = Scripted::new;
    for (name, body, polls, expected, bytes) in [
        ("read to its end", script(&[Data("abc"), Data("de")]), 9, "answered", 5),
        ("one poll short of its end", script(&[Data("abc"), Data("de")]), 2, "abandoned", 5),
        ("dropped within", script(&[Data("abc"), Data("de")]), 1, "abandoned", 3),
        ("never polled", script(&[Data("abc")]), 0, "abandoned", 0),
        ("stuck", script(&[Data("abc"), Wait, Data("de")]), 2, "abandoned", 3),
        ("slow", script(&[Data("abc"), Wait, Data("de")]), 9, "answered", 5),
        ("trailers are the end", script(&[Data("abc"), Trailers("0")]), 2, "answered", 3),
        ("before the trailers", script(&[Data("abc"), Trailers("0")]), 1, "abandoned", 3),
        ("failed", script(&[Data("abc"), Error]), 9, "body_failed", 3),
        ("empty", script(&[]), 1, "answered", 0),
        ("empty, and nobody asked", script(&[]), 0, "abandoned", 0),
        ("empty, and says so", script(&[]).knowing_its_end(), 0, "answered", 0),
        ("says when it ends", script(&[Data("abc")]).knowing_its_end(), 1, "answered", 3),
        ("as long as it said", script(&[Data("abc")]).of_length(3), 1, "answered", 3),
        ("shorter than it said", script(&[Data("abc")]).of_length(4), 1, "abandoned", 3),
    ] {
        let record = answered(Request::default(), Response::new(body), polls).await;
        assert_eq!((record.outcome.as_str(), record.bytes_out), (expected, bytes), "{name}");
        assert_eq!(record.status, Some(StatusCode::OK), "{name}");
    }
}

#[tokio::test]
async fn a_body_that_servers_do_not_poll_is_not_abandoned() {
    let of_length = |length: &str| Response::builder().header("content-length", length);
    for (name, method, response, polls, expected) in [
        ("HEAD", Method::HEAD, Response::builder(), 0, "answered"),
        ("no content", Method::GET, Response::builder().status(204), 0, "answered"),
        ("not modified", Method::GET, Response::builder().status(304), 0, "answered"),
        ("upgrade", Method::GET, Response::builder().status(101), 0, "answered"),
        ("tunnel", Method::CONNECT, Response::builder(), 0, "answered"),
        ("no tunnel", Method::CONNECT, Response::builder().status(403), 0, "abandoned"),
        ("GET", Method::GET, Response::builder(), 0, "abandoned"),
        ("declared length reached", Method::GET, of_length("3"), 1, "answered"),
        ("declared length not reached", Method::GET, of_length("4"), 1, "abandoned"),
        ("declared length unreadable", Method::GET, of_length("3x"), 1, "abandoned"),
    ] {
        let request = Request::builder().method(method).body(Scripted::default()).unwrap();
        let response = response.body(Scripted::new(&[Step::Data("abc")])).unwrap();
        let record = answered(request, response, polls).await;
        assert_eq!(record.outcome.as_str(), expected, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_recorded_before_the_end_and_nothing_after_it() {
    let records = Records::default();
    let service = records.layer().layer(service_fn(async |_: Incoming| {
        Ok::<_, Infallible>(Response::new(Scripted::new(&[Step::Data("abc")])))
    }));
    let future = service.oneshot(Request::new(Scripted::default()));
    assert_eq!(records.count(), 0);
    let mut response = future.await.unwrap();
    poll_times(response.body_mut(), 1);
    assert_eq!(records.count(), 0);
    poll_times(response.body_mut(), 1);
    assert_eq!(records.count(), 1);
    poll_times(response.body_mut(), 1);
    drop(response);
    assert_eq!(records.count(), 1);
}

#[tokio::test]
async fn a_future_dropped_at_any_point_leaves_one_record_with_what_was_known_by_then() {
    for polls in 0..4_usize {
        let records = Records::default();
        let mut service = records.layer().layer(service_fn(async |request: Incoming| {
            let (mut parts, _body) = request.into_parts();
            let yield_once = || {
                let mut yielded = false;
                poll_fn(move |_| match std::mem::replace(&mut yielded, true) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                })
            };
            yield_once().await;
            Principal::assert_verified("https://as.example", "alice").build().leave_in(&mut parts);
            yield_once().await;
            Operation::new("rpc", "call").leave_in(&mut parts);
            pending::<Result<Response<Scripted>, Infallible>>().await
        }));
        {
            let mut future = pin!(service.call(Request::new(Scripted::default())));
            for _ in 0..polls {
                assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
            assert_eq!(records.count(), 0, "{polls}");
        }
        let record = records.only();
        assert!(matches!(record.outcome, Outcome::Abandoned), "{polls}: {record:?}");
        assert_eq!(record.status, None, "{polls}");
        assert_eq!(record.principal.is_some(), polls >= 2, "{polls}");
        assert_eq!(record.operation.protocol(), if polls >= 3 { "rpc" } else { "http" }, "{polls}");
    }
}

#[test]
fn a_future_that_was_never_polled_was_a_request_all_the_same() {
    let records = Records::default();
    let mut service = records.layer().layer(service_fn(async |_: Incoming| {
        Ok::<_, Infallible>(Response::new(Scripted::default()))
    }));
    drop(service.call(Request::new(Scripted::default())));
    assert!(matches!(records.only().outcome, Outcome::Abandoned));
}

#[tokio::test]
async fn a_layer_outside_can_answer_with_an_empty_body_of_its_own() {
    let records = Records::default();
    let service = ServiceBuilder::new()
        .layer(GuardLayer::new(|_: &mut Parts| {
            Err(Denial::new("outside", DenialKind::RateLimited, Reason::new("no", "no")))
        }))
        .layer(records.layer())
        .service_fn(async |_: Incoming| Ok::<_, Infallible>(Response::new(Scripted::default())));
    let response = service.oneshot(Request::new(Scripted::default())).await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    http_body_util::BodyExt::collect(response.into_body()).await.unwrap();
    assert_eq!(records.count(), 0, "the request never came here");
}

#[tokio::test]
async fn an_error_of_the_service_is_recorded_and_passed_on() {
    let records = Records::default();
    let service = records
        .layer()
        .layer(service_fn(async |_: Incoming| Err::<Response<Scripted>, _>("the inner error")));
    let error = service.oneshot(Request::new(Scripted::default())).await.unwrap_err();
    assert_eq!(error, "the inner error");
    assert!(matches!(records.only().outcome, Outcome::Failed));
}

#[tokio::test]
async fn an_error_of_the_body_is_passed_on() {
    let records = Records::default();
    let service = records.layer().layer(service_fn(async |_: Incoming| {
        Ok::<_, Infallible>(Response::new(Scripted::new(&[Step::Error])))
    }));
    let response = service.oneshot(Request::new(Scripted::default())).await.unwrap();
    let error = http_body_util::BodyExt::collect(response.into_body()).await.unwrap_err();
    assert_eq!(error.to_string(), "the body broke");
    assert!(matches!(records.only().outcome, Outcome::BodyFailed(StatusCode::OK)));
}

#[test]
fn a_panic_is_recorded_wherever_it_happens_and_whoever_catches_it() {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Place {
        Call,
        Future,
        Body,
    }

    for (place, status) in
        [(Place::Call, None), (Place::Future, None), (Place::Body, Some(StatusCode::OK))]
    {
        let records = Records::default();
        let mut service = records.layer().layer(service_fn(move |_: Incoming| {
            assert!(place != Place::Call, "the call panicked");
            async move {
                assert!(place != Place::Future, "the future panicked");
                Ok::<_, Infallible>(Response::new(Scripted::new(&[Step::Panic])))
            }
        }));
        let unwinding = catch_unwind(AssertUnwindSafe(|| {
            let mut cx = Context::from_waker(Waker::noop());
            let mut future = pin!(service.call(Request::new(Scripted::default())));
            let Poll::Ready(Ok(mut response)) = future.as_mut().poll(&mut cx) else {
                panic!("the handler does not wait")
            };
            // Caught outside of the body, which is dropped later, when nothing unwinds any more.
            let caught = catch_unwind(AssertUnwindSafe(|| poll_times(response.body_mut(), 1)));
            assert!(caught.is_err());
            assert_eq!(records.count(), 0);
        }));
        assert_eq!(unwinding.is_err(), place != Place::Body, "{place:?}");
        let record = records.only();
        assert!(matches!(record.outcome, Outcome::Panicked), "{place:?}: {record:?}");
        assert_eq!(record.status, status, "{place:?}");
    }
}

#[tokio::test]
async fn a_sink_that_panics_harms_neither_request_nor_unwinding() {
    let layer = crate::AuditLogLayer::new(|_: &crate::AuditRecord| panic!("the sink panicked"));
    let service = layer.layer(service_fn(async |_: Incoming| {
        Ok::<_, Infallible>(Response::new(Scripted::new(&[Step::Data("abc"), Step::Panic])))
    }));
    let mut response = service.oneshot(Request::new(Scripted::default())).await.unwrap();
    poll_times(response.body_mut(), 1);
    // Without containment this would abort the process: the sink panics while the body's panic unwinds.
    let unwinding = catch_unwind(AssertUnwindSafe(move || poll_times(response.body_mut(), 1)));
    assert!(unwinding.is_err());
}

#[tokio::test]
async fn a_refusal_is_recorded_however_its_response_fares() {
    const REASON: Reason = Reason::new("no", "no");

    type Change = fn(&mut Response<Scripted>);
    let untouched: Change = |_| {};
    let without_extension: Change = |response| response.extensions_mut().clear();
    let restyled: Change = |response| *response = Response::default();
    for (name, keep_trail, change, polls) in [
        ("as it is", true, untouched, 0),
        ("read to its end", true, untouched, 9),
        ("its extension was lost", true, without_extension, 9),
        ("replaced by another response", true, restyled, 9),
        ("its trail was lost", false, untouched, 9),
    ] {
        let records = Records::default();
        let service = records.layer().layer(service_fn(async |request: Incoming| {
            let (mut parts, _body) = request.into_parts();
            if !keep_trail {
                parts.extensions.remove::<Trail>();
            }
            let denial = Denial::new("some-layer", DenialKind::Forbidden, REASON);
            let mut response = denial.into_response(&PlainRenderer::new(), &parts);
            change(&mut response);
            Ok::<_, Infallible>(response)
        }));
        let mut response = service.oneshot(Request::new(Scripted::default())).await.unwrap();
        poll_times(response.body_mut(), polls);
        let status = response.status();
        drop(response);
        let record = records.only();
        let denial = record.outcome.denial().unwrap_or_else(|| panic!("{name}: {record:?}"));
        assert_eq!((denial.stage(), denial.reason()), ("some-layer", REASON), "{name}");
        assert_eq!(record.status, Some(status), "{name}");
    }
}
