//! The future of [`TokenVerify`](crate::TokenVerify).

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{
    HeaderName, HeaderValue, Request, Response,
    header::{AUTHORIZATION, CACHE_CONTROL},
    request::Parts,
};
use palisade_core::{Principal, RenderDenial, Trail};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    Rejection,
    deny_list::DenyList,
    sender::{Dpop, Evidence},
    service::DPOP,
};

/// RFC 9449 §8.1.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

pin_project! {
    /// The verdict first, then the response of the inner service; or the refusal.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the verifier's future, that of the replay store, or the inner one, and the request.
    /// Nothing else is held. A proof that was handed to the replay store is used up, whatever becomes of the
    /// request.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<VF, S, SF, R, D: Dpop, ReqBody, ResBody> {
        #[pin]
        state: State<VF, S, SF, R, D, ReqBody, ResBody>,
        nonce: Option<HeaderValue>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<VF, S, SF, R, D: Dpop, ReqBody, ResBody> {
        Verifying {
            #[pin]
            verdict: VF,
            deny_list: Option<DenyList>,
            evidence: Option<Evidence<D>>,
            pending: Option<Pending<S, R, ReqBody>>,
        },
        Remembering {
            #[pin]
            remembering: D::Remembering,
            principal: Option<Principal>,
            pending: Option<Pending<S, R, ReqBody>>,
        },
        Inner {
            #[pin]
            future: SF,
        },
        Denied {
            response: Option<Response<ResBody>>,
        },
    }
}

/// A request that nothing was decided about.
pub(crate) struct Pending<S, R, B> {
    pub(crate) inner: S,
    pub(crate) renderer: R,
    pub(crate) parts: Parts,
    pub(crate) body: B,
}

impl<VF, S, SF, R, D: Dpop, ReqBody, ResBody> ResponseFuture<VF, S, SF, R, D, ReqBody, ResBody> {
    pub(crate) fn verifying(
        verdict: VF,
        deny_list: Option<DenyList>,
        evidence: Evidence<D>,
        pending: Pending<S, R, ReqBody>,
    ) -> Self {
        let (evidence, pending) = (Some(evidence), Some(pending));
        Self { state: State::Verifying { verdict, deny_list, evidence, pending }, nonce: None }
    }

    pub(crate) const fn denied(response: Response<ResBody>) -> Self {
        Self { state: State::Denied { response: Some(response) }, nonce: None }
    }

    /// Hands out a nonce with the response, whatever the response is.
    pub(crate) fn with_nonce(mut self, nonce: Option<HeaderValue>) -> Self {
        self.nonce = nonce;
        self
    }
}

impl<S, R, B> Pending<S, R, B> {
    fn pass(mut self, principal: Principal) -> S::Future
    where
        S: Service<Request<B>>,
    {
        // Whatever was there before is replaced: only what was verified here counts.
        principal.leave_in(&mut self.parts);
        self.inner.call(Request::from_parts(self.parts, self.body))
    }

    fn refuse<ResBody>(mut self, rejection: Rejection) -> Response<ResBody>
    where
        R: RenderDenial<ResBody>,
    {
        tracing::debug!(%rejection, "token rejected");
        // A service may have asked to keep them. Renderers did not, and what is refused may be good elsewhere, or in
        // a moment.
        self.parts.headers.remove(AUTHORIZATION);
        self.parts.headers.remove(DPOP);
        rejection.into_denial().into_response(&self.renderer, &self.parts)
    }
}

impl<VF, S, R, D, ReqBody, ResBody> Future
    for ResponseFuture<VF, S, S::Future, R, D, ReqBody, ResBody>
where
    VF: Future<Output = Result<Principal, Rejection>>,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: RenderDenial<ResBody>,
    D: Dpop,
{
    type Output = Result<Response<ResBody>, S::Error>;

    #[expect(clippy::expect_used, reason = "polling a finished future is the caller's bug")]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const FINISHED: &str = "`ResponseFuture` polled after completion";

        let this = self.project();
        let mut state = this.state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Verifying { verdict, deny_list, evidence, pending } => {
                    let verdict = ready!(verdict.poll(cx));
                    let pending = pending.take().expect(FINISHED);
                    let evidence = evidence.take().expect(FINISHED);
                    // Whoever verified, and whenever: a cached verdict is older than the list.
                    let checked = verdict.and_then(|principal| {
                        // Also if it is refused below: an auditor wants to know whose revoked or stolen token came.
                        if let Some(trail) = Trail::of(&pending.parts) {
                            trail.identify(&principal);
                        }
                        deny_list.as_ref().map_or(Ok(()), |list| list.check(&principal))?;
                        let remembering = evidence.check(&principal, &pending.parts)?;
                        Ok((principal, remembering))
                    });
                    match checked {
                        Ok((principal, Some(remembering))) => State::Remembering {
                            remembering,
                            principal: Some(principal),
                            pending: Some(pending),
                        },
                        Ok((principal, None)) => State::Inner { future: pending.pass(principal) },
                        Err(rejection) => {
                            State::Denied { response: Some(pending.refuse(rejection)) }
                        }
                    }
                }
                StateProj::Remembering { remembering, principal, pending } => {
                    let remembered = ready!(remembering.poll(cx));
                    let pending = pending.take().expect(FINISHED);
                    let principal = principal.take().expect(FINISHED);
                    match remembered {
                        Ok(()) => State::Inner { future: pending.pass(principal) },
                        Err(rejection) => {
                            State::Denied { response: Some(pending.refuse(rejection)) }
                        }
                    }
                }
                StateProj::Inner { future } => {
                    let response = ready!(future.poll(cx))?;
                    return Poll::Ready(Ok(hand_out(this.nonce.take(), response)));
                }
                StateProj::Denied { response } => {
                    let response = response.take().expect(FINISHED);
                    return Poll::Ready(Ok(hand_out(this.nonce.take(), response)));
                }
            };
            state.set(next);
        }
    }
}

/// One nonce and no other (RFC 9449 §8.2), and nothing that a cache would keep: a stored nonce is an old one.
fn hand_out<B>(nonce: Option<HeaderValue>, mut response: Response<B>) -> Response<B> {
    if let Some(nonce) = nonce {
        let headers = response.headers_mut();
        headers.insert(DPOP_NONCE, nonce);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

impl<VF, S, SF, R, D: Dpop, ReqBody, ResBody> fmt::Debug
    for ResponseFuture<VF, S, SF, R, D, ReqBody, ResBody>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
