//! What a record learns about a refusal. Clients see none of it.

use std::sync::Arc;

use thiserror::Error;

use crate::{Cost, Quota};

/// The bucket does not hold what the request costs. The source of denials of kind
/// [`RateLimited`](palisade_core::DenialKind::RateLimited).
///
/// A renderer that wants to name the violated policy downcasts to this.
#[derive(Clone, Debug, Error)]
#[error("the quota `{}` is used up for now", .quota.name())]
pub struct QuotaExceededError {
    quota: Arc<Quota>,
    cost: Cost,
}

impl QuotaExceededError {
    pub(crate) const fn new(quota: Arc<Quota>, cost: Cost) -> Self {
        Self { quota, cost }
    }

    /// The quota.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// What the request would have cost.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        self.cost
    }
}

/// An operation costs more than a full bucket holds, so it could never pass.
#[derive(Clone, Debug, Error)]
#[error(
    "a cost of {cost} is more than the quota `{}` ever holds; raise its burst of {} or lower the cost",
    .quota.name(), .quota.burst_size()
)]
pub struct UnpayableCostError {
    quota: Arc<Quota>,
    cost: Cost,
}

impl UnpayableCostError {
    pub(crate) const fn new(quota: Arc<Quota>, cost: Cost) -> Self {
        Self { quota, cost }
    }

    /// The quota.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// The cost.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        self.cost
    }
}

/// Nothing outside the limit left the fact that its key is made of.
#[derive(Clone, Debug, Error)]
#[error(
    "the quota `{}` has no key for this request; put the layer that leaves it outside this one",
    .quota.name()
)]
pub struct MissingKeyError {
    quota: Arc<Quota>,
}

impl MissingKeyError {
    pub(crate) const fn new(quota: Arc<Quota>) -> Self {
        Self { quota }
    }

    /// The quota.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }
}
