//! What the server said a moment ago.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use palisade_core::{Clock, Principal};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::claims::Rules;
use crate::{BearerToken, Rejection, trust::Claimed};

/// The SHA-256 of a whole token: what verdicts are remembered by.
///
/// Not the token: whoever reads our memory or a dump of it would be the caller. Not a part of it, and nothing that was
/// read from it: two tokens would share a verdict (CCH-01).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(super) fn of(token: &BearerToken) -> Self {
        Self(Sha256::digest(token.expose()).into())
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest")
    }
}

/// How much is remembered, and for how long. Zero is never.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) active_for: Duration,
    pub(super) active_entries: usize,
    pub(super) refused_for: Duration,
    pub(super) refused_entries: usize,
}

/// Verdicts on tokens. Those of good tokens have a place of their own, so that a flood of bad ones cannot push them
/// out (CCH-04).
pub(super) struct Verdicts {
    limits: Limits,
    active: Cache<TokenDigest, Active>,
    refused: Cache<TokenDigest, Refused>,
    /// Raised whenever something is forgotten. A verdict that was asked for before does not come in after.
    generation: AtomicU64,
}

#[derive(Clone)]
struct Active {
    claimed: Claimed,
    until: Duration,
}

#[derive(Clone)]
struct Refused {
    rejection: Rejection,
    until: Duration,
}

/// The moment a question was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Verdicts {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            active: Cache::new(limits.active_entries),
            refused: Cache::new(limits.refused_entries),
            generation: AtomicU64::new(0),
        }
    }

    pub(super) fn get(
        &self,
        token: &TokenDigest,
        rules: &Rules,
        clock: &impl Clock,
    ) -> Option<Result<Principal, Rejection>> {
        let measured = clock.monotonic();
        if let Some(active) = self.active.get(token) {
            // The date is read each time: a corrected clock counts at once.
            if measured < active.until && rules.still_holds(&active.claimed, clock.now()) {
                return Some(Ok(active.claimed.principal));
            }
            self.active.remove_if(token, |active| measured >= active.until);
            return None;
        }
        let refused = self.refused.get(token)?;
        if measured < refused.until {
            return Some(Err(refused.rejection));
        }
        self.refused.remove_if(token, |refused| measured >= refused.until);
        None
    }

    pub(super) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::SeqCst))
    }

    /// RFC 7662 §4: "the response MUST NOT be cached beyond the time indicated therein" by `exp`.
    pub(super) fn accept(
        &self,
        token: TokenDigest,
        claimed: Claimed,
        asked: Generation,
        clock: &impl Clock,
    ) {
        let now = clock.now();
        let left =
            claimed.principal.expires_at().map(|end| end.duration_since(now).unwrap_or_default());
        let keep = left.map_or(self.limits.active_for, |left| left.min(self.limits.active_for));
        if keep.is_zero() || self.generation() != asked {
            return;
        }
        let until = clock.monotonic().saturating_add(keep);
        self.active.insert(token, Active { claimed, until });
        // Between the look and the insertion somebody may have forgotten it.
        if self.generation() != asked {
            self.active.remove(&token);
        }
    }

    pub(super) fn refuse(&self, token: TokenDigest, rejection: Rejection, clock: &impl Clock) {
        // A yes from before does not outlive a no.
        self.active.remove(&token);
        if !self.limits.refused_for.is_zero() {
            let until = clock.monotonic().saturating_add(self.limits.refused_for);
            self.refused.insert(token, Refused { rejection, until });
        }
    }

    pub(super) fn forget(&self, token: &TokenDigest) {
        self.next_generation();
        self.active.remove(token);
        self.refused.remove(token);
    }

    pub(super) fn forget_if(&self, is_meant: impl Fn(&Principal) -> bool) {
        self.next_generation();
        self.active.retain(|_, active| !is_meant(&active.claimed.principal));
    }

    pub(super) fn clear(&self) {
        self.next_generation();
        self.active.clear();
        self.refused.clear();
    }

    fn next_generation(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn len(&self) -> (usize, usize) {
        (self.active.len(), self.refused.len())
    }
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (active, refused) = self.len();
        f.debug_struct("Verdicts")
            .field("limits", &self.limits)
            .field("active", &active)
            .field("refused", &refused)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl From<[u8; 32]> for TokenDigest {
    fn from(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }
}
