use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{Check, future::ResponseFuture};
use crate::{PlainRenderer, RenderDenial};

/// The service of [`GuardLayer`](super::GuardLayer). See the [module docs](super).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct Guard<S, C, R = PlainRenderer> {
    inner: S,
    check: C,
    renderer: R,
}

impl<S, C, R> Guard<S, C, R> {
    pub(super) const fn new(inner: S, check: C, renderer: R) -> Self {
        Self { inner, check, renderer }
    }
}

impl<S, C, R, ReqBody, ResBody> Service<Request<ReqBody>> for Guard<S, C, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    C: Check,
    R: RenderDenial<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match self.check.check(&mut parts) {
            Ok(()) => ResponseFuture::inner(self.inner.call(Request::from_parts(parts, body))),
            Err(denial) => ResponseFuture::denied(denial.into_response(&self.renderer, &parts)),
        }
    }
}

impl<S: fmt::Debug, C: fmt::Debug, R> fmt::Debug for Guard<S, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("inner", &self.inner)
            .field("check", &self.check)
            .finish_non_exhaustive()
    }
}
