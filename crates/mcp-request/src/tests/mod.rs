//! The layer as a service, from outside.

mod body;
mod contract;
mod head;
mod message;

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request, request::Parts};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use palisade_core::Denial;
use tower::{Layer, Service, ServiceExt};

use crate::{JsonRpcRenderer, McpBody, McpRequestLayer};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// A body that comes in the given frames.
#[derive(Debug, Default)]
struct Frames {
    frames: VecDeque<Result<Frame<Bytes>, BoxError>>,
    size_hint: SizeHint,
    polls: Arc<AtomicUsize>,
    never_ends: bool,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Frames {
    fn of<T: Into<Bytes>>(pieces: impl IntoIterator<Item = T>) -> Self {
        let frames = pieces.into_iter().map(|piece| Ok(Frame::data(piece.into()))).collect();
        Self { frames, ..Self::default() }
    }

    fn then(mut self, frame: Result<Frame<Bytes>, BoxError>) -> Self {
        self.frames.push_back(frame);
        self
    }

    fn then_nothing_more(mut self) -> Self {
        self.never_ends = true;
        self
    }
}

impl From<&str> for Frames {
    fn from(text: &str) -> Self {
        Self::of([text.to_owned()])
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        match self.frames.pop_front() {
            None if self.never_ends => Poll::Pending,
            frame => Poll::Ready(frame),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.size_hint
    }
}

/// What reached the inner service.
#[derive(Debug)]
struct Seen {
    parts: Parts,
    body: Bytes,
    trailers: Option<HeaderMap>,
    size_hint: SizeHint,
}

/// A service that keeps what reaches it.
#[derive(Clone, Debug, Default)]
struct Keeper(Arc<Mutex<Vec<Seen>>>);

impl Keeper {
    fn take(&self) -> Option<Seen> {
        let mut seen = self.0.lock().unwrap();
        assert!(seen.len() < 2, "called more than once");
        seen.pop()
    }
}

impl Service<Request<McpBody<Frames>>> for Keeper {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<McpBody<Frames>>) -> Self::Future {
        let keeper = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let size_hint = body.size_hint();
            let body = body.collect().await.unwrap();
            let trailers = body.trailers().cloned();
            let body = body.to_bytes();
            keeper.0.lock().unwrap().push(Seen { parts, body, trailers, size_hint });
            Ok(Response::new(Bytes::from("served")))
        })
    }
}

/// A POST as clients send it.
fn post() -> request::Builder {
    Request::post("http://localhost/mcp").header("content-type", "application/json")
}

/// Sends a request through a layer: the response, and what reached the inner service.
async fn send_through(
    layer: McpRequestLayer<JsonRpcRenderer>,
    request: Request<Frames>,
) -> (Response<Bytes>, Option<Seen>) {
    let keeper = Keeper::default();
    let response = layer.layer(keeper.clone()).oneshot(request).await.unwrap();
    (response, keeper.take())
}

async fn send(request: Request<Frames>) -> (Response<Bytes>, Option<Seen>) {
    send_through(McpRequestLayer::new("/mcp").with_renderer(JsonRpcRenderer::new()), request).await
}

/// The status and the code of the reason, once it is sure that nothing reached the inner service.
async fn refusal(request: Request<Frames>) -> (u16, &'static str) {
    let (response, seen) = send(request).await;
    assert!(seen.is_none(), "a refused request reached the service");
    let denial = response.extensions().get::<Denial>().expect("a denial");
    assert_eq!(denial.stage(), crate::STAGE);
    (response.status().as_u16(), denial.reason().code())
}
