//! The one task: it alone fetches, one fetch at a time, so an older answer cannot overtake a newer one.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};

use super::{
    KeyEvent,
    attempt::{Causes, FetchError, fetch},
    event::Observer,
    settings::Settings,
    snapshot::{Held, Snapshot},
    unknown::UnknownNames,
};
use crate::keys::{
    FetchKeys, KeyValidator, VerificationKey,
    fetch::{Freshness, Read, ReadDocument},
    set::KeySet,
};

const FIRST_RETRY: Duration = Duration::from_secs(1);
/// How long "not modified" is believed before a set is read again: some servers say it of what they modified.
const MAX_UNREAD: Duration = Duration::from_secs(60 * 60);

/// What the task and the handles share.
pub(super) struct Line {
    pub(super) asked: Arc<Notify>,
    pub(super) names: Arc<UnknownNames>,
    pub(super) observer: Observer,
    pub(super) settings: Settings,
    pub(super) snapshot: watch::Sender<Snapshot>,
}

pub(super) async fn run<F: FetchKeys>(source: F, line: Line) {
    let settings = line.settings;
    let mut failures = 0_u32;
    let mut cause = Cause::Schedule;
    let mut ask_from = Instant::now();
    let mut exhausted = false;
    loop {
        let began = Instant::now();
        let validator = line.validator(cause, began);
        line.names.begin();
        line.snapshot.send_modify(Snapshot::begin);
        let fetched = fetch(&source, &settings, validator.as_ref()).await;
        let ended = Instant::now();
        // Only fetches that requests cause use up what requests may cause: a key that is rotated in right
        // after a scheduled fetch is found at once.
        if cause == Cause::Request {
            ask_from = after(ended, settings.cooldown);
            line.snapshot.send_modify(|snapshot| snapshot.ask_from(ask_from));
        }
        let lookups = line.names.take_lookups();
        if lookups > 0 {
            tracing::info!(lookups, "requests asked for unknown keys");
            line.observer.tell(&KeyEvent::UnknownKeys { lookups });
        }
        let used = fetched.and_then(|(read, freshness)| line.take(read, freshness, began, ended));
        let next = match used {
            Ok(next) => {
                (failures, exhausted) = (0, false);
                next
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                let wait = settings.jitter.later(retry_after(failures, settings.cooldown));
                let next = after(ended, wait);
                tracing::warn!(error = %Causes(&error), failures, "fetching keys failed");
                let event = KeyEvent::FetchFailed { failures, cause: error.cause(), next: wait };
                line.observer.tell(&event);
                line.snapshot.send_modify(|snapshot| snapshot.fail(failures, next));
                exhausted = line.tell_what_is_left(ended, exhausted);
                next
            }
        };
        cause = wait(next, &line.asked, ask_from).await;
    }
}

/// Why there is a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Request,
    Schedule,
}

impl Line {
    /// Whether it is enough to learn that nothing changed. Not if somebody asked for a key that we do not have: what
    /// we have is what is in doubt.
    fn validator(&self, cause: Cause, now: Instant) -> Option<KeyValidator> {
        if cause == Cause::Request {
            return None;
        }
        let snapshot = self.snapshot.borrow();
        let held = snapshot.held()?;
        let is_recent = now.saturating_duration_since(held.read) < MAX_UNREAD;
        held.validator.clone().filter(|_| is_recent)
    }

    /// Uses what was fetched, and says when to fetch again.
    fn take<E: std::error::Error>(
        &self,
        read: Read,
        freshness: Freshness,
        began: Instant,
        ended: Instant,
    ) -> Result<Instant, FetchError<E>> {
        let settings = &self.settings;
        let wait = refresh_after(freshness.max_age, settings);
        let next = after(ended, wait);
        match read {
            Read::NotModified => {
                self.snapshot.send_modify(|snapshot| snapshot.confirm(began, next));
                self.observer.tell(&KeyEvent::NotModified { next: wait });
            }
            Read::Set { keys, document } => {
                self.replace(keys, document, freshness, began, (wait, next))?;
            }
        }
        Ok(next)
    }

    fn replace<E: std::error::Error>(
        &self,
        keys: KeySet,
        document: ReadDocument,
        freshness: Freshness,
        began: Instant,
        (wait, next): (Duration, Instant),
    ) -> Result<(), FetchError<E>> {
        let written = began.checked_sub(freshness.age);
        let (old, in_use) = {
            let snapshot = self.snapshot.borrow();
            (snapshot.held().cloned(), snapshot.usable(began, &self.settings).is_some())
        };
        // The issuer may have several caches, and not all of them have heard of a rotation. A withdrawn key must not
        // come back from one of those. Once nothing is left to use, any set is better: we would take it when we start.
        if in_use
            && old.as_ref().is_some_and(|old| {
                old.is_newer_than(written) && old.document.digest != document.digest
            })
        {
            return Err(FetchError::Outdated);
        }
        let written = written.max(old.as_ref().and_then(|old| old.written));
        let number = old.as_ref().map_or(0, |old| old.number).saturating_add(1);
        let held = Held {
            set: Arc::new(keys),
            document,
            validator: freshness.validator,
            number,
            since: began,
            read: began,
            written,
        };
        let (set, names) = (Arc::clone(&held.set), Arc::clone(&held.document.names));
        let old = old.as_ref().map(|old| &*old.set);
        let withdrawn = old.into_iter().flat_map(|old| old.keys_not_in(&set));
        let published = names.iter().map(Option::as_deref);
        self.snapshot.send_modify(|snapshot| {
            snapshot.succeed(held, next);
            // Before anybody sees the set: who does, and finds no word about a name, would be told that it is new.
            self.names.confirm(number, published, withdrawn.map(VerificationKey::kid));
        });
        self.observer.tell(&KeyEvent::Fetched { keys: set.len(), next: wait });
        for reason in set.dropped() {
            self.observer.tell(&KeyEvent::KeyDropped { reason });
        }
        self.tell_rotation(old, &set);
        Ok(())
    }

    fn tell_rotation(&self, old: Option<&KeySet>, new: &KeySet) {
        let keys = new.len();
        let Some(old) = old else {
            tracing::info!(keys, "keys fetched");
            return;
        };
        let (added, withdrawn) = (new.keys_not_in(old).count(), old.keys_not_in(new).count());
        if added > 0 || withdrawn > 0 {
            tracing::info!(keys, added, withdrawn, "keys rotated");
            self.observer.tell(&KeyEvent::Rotated { added, withdrawn });
        }
    }

    /// After a failure: for how long the keys will do. Whether they will not.
    fn tell_what_is_left(&self, now: Instant, exhausted_before: bool) -> bool {
        let (age, usable) = {
            let snapshot = self.snapshot.borrow();
            let age = snapshot.held().map(|held| now.saturating_duration_since(held.since));
            (age, snapshot.usable(now, &self.settings).is_some())
        };
        match age {
            Some(age) if usable => {
                let remaining = self.settings.max_stale.saturating_sub(age);
                self.observer.tell(&KeyEvent::StaleServed { age, remaining });
            }
            Some(_) | None if !exhausted_before => {
                tracing::error!("no keys are left to verify tokens with");
                self.observer.tell(&KeyEvent::Exhausted { age });
            }
            Some(_) | None => {}
        }
        !usable
    }
}

/// INVARIANT: no request causes a fetch before `ask_from`. Readers look too, but a request of theirs
/// may be as old as the fetch before; whoever made it is answered by that fetch.
async fn wait(next: Instant, asked: &Notify, ask_from: Instant) -> Cause {
    while timeout_at(next, asked.notified()).await.is_ok() {
        if Instant::now() >= ask_from {
            return Cause::Request;
        }
    }
    Cause::Schedule
}

fn after(instant: Instant, wait: Duration) -> Instant {
    // Never overflows: the settings are at most a year.
    instant.checked_add(wait).unwrap_or(instant)
}

/// What the issuer wants, within what we allow (attack JWK-13), and a little sooner.
fn refresh_after(max_age: Option<Duration>, settings: &Settings) -> Duration {
    let longest = settings.refresh_interval;
    let wanted = max_age.unwrap_or(longest).max(settings.min_refresh_interval).min(longest);
    settings.jitter.sooner(wanted)
}

/// One second, doubled with each failure, up to the cooldown.
fn retry_after(failures: u32, cooldown: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    FIRST_RETRY.saturating_mul(1 << doublings).min(cooldown)
}
