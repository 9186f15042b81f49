//! The future of [`AuditLog`](crate::AuditLog).

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::{body::ResponseBody, entry::Pending};

pin_project! {
    /// The response of the inner service, with a body that knows its end.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the inner future and then writes the record.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // Declared first, so dropped first: what the inner future notes or reads last is in the record.
        #[pin]
        inner: F,
        pending: Option<Pending>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn new(inner: F, pending: Pending) -> Self {
        Self { inner, pending: Some(pending) }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let inner = this.inner;
        let result = ready!(match this.pending {
            Some(pending) => pending.watch(|| inner.poll(cx)),
            None => inner.poll(cx),
        });
        let pending = this.pending.take();
        Poll::Ready(match result {
            Ok(response) => Ok(ResponseBody::wrap(response, pending)),
            Err(error) => {
                if let Some(pending) = pending {
                    pending.fail();
                }
                Err(error)
            }
        })
    }
}
