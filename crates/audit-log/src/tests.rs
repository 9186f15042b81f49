mod ends;
mod facts;
mod server;

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use palisade_core::ManualClock;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::{AuditLogLayer, AuditRecord, body::RequestBody};

/// A sink to look into.
#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<AuditRecord>>>);

impl Records {
    fn layer(&self) -> AuditLogLayer {
        let records = self.clone();
        AuditLogLayer::new(move |record: &AuditRecord| {
            records.0.lock().unwrap().push(record.clone());
        })
        .with_clock(clock())
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The record of the only request there was.
    #[track_caller]
    fn only(&self) -> AuditRecord {
        let records = self.0.lock().unwrap();
        let [record] = &records[..] else { panic!("{} records: {records:?}", records.len()) };
        record.clone()
    }
}

fn clock() -> ManualClock {
    ManualClock::at(SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1_800_000_000)).unwrap())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Data(&'static str),
    Error,
    Panic,
    Trailers(&'static str),
    Wait,
}

/// A body that does what it is told.
#[derive(Clone, Debug, Default)]
struct Scripted {
    steps: VecDeque<Step>,
    knows_its_end: bool,
    length: Option<u64>,
}

impl Scripted {
    fn new(steps: &[Step]) -> Self {
        Self { steps: steps.iter().copied().collect(), ..Self::default() }
    }

    fn knowing_its_end(self) -> Self {
        Self { knows_its_end: true, ..self }
    }

    fn of_length(self, length: u64) -> Self {
        Self { length: Some(length), ..self }
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Step::Data(data)) => Some(Ok(Frame::data(Bytes::from_static(data.as_bytes())))),
            Some(Step::Error) => Some(Err(io::Error::other("the body broke"))),
            Some(Step::Panic) => panic!("the body panicked"),
            Some(Step::Trailers(status)) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", status.parse().unwrap());
                Some(Ok(Frame::trailers(trailers)))
            }
            Some(Step::Wait) => return Poll::Pending,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Polls a body a number of times, like a server that then loses its client. Stops at the end.
fn poll_times<B: Body + Unpin>(body: &mut B, times: usize) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(None | Some(Err(_))) = Pin::new(&mut *body).poll_frame(&mut cx) {
            break;
        }
    }
}

#[tokio::test]
async fn uses_the_instance_that_was_polled_ready() {
    /// Ready once per `poll_ready`; clones are not ready.
    struct NeedsReady(bool);

    impl Clone for NeedsReady {
        fn clone(&self) -> Self {
            Self(false)
        }
    }

    impl Service<Request<RequestBody<String>>> for NeedsReady {
        type Response = Response<String>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<String>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.0 = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<RequestBody<String>>) -> Self::Future {
            assert!(std::mem::take(&mut self.0), "called without being ready");
            std::future::ready(Ok(Response::default()))
        }
    }

    let records = Records::default();
    let mut service = records.layer().layer(NeedsReady(false));
    for _ in 0..2 {
        let response =
            service.ready().await.unwrap().call(Request::new(String::new())).await.unwrap();
        drop(response);
    }
    assert_eq!(records.count(), 2);
}

#[tokio::test]
async fn services_futures_and_bodies_go_where_servers_take_them() {
    fn check<T: Send + 'static>(value: T) -> T {
        value
    }

    let handler = service_fn(async |_: Request<RequestBody<Scripted>>| {
        Ok::<_, Infallible>(Response::new(Scripted::default()))
    });
    let service = check(Records::default().layer().layer(handler));
    let copy = service.clone();
    let response = check(copy.oneshot(Request::new(Scripted::default()))).await.unwrap();
    check(response);
}

#[tokio::test]
async fn debug_shows_nothing_of_the_request() {
    let service = Records::default().layer().layer(service_fn(
        async |request: Request<RequestBody<String>>| {
            assert!(!format!("{:?}", request.body()).contains("secret"));
            Ok::<_, Infallible>(Response::new(String::new()))
        },
    ));
    let request = Request::get("/?access_token=secret")
        .header("user-agent", "secret")
        .body(String::new())
        .unwrap();
    let future = service.clone().oneshot(request);
    let shown = format!("{:?} {:?}", Records::default().layer(), future.await.unwrap().body());
    assert!(!shown.contains("secret"), "{shown}");
}
