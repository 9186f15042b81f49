//! The future of [`ResourceMetadata`](crate::ResourceMetadata).

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use pin_project_lite::pin_project;

pin_project! {
    /// The response of the inner service, or an answer about metadata.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the inner future and nothing else.
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
        Inner { #[pin] future: F },
        Answered { response: Option<Response<B>> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) const fn inner(future: F) -> Self {
        Self { kind: Kind::Inner { future } }
    }

    pub(crate) const fn answered(response: Response<B>) -> Self {
        Self { kind: Kind::Answered { response: Some(response) } }
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
            KindProj::Inner { future } => future.poll(cx),
            KindProj::Answered { response } => {
                Poll::Ready(Ok(response.take().expect("`ResponseFuture` polled after completion")))
            }
        }
    }
}
