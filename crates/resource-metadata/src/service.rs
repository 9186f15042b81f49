use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use palisade_core::{FromBytes, MakeBody};
use tower_service::Service;

use crate::{future::ResponseFuture, published::Published};

/// The service of [`ResourceMetadataLayer`](crate::ResourceMetadataLayer). See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct ResourceMetadata<S, M = FromBytes> {
    inner: S,
    published: Arc<Published>,
    make: M,
}

impl<S, M> ResourceMetadata<S, M> {
    pub(crate) const fn new(inner: S, published: Arc<Published>, make: M) -> Self {
        Self { inner, published, make }
    }
}

impl<S, M, ReqBody, ResBody> Service<Request<ReqBody>> for ResourceMetadata<S, M>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    M: MakeBody<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        if let Some(answer) = self.published.answer(&parts, &self.make) {
            return ResponseFuture::answered(answer);
        }
        if let Some(fact) = self.published.fact(parts.uri.path()) {
            fact.clone().leave_in(&mut parts);
        }
        ResponseFuture::inner(self.inner.call(Request::from_parts(parts, body)))
    }
}

impl<S: fmt::Debug, M> fmt::Debug for ResourceMetadata<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceMetadata")
            .field("inner", &self.inner)
            .field("published", &self.published)
            .finish_non_exhaustive()
    }
}
