use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use palisade_core::{Clock, Principal};
use pin_project_lite::pin_project;

use super::{candidate::Candidate, verifier::Memory};
use crate::{Rejection, keys::KeyWait};

pin_project! {
    /// The verdict of a [`JwtVerifier`]: there at once, unless the key has to be waited for.
    ///
    /// # Cancel safety
    ///
    /// Dropping it forgets the token. A fetch of keys that it waited for goes on: others wait too.
    #[must_use = "futures do nothing unless polled"]
    pub struct JwtFuture<C> {
        #[pin]
        state: State<C>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<C> {
        Ready { verdict: Option<Result<Principal, Rejection>> },
        Waiting { wait: KeyWait, rest: Option<Rest<C>> },
    }
}

/// What is needed once the key is there.
struct Rest<C> {
    candidate: Candidate,
    memory: Memory,
    clock: C,
}

impl<C> JwtFuture<C> {
    pub(super) const fn ready(verdict: Result<Principal, Rejection>) -> Self {
        Self { state: State::Ready { verdict: Some(verdict) } }
    }

    pub(super) const fn waiting(
        wait: KeyWait,
        candidate: Candidate,
        memory: Memory,
        clock: C,
    ) -> Self {
        Self { state: State::Waiting { wait, rest: Some(Rest { candidate, memory, clock }) } }
    }
}

impl<C: Clock> Future for JwtFuture<C> {
    type Output = Result<Principal, Rejection>;

    #[expect(clippy::expect_used, reason = "polling a finished future is the caller's bug")]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const FINISHED: &str = "`JwtFuture` polled after completion";

        match self.project().state.project() {
            StateProj::Ready { verdict } => Poll::Ready(verdict.take().expect(FINISHED)),
            StateProj::Waiting { wait, rest } => {
                let answer = ready!(wait.as_mut().poll(cx));
                let Rest { candidate, memory, clock } = rest.take().expect(FINISHED);
                Poll::Ready(
                    candidate.finish(answer, || clock.now()).map(|verified| memory.keep(verified)),
                )
            }
        }
    }
}

impl<C> fmt::Debug for JwtFuture<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtFuture").finish_non_exhaustive()
    }
}
