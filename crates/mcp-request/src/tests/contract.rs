//! What tower asks of a layer.

use std::{
    future::{Ready, ready},
    task::Waker,
};

use tower::util::Oneshot;

use super::*;

/// A service whose clones are not ready, and which must be called only when it is.
#[derive(Debug, Default)]
struct OncePerReady {
    is_ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for OncePerReady {
    fn clone(&self) -> Self {
        Self { is_ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl<B> Service<Request<B>> for OncePerReady {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(self.is_ready, "called without being ready");
        self.is_ready = false;
        self.calls.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Response::new(Bytes::new())))
    }
}

#[tokio::test]
async fn the_instance_that_was_ready_is_the_one_that_is_called() {
    let inner = OncePerReady::default();
    let calls = Arc::clone(&inner.calls);
    let mut service = McpRequestLayer::new("/mcp").layer(inner);
    for _ in 0..2 {
        let request = post().body(Frames::from(PING)).unwrap();
        ServiceExt::<Request<Frames>>::ready(&mut service)
            .await
            .unwrap()
            .call(request)
            .await
            .unwrap();
        let request = Request::get("http://localhost/").body(Frames::default()).unwrap();
        ServiceExt::<Request<Frames>>::ready(&mut service)
            .await
            .unwrap()
            .call(request)
            .await
            .unwrap();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_request_that_is_dropped_while_it_is_read_never_happened() {
    let half = Frames::of(["{\"jsonrpc\":"]).then_nothing_more();
    let keeper = Keeper::default();
    let held = Arc::clone(&keeper.0);
    let service = McpRequestLayer::new("/mcp").layer(keeper);
    let mut call: Pin<Box<Oneshot<_, _>>> = Box::pin(service.oneshot(post().body(half).unwrap()));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut cx).is_pending());
    drop(call);
    assert!(held.lock().unwrap().is_empty());
    assert_eq!(Arc::strong_count(&held), 1, "the service went with it");
}

#[test]
fn everything_can_move_between_threads() {
    fn is_good<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn can_move<T: Send + Sync>(_: &T) {}

    let layer = McpRequestLayer::new("/mcp").with_renderer(JsonRpcRenderer::new());
    is_good(&layer);
    let mut service = layer.layer(OncePerReady::default());
    is_good(&service);
    let future = service.call(Request::put("/").body(Frames::default()).unwrap());
    can_move(&future);
}

#[test]
fn debug_shows_no_parameters() {
    let inner = OncePerReady::default();
    let mut service = McpRequestLayer::new("/mcp").layer(inner);
    assert!(format!("{service:?}").starts_with("McpRequest { inner: OncePerReady"));
    let future = service.call(post().body(Frames::from("secret")).unwrap());
    assert_eq!(format!("{future:?}"), "ResponseFuture { .. }");
    let body = McpBody::<Frames>::read(Bytes::from_static(b"secret"));
    assert_eq!(format!("{body:?}"), "McpBody(read)");
}
