use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use palisade_core::{Clock, Operation, PlainRenderer, RenderDenial, SystemClock};
use tower_service::Service;

use crate::{
    Cost, ExtractKey,
    future::ResponseFuture,
    headers::Tell,
    limiter::{Limiter, Refusal},
};

/// The service of [`RateLimitLayer`](crate::RateLimitLayer). See the [crate docs](crate).
///
/// Clones share their buckets.
#[must_use = "services do nothing unless called"]
pub struct RateLimit<S, K, F = fn(&Operation) -> Cost, C = SystemClock, R = PlainRenderer> {
    inner: S,
    // Frameworks clone services for each request or connection.
    limiter: Arc<Limiter<K, F, C>>,
    tell: Tell,
    renderer: R,
}

impl<S, K, F, C, R> RateLimit<S, K, F, C, R> {
    pub(crate) const fn new(
        inner: S,
        limiter: Arc<Limiter<K, F, C>>,
        tell: Tell,
        renderer: R,
    ) -> Self {
        Self { inner, limiter, tell, renderer }
    }
}

impl<S, K, F, C, R, ReqBody, ResBody> Service<Request<ReqBody>> for RateLimit<S, K, F, C, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    K: ExtractKey,
    F: Fn(&Operation) -> Cost,
    C: Clock,
    R: RenderDenial<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    /// Ready when the inner service is. Nothing is charged here: readiness belongs to nobody yet.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (parts, body) = request.into_parts();
        match self.limiter.decide(&parts) {
            // Only now: some services start to work when they are called, not when they are polled.
            Ok(stamp) => {
                let stamp = stamp.filter(|_| self.tell == Tell::Clients);
                ResponseFuture::inner(self.inner.call(Request::from_parts(parts, body)), stamp)
            }
            Err(Refusal { denial, stamp }) => {
                let mut response = denial.into_response(&self.renderer, &parts);
                if let Some(stamp) = stamp.filter(|_| self.tell == Tell::Clients) {
                    stamp.refused(&mut response);
                }
                ResponseFuture::denied(response)
            }
        }
    }
}

impl<S: Clone, K, F, C, R: Clone> Clone for RateLimit<S, K, F, C, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            limiter: Arc::clone(&self.limiter),
            tell: self.tell,
            renderer: self.renderer.clone(),
        }
    }
}

impl<S: fmt::Debug, K, F, C, R> fmt::Debug for RateLimit<S, K, F, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("inner", &self.inner)
            .field("limiter", &self.limiter)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
