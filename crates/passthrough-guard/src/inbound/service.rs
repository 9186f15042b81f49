use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use palisade_core::{Denial, DenialKind, PlainRenderer, Reason, RenderDenial, Trail};
use tower_service::Service;

use super::future::ResponseFuture;
use crate::{STAGE, credentials, watched::Watched};

const TOO_MANY_CREDENTIALS: Reason =
    Reason::new("too_many_credentials", "the request has too many credentials");

/// The service of [`InboundLayer`](super::InboundLayer). See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct Inbound<S, R = PlainRenderer> {
    inner: S,
    watched: Arc<Watched>,
    renderer: R,
}

impl<S, R> Inbound<S, R> {
    pub(super) const fn new(inner: S, watched: Arc<Watched>, renderer: R) -> Self {
        Self { inner, watched, renderer }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for Inbound<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: RenderDenial<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        // If nobody keeps a trail, the request does: it is how the end of a request is noticed.
        let trail = parts.extensions.get_or_insert_default::<Trail>().clone();
        let Ok(found) = credentials::read(&parts.headers, &self.watched.fields) else {
            // What cannot be remembered must not come in. Renderers do not see it, either.
            credentials::strip(&mut parts.headers, &self.watched.fields);
            let denial = Denial::new(STAGE, DenialKind::HeadersTooLarge, TOO_MANY_CREDENTIALS);
            return ResponseFuture::denied(denial.into_response(&self.renderer, &parts));
        };
        self.watched.watch(&trail, &found);
        drop(found);
        let future = self.inner.call(Request::from_parts(parts, body));
        ResponseFuture::inner(future, trail)
    }
}

impl<S: fmt::Debug, R> fmt::Debug for Inbound<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").field("inner", &self.inner).finish_non_exhaustive()
    }
}
