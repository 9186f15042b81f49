//! What came in: digests of credentials, by request, for as long as it matters.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use palisade_core::{Clock, FollowRequest, Trail, WeakTrail};
use zeroize::Zeroizing;

use crate::{
    credentials::{Credential, Fields, Kind},
    key::{Digest, Key},
};

/// What both layers share.
pub(crate) struct Watched {
    pub(crate) key: Key,
    pub(crate) fields: Fields,
    pub(crate) clock: Arc<dyn Clock + Send + Sync>,
    pub(crate) remember_for: Duration,
    pub(crate) remember_at_most: usize,
    state: RwLock<State>,
}

/// INVARIANT: no [`Trail`] is dropped while the lock is held. The last handle tells its [`Follower`] to let go,
/// which takes the lock.
#[derive(Default)]
struct State {
    next: u64,
    /// Those in the works. Nothing is evicted from here: who keeps a request keeps its digests.
    requests: HashMap<u64, Request>,
    entries: HashMap<Digest, Entry>,
    /// Of credentials that were verified: what their ends look like, and how long they are.
    tails: Tails,
    /// Those of requests that are over, by the end of their time.
    recent: BTreeMap<(Duration, u64), Digest>,
    forgotten: u64,
}

/// By the sum of its last window: lengths, each with how often it is wanted.
type Tails = HashMap<u64, BTreeMap<usize, usize>, BuildHasherDefault<Mixed>>;

struct Request {
    trail: WeakTrail,
    marks: Vec<Mark>,
    is_identified: bool,
}

/// A credential as it is kept.
#[derive(Clone, Copy)]
struct Mark {
    digest: Digest,
    tail: u64,
    length: usize,
    kind: Kind,
}

#[derive(Default)]
struct Entry {
    requests: BTreeSet<u64>,
    recent: Option<Recent>,
}

#[derive(Clone, Copy)]
struct Recent {
    until: (Duration, u64),
    mark: Mark,
}

impl Watched {
    pub(crate) fn new(
        key: Key,
        fields: Fields,
        clock: Arc<dyn Clock + Send + Sync>,
        remember_for: Duration,
        remember_at_most: usize,
    ) -> Self {
        let state = RwLock::default();
        Self { key, fields, clock, remember_for, remember_at_most, state }
    }

    /// Keeps the credentials of a request in mind until its trail is gone.
    pub(crate) fn watch(self: &Arc<Self>, trail: &Trail, credentials: &[Credential<'_>]) {
        let mut marks = Vec::new();
        for credential in credentials {
            marks.extend(self.mark(&credential.bytes, credential.kind));
            // Names of headers and hosts have no upper case, and so have no tokens in them.
            let lower = Zeroizing::new(credential.bytes.to_ascii_lowercase());
            if credential.kind == Kind::Presented && **lower != *credential.bytes {
                marks.extend(self.mark(&lower, credential.kind));
            }
        }
        if marks.is_empty() {
            return;
        }
        let id = self.write().open(trail.downgrade(), marks);
        trail.follow(Follower { watched: Arc::clone(self), id });
    }

    fn mark(&self, bytes: &[u8], kind: Kind) -> Option<Mark> {
        let tail = self.key.tail(bytes)?;
        Some(Mark { digest: self.key.digest(bytes), tail, length: bytes.len(), kind })
    }

    /// How many credentials were forgotten before their time, because there were too many.
    pub(crate) fn forgotten(&self) -> u64 {
        self.read().forgotten
    }

    /// Nothing changes while it lives, and whoever comes in waits.
    pub(crate) fn view(&self) -> View<'_> {
        View { state: self.read(), now: self.clock.monotonic() }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn counts(&self) -> [usize; 4] {
        let state = self.read();
        [state.requests.len(), state.entries.len(), state.tails.len(), state.recent.len()]
    }
}

/// Held by the trail of a request, and by nobody else.
struct Follower {
    watched: Arc<Watched>,
    id: u64,
}

impl FollowRequest for Follower {
    fn identified(&self) {
        self.watched.write().identify(self.id);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let now = self.watched.clock.monotonic();
        self.watched.write().close(self.id, now, &self.watched);
    }
}

impl Request {
    fn brought(&self, digest: &Digest, kind: Kind) -> bool {
        let is_it =
            |mark: &Mark| mark.digest == *digest && (kind == Kind::Claimed || mark.kind == kind);
        (kind == Kind::Claimed || self.is_identified) && self.marks.iter().any(is_it)
    }
}

impl State {
    fn open(&mut self, trail: WeakTrail, marks: Vec<Mark>) -> u64 {
        let id = self.next;
        self.next = id.wrapping_add(1);
        for mark in &marks {
            self.entries.entry(mark.digest).or_default().requests.insert(id);
        }
        self.requests.insert(id, Request { trail, marks, is_identified: false });
        id
    }

    /// From here on what was presented is searched for everywhere. Not earlier: what nobody has verified may
    /// be any text that a stranger would like to see refused.
    fn identify(&mut self, id: u64) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        if std::mem::replace(&mut request.is_identified, true) {
            return;
        }
        for mark in request.marks.iter().filter(|mark| mark.kind == Kind::Presented) {
            add_tail(&mut self.tails, mark);
        }
    }

    fn close(&mut self, id: u64, now: Duration, settings: &Watched) {
        let Some(request) = self.requests.remove(&id) else { return };
        for mark in &request.marks {
            if let Some(entry) = self.entries.get_mut(&mark.digest) {
                entry.requests.remove(&id);
            }
            // Only what was verified is remembered: what anybody can make up would push it out.
            if request.is_identified && mark.kind == Kind::Presented {
                let until = now.saturating_add(settings.remember_for);
                self.remember(*mark, (until, self.next));
                self.next = self.next.wrapping_add(1);
                remove_tail(&mut self.tails, mark);
            }
            self.tidy(&mark.digest);
        }
        while let Some((until, _)) = self.recent.first_key_value() {
            let is_due = until.0 <= now;
            if !is_due && self.recent.len() <= settings.remember_at_most {
                break;
            }
            let Some((_, digest)) = self.recent.pop_first() else { break };
            if let Some(recent) = self.entries.get_mut(&digest).and_then(|it| it.recent.take()) {
                remove_tail(&mut self.tails, &recent.mark);
                if !is_due {
                    self.forgotten = self.forgotten.saturating_add(1);
                }
            }
            self.tidy(&digest);
        }
    }

    fn remember(&mut self, mark: Mark, until: (Duration, u64)) {
        let entry = self.entries.entry(mark.digest).or_default();
        match entry.recent.replace(Recent { until, mark }) {
            Some(earlier) => {
                self.recent.remove(&earlier.until);
            }
            None => add_tail(&mut self.tails, &mark),
        }
        self.recent.insert(until, mark.digest);
    }

    fn tidy(&mut self, digest: &Digest) {
        if self.entries.get(digest).is_some_and(|it| it.requests.is_empty() && it.recent.is_none())
        {
            self.entries.remove(digest);
        }
    }
}

fn add_tail(tails: &mut Tails, mark: &Mark) {
    let count = tails.entry(mark.tail).or_default().entry(mark.length).or_default();
    *count = count.saturating_add(1);
}

fn remove_tail(tails: &mut Tails, mark: &Mark) {
    let Some(lengths) = tails.get_mut(&mark.tail) else { return };
    if let Some(count) = lengths.get_mut(&mark.length) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            lengths.remove(&mark.length);
        }
    }
    if lengths.is_empty() {
        tails.remove(&mark.tail);
    }
}

/// The state, held still.
pub(crate) struct View<'a> {
    state: RwLockReadGuard<'a, State>,
    now: Duration,
}

impl View<'_> {
    /// Whether there is anything to search for.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.entries.is_empty()
    }

    /// How long verified credentials are that end as this window does.
    pub(crate) fn lengths(&self, tail: u64) -> impl Iterator<Item = usize> {
        self.state.tails.get(&tail).into_iter().flat_map(BTreeMap::keys).copied()
    }

    /// Whether this is a credential that was received: by a request that is in the works, or not long ago.
    /// Adds the requests to `ids`. With `Presented`, only what was verified counts.
    pub(crate) fn knows(&self, digest: &Digest, kind: Kind, ids: &mut BTreeSet<u64>) -> bool {
        let Some(entry) = self.state.entries.get(digest) else { return false };
        let mut is_known = entry.recent.is_some_and(|recent| recent.until.0 > self.now);
        for id in &entry.requests {
            let request = self.state.requests.get(id);
            if request.is_some_and(|request| request.brought(digest, kind)) {
                ids.insert(*id);
                is_known = true;
            }
        }
        is_known
    }

    /// The trails of requests. To be dropped after the view.
    pub(crate) fn trails(&self, ids: &BTreeSet<u64>) -> Vec<Trail> {
        let requests = ids.iter().filter_map(|id| self.state.requests.get(id));
        requests.filter_map(|request| request.trail.upgrade()).collect()
    }
}

/// Takes keys as they are: they are mixed, with a secret.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
