//! The replay store of one process.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, hash_map::Entry},
    fmt,
    future::{Ready, ready},
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use palisade_core::{Clock, SystemClock};

use super::{ProofUse, ReplayStore, ReplayStoreError, UsedProof};

/// Some 50 MB when full, and room for 2,600 requests a second in the window that is set by default.
const DEFAULT_CAPACITY: usize = 1 << 18;
/// One account can take this part of the places.
const SHARES: usize = 8;
/// So much is tidied up with each request. More than one is remembered, so expired proofs do not pile up, and
/// no request pays for a whole crowd, unless it would be refused otherwise.
const MAX_FORGOTTEN_AT_ONCE: usize = 64;

/// A [`ReplayStore`] in memory, bounded, for a service of one process.
///
/// With several processes behind one address, a proof can be used once in each of them: use a store that they
/// share.
///
/// It never forgets a proof that could be used again. When it is full, requests with DPoP are refused with 503
/// until the oldest proofs expire; no account gets more than an eighth of the places, so one account alone
/// cannot bring that about. A service account that many clients share is one account, too.
#[derive(Clone)]
pub struct MemoryReplays {
    table: Arc<Mutex<Table>>,
    clock: Arc<dyn Clock + Send + Sync>,
    capacity: usize,
    share: usize,
}

#[derive(Default)]
struct Table {
    holders: HashMap<[u8; 32], [u8; 32]>,
    /// The first to expire on top.
    expiries: BinaryHeap<Reverse<(Duration, [u8; 32])>>,
    places: HashMap<[u8; 32], usize>,
}

impl MemoryReplays {
    /// Room for 262,144 proofs.
    #[must_use]
    pub fn new() -> Self {
        Self::bounded(DEFAULT_CAPACITY)
    }

    /// Room for so many proofs, each of which takes some 200 bytes for as long as it could be used again, and half
    /// a minute more.
    #[must_use]
    pub fn with_capacity(proofs: NonZeroUsize) -> Self {
        Self::bounded(proofs.get())
    }

    fn bounded(capacity: usize) -> Self {
        Self {
            table: Arc::default(),
            clock: Arc::new(SystemClock::new()),
            capacity,
            share: capacity.div_ceil(SHARES),
        }
    }

    /// Changes where the time comes from.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    fn remember_now(&self, proof: &UsedProof) -> Result<ProofUse, ReplayStoreError> {
        let now = self.clock.monotonic();
        // The lock holds no foreign code, so a poisoned table is still whole.
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.forget_expired(now, MAX_FORGOTTEN_AT_ONCE);
        if table.holders.contains_key(proof.digest()) {
            return Ok(ProofUse::Repeated);
        }
        if !self.has_place(&table, proof) {
            // After a quiet time, those who are in the way may have expired long ago.
            table.forget_expired(now, usize::MAX);
            if !self.has_place(&table, proof) {
                return Err(table.full(now));
            }
        }
        table.insert(proof, now.saturating_add(proof.keep_for()));
        Ok(ProofUse::First)
    }

    fn has_place(&self, table: &Table, proof: &UsedProof) -> bool {
        let taken = table.places.get(proof.holder()).copied().unwrap_or_default();
        table.holders.len() < self.capacity && taken < self.share
    }
}

impl Table {
    fn forget_expired(&mut self, now: Duration, at_most: usize) {
        for _ in 0..at_most {
            match self.expiries.peek() {
                Some(Reverse((expiry, _))) if *expiry <= now => {}
                _ => return,
            }
            let Some(Reverse((_, digest))) = self.expiries.pop() else { return };
            let Some(holder) = self.holders.remove(&digest) else { continue };
            if let Entry::Occupied(mut places) = self.places.entry(holder) {
                *places.get_mut() = places.get().saturating_sub(1);
                if *places.get() == 0 {
                    places.remove();
                }
            }
        }
    }

    fn insert(&mut self, proof: &UsedProof, expiry: Duration) {
        self.holders.insert(*proof.digest(), *proof.holder());
        self.expiries.push(Reverse((expiry, *proof.digest())));
        let places = self.places.entry(*proof.holder()).or_default();
        *places = places.saturating_add(1);
    }

    fn full(&self, now: Duration) -> ReplayStoreError {
        match self.expiries.peek() {
            Some(Reverse((expiry, _))) => {
                ReplayStoreError::new().retry_after(expiry.saturating_sub(now))
            }
            None => ReplayStoreError::new(),
        }
    }
}

impl ReplayStore for MemoryReplays {
    type Remembering = Ready<Result<ProofUse, ReplayStoreError>>;

    fn remember(&self, proof: UsedProof) -> Self::Remembering {
        ready(self.remember_now(&proof))
    }
}

impl Default for MemoryReplays {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryReplays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplays").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::ManualClock;

    use super::*;
    use crate::testing::clock;

    const FIRST: Result<ProofUse, ReplayStoreError> = Ok(ProofUse::First);
    const REPEATED: Result<ProofUse, ReplayStoreError> = Ok(ProofUse::Repeated);

    fn replays(capacity: usize) -> (MemoryReplays, ManualClock) {
        let clock = clock();
        let replays = MemoryReplays::with_capacity(NonZeroUsize::new(capacity).unwrap());
        (replays.with_clock(clock.clone()), clock)
    }

    fn proof(jti: u32, subject: &str) -> UsedProof {
        let jti = jti.to_be_bytes();
        UsedProof::new([b"key", b"target", &jti], ["issuer", subject], Duration::from_secs(60))
    }

    fn full(seconds: u64) -> Result<ProofUse, ReplayStoreError> {
        Err(ReplayStoreError::new().retry_after(Duration::from_secs(seconds)))
    }

    #[test]
    fn pop_03_a_proof_counts_once_until_it_expires() {
        let (replays, clock) = replays(8);
        assert_eq!(replays.remember_now(&proof(1, "alice")), FIRST);
        assert_eq!(replays.remember_now(&proof(1, "alice")), REPEATED);
        assert_eq!(replays.remember_now(&proof(1, "bob")), REPEATED, "whoever it is");
        clock.advance(Duration::from_millis(59_999));
        assert_eq!(replays.remember_now(&proof(1, "alice")), REPEATED);
        clock.advance(Duration::from_millis(1));
        assert_eq!(replays.remember_now(&proof(1, "alice")), FIRST);
    }

    #[test]
    fn pop_03_when_full_nothing_is_forgotten_and_newcomers_wait() {
        let (replays, clock) = replays(4);
        for (jti, subject) in ["a", "b", "c", "d"].into_iter().enumerate() {
            assert_eq!(replays.remember_now(&proof(u32::try_from(jti).unwrap(), subject)), FIRST);
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(replays.remember_now(&proof(4, "e")), full(56));
        assert_eq!(replays.remember_now(&proof(0, "a")), REPEATED, "still known");
        clock.advance(Duration::from_secs(56));
        assert_eq!(replays.remember_now(&proof(4, "e")), FIRST, "the first place is free");
        assert_eq!(replays.remember_now(&proof(5, "f")), full(1));
        assert_eq!(replays.remember_now(&proof(1, "b")), REPEATED);
    }

    #[test]
    fn pop_03_one_account_gets_an_eighth() {
        let (replays, clock) = replays(80);
        for jti in 0..10 {
            assert_eq!(replays.remember_now(&proof(jti, "mallory")), FIRST);
        }
        assert_eq!(replays.remember_now(&proof(10, "mallory")), full(60));
        assert_eq!(replays.remember_now(&proof(10, "alice")), FIRST, "others have their places");
        clock.advance(Duration::from_secs(60));
        assert_eq!(replays.remember_now(&proof(11, "mallory")), FIRST);
    }

    #[test]
    fn pop_03_a_flood_of_proofs_takes_no_more_than_their_places() {
        let (replays, clock) = replays(1_000);
        for jti in 0..100_000 {
            let _ = replays.remember_now(&proof(jti, &(jti % 50).to_string()));
            if jti % 10 == 0 {
                clock.advance(Duration::from_secs(1));
            }
        }
        let table = replays.table.lock().unwrap();
        assert!(table.holders.len() <= 1_000 && table.holders.len() == table.expiries.len());
        assert_eq!(table.places.values().sum::<usize>(), table.holders.len());
        assert!(table.places.len() <= 50);
    }

    #[test]
    fn pop_03_who_was_busy_before_a_quiet_time_is_not_refused_after_it() {
        let (replays, clock) = replays(800);
        for jti in 0..700 {
            assert_eq!(replays.remember_now(&proof(jti, &(jti % 7).to_string())), FIRST);
        }
        clock.advance(Duration::from_secs(1));
        for jti in 700..800 {
            assert_eq!(replays.remember_now(&proof(jti, "alice")), FIRST);
        }
        assert_eq!(replays.remember_now(&proof(800, "alice")), full(59));
        clock.advance(Duration::from_secs(60));
        assert_eq!(replays.remember_now(&proof(800, "alice")), FIRST, "all of them expired");
        assert_eq!(replays.remember_now(&proof(800, "alice")), REPEATED);
    }

    #[test]
    fn debug_shows_no_proofs() {
        assert_eq!(format!("{:?}", replays(4).0), "MemoryReplays { capacity: 4, .. }");
    }
}
