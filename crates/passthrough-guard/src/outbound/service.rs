use std::{
    error::Error,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, request::Parts};
use tower_service::Service;

use super::{Part, PassthroughError, future::ResponseFuture, origin::Origin};
use crate::{
    search::{Found, TooLarge, search},
    watched::Watched,
};

/// What client-side layers of tower fail with.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The service of [`OutboundLayer`](super::OutboundLayer). See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct Outbound<S> {
    inner: S,
    watched: Arc<Watched>,
    allowed: Arc<[Origin]>,
}

impl<S> Outbound<S> {
    pub(super) const fn new(inner: S, watched: Arc<Watched>, allowed: Arc<[Origin]>) -> Self {
        Self { inner, watched, allowed }
    }

    fn check(&self, head: &Parts) -> Result<(), PassthroughError> {
        let origin = Origin::of(&head.uri);
        if origin.as_ref().is_some_and(|origin| self.allowed.contains(origin)) {
            return Ok(());
        }
        let destination = origin.map(|origin| origin.to_string());
        // The view of the search is gone: trails may be dropped.
        let (part, trails, destination) = match search(&self.watched, head) {
            Ok(None) => return Ok(()),
            Err(TooLarge) => {
                tracing::warn!("outgoing request refused: its head is too large to be searched");
                return Err(PassthroughError::TooLarge);
            }
            // The name of the host is then not for the record.
            Ok(Some(Found { part: Part::Authority, trails })) => (Part::Authority, trails, None),
            Ok(Some(Found { part, trails })) => (part, trails, destination),
        };
        for trail in &trails {
            trail.withhold(destination.as_deref());
        }
        let known = destination.as_deref();
        let requests = trails.len();
        tracing::warn!(%part, destination = known, requests, "token passthrough refused");
        Err(PassthroughError::Carries { part, destination })
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
        match self.check(&head) {
            Ok(()) => ResponseFuture::inner(self.inner.call(Request::from_parts(head, body))),
            Err(error) => ResponseFuture::refused(error),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Outbound<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("inner", &self.inner)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}
