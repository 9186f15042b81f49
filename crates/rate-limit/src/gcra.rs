//! One decision of governor's generic cell rate algorithm.
//!
//! governor is asked for one decision about one bucket at one reading of the clock. Its own keyed
//! limiters cannot serve here: a [`StateStore`] is not told the time, so it could not know which buckets
//! are full and may be forgotten; and the limiter reads its clock before the store takes its lock, so
//! that a decision and a forgetting could disagree about what time it is.

use std::{
    cell::Cell,
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use governor::{
    RateLimiter,
    clock::Clock as GovernorClock,
    middleware::StateInformationMiddleware,
    nanos::Nanos,
    state::{NotKeyed, StateStore},
};
use palisade_core::Clock;

use crate::{Cost, Quota, quota::LONGEST_REFILL_NANOS};

/// A moment in nanoseconds of the layer's monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Where time stops, after 292 years.
    ///
    /// INVARIANT: this plus twice the longest refill fits into 64 bits. governor adds unchecked, at most
    /// a full bucket to the moment at which an empty one is full.
    const LAST: u64 = u64::MAX / 2;

    pub(crate) fn now(clock: &impl Clock) -> Self {
        let nanos = u64::try_from(clock.monotonic().as_nanos()).unwrap_or(Self::LAST);
        Self(nanos.min(Self::LAST))
    }

    #[cfg(test)]
    pub(crate) const fn of_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
}

const _: () = assert!(LONGEST_REFILL_NANOS.saturating_mul(2) < u64::MAX - Moment::LAST);

/// The state of a bucket: the moment at which it is full again, the algorithm's *theoretical arrival
/// time*. A bucket without one, or with one in the past, is full.
pub(crate) type FullAt = Option<Moment>;

/// What a request takes from a bucket: more than nothing and not more than a full bucket holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    engine: governor::Quota,
    interval: NonZeroU64,
    units: NonZeroU32,
}

/// Why there is nothing to charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoCharge {
    Free,
    NeverEnough,
}

/// What a charge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed(Standing),
    Refused(Standing),
}

/// What is left in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whole units.
    pub(crate) remaining: u32,
    /// For how long that is all there is. After an allowed request: until one unit more is back. After a
    /// refused one: until what it costs is there.
    pub(crate) window: Duration,
}

impl Charge {
    pub(crate) fn new(quota: &Quota, cost: Cost) -> Result<Self, NoCharge> {
        let units = NonZeroU32::new(cost.units()).ok_or(NoCharge::Free)?;
        // governor notices too, after a multiplication that may overflow.
        if units > quota.burst_size() {
            return Err(NoCharge::NeverEnough);
        }
        // The interval is not zero, which is all that `with_period` asks. The alternative limits most.
        let engine = governor::Quota::with_period(quota.interval())
            .unwrap_or(governor::Quota::per_hour(NonZeroU32::MIN))
            .allow_burst(quota.burst_size());
        Ok(Self { engine, interval: quota.interval_nanos(), units })
    }

    /// Charges a bucket, or leaves it alone if it does not hold enough.
    pub(crate) fn apply(self, bucket: &mut FullAt, now: Moment) -> Verdict {
        let cell = BucketCell(Cell::new(*bucket));
        let limiter: RateLimiter<_, _, _, StateInformationMiddleware> =
            RateLimiter::new(self.engine, cell, Reading(Cell::new(0)));
        // The first reading is where the limiter's time begins, the second is the decision's.
        limiter.clock().0.set(now.0);
        match limiter.check_n(self.units) {
            Ok(Ok(snapshot)) => {
                *bucket = limiter.into_state_store().0.get();
                Verdict::Allowed(self.standing(snapshot.remaining_burst_capacity(), *bucket, now))
            }
            Ok(Err(not_until)) => {
                Verdict::Refused(self.refusal(not_until.wait_time_from(Nanos::new(now.0))))
            }
            // Not reached: `new` refused such a charge. If it were, nothing passes.
            Err(_) => Verdict::Refused(self.refusal(self.engine.burst_size_replenished_in())),
        }
    }

    fn standing(self, remaining: u32, bucket: FullAt, now: Moment) -> Standing {
        let interval = self.interval.get();
        let full = interval.saturating_mul(u64::from(self.engine.burst_size().get()));
        let missing = bucket.map_or(0, |full_at| full_at.0.saturating_sub(now.0));
        let next = interval.saturating_mul(u64::from(remaining).saturating_add(1));
        let window = next.saturating_sub(full.saturating_sub(missing));
        Standing { remaining, window: Duration::from_nanos(window) }
    }

    fn refusal(self, wait: Duration) -> Standing {
        let interval = u128::from(self.interval.get());
        let missing = u32::try_from(wait.as_nanos().div_ceil(interval)).unwrap_or(u32::MAX);
        Standing { remaining: self.units.get().saturating_sub(missing), window: wait }
    }
}

/// One bucket, as governor wants to see it.
struct BucketCell(Cell<FullAt>);

impl StateStore for BucketCell {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, full_at) = f(self.0.get().map(|full_at| Nanos::new(full_at.0)))?;
        self.0.set(Some(Moment(full_at.as_u64())));
        Ok(outcome)
    }
}

/// A clock that shows what it is set to.
struct Reading(Cell<u64>);

impl GovernorClock for Reading {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.get())
    }
}

#[cfg(test)]
mod tests;
