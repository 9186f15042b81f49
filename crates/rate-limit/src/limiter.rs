//! The decision about one request.

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use http::request::Parts;
use palisade_core::{Clock, Denial, DenialKind, Operation, Reason};

use crate::{
    Cost, ExtractKey, KeyScope, MissingKeyError, QuotaExceededError, STAGE, UnpayableCostError,
    cost::Costs,
    gcra::{Charge, Moment, NoCharge, Standing, Verdict},
    headers::{Policy, Stamp},
    store::{Buckets, Charged},
};

const COST_EXCEEDS_BURST: Reason =
    Reason::new("cost_exceeds_burst", "this operation costs more than the limit ever allows");
const KEY_MISSING: Reason =
    Reason::new("rate_limit_key_missing", "no layer outside this one says whom to charge");
const RATE_LIMITED: Reason = Reason::new("rate_limited", "too many requests for now");

/// Everything that decides about a request.
#[derive(Clone)]
pub(crate) struct Limiter<K, F, C> {
    pub(crate) policy: Arc<Policy>,
    pub(crate) key: K,
    pub(crate) costs: Costs<F>,
    pub(crate) clock: C,
    pub(crate) keyless: Keyless,
    pub(crate) buckets: Arc<Buckets>,
}

/// What to do with a request that has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyless {
    Refuse,
    Share,
}

/// A refusal, and what to write on it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) denial: Denial,
    pub(crate) stamp: Option<Stamp>,
}

impl<K, F, C> Limiter<K, F, C>
where
    K: ExtractKey,
    F: Fn(&Operation) -> Cost,
    C: Clock,
{
    /// Lets a request pass, with what to write on its response, or refuses it.
    pub(crate) fn decide(&self, request: &Parts) -> Result<Option<Stamp>, Refusal> {
        // The key first, even where nothing will be charged: a layer that is missing should be missed
        // by the first request, not by the first dear one.
        let key = self.key.key(request);
        if key.is_none() && self.keyless == Keyless::Refuse {
            return Err(self.missing_key());
        }
        let cost = self.costs.cost(request);
        let charge = match Charge::new(self.policy.quota(), cost) {
            Ok(charge) => charge,
            Err(NoCharge::Free) => return Ok(None),
            Err(NoCharge::NeverEnough) => return Err(self.unpayable(cost)),
        };
        let now = Moment::now(&self.clock);
        let (verdict, charged) = match &key {
            Some(key) => self.buckets.charge(key, || self.key.coarser(key), charge, now),
            None => self.buckets.charge_keyless(charge, now),
        };
        match verdict {
            Verdict::Allowed(standing) => Ok(Some(self.stamp(charged, standing))),
            Verdict::Refused(standing) => {
                let denial = self.rate_limited(cost, self.retry_after(&key, now, standing.window));
                Err(Refusal { denial, stamp: Some(self.stamp(charged, standing)) })
            }
        }
    }

    fn stamp(&self, charged: Charged, standing: Standing) -> Stamp {
        let told = match (charged, self.key.scope()) {
            (Charged::OwnBucket, KeyScope::OneCaller) => Some(standing),
            (Charged::OwnBucket, KeyScope::ManyCallers) | (Charged::SharedBucket, _) => None,
        };
        Stamp::new(Arc::clone(&self.policy), told)
    }

    /// How long to wait, and up to a tenth longer: who was refused together should not come back
    /// together. Never shorter, which would be a wait for nothing.
    fn retry_after<T: Hash>(&self, key: &T, now: Moment, wait: Duration) -> Duration {
        const STEPS: u64 = 1_024;
        let step = self.buckets.jitter_for(key, now).checked_rem(STEPS).unwrap_or(0);
        let tenth = u64::try_from(wait.as_nanos() / 10).unwrap_or(u64::MAX);
        let extra = (tenth / STEPS).saturating_mul(step);
        wait.saturating_add(Duration::from_nanos(extra))
    }

    fn rate_limited(&self, cost: Cost, retry_after: Duration) -> Denial {
        Denial::new(STAGE, DenialKind::RateLimited, RATE_LIMITED)
            .with_retry_after(retry_after)
            .with_source(QuotaExceededError::new(Arc::clone(self.policy.quota()), cost))
    }

    fn missing_key(&self) -> Refusal {
        let denial = Denial::new(STAGE, DenialKind::Misconfigured, KEY_MISSING)
            .with_source(MissingKeyError::new(Arc::clone(self.policy.quota())));
        Refusal { denial, stamp: None }
    }

    /// Not 429: there is no moment to come back at. Not 500: a cost may depend on what the client asks
    /// for, and a stranger must not be able to ring the operator's bell at will.
    fn unpayable(&self, cost: Cost) -> Refusal {
        let denial = Denial::new(STAGE, DenialKind::Forbidden, COST_EXCEEDS_BURST)
            .with_source(UnpayableCostError::new(Arc::clone(self.policy.quota()), cost));
        Refusal { denial, stamp: None }
    }
}

impl<K, F, C> fmt::Debug for Limiter<K, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("quota", self.policy.quota())
            .field("costs", &self.costs)
            .field("keyless", &self.keyless)
            .field("tracked_keys", &self.buckets.len())
            .finish_non_exhaustive()
    }
}
