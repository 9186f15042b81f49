use std::{
    fmt, mem,
    task::{Context, Poll},
};

use http::{HeaderName, Request, Response, header::AUTHORIZATION, request::Parts};
use palisade_core::{ClientAddr, Denial, DenialKind, PlainRenderer, RenderDenial};
use tower_service::Service;

use crate::{
    Rejection, VerifyToken,
    bearer::{self, Scheme},
    deny_list::DenyList,
    future::{Pending, ResponseFuture},
    layer::{Afterwards, Settings},
    sender::{Dpop, Evidence, WithoutDpop, sealed::Used},
};

/// RFC 9449 §4.1.
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The service of [`TokenVerifyLayer`](crate::TokenVerifyLayer). See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct TokenVerify<S, V, R = PlainRenderer, D = WithoutDpop> {
    inner: S,
    verifier: V,
    renderer: R,
    dpop: D,
    deny_list: Option<DenyList>,
    settings: Settings,
}

impl<S, V, R, D> TokenVerify<S, V, R, D> {
    pub(crate) const fn new(
        inner: S,
        verifier: V,
        renderer: R,
        dpop: D,
        deny_list: Option<DenyList>,
        settings: Settings,
    ) -> Self {
        Self { inner, verifier, renderer, dpop, deny_list, settings }
    }
}

impl<S, V, R, D, ReqBody, ResBody> Service<Request<ReqBody>> for TokenVerify<S, V, R, D>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    V: VerifyToken,
    R: RenderDenial<ResBody> + Clone,
    D: Dpop,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<V::Future, S, S::Future, R, D, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // `poll_ready` made this very instance ready, and it is called later, from the future. The clone
        // that stays behind has promised nothing yet and is made ready before its own call. If the request is
        // refused, the ready one goes at once: it may hold a place that others wait for.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        let (mut parts, body) = request.into_parts();
        if let Err(rejection) = self.check_arrival(&parts) {
            let refused = self.refuse(rejection.into_denial(), &mut parts, Used::Nothing);
            return ResponseFuture::denied(refused);
        }
        if bearer::is_in_query(parts.uri.query()) {
            tracing::debug!("a token in the query was ignored: it will be in somebody's logs");
        }
        let extracted =
            bearer::extract(&parts.headers, self.settings.max_token_bytes, self.dpop.taken());
        let (scheme, token) = match extracted {
            Ok(extracted) => extracted,
            Err(denial) => {
                return ResponseFuture::denied(self.refuse(denial, &mut parts, Used::Nothing));
            }
        };
        let (used, read) = match scheme {
            Scheme::Bearer => (Used::Bearer, None),
            Scheme::Dpop => (Used::Dpop, Some(self.dpop.read(&parts, &token))),
        };
        self.strip_credentials(self.settings.afterwards, &mut parts);
        let (proof, nonce) = match read {
            None => (None, None),
            Some((Ok(proof), nonce)) => (Some(proof), nonce),
            Some((Err(rejection), nonce)) => {
                tracing::debug!(%rejection, "DPoP proof rejected");
                let refused = self.refuse(rejection.into_denial(), &mut parts, used);
                return ResponseFuture::denied(refused).with_nonce(nonce);
            }
        };
        self.offer(used, &mut parts);
        let mutual_tls = self.settings.mutual_tls;
        let evidence = Evidence { dpop: self.dpop.clone(), proof, mutual_tls };
        let verdict = self.verifier.verify(token);
        let pending = Pending { inner, renderer: self.renderer.clone(), parts, body };
        let deny_list = self.deny_list.clone();
        ResponseFuture::verifying(verdict, deny_list, evidence, pending).with_nonce(nonce)
    }
}

impl<S, V, R, D: Dpop> TokenVerify<S, V, R, D> {
    /// What is known without looking at the credential: whence the request came, and how.
    ///
    /// The address first. Who may not ask at all needs no advice on how to ask.
    fn check_arrival(&self, parts: &Parts) -> Result<(), Rejection> {
        let address = ClientAddr::of(parts);
        self.deny_list
            .as_ref()
            .map_or(Ok(()), |list| list.check_address(address))
            .and_then(|()| self.settings.https.map_or(Ok(()), |https| https.check(parts)))
            .inspect_err(|rejection| {
                if rejection.kind() == DenialKind::Misconfigured {
                    // The operator's to mend.
                    tracing::error!(%rejection, "misconfigured");
                } else {
                    tracing::debug!(%rejection, "refused without a look at the token");
                }
            })
    }

    fn offer(&self, used: Used, parts: &mut Parts) {
        if let Some(offered) = self.dpop.offer(used) {
            offered.leave_in(parts);
        }
    }

    fn refuse<B>(&self, denial: Denial, parts: &mut Parts, used: Used) -> Response<B>
    where
        R: RenderDenial<B>,
    {
        // What is refused unread may be a good credential: one of two, or one from a denied address. Renderers,
        // and what they write, do not see it.
        self.strip_credentials(Afterwards::Remove, parts);
        self.offer(used, parts);
        denial.into_response(&self.renderer, parts)
    }

    fn strip_credentials(&self, ours: Afterwards, parts: &mut Parts) {
        match ours {
            Afterwards::Keep => {}
            Afterwards::Remove => {
                parts.headers.remove(AUTHORIZATION);
                parts.headers.remove(DPOP);
            }
        }
        for name in self.settings.also_removed.iter().flat_map(|names| names.iter()) {
            parts.headers.remove(name);
        }
    }
}

impl<S: fmt::Debug, V, R, D> fmt::Debug for TokenVerify<S, V, R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerify")
            .field("inner", &self.inner)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
