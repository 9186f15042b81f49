//! One call per token at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use palisade_core::Principal;
use tokio::sync::OnceCell;

use super::cache::TokenDigest;
use crate::Rejection;

type Verdict = Result<Principal, Rejection>;

/// The calls that are under way. As many as requests wait, and those are bounded.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<TokenDigest, Arc<OnceCell<Verdict>>>>);

impl Flights {
    /// Takes a seat in the call about this token. Whoever comes first makes it, the others get its verdict. If the
    /// first one hangs up, the next makes the call.
    pub(super) fn join(self: &Arc<Self>, token: TokenDigest) -> Seat {
        let verdict = Arc::clone(self.under_way().entry(token).or_default());
        Seat { flights: Arc::clone(self), token, verdict }
    }

    /// Whoever comes from now on makes a call of his own.
    pub(super) fn forget(&self, token: &TokenDigest) {
        self.under_way().remove(token);
    }

    /// As [`forget`](Self::forget), for all tokens.
    pub(super) fn forget_all(&self) {
        self.under_way().clear();
    }

    /// No code of others runs under this lock.
    fn under_way(&self) -> MutexGuard<'_, HashMap<TokenDigest, Arc<OnceCell<Verdict>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.under_way().len()
    }
}

/// One request's part in a call. Dropped by the last, or by the first that has the verdict, it takes the call off the
/// list: a failure is told to those who waited for it, and to nobody else.
#[derive(Debug)]
pub(super) struct Seat {
    flights: Arc<Flights>,
    token: TokenDigest,
    verdict: Arc<OnceCell<Verdict>>,
}

impl Seat {
    pub(super) async fn verdict<F: Future<Output = Verdict>>(
        self,
        call: impl FnOnce() -> F,
    ) -> Verdict {
        self.verdict.get_or_init(call).await.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way();
        let is_ours =
            under_way.get(&self.token).is_some_and(|other| Arc::ptr_eq(other, &self.verdict));
        // Two: this seat's and the list's. Seats are given out under the lock that is held here.
        let is_last = Arc::strong_count(&self.verdict) <= 2;
        if is_ours && (is_last || self.verdict.initialized()) {
            under_way.remove(&self.token);
        }
    }
}
