use std::{
    error::Error,
    fmt,
    task::{Context, Poll},
};

use http::Request;
use tower_service::Service;

use super::{OutboundLayer, future::ResponseFuture};

/// What client-side layers of tower fail with.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The service of [`OutboundLayer`](super::OutboundLayer). See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct Outbound<S> {
    inner: S,
    layer: OutboundLayer,
}

impl<S> Outbound<S> {
    pub(super) const fn new(inner: S, layer: OutboundLayer) -> Self {
        Self { inner, layer }
    }
}

impl<S, ReqBody> Service<Request<ReqBody>> for Outbound<S>
where
    S: Service<Request<ReqBody>, Error: Into<BoxError>>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (head, body) = request.into_parts();
        match self.layer.check(&head.method, &head.uri, &head.headers) {
            Ok(()) => ResponseFuture::inner(self.inner.call(Request::from_parts(head, body))),
            Err(error) => ResponseFuture::refused(error),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Outbound<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("inner", &self.inner).field("layer", &self.layer).finish()
    }
}
