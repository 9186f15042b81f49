use std::{fmt, sync::Arc, time::Duration};

use http::HeaderName;
use palisade_core::{Clock, SystemClock};

use crate::{InboundLayer, OutboundLayer, credentials::Fields, key::Key, watched::Watched};

const REMEMBER_FOR: Duration = Duration::from_secs(10 * 60);
const REMEMBER_AT_MOST: usize = 16_384;

/// What the two layers share: which credentials came in. See the [crate docs](crate).
///
/// Cloning gives another handle to the same memory. Two guards know nothing of each other.
#[derive(Clone)]
pub struct PassthroughGuard {
    watched: Arc<Watched>,
}

impl PassthroughGuard {
    /// A guard for what `Authorization`, `Proxy-Authorization` and `DPoP` bring in.
    ///
    /// # Errors
    ///
    /// If the system has no randomness to draw a key from.
    pub fn new() -> Result<Self, NoRandomnessError> {
        Self::builder().build()
    }

    /// A guard with other settings.
    pub fn builder() -> PassthroughGuardBuilder {
        PassthroughGuardBuilder {
            fields: Fields::default(),
            clock: Arc::new(SystemClock::new()),
            remember_for: REMEMBER_FOR,
            remember_at_most: REMEMBER_AT_MOST,
        }
    }

    /// The layer for the server, just outside the one that verifies credentials and takes them out.
    pub fn inbound_layer(&self) -> InboundLayer {
        InboundLayer::new(Arc::clone(&self.watched))
    }

    /// The layer for each HTTP client that requests are answered with.
    pub fn outbound_layer(&self) -> OutboundLayer {
        OutboundLayer::new(Arc::clone(&self.watched))
    }

    /// How many tokens of requests that are over were forgotten before their time, because
    /// [there were more of them than may be remembered](PassthroughGuardBuilder::remember_at_most).
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.watched.forgotten()
    }

    #[cfg(test)]
    pub(crate) fn counts(&self) -> [usize; 4] {
        self.watched.counts()
    }
}

// Not derived: there is nothing inside that anybody should read.
impl fmt::Debug for PassthroughGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassthroughGuard").finish_non_exhaustive()
    }
}

/// Makes a [`PassthroughGuard`].
#[derive(Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct PassthroughGuardBuilder {
    fields: Fields,
    clock: Arc<dyn Clock + Send + Sync>,
    remember_for: Duration,
    remember_at_most: usize,
}

impl PassthroughGuardBuilder {
    /// Takes the values of cookies for credentials, those of 16 bytes and more.
    pub const fn cookies(mut self) -> Self {
        self.fields.cookies = true;
        self
    }

    /// Takes the values of this header for credentials, with or without a scheme before them: `X-Api-Key`.
    pub fn header(mut self, name: HeaderName) -> Self {
        self.fields.named.push(name);
        self
    }

    /// How long a verified token is remembered after its request is over, for tasks that a handler leaves
    /// behind. By default 10 minutes; zero turns it off.
    pub const fn remember_for(mut self, time: Duration) -> Self {
        self.remember_for = time;
        self
    }

    /// How many of them, about 200 bytes each. By default 16 384. If there are more, those that were used least
    /// recently are forgotten, and [counted](PassthroughGuard::forgotten). A token with capital letters takes
    /// two places: host names have it in small ones. Requests that are not over are never forgotten, and do
    /// not count.
    pub const fn remember_at_most(mut self, tokens: usize) -> Self {
        self.remember_at_most = tokens;
        self
    }

    /// Changes where the time comes from.
    pub fn clock(mut self, clock: impl Clock + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The guard, with a key of its own.
    ///
    /// # Errors
    ///
    /// If the system has no randomness to draw a key from.
    pub fn build(self) -> Result<PassthroughGuard, NoRandomnessError> {
        let key = Key::draw().map_err(NoRandomnessError)?;
        let Self { fields, clock, remember_for, remember_at_most } = self;
        let watched = Watched::new(key, fields, clock, remember_for, remember_at_most);
        Ok(PassthroughGuard { watched: Arc::new(watched) })
    }
}

impl fmt::Debug for PassthroughGuardBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassthroughGuardBuilder")
            .field("fields", &self.fields)
            .field("remember_for", &self.remember_for)
            .field("remember_at_most", &self.remember_at_most)
            .finish_non_exhaustive()
    }
}

/// There is no randomness to draw a key from: the system is not up yet, or the sandbox is too tight.
#[derive(Debug, thiserror::Error)]
#[error(
    "no randomness for the key of the guard: allow the process to read the system's random source"
)]
pub struct NoRandomnessError(#[source] getrandom::Error);
