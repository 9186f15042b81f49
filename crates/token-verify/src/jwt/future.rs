use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use palisade_core::{Clock, Principal};
use pin_project_lite::pin_project;

use super::{candidate::Candidate, rules::Rules};
use crate::{Rejection, keys::KeyAnswer};

pin_project! {
    /// The verdict of a [`JwtVerifier`]: there at once, unless the key has to be waited for.
    ///
    /// # Cancel safety
    ///
    /// Dropping it forgets the token. A fetch of keys that it waited for goes on: others wait too.
    #[must_use = "futures do nothing unless polled"]
    pub struct JwtFuture<W, C> {
        #[pin]
        state: State<W, C>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<W, C> {
        Ready { verdict: Option<Result<Principal, Rejection>> },
        Waiting { #[pin] wait: W, rest: Option<Rest<C>> },
    }
}

/// What is needed once the key is there.
struct Rest<C> {
    candidate: Candidate,
    rules: Arc<Rules>,
    clock: C,
}

impl<W, C> JwtFuture<W, C> {
    pub(super) const fn ready(verdict: Result<Principal, Rejection>) -> Self {
        Self { state: State::Ready { verdict: Some(verdict) } }
    }

    pub(super) const fn waiting(
        wait: W,
        candidate: Candidate,
        rules: Arc<Rules>,
        clock: C,
    ) -> Self {
        Self { state: State::Waiting { wait, rest: Some(Rest { candidate, rules, clock }) } }
    }
}

impl<W: Future<Output = KeyAnswer>, C: Clock> Future for JwtFuture<W, C> {
    type Output = Result<Principal, Rejection>;

    #[expect(clippy::expect_used, reason = "polling a finished future is the caller's bug")]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const FINISHED: &str = "`JwtFuture` polled after completion";

        match self.project().state.project() {
            StateProj::Ready { verdict } => Poll::Ready(verdict.take().expect(FINISHED)),
            StateProj::Waiting { wait, rest } => {
                let answer = ready!(wait.poll(cx));
                let Rest { candidate, rules, clock } = rest.take().expect(FINISHED);
                Poll::Ready(candidate.finish(answer, &rules, &clock))
            }
        }
    }
}

impl<W, C> fmt::Debug for JwtFuture<W, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtFuture").finish_non_exhaustive()
    }
}
