use std::{
    error::Error,
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use palisade_core::{PlainRenderer, RenderDenial};
use tower_service::Service;

use crate::{
    McpBody,
    admit::{self, Head},
    future::ResponseFuture,
    layer::Settings,
};

/// The service of [`McpRequestLayer`](crate::McpRequestLayer). See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct McpRequest<S, R = PlainRenderer> {
    inner: S,
    settings: Arc<Settings>,
    renderer: R,
}

impl<S, R> McpRequest<S, R> {
    pub(crate) const fn new(inner: S, settings: Arc<Settings>, renderer: R) -> Self {
        Self { inner, settings, renderer }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for McpRequest<S, R>
where
    S: Service<Request<McpBody<ReqBody>>, Response = Response<ResBody>> + Clone,
    R: RenderDenial<ResBody> + Clone,
    ReqBody: Body<Data = Bytes>,
    ReqBody::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S, R, ReqBody, S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let limit = self.settings.max_body_bytes;
        match admit::check_head(&parts, body.size_hint().lower(), &self.settings) {
            Ok(Head::Message) => {
                // The message is read before the inner service is called, so the future must take the
                // service along. It takes the instance that was polled ready: a clone of it was not,
                // and may hold no permit of a limit, or panic.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                ResponseFuture::read(ready, self.renderer.clone(), parts, body, limit)
            }
            Ok(Head::Other) => ResponseFuture::inner(
                self.inner.call(Request::from_parts(parts, McpBody::passed(body))),
            ),
            Err(denial) => ResponseFuture::denied(admit::refuse(denial, &self.renderer, &parts)),
        }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for McpRequest<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpRequest")
            .field("inner", &self.inner)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
