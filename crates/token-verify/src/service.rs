use std::{
    fmt, mem,
    task::{Context, Poll},
};

use http::{HeaderName, Request, Response, header::AUTHORIZATION, request::Parts};
use palisade_core::{ClientAddr, PlainRenderer, RenderDenial};
use tower_service::Service;

use crate::{
    VerifyToken, bearer,
    deny_list::DenyList,
    future::ResponseFuture,
    layer::{Afterwards, Settings},
};

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The service of [`TokenVerifyLayer`](crate::TokenVerifyLayer). See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct TokenVerify<S, V, R = PlainRenderer> {
    inner: S,
    verifier: V,
    renderer: R,
    deny_list: Option<DenyList>,
    settings: Settings,
}

impl<S, V, R> TokenVerify<S, V, R> {
    pub(crate) const fn new(
        inner: S,
        verifier: V,
        renderer: R,
        deny_list: Option<DenyList>,
        settings: Settings,
    ) -> Self {
        Self { inner, verifier, renderer, deny_list, settings }
    }
}

impl<S, V, R, ReqBody, ResBody> Service<Request<ReqBody>> for TokenVerify<S, V, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    V: VerifyToken,
    R: RenderDenial<ResBody> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<V::Future, S, S::Future, R, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        if let Some(list) = &self.deny_list
            && let Err(rejection) = list.check_address(ClientAddr::of(&parts))
        {
            tracing::debug!(%rejection, "address refused");
            strip_credentials(&mut parts);
            let denial = rejection.into_denial();
            return ResponseFuture::denied(denial.into_response(&self.renderer, &parts));
        }
        let token = match bearer::extract(&parts.headers, self.settings.max_token_bytes) {
            Ok(token) => token,
            Err(denial) => {
                return ResponseFuture::denied(denial.into_response(&self.renderer, &parts));
            }
        };
        match self.settings.afterwards {
            Afterwards::Keep => {}
            Afterwards::Remove => strip_credentials(&mut parts),
        }
        // `poll_ready` made this very instance ready, and it is called later, from the future. The clone
        // that stays behind has promised nothing yet and is made ready before its own call.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        let verdict = self.verifier.verify(token);
        let deny_list = self.deny_list.clone();
        ResponseFuture::verifying(verdict, inner, self.renderer.clone(), deny_list, parts, body)
    }
}

fn strip_credentials(parts: &mut Parts) {
    parts.headers.remove(AUTHORIZATION);
    parts.headers.remove(DPOP);
}

impl<S: fmt::Debug, V, R> fmt::Debug for TokenVerify<S, V, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerify")
            .field("inner", &self.inner)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
