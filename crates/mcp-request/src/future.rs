//! The future of [`McpRequest`](crate::McpRequest).

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use palisade_core::RenderDenial;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{McpBody, admit, body::Collected};

pin_project! {
    /// The response of the inner service, or the refusal.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the body, the part of it that was read and the inner service or its future.
    /// The inner service is called only after the whole message was read and checked.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, R, ReqBody, F, ResBody> {
        #[pin]
        state: State<S, R, ReqBody, F, ResBody>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, R, ReqBody, F, ResBody> {
        Reading {
            #[pin]
            body: ReqBody,
            collected: Collected,
            waiting: Option<Waiting<S, R>>,
        },
        Inner { #[pin] future: F },
        Denied { response: Option<Response<ResBody>> },
    }
}

/// What waits until the message is read.
struct Waiting<S, R> {
    /// INVARIANT: polled ready.
    inner: S,
    renderer: R,
    parts: Parts,
}

impl<S, R, ReqBody, F, ResBody> ResponseFuture<S, R, ReqBody, F, ResBody> {
    pub(crate) const fn read(
        inner: S,
        renderer: R,
        parts: Parts,
        body: ReqBody,
        limit: usize,
    ) -> Self {
        let waiting = Some(Waiting { inner, renderer, parts });
        Self { state: State::Reading { body, collected: Collected::up_to(limit), waiting } }
    }

    pub(crate) const fn inner(future: F) -> Self {
        Self { state: State::Inner { future } }
    }

    pub(crate) const fn denied(response: Response<ResBody>) -> Self {
        Self { state: State::Denied { response: Some(response) } }
    }
}

impl<S, R, ReqBody, ResBody> Future for ResponseFuture<S, R, ReqBody, S::Future, ResBody>
where
    S: Service<Request<McpBody<ReqBody>>, Response = Response<ResBody>>,
    R: RenderDenial<ResBody>,
    ReqBody: Body<Data = Bytes>,
    ReqBody::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    #[expect(clippy::expect_used, reason = "polling a finished future is the caller's bug")]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProj::Reading { body, collected, waiting } => {
                    let read = ready!(poll_read(body, collected, cx));
                    let Waiting { mut inner, renderer, mut parts } =
                        waiting.take().expect("`ResponseFuture` polled after completion");
                    let checked = read
                        .and_then(|bytes| admit::check_message(&mut parts, &bytes).map(|()| bytes));
                    let bytes = match checked {
                        Ok(bytes) => bytes,
                        Err(denial) => {
                            let response = admit::refuse(denial, &renderer, &parts);
                            return Poll::Ready(Ok(response));
                        }
                    };
                    let request = Request::from_parts(parts, McpBody::read(bytes));
                    let future = inner.call(request);
                    state.set(State::Inner { future });
                }
                StateProj::Inner { future } => return future.poll(cx),
                StateProj::Denied { response } => {
                    let response =
                        response.take().expect("`ResponseFuture` polled after completion");
                    return Poll::Ready(Ok(response));
                }
            }
        }
    }
}

/// Reads a body to its end. What is no data, trailers that is, is dropped.
fn poll_read<B>(
    mut body: Pin<&mut B>,
    collected: &mut Collected,
    cx: &mut Context<'_>,
) -> Poll<Result<Bytes, palisade_core::Denial>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    loop {
        match ready!(body.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data()
                    && collected.push(piece).is_err()
                {
                    return Poll::Ready(Err(admit::too_large()));
                }
            }
            Some(Err(error)) => return Poll::Ready(Err(admit::unreadable(error.into()))),
            None => return Poll::Ready(Ok(collected.take())),
        }
    }
}

impl<S, R, ReqBody, F, ResBody> fmt::Debug for ResponseFuture<S, R, ReqBody, F, ResBody> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body that was read so far holds parameters, which may be secrets.
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
