//! A pause after failures, so that an outage does not fill the service with requests that wait.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// So many failures in a row, and nobody asks for a while.
const THRESHOLD: u32 = 3;
/// What those are told who come while one other request finds out whether the server is back.
const WHILE_PROBING: Duration = Duration::from_secs(1);

/// Counts failures in a row. After three, nobody asks for the length of the pause; then one request does, and its
/// result decides.
#[derive(Debug)]
pub(super) struct Breaker {
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    failures: u32,
    /// On the monotonic clock.
    closed_until: Duration,
    is_probing: bool,
}

impl Breaker {
    pub(super) fn new(pause: Duration) -> Self {
        Self { pause, state: Mutex::default() }
    }

    /// Permission for one call, or how long there is none.
    pub(super) fn admit(&self, now: Duration) -> Result<Admission<'_>, Duration> {
        let mut state = self.state();
        if state.failures < THRESHOLD {
            return Ok(Admission { breaker: self, is_probe: false });
        }
        if now < state.closed_until {
            return Err(state.closed_until.saturating_sub(now));
        }
        if state.is_probing {
            return Err(WHILE_PROBING);
        }
        state.is_probing = true;
        Ok(Admission { breaker: self, is_probe: true })
    }

    /// No code of others runs under this lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call that is allowed. Dropped without a result, it counts as neither.
#[derive(Debug)]
pub(super) struct Admission<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Admission<'_> {
    pub(super) fn succeed(self) {
        self.breaker.state().failures = 0;
    }

    /// The server answered, and could not be understood: perhaps because of the token. Others may try, and one more
    /// failure is one too many.
    pub(super) fn answered(self) {
        let mut state = self.breaker.state();
        state.failures = state.failures.min(THRESHOLD.saturating_sub(1));
    }

    pub(super) fn fail(self, now: Duration) {
        let mut state = self.breaker.state();
        state.failures = state.failures.saturating_add(1);
        state.closed_until = now.saturating_add(self.breaker.pause);
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.state().is_probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(2);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn broken() -> Breaker {
        let breaker = Breaker::new(PAUSE);
        for _ in 0..THRESHOLD {
            breaker.admit(at(10)).unwrap().fail(at(10));
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_stop_calls_for_the_pause() {
        let breaker = broken();
        assert_eq!(breaker.admit(at(11)).unwrap_err(), at(1));
        breaker.admit(at(12)).unwrap();
    }

    #[test]
    fn a_success_in_between_starts_the_count_again() {
        let breaker = Breaker::new(PAUSE);
        for _ in 0..10 {
            breaker.admit(at(10)).unwrap().fail(at(10));
            breaker.admit(at(10)).unwrap().fail(at(10));
            breaker.admit(at(10)).unwrap().succeed();
        }
        breaker.admit(at(10)).unwrap();
    }

    #[test]
    fn after_the_pause_one_call_decides_for_all() {
        let breaker = broken();
        let probe = breaker.admit(at(12)).unwrap();
        assert_eq!(breaker.admit(at(12)).unwrap_err(), WHILE_PROBING);
        probe.fail(at(12));
        assert_eq!(breaker.admit(at(13)).unwrap_err(), at(1));

        breaker.admit(at(14)).unwrap().succeed();
        let _one = breaker.admit(at(14)).unwrap();
        breaker.admit(at(14)).unwrap();
    }

    #[test]
    fn a_probe_that_is_cancelled_leaves_its_place_to_the_next() {
        let breaker = broken();
        drop(breaker.admit(at(12)).unwrap());
        breaker.admit(at(12)).unwrap();
    }

    /// Whoever sends text that the server calls bad must not be the probe for ever.
    #[test]
    fn an_answer_about_a_bad_token_ends_the_pause_and_is_no_success() {
        let breaker = broken();
        breaker.admit(at(12)).unwrap().answered();
        let _bad = breaker.admit(at(12)).unwrap();
        breaker.admit(at(12)).unwrap().fail(at(12));
        assert_eq!(breaker.admit(at(13)).unwrap_err(), at(1), "one more failure is enough");
    }

    #[test]
    fn a_call_without_a_result_forgives_no_failure() {
        let breaker = broken();
        drop(breaker.admit(at(12)).unwrap());
        let _probe = breaker.admit(at(12)).unwrap();
        breaker.admit(at(12)).unwrap_err();
    }
}
