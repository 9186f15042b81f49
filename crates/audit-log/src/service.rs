use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{
    body::{RequestBody, ResponseBody},
    entry::Recorder,
    future::ResponseFuture,
};

/// The service of [`AuditLogLayer`](crate::AuditLogLayer). See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct AuditLog<S> {
    inner: S,
    recorder: Arc<Recorder>,
}

impl<S> AuditLog<S> {
    pub(crate) const fn new(inner: S, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for AuditLog<S>
where
    S: Service<Request<RequestBody<ReqBody>>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let mut pending = self.recorder.open(&mut parts);
        let request = Request::from_parts(parts, RequestBody::new(body, pending.entry()));
        let future = pending.watch(|| self.inner.call(request));
        ResponseFuture::new(future, pending)
    }
}

impl<S: fmt::Debug> fmt::Debug for AuditLog<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("inner", &self.inner).finish_non_exhaustive()
    }
}
