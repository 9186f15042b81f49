//! A bounded map from keys to buckets.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::fingerprint::Fingerprint;
use crate::gcra::{Charge, Moment, Verdict};

/// A bounded map from keys to buckets, in parts that are locked one by one.
pub(super) struct Table {
    shards: Box<[Mutex<Shard>]>,
}

impl Table {
    pub(super) fn new(max_keys: NonZeroUsize) -> Self {
        // Few keys in one part, because parts do not fill up evenly; many, because threads wait for
        // each other. Rounded down: the sum never exceeds what was asked for.
        const KEYS_PER_SHARD: usize = 1_024;
        const MOST_SHARDS: usize = 64;
        let shards = (max_keys.get() / KEYS_PER_SHARD).clamp(1, MOST_SHARDS);
        let room = max_keys.get().checked_div(shards).unwrap_or(1);
        Self { shards: (0..shards).map(|_| Mutex::new(Shard::new(room))).collect() }
    }

    /// Charges the bucket of a key. `None` if it has none and there is no room for one.
    pub(super) fn charge(&self, key: Fingerprint, charge: Charge, now: Moment) -> Option<Verdict> {
        let shard = self.shards.get(key.below(self.shards.len()))?;
        lock(shard).charge(key, charge, now)
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).buckets.len()).sum()
    }
}

/// No foreign code runs under the lock, so what a poisoned one guards is whole.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Shard {
    room: usize,
    buckets: Vec<Bucket>,
    /// INVARIANT: `index[key]` is where the bucket with that key is in `buckets`.
    index: HashMap<Fingerprint, usize>,
    /// Where to look next for a bucket to forget.
    hand: usize,
    /// The latest moment seen. A clock that steps back is one that stands still.
    latest: Moment,
}

struct Bucket {
    key: Fingerprint,
    full_at: Moment,
}

impl Shard {
    /// How many buckets one newcomer looks at. More than one, so that the table shrinks when the crowd
    /// is gone; few, so that nobody pays for all.
    const LOOKS: usize = 32;

    fn new(room: usize) -> Self {
        Self {
            room,
            buckets: Vec::new(),
            index: HashMap::new(),
            hand: 0,
            latest: Moment::default(),
        }
    }

    fn charge(&mut self, key: Fingerprint, charge: Charge, now: Moment) -> Option<Verdict> {
        self.latest = self.latest.max(now);
        let now = self.latest;
        if let Some(bucket) = self.index.get(&key).and_then(|at| self.buckets.get_mut(*at)) {
            let mut full_at = Some(bucket.full_at);
            let verdict = charge.apply(&mut full_at, now);
            bucket.full_at = full_at.unwrap_or(bucket.full_at);
            return Some(verdict);
        }
        self.forget_full_buckets(now);
        if self.buckets.len() >= self.room {
            return None;
        }
        let mut full_at = None;
        let verdict = charge.apply(&mut full_at, now);
        if let Some(full_at) = full_at {
            self.index.insert(key, self.buckets.len());
            self.buckets.push(Bucket { key, full_at });
        }
        Some(verdict)
    }

    /// Forgets the full ones among the next few buckets. A full bucket is the same as a new one, so
    /// nobody gains; any other is somebody's debt and stays, however many newcomers knock.
    fn forget_full_buckets(&mut self, now: Moment) {
        for _ in 0..Self::LOOKS.min(self.buckets.len()) {
            match self.buckets.get(self.hand) {
                Some(bucket) if bucket.full_at <= now => self.forget(self.hand),
                Some(_) => self.hand = self.hand.saturating_add(1),
                None => self.hand = 0,
            }
        }
    }

    /// Forgets the bucket at a place that exists. The last one takes its place.
    fn forget(&mut self, at: usize) {
        let gone = self.buckets.swap_remove(at);
        self.index.remove(&gone.key);
        if let Some(moved) = self.buckets.get(at) {
            self.index.insert(moved.key, at);
        }
    }
}
