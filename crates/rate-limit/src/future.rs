//! The future of [`RateLimit`](crate::RateLimit).

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project_lite::pin_project;

use crate::headers::Stamp;

pin_project! {
    /// The response of the inner service, or the refusal.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the inner future and nothing else. What the request cost stays charged: a
    /// caller who hangs up early has caused the work all the same.
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
        Inner { #[pin] future: F, stamp: Option<Stamp> },
        Denied { response: Option<Response<B>> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) const fn inner(future: F, stamp: Option<Stamp>) -> Self {
        Self { kind: Kind::Inner { future, stamp } }
    }

    pub(crate) const fn denied(response: Response<B>) -> Self {
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
            KindProj::Inner { future, stamp } => {
                let mut response = ready!(future.poll(cx))?;
                if let Some(stamp) = stamp {
                    stamp.allowed(&mut response);
                }
                Poll::Ready(Ok(response))
            }
            KindProj::Denied { response } => {
                Poll::Ready(Ok(response.take().expect("`ResponseFuture` polled after completion")))
            }
        }
    }
}
