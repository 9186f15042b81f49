//! The future of [`TokenVerify`](crate::TokenVerify).

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response, request::Parts};
use palisade_core::{Principal, RenderDenial};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{Rejection, deny_list::DenyList};

pin_project! {
    /// The verdict first, then the response of the inner service; or the refusal.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the verifier's future or the inner one, and the request. Nothing else is held.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<VF, S, SF, R, ReqBody, ResBody> {
        #[pin]
        state: State<VF, S, SF, R, ReqBody, ResBody>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<VF, S, SF, R, ReqBody, ResBody> {
        Verifying {
            #[pin]
            verdict: VF,
            inner: S,
            renderer: R,
            deny_list: Option<DenyList>,
            request: Option<(Parts, ReqBody)>,
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

impl<VF, S, SF, R, ReqBody, ResBody> ResponseFuture<VF, S, SF, R, ReqBody, ResBody> {
    pub(crate) const fn verifying(
        verdict: VF,
        inner: S,
        renderer: R,
        deny_list: Option<DenyList>,
        parts: Parts,
        body: ReqBody,
    ) -> Self {
        let request = Some((parts, body));
        Self { state: State::Verifying { verdict, inner, renderer, deny_list, request } }
    }

    pub(crate) const fn denied(response: Response<ResBody>) -> Self {
        Self { state: State::Denied { response: Some(response) } }
    }
}

impl<VF, S, R, ReqBody, ResBody> Future for ResponseFuture<VF, S, S::Future, R, ReqBody, ResBody>
where
    VF: Future<Output = Result<Principal, Rejection>>,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: RenderDenial<ResBody>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    #[expect(clippy::expect_used, reason = "polling a finished future is the caller's bug")]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const FINISHED: &str = "`ResponseFuture` polled after completion";

        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Verifying { verdict, inner, renderer, deny_list, request } => {
                    // Whoever verified, and whenever: a cached verdict is older than the list.
                    let verdict = ready!(verdict.poll(cx)).and_then(|principal| {
                        deny_list.as_ref().map_or(Ok(()), |list| list.check(&principal))?;
                        Ok(principal)
                    });
                    let (mut parts, body) = request.take().expect(FINISHED);
                    match verdict {
                        Ok(principal) => {
                            // Whatever was there before is replaced: only what was verified here counts.
                            principal.leave_in(&mut parts);
                            State::Inner { future: inner.call(Request::from_parts(parts, body)) }
                        }
                        Err(rejection) => {
                            tracing::debug!(%rejection, "token rejected");
                            let denial = rejection.into_denial();
                            State::Denied { response: Some(denial.into_response(renderer, &parts)) }
                        }
                    }
                }
                StateProj::Inner { future } => return future.poll(cx),
                StateProj::Denied { response } => {
                    return Poll::Ready(Ok(response.take().expect(FINISHED)));
                }
            };
            state.set(next);
        }
    }
}

impl<VF, S, SF, R, ReqBody, ResBody> fmt::Debug for ResponseFuture<VF, S, SF, R, ReqBody, ResBody> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
