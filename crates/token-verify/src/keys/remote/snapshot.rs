//! What is known at one moment, and what follows from it. No task, no waiting: only decisions.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{KeyHealth, settings::Settings};
use crate::keys::{
    KeyAnswer, KeyHint, KeyValidator,
    fetch::ReadDocument,
    set::{Found, KeySet},
};

/// `Age` is in whole seconds, and takes some to arrive.
const AGE_TOLERANCE: Duration = Duration::from_secs(5);

/// What the task last told.
pub(super) struct Snapshot {
    keys: Option<Held>,
    attempts: u64,
    failures: u32,
    fetching: bool,
    last: Option<Attempt>,
    /// Before that, no request causes a fetch.
    ask_from: Option<Instant>,
}

/// A set that was fetched.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) set: Arc<KeySet>,
    pub(super) document: ReadDocument,
    pub(super) validator: Option<KeyValidator>,
    /// Sets are counted, so that what is said of one is not taken for another.
    pub(super) number: u64,
    /// When the fetch began that brought it, or that last learned that it is still right.
    pub(super) since: Instant,
    /// When the fetch began that brought it.
    pub(super) read: Instant,
    /// When the issuer wrote it, by the `Age` of the answer. Nothing if that is before all time.
    pub(super) written: Option<Instant>,
}

impl Held {
    /// Whether an answer was written before this one.
    pub(super) fn is_newer_than(&self, written: Option<Instant>) -> bool {
        self.written.is_some_and(|ours| {
            written
                .and_then(|theirs| theirs.checked_add(AGE_TOLERANCE))
                .is_none_or(|theirs| theirs < ours)
        })
    }
}

/// A fetch that is over.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    outcome: Outcome,
    /// When the task tries again on its own.
    next: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Failed,
    /// The issuer says that nothing changed. Good enough to use the keys, not to say that another does not exist.
    NotModified,
    Read,
}

/// What to do about a key.
#[derive(Debug)]
pub(super) enum Consulted {
    Answer(KeyAnswer),
    /// Ask for a fetch, wait for it.
    AskAndWait,
    /// Not in the set of this number, and the issuer will not be asked now.
    CoolingDown {
        set: u64,
        retry_after: Duration,
    },
    /// A fetch is under way, wait for it.
    Wait,
}

impl Snapshot {
    pub(super) const fn before_first_fetch() -> Self {
        Self { keys: None, attempts: 0, failures: 0, fetching: true, last: None, ask_from: None }
    }

    /// When the next request may cause a fetch.
    pub(super) const fn ask_from(&mut self, from: Instant) {
        self.ask_from = Some(from);
    }

    pub(super) const fn begin(&mut self) {
        self.fetching = true;
    }

    /// The new set replaces the old one whole: what is merged is never withdrawn.
    pub(super) fn succeed(&mut self, held: Held, next: Instant) {
        self.keys = Some(held);
        self.failures = 0;
        self.end(Attempt { outcome: Outcome::Read, next });
    }

    /// The set is still right.
    pub(super) fn confirm(&mut self, since: Instant, next: Instant) {
        if let Some(held) = &mut self.keys {
            held.since = since;
        }
        self.failures = 0;
        self.end(Attempt { outcome: Outcome::NotModified, next });
    }

    pub(super) fn fail(&mut self, failures: u32, next: Instant) {
        self.failures = failures;
        self.end(Attempt { outcome: Outcome::Failed, next });
    }

    fn end(&mut self, attempt: Attempt) {
        self.fetching = false;
        self.attempts = self.attempts.saturating_add(1);
        self.last = Some(attempt);
    }

    /// How many fetches are over.
    pub(super) const fn attempts(&self) -> u64 {
        self.attempts
    }

    pub(super) fn last_outcome(&self) -> Option<Outcome> {
        self.last.map(|last| last.outcome)
    }

    pub(super) const fn held(&self) -> Option<&Held> {
        self.keys.as_ref()
    }

    pub(super) fn consult(
        &self,
        hint: &KeyHint<'_>,
        now: Instant,
        settings: &Settings,
    ) -> Consulted {
        if let Some(answer) = self.known(hint, now, settings) {
            return Consulted::Answer(answer);
        }
        if self.fetching {
            return Consulted::Wait;
        }
        match self.ask_from.filter(|from| now < *from) {
            Some(from) => match self.answering(now, settings) {
                Some(held) => {
                    Consulted::CoolingDown { set: held.number, retry_after: until(from, now) }
                }
                None => Consulted::Answer(self.unavailable(now)),
            },
            None => Consulted::AskAndWait,
        }
    }

    /// The answer after a fetch that began after the question, and failed or was read in full.
    pub(super) fn settle(
        &self,
        hint: &KeyHint<'_>,
        now: Instant,
        settings: &Settings,
    ) -> KeyAnswer {
        self.known(hint, now, settings).unwrap_or_else(|| match self.answering(now, settings) {
            Some(_) => KeyAnswer::Unknown,
            None => self.unavailable(now),
        })
    }

    fn known(&self, hint: &KeyHint<'_>, now: Instant, settings: &Settings) -> Option<KeyAnswer> {
        match self.usable(now, settings)?.set.find(hint) {
            Found::Key(key) => Some(KeyAnswer::Found(key)),
            Found::Unfit => Some(KeyAnswer::Unknown),
            Found::Nothing => None,
        }
    }

    /// That a key does not exist is said only on the word of an issuer that answers.
    fn answering(&self, now: Instant, settings: &Settings) -> Option<&Held> {
        match self.last?.outcome {
            Outcome::Failed => None,
            Outcome::NotModified | Outcome::Read => self.usable(now, settings),
        }
    }

    /// Who cannot be told anything: come back when the issuer was asked again.
    pub(super) fn unavailable(&self, now: Instant) -> KeyAnswer {
        KeyAnswer::Unavailable { retry_after: self.last.map(|last| until(last.next, now)) }
    }

    pub(super) fn usable(&self, now: Instant, settings: &Settings) -> Option<&Held> {
        self.keys
            .as_ref()
            .filter(|held| now.saturating_duration_since(held.since) <= settings.max_stale)
    }

    pub(super) fn health(&self, now: Instant, settings: &Settings) -> KeyHealth {
        let failures = self.failures;
        let Some(held) = self.usable(now, settings) else {
            return KeyHealth::Unavailable { failures };
        };
        let (keys, age) = (held.set.len(), now.saturating_duration_since(held.since));
        if failures == 0 {
            KeyHealth::Ready { keys, age }
        } else {
            let remaining = settings.max_stale.saturating_sub(age);
            KeyHealth::Stale { keys, age, remaining, failures }
        }
    }
}

fn until(moment: Instant, now: Instant) -> Duration {
    moment.saturating_duration_since(now).max(Duration::from_secs(1))
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("keys", &self.held().map(|held| held.set.len()))
            .field("attempts", &self.attempts)
            .field("failures", &self.failures)
            .field("fetching", &self.fetching)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}
