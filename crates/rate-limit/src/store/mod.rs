//! All buckets of one limit, in bounded memory.
//!
//! A table that forgets the least recently used key when it is full is no limit at all: whoever can send
//! from many keys makes it forget the one that is used up. So this one forgets only full buckets, which
//! are the same as new ones. A new key for which there is no room is charged to a bucket that it shares.

mod fingerprint;
mod table;

use std::{
    hash::Hash,
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use self::{fingerprint::Fingerprints, table::Table};
use crate::gcra::{Charge, FullAt, Moment, Verdict};

/// The buckets.
pub(crate) struct Buckets {
    max_keys: NonZeroUsize,
    fingerprints: Fingerprints,
    keys: Table,
    /// Of groups whose members found no room.
    groups: Table,
    /// Of everyone else who found no room.
    overflow: SharedBucket,
    /// Of requests without a key, where that is allowed.
    keyless: SharedBucket,
    overflowed: AtomicU64,
}

/// Who was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charged {
    OwnBucket,
    SharedBucket,
}

impl Buckets {
    pub(crate) fn new(max_keys: NonZeroUsize) -> Self {
        // Each group holds many keys, so few buckets do.
        let max_groups =
            NonZeroUsize::new(max_keys.get().div_ceil(16)).unwrap_or(NonZeroUsize::MIN);
        Self {
            max_keys,
            fingerprints: Fingerprints::new(),
            keys: Table::new(max_keys),
            groups: Table::new(max_groups),
            overflow: SharedBucket::default(),
            keyless: SharedBucket::default(),
            overflowed: AtomicU64::new(0),
        }
    }

    /// Charges the bucket of `key`, or, if there is none and no room for one, that of the group that
    /// `coarser` says, or, if there is no room for that either, the one of all others.
    pub(crate) fn charge<K: Hash>(
        &self,
        key: &K,
        coarser: impl FnOnce() -> Option<K>,
        charge: Charge,
        now: Moment,
    ) -> (Verdict, Charged) {
        if let Some(verdict) = self.keys.charge(self.fingerprints.of(key), charge, now) {
            return (verdict, Charged::OwnBucket);
        }
        self.overflowed.fetch_add(1, Ordering::Relaxed);
        let of_group =
            coarser().and_then(|key| self.groups.charge(self.fingerprints.of(&key), charge, now));
        let verdict = of_group.unwrap_or_else(|| self.overflow.charge(charge, now));
        (verdict, Charged::SharedBucket)
    }

    /// Charges the one bucket of all requests without a key.
    pub(crate) fn charge_keyless(&self, charge: Charge, now: Moment) -> (Verdict, Charged) {
        (self.keyless.charge(charge, now), Charged::SharedBucket)
    }

    /// A number that nobody outside can foretell, different for each key and moment.
    pub(crate) fn jitter_for<K: Hash>(&self, key: &K, now: Moment) -> u64 {
        self.fingerprints.jitter(key, now)
    }

    pub(crate) const fn max_keys(&self) -> NonZeroUsize {
        self.max_keys
    }

    /// How many keys have a bucket.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How often a key found no room.
    pub(crate) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }
}

/// A bucket that needs no key.
#[derive(Debug, Default)]
struct SharedBucket(Mutex<Timed>);

#[derive(Debug, Default)]
struct Timed {
    bucket: FullAt,
    latest: Moment,
}

impl SharedBucket {
    fn charge(&self, charge: Charge, now: Moment) -> Verdict {
        // No foreign code runs under the lock, so what a poisoned one guards is whole.
        let mut timed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        timed.latest = timed.latest.max(now);
        let now = timed.latest;
        charge.apply(&mut timed.bucket, now)
    }
}

#[cfg(test)]
mod tests;
