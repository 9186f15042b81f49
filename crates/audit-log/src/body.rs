//! The bodies that [`AuditLog`](crate::AuditLog) watches.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::entry::{Entry, Pending};

type PolledFrame<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

pin_project! {
    /// The body of a request, counted while it is read.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        entry: Arc<Entry>,
    }
}

impl<B> RequestBody<B> {
    pub(crate) const fn new(inner: B, entry: Arc<Entry>) -> Self {
        Self { inner, entry }
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame<B> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            this.entry.received(length(frame));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

pin_project! {
    /// The body of a response. Its end is the end of the request: it writes the record.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        pending: Option<Pending>,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(crate) fn wrap(response: Response<B>, pending: Option<Pending>) -> Response<Self> {
        let pending = pending.and_then(|pending| pending.answer(&response));
        response.map(|inner| Self { inner, pending })
    }
}

/// An empty body that belongs to no request, for layers outside that answer themselves.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self { inner: B::default(), pending: None }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame<B> {
        let mut this = self.project();
        let Some(pending) = this.pending else { return this.inner.poll_frame(cx) };
        let frame = ready!(pending.watch(|| this.inner.as_mut().poll_frame(cx)));
        let has_ended = match &frame {
            None => true,
            Some(Err(_)) => {
                if let Some(pending) = this.pending.take() {
                    pending.fail();
                }
                false
            }
            Some(Ok(frame)) => {
                pending.sent(length(frame));
                if let Some(trailers) = frame.trailers_ref() {
                    pending.trailers(trailers);
                }
                // A server does not poll a body again that says it has ended, or that sent trailers.
                frame.is_trailers() || this.inner.is_end_stream()
            }
        };
        if has_ended && let Some(pending) = this.pending.take() {
            pending.complete();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn length<D: Buf>(frame: &Frame<D>) -> u64 {
    let bytes = frame.data_ref().map_or(0, Buf::remaining);
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
