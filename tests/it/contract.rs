//! What every layer promises, checked for every layer.

use std::{future::Future, task::Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use palisade_audit_log::Outcome;
use palisade_core::{Denial, DenialKind, Trail};
use palisade_integration::{
    CaptureSink, Counting, DEFECTS, Defect, Facts, Named, NeedsReady, Stalled, TestBody, World,
    all_layers, body,
};
use tower::{Service, ServiceExt, util::BoxCloneService};

fn world() -> World {
    World::new().unwrap()
}

fn layers(world: &World, sink: &CaptureSink) -> Vec<Named<TestBody>> {
    all_layers(world, sink, body).unwrap()
}

fn layer(world: &World, name: &str) -> Named<TestBody> {
    layers(world, &CaptureSink::default()).into_iter().find(|layer| layer.name() == name).unwrap()
}

#[tokio::test]
async fn every_layer_calls_the_service_that_it_polled() {
    let world = world();
    for layer in layers(&world, &CaptureSink::default()) {
        let mut service = layer.around(BoxCloneService::new(NeedsReady::new()));
        for round in 0..3 {
            let request = Defect::None.request(&world, Facts::All);
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            assert_eq!(response.status(), 200, "{layer:?}, round {round}");
        }
    }
}

#[tokio::test]
#[should_panic(expected = "called without having been polled ready")]
async fn a_layer_that_calls_a_clone_is_found_out() {
    #[derive(Clone)]
    struct CallsAClone<S>(S);

    impl<S: Service<R> + Clone, R> Service<R> for CallsAClone<S> {
        type Response = S::Response;
        type Error = S::Error;
        type Future = S::Future;

        fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), S::Error>> {
            self.0.poll_ready(cx)
        }

        fn call(&mut self, request: R) -> S::Future {
            self.0.clone().call(request)
        }
    }

    let request = Defect::None.request(&world(), Facts::All);
    let _ = CallsAClone(NeedsReady::<TestBody>::new()).oneshot(request).await;
}

/// The same layers over one body type.
async fn passes_and_refuses<B>(make: fn(Bytes) -> B)
where
    B: http_body::Body<Data = Bytes, Error: Into<tower::BoxError>> + Default + Send + 'static,
{
    let world = world();
    for layer in all_layers(&world, &CaptureSink::default(), make).unwrap() {
        let inner = Counting::default();
        let service = layer.around(inner.service());
        let request = Defect::None.request(&world, Facts::All);
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 200, "{layer:?}");
        assert_eq!(inner.calls(), 1, "{layer:?}");
        for (defect, guardian) in DEFECTS {
            if guardian == layer.name() {
                let request = defect.request(&world, Facts::All);
                let response = service.clone().oneshot(request).await.unwrap();
                assert!(response.status().is_client_error(), "{layer:?} and {defect:?}");
                assert_eq!(inner.calls(), 1, "{layer:?} let {defect:?} pass");
            }
        }
    }
}

#[tokio::test]
async fn every_layer_works_with_the_bodies_of_axum() {
    passes_and_refuses(axum::body::Body::from).await;
}

#[tokio::test]
async fn every_layer_works_with_plain_bytes() {
    passes_and_refuses(Full::<Bytes>::from).await;
}

#[tokio::test]
async fn every_layer_works_with_the_bodies_of_tonic() {
    passes_and_refuses(|bytes| tonic::body::Body::new(Full::new(bytes))).await;
}

#[tokio::test]
async fn every_layer_works_with_boxed_bodies() {
    let boxed =
        |bytes: Bytes| -> BoxBody<Bytes, std::convert::Infallible> { Full::new(bytes).boxed() };
    passes_and_refuses(boxed).await;
}

#[tokio::test]
async fn what_the_service_reads_is_what_the_client_sent() {
    let world = world();
    for layer in layers(&world, &CaptureSink::default()) {
        let inner = Counting::default();
        let request = Defect::None.request(&world, Facts::All);
        let _ = layer.around(inner.service()).oneshot(request).await.unwrap();
        assert_eq!(inner.last_body(), Defect::None.message(), "{layer:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_in_the_response_and_once_in_the_trail() {
    let world = world();
    for (defect, guardian) in DEFECTS {
        let request = defect.request(&world, Facts::All);
        let trail = request.extensions().get::<Trail>().unwrap().clone();
        let service = layer(&world, guardian).around(Counting::default().service());
        let response = service.oneshot(request).await.unwrap();
        let denial = response.extensions().get::<Denial>().unwrap();
        let noted = trail.notes().denial.unwrap();
        assert_eq!(denial.stage(), guardian, "{defect:?}");
        assert_eq!(
            (denial.stage(), denial.kind(), denial.reason()),
            (noted.stage(), noted.kind(), noted.reason()),
            "{defect:?}"
        );
        assert_eq!(response.status(), denial.kind().status());
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn a_missing_fact_is_a_500_that_names_the_layer() {
    let world = world();
    for name in [
        "audience-guard",
        "scope-policy",
        "rate-limit by principal",
        "rate-limit by address",
        "token-verify",
    ] {
        let inner = Counting::default();
        let mut request = Defect::None.request(&world, Facts::OfTheServer);
        if matches!(name, "rate-limit by address" | "token-verify") {
            request.extensions_mut().clear();
        }
        let response = layer(&world, name).around(inner.service()).oneshot(request).await.unwrap();
        let denial = response.extensions().get::<Denial>().unwrap();
        assert_eq!(denial.kind(), DenialKind::Misconfigured, "{name}");
        assert!(name.starts_with(denial.stage()), "{name} is named, not {}", denial.stage());
        assert_eq!(response.status(), 500, "{name}");
        assert!(
            !response.headers().contains_key("www-authenticate"),
            "{name}: no login would help"
        );
        assert_eq!(inner.calls(), 0, "{name}");
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_half_way_is_recorded_once_and_leaves_nothing_locked() {
    let world = world();
    let sink = CaptureSink::default();
    for layer in layers(&world, &CaptureSink::default()) {
        let stalled = layer.around(Stalled::service::<TestBody>());
        let audit = layers(&world, &sink).into_iter().next().unwrap();
        assert_eq!(audit.name(), "audit-log");
        let service = audit.around(stalled);
        let mut call = Box::pin(service.oneshot(Defect::None.request(&world, Facts::All)));
        for _ in 0..3 {
            let poll = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
            assert!(poll.is_pending(), "{layer:?}");
        }
        assert!(sink.take().is_empty(), "{layer:?}: the request is still going on");
        drop(call);
        let records = sink.take();
        let [record] = records.as_slice() else { panic!("{layer:?}: {} records", records.len()) };
        assert!(matches!(record.outcome, Outcome::Abandoned), "{layer:?}: {:?}", record.outcome);

        let inner = Counting::default();
        let request = Defect::None.request(&world, Facts::All);
        assert_eq!(layer.around(inner.service()).oneshot(request).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn the_token_does_not_reach_the_service() {
    let world = world();
    let (seen, inner) = tokio::sync::mpsc::unbounded_channel();
    let service = tower::service_fn(move |request: http::Request<TestBody>| {
        seen.send(request.headers().contains_key("authorization")).unwrap();
        async { Ok(http::Response::new(TestBody::default())) }
    });
    let service = layer(&world, "token-verify").around(BoxCloneService::new(service));
    let response = service.oneshot(Defect::None.request(&world, Facts::OfTheServer)).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut inner = inner;
    assert_eq!(inner.recv().await, Some(false), "AUD-10: nothing to pass on, nothing to log");
}
