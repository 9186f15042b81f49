use std::{fmt, num::NonZeroUsize, sync::Arc};

use palisade_core::{Clock, Operation, PlainRenderer, SystemClock, stack::roles::Limits};
use tower_layer::Layer;

use crate::{
    Cost, CostTable, Quota, RateLimit, UnpayableCostError,
    cost::Costs,
    headers::{Policy, Tell},
    limiter::{Keyless, Limiter},
    store::Buckets,
};

const DEFAULT_MAX_KEYS: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

/// Limits how many requests pass, for each key. See the [crate docs](crate).
///
/// Clones of a layer, and all services that they are put around, share one set of buckets. To limit two
/// services apart, call [`new`](Self::new) twice.
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RateLimitLayer<K, F = fn(&Operation) -> Cost, C = SystemClock, R = PlainRenderer> {
    limiter: Limiter<K, F, C>,
    tell: Tell,
    renderer: R,
}

impl<K> RateLimitLayer<K> {
    /// A layer that lets the requests of each key pass as far as the quota goes.
    pub fn new(quota: Quota, key: K) -> Self {
        Self {
            limiter: Limiter {
                policy: Arc::new(Policy::new(quota)),
                key,
                costs: Costs::One,
                clock: SystemClock::new(),
                keyless: Keyless::Refuse,
                buckets: Arc::new(Buckets::new(DEFAULT_MAX_KEYS)),
            },
            tell: Tell::Clients,
            renderer: PlainRenderer::new(),
        }
    }
}

impl<K, F, C, R> RateLimitLayer<K, F, C, R> {
    /// Lets `cost` say what each operation takes from the quota. It must not block and must not panic.
    ///
    /// [`Cost::FREE`] passes without a look at the quota. A cost above the
    /// [burst](Quota::burst_size) can never be paid: it is refused with 403, without `Retry-After`. To
    /// learn of such a cost before the first request, use [`with_cost_table`](Self::with_cost_table).
    pub fn with_cost<F2>(self, cost: F2) -> RateLimitLayer<K, F2, C, R>
    where
        F2: Fn(&Operation) -> Cost,
    {
        let Limiter { policy, key, costs: _, clock, keyless, buckets } = self.limiter;
        RateLimitLayer {
            limiter: Limiter { policy, key, costs: Costs::Closure(cost), clock, keyless, buckets },
            tell: self.tell,
            renderer: self.renderer,
        }
    }

    /// Lets a table say what each operation takes from the quota.
    ///
    /// # Errors
    ///
    /// [`UnpayableCostError`] if an operation costs more than the [burst](Quota::burst_size).
    pub fn with_cost_table(mut self, table: CostTable) -> Result<Self, UnpayableCostError> {
        let (highest, quota) = (table.highest(), self.limiter.policy.quota());
        if highest.units() > quota.burst_size().get() {
            return Err(UnpayableCostError::new(Arc::clone(quota), highest));
        }
        self.limiter.costs = Costs::Table(table);
        Ok(self)
    }

    /// Reads the time from `clock`. All buckets are new afterwards.
    pub fn with_clock<C2: Clock>(self, clock: C2) -> RateLimitLayer<K, F, C2, R> {
        let Limiter { policy, key, costs, clock: _, keyless, buckets } = self.limiter;
        let buckets = Arc::new(Buckets::new(buckets.max_keys()));
        RateLimitLayer {
            limiter: Limiter { policy, key, costs, clock, keyless, buckets },
            tell: self.tell,
            renderer: self.renderer,
        }
    }

    /// Changes how refusals look.
    pub fn with_renderer<R2>(self, renderer: R2) -> RateLimitLayer<K, F, C, R2> {
        RateLimitLayer { limiter: self.limiter, tell: self.tell, renderer }
    }

    /// Keeps at most so many buckets, 100,000 without this call. Each takes some 100 bytes at most.
    /// All buckets are new afterwards.
    ///
    /// Only a full bucket is forgotten. A key for which there is no room is charged to a bucket that it
    /// shares with others like it: that of the [coarser](crate::ExtractKey::coarser) key, of which there
    /// are a sixteenth as many at most, else a single one. So choose more than the callers that you
    /// expect within one [refill](Quota::refill_time), and watch [`overflowed`](Self::overflowed).
    pub fn max_keys(mut self, max_keys: NonZeroUsize) -> Self {
        self.limiter.buckets = Arc::new(Buckets::new(max_keys));
        self
    }

    /// Lets requests without a key pass as far as one quota for all of them goes.
    ///
    /// Without this call, they are refused as a wiring mistake, with 500.
    pub fn share_when_keyless(mut self) -> Self {
        self.limiter.keyless = Keyless::Share;
        self
    }

    /// Sends no `RateLimit` and no `RateLimit-Policy`. Refusals have `Retry-After` nevertheless.
    pub fn without_headers(mut self) -> Self {
        self.tell = Tell::Nobody;
        self
    }

    /// How often a key found no room, over all clones of this layer. Keep a clone to ask.
    ///
    /// If this grows, either you have more callers than [`max_keys`](Self::max_keys), or somebody makes
    /// up keys.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.limiter.buckets.overflowed()
    }

    /// How many keys have a bucket at the moment, over all clones of this layer.
    #[must_use]
    pub fn tracked_keys(&self) -> usize {
        self.limiter.buckets.len()
    }
}

impl<K, F, C, R> Limits for RateLimitLayer<K, F, C, R> {}

impl<S, K: Clone, F: Clone, C: Clone, R: Clone> Layer<S> for RateLimitLayer<K, F, C, R> {
    type Service = RateLimit<S, K, F, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimit::new(inner, Arc::new(self.limiter.clone()), self.tell, self.renderer.clone())
    }
}

impl<K: Clone, F: Clone, C: Clone, R: Clone> Clone for RateLimitLayer<K, F, C, R> {
    fn clone(&self) -> Self {
        Self { limiter: self.limiter.clone(), tell: self.tell, renderer: self.renderer.clone() }
    }
}

impl<K, F, C, R> fmt::Debug for RateLimitLayer<K, F, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitLayer")
            .field("limiter", &self.limiter)
            .field("tell", &self.tell)
            .finish_non_exhaustive()
    }
}
