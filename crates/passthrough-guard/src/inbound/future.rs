//! The future of [`Inbound`](super::Inbound).

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use palisade_core::Trail;
use pin_project_lite::pin_project;

pin_project! {
    /// The response of the inner service, or a refusal.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the inner future, and lets go of the request's trail.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, B> {
        #[pin]
        kind: Kind<F, B>,
    }
}

pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<F, B> {
        // The trail is held, not read: the request is in the works for as long.
        Inner { #[pin] future: F, trail: Trail },
        Denied { response: Option<Response<B>> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) const fn inner(future: F, trail: Trail) -> Self {
        Self { kind: Kind::Inner { future, trail } }
    }

    pub(super) const fn denied(response: Response<B>) -> Self {
        Self { kind: Kind::Denied { response: Some(response) } }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    #[expect(clippy::expect_used, reason = "polling a finished future is the caller's bug")]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProj::Inner { future, .. } => future.poll(cx),
            KindProj::Denied { response } => {
                Poll::Ready(Ok(response.take().expect("`ResponseFuture` polled after completion")))
            }
        }
    }
}
