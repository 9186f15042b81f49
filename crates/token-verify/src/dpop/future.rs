use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{ProofUse, ReplayStoreError};
use crate::{ProofFault, Rejection};

pin_project! {
    /// Waits for a replay store, and refuses what it has seen before.
    pub struct Remembering<F> {
        #[pin]
        answer: F,
    }
}

impl<F> Remembering<F> {
    pub(super) const fn new(answer: F) -> Self {
        Self { answer }
    }
}

impl<F: Future<Output = Result<ProofUse, ReplayStoreError>>> Future for Remembering<F> {
    type Output = Result<(), Rejection>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(self.project().answer.poll(cx)) {
            Ok(ProofUse::First) => Ok(()),
            Ok(ProofUse::Repeated) => Err(Rejection::InvalidProof { fault: ProofFault::Replayed }),
            Err(ReplayStoreError { retry_after }) => {
                Err(Rejection::ReplayStoreUnavailable { retry_after })
            }
        })
    }
}

impl<F> fmt::Debug for Remembering<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembering").finish_non_exhaustive()
    }
}
