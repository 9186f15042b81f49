//! The future of [`Cors`](crate::Cors).

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, Response};
use pin_project_lite::pin_project;
use tower_http::cors;

pin_project! {
    /// The response of the inner service with what pages may do, or the answer to a preflight.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the inner future and nothing else.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: cors::ResponseFuture<WithoutPermissions<F>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn new(inner: cors::ResponseFuture<WithoutPermissions<F>>) -> Self {
        Self { inner }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// The response of the inner service without what it says about CORS.
    pub(crate) struct WithoutPermissions<F> {
        #[pin]
        inner: F,
    }
}

impl<F> WithoutPermissions<F> {
    pub(crate) const fn new(inner: F) -> Self {
        Self { inner }
    }
}

impl<F, B, E> Future for WithoutPermissions<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(self.project().inner.poll(cx));
        if let Ok(response) = &mut response {
            remove_permissions(response.headers_mut());
        }
        Poll::Ready(response)
    }
}

/// A handler, or a second CORS layer inside, that says `*` would open to all what is open to some here, and
/// two permissions in one answer are none to a browser.
fn remove_permissions(headers: &mut HeaderMap) {
    let is_permission =
        |name: &&http::HeaderName| name.as_str().starts_with("access-control-allow-");
    while let Some(name) = headers.keys().find(is_permission).cloned() {
        headers.remove(name);
    }
}
