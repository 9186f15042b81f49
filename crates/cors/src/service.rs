use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{
    Method, Request, Response,
    header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
};
use tower_http::cors;
use tower_service::Service;

use crate::{
    future::{ResponseFuture, WithoutPermissions},
    layer::Settings,
};

/// The service of [`CorsLayer`](crate::CorsLayer). See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct Cors<S> {
    inner: cors::Cors<Inside<S>>,
    settings: Arc<Settings>,
}

impl<S> Cors<S> {
    pub(crate) const fn new(inner: cors::Cors<Inside<S>>, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Cors<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Default,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if request.method() == Method::OPTIONS {
            if is_preflight(&request) {
                self.settings.headers.narrow(request.headers_mut());
            } else {
                // `tower_http` answers every OPTIONS request. This one is not for us: it is a request like
                // any other, to be authenticated and answered inside.
                *request.method_mut() = Method::GET;
                request.extensions_mut().insert(WasOptions);
            }
        }
        ResponseFuture::new(self.inner.call(request))
    }
}

/// Fetch, "CORS-preflight request": "a CORS request that checks to see if the CORS protocol is understood".
fn is_preflight<B>(request: &Request<B>) -> bool {
    [ORIGIN, ACCESS_CONTROL_REQUEST_METHOD].iter().all(|name| request.headers().contains_key(name))
}

#[derive(Clone, Copy)]
struct WasOptions;

/// What is inside `tower_http`'s service: gets the request as it came, and has no say about CORS.
#[derive(Clone, Debug)]
pub(crate) struct Inside<S>(S);

impl<S> Inside<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self(inner)
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Inside<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = WithoutPermissions<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if request.extensions_mut().remove::<WasOptions>().is_some() {
            *request.method_mut() = Method::OPTIONS;
        }
        WithoutPermissions::new(self.0.call(request))
    }
}

impl<S: fmt::Debug> fmt::Debug for Cors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cors")
            .field("inner", &self.inner)
            .field("settings", &self.settings)
            .finish()
    }
}
