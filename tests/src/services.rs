use std::{
    convert::Infallible,
    future::{Pending, Ready, pending, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Service, util::BoxCloneService};

use crate::{Inner, TestBody};

/// Panics when it is called without having been polled ready. Clones start unready, so a layer that
/// calls a clone of the service that it polled is found out.
#[derive(Debug)]
pub struct NeedsReady<B> {
    is_ready: bool,
    respond: fn() -> B,
}

impl<B> NeedsReady<B> {
    /// Answers with an empty body.
    #[must_use]
    pub fn new() -> Self
    where
        B: Default,
    {
        Self { is_ready: false, respond: B::default }
    }
}

impl<B: Default> Default for NeedsReady<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> Clone for NeedsReady<B> {
    fn clone(&self) -> Self {
        Self { is_ready: false, respond: self.respond }
    }
}

impl<B, R> Service<Request<R>> for NeedsReady<B> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<R>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without having been polled ready");
        ready(Ok(Response::new((self.respond)())))
    }
}

/// Counts the requests that reach it and keeps the body of the last one.
#[derive(Clone, Debug, Default)]
pub struct Counting {
    calls: Arc<AtomicUsize>,
    last: Arc<std::sync::Mutex<Bytes>>,
}

impl Counting {
    /// How many requests came through.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// What the last one said.
    #[must_use]
    pub fn last_body(&self) -> Bytes {
        self.last.lock().map(|last| last.clone()).unwrap_or_default()
    }

    /// The service that counts.
    #[must_use]
    pub fn service<B: Default + Send + 'static>(&self) -> Inner<B> {
        let this = self.clone();
        BoxCloneService::new(tower::service_fn(move |request: Request<TestBody>| {
            let this = this.clone();
            async move {
                this.calls.fetch_add(1, Ordering::SeqCst);
                let bytes = request.into_body().collect().await.map(|body| body.to_bytes());
                if let (Ok(bytes), Ok(mut last)) = (bytes, this.last.lock()) {
                    *last = bytes;
                }
                Ok(Response::new(B::default()))
            }
        }))
    }
}

/// Never answers.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Stalled;

impl Stalled {
    /// The service that never answers.
    #[must_use]
    pub fn service<B: Send + 'static>() -> Inner<B> {
        BoxCloneService::new(tower::service_fn(|_: Request<TestBody>| -> Pending<_> { pending() }))
    }
}
