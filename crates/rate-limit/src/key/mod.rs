//! Whom requests are charged to.

mod addr;
mod identity;

use std::hash::Hash;

use http::request::Parts;
use palisade_core::Operation;

pub use self::{
    addr::{InvalidPrefixError, Network, PerClientAddr},
    identity::{ClientKey, PerClient, PerPrincipal, PerPrincipalAndOperation, PrincipalKey},
};

/// Says whom a request is charged to.
///
/// A key is made of facts that a layer outside has *established*: an address, a verified principal, an
/// operation. Never make one of what a request merely claims, such as a header or an unverified token:
/// whoever writes it picks a fresh bucket for every request.
///
/// Let a key of several parts be a tuple or a struct, not a string put together: `a:b` and `c` would
/// share a bucket with `a` and `b:c`, and one caller could drain the bucket of another.
///
/// Wrong answers are tolerable as follows. Two callers with one key share a quota. One caller with many
/// keys has many quotas. Neither makes the layer panic or grow without bound.
///
/// A closure will do:
///
/// ```
/// use std::num::NonZeroU32;
/// use http::request::Parts;
/// use palisade_core::Principal;
/// use palisade_rate_limit::{Quota, RateLimitLayer};
///
/// // Per issuer: one tenant cannot use up what others have.
/// let per_tenant = |request: &Parts| {
///     request.extensions.get::<Principal>().map(|principal| principal.issuer().to_owned())
/// };
/// let layer = RateLimitLayer::new(Quota::per_second(NonZeroU32::MIN), per_tenant);
/// # let _ = layer;
/// ```
pub trait ExtractKey {
    /// What identifies a bucket. Only a keyed hash of it is stored.
    type Key: Eq + Hash;

    /// Whom to charge, or `None` if nothing outside left the fact that tells. Must not block and must
    /// not panic.
    fn key(&self, request: &Parts) -> Option<Self::Key>;

    /// A larger group that the key belongs to, such as the network around an address. It is charged
    /// in place of a key that there is no room for. Without one, all such keys share a single bucket.
    fn coarser(&self, key: &Self::Key) -> Option<Self::Key> {
        let _ = key;
        None
    }

    /// Whose requests are in one bucket. What is left in a bucket is told only to its one caller.
    fn scope(&self) -> KeyScope {
        KeyScope::OneCaller
    }
}

impl<F, K> ExtractKey for F
where
    F: Fn(&Parts) -> Option<K>,
    K: Eq + Hash,
{
    type Key = K;

    fn key(&self, request: &Parts) -> Option<K> {
        self(request)
    }
}

/// Whose requests are in one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an answer that implementors give")]
pub enum KeyScope {
    /// Those of many callers. How much is left would tell each how busy the others are.
    ManyCallers,
    /// Those of one caller.
    OneCaller,
}

/// One bucket for all requests.
///
/// Protects what is behind it, not callers from each other: one of them can use it all.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Global;

impl Global {
    /// One bucket for all requests.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl ExtractKey for Global {
    type Key = ();

    fn key(&self, _: &Parts) -> Option<()> {
        Some(())
    }

    fn scope(&self) -> KeyScope {
        KeyScope::ManyCallers
    }
}

/// One bucket for each [`Operation`], whoever asks.
///
/// Use it only inside a layer that lets a closed set of operations pass, such as a scope policy: whoever
/// can make up operations, paths among them, has as many buckets.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PerOperation;

impl PerOperation {
    /// One bucket for each operation.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl ExtractKey for PerOperation {
    type Key = Operation;

    fn key(&self, request: &Parts) -> Option<Operation> {
        Some(Operation::of(request).into_owned())
    }

    fn scope(&self) -> KeyScope {
        KeyScope::ManyCallers
    }
}
