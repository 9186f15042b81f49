use std::time::Duration;

/// Whether tokens can be verified, for a readiness probe. See [`RemoteKeys::health`](super::RemoteKeys::health).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "probes account for all of it, and there is no fourth state"
)]
pub enum KeyHealth {
    /// The last fetch succeeded.
    Ready {
        /// The usable keys.
        keys: usize,
        /// How long ago the set was fetched.
        age: Duration,
    },
    /// Fetches fail, and the last keys are used.
    Stale {
        /// The usable keys.
        keys: usize,
        /// How long ago the set was fetched.
        age: Duration,
        /// After that, tokens are answered with 503.
        remaining: Duration,
        /// How many fetches failed in a row.
        failures: u32,
    },
    /// There are no keys, or they are too old. Tokens are answered with 503.
    Unavailable {
        /// How many fetches failed in a row. None: the first is under way.
        failures: u32,
    },
}

impl KeyHealth {
    /// Whether tokens can be verified: a service with stale keys is as ready as one with fresh ones, and taking it
    /// out of rotation would turn the issuer's outage into ours.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        match self {
            Self::Ready { .. } | Self::Stale { .. } => true,
            Self::Unavailable { .. } => false,
        }
    }
}
