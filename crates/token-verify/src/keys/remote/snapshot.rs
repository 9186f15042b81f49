//! What is known at one moment, and what follows from it. No task, no waiting: only decisions.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::settings::Settings;
use crate::keys::{
    KeyAnswer, KeyHint,
    set::{Found, KeySet},
};

/// What the task last told.
pub(super) struct Snapshot {
    keys: Option<Held>,
    attempts: u64,
    fetching: bool,
    last: Option<Attempt>,
    /// Before that, no request causes a fetch.
    ask_from: Option<Instant>,
}

#[derive(Clone)]
struct Held {
    set: Arc<KeySet>,
    since: Instant,
}

/// A fetch that is over.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    outcome: Outcome,
    /// When the task tries again on its own.
    next: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Failed,
    Succeeded,
}

/// What to do about a key.
#[derive(Debug)]
pub(super) enum Consulted {
    Answer(KeyAnswer),
    /// Ask for a fetch, wait for it.
    AskAndWait,
    /// A fetch is under way, wait for it.
    Wait,
}

impl Snapshot {
    pub(super) const fn before_first_fetch() -> Self {
        Self { keys: None, attempts: 0, fetching: true, last: None, ask_from: None }
    }

    /// When the next request may cause a fetch.
    pub(super) const fn ask_from(&mut self, from: Instant) {
        self.ask_from = Some(from);
    }

    pub(super) const fn begin(&mut self) {
        self.fetching = true;
    }

    /// The new set replaces the old one whole: what is merged is never withdrawn.
    pub(super) fn succeed(&mut self, set: Arc<KeySet>, ended: Instant, next: Instant) {
        self.keys = Some(Held { set, since: ended });
        self.end(Attempt { outcome: Outcome::Succeeded, next });
    }

    pub(super) fn fail(&mut self, next: Instant) {
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

    /// Whether the last fetch failed.
    pub(super) fn has_failed(&self) -> bool {
        self.last.is_some_and(|last| last.outcome == Outcome::Failed)
    }

    pub(super) fn set(&self) -> Option<&Arc<KeySet>> {
        self.keys.as_ref().map(|held| &held.set)
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
        match self.last {
            _ if self.fetching => Consulted::Wait,
            Some(_) if self.ask_from.is_some_and(|from| now < from) => {
                Consulted::Answer(self.not_found(now, settings))
            }
            Some(_) | None => Consulted::AskAndWait,
        }
    }

    /// The answer after a fetch that began after the question.
    pub(super) fn settle(
        &self,
        hint: &KeyHint<'_>,
        now: Instant,
        settings: &Settings,
    ) -> KeyAnswer {
        self.known(hint, now, settings).unwrap_or_else(|| self.not_found(now, settings))
    }

    fn known(&self, hint: &KeyHint<'_>, now: Instant, settings: &Settings) -> Option<KeyAnswer> {
        match self.usable(now, settings)?.find(hint) {
            Found::Key(key) => Some(KeyAnswer::Found(key)),
            Found::Unfit => Some(KeyAnswer::Unknown),
            Found::Nothing => None,
        }
    }

    /// That a key does not exist is said only on the word of an issuer that answers.
    fn not_found(&self, now: Instant, settings: &Settings) -> KeyAnswer {
        match self.last {
            Some(Attempt { outcome: Outcome::Succeeded, .. })
                if self.usable(now, settings).is_some() =>
            {
                KeyAnswer::Unknown
            }
            Some(last) => come_back_at(last.next, now),
            None => KeyAnswer::Unavailable { retry_after: None },
        }
    }

    fn usable(&self, now: Instant, settings: &Settings) -> Option<&KeySet> {
        self.keys
            .as_ref()
            .filter(|held| now.saturating_duration_since(held.since) <= settings.max_stale)
            .map(|held| &*held.set)
    }
}

fn come_back_at(next: Instant, now: Instant) -> KeyAnswer {
    let wait = next.saturating_duration_since(now).max(Duration::from_secs(1));
    KeyAnswer::Unavailable { retry_after: Some(wait) }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("keys", &self.set().map(|set| set.len()))
            .field("attempts", &self.attempts)
            .field("fetching", &self.fetching)
            .field("last", &self.last)
            .finish()
    }
}
