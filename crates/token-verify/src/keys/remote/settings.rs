use std::{fmt, time::Duration};

use super::{FetchKeys, KeyObserver, RemoteKeys, event::Observer, jitter::Jitter};
use crate::{
    crypto::{KeyType, SignatureAlgorithm},
    keys::import::Import,
};

/// Longer than anybody wants, and short enough that no sum overflows.
const MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) refresh_interval: Duration,
    pub(super) min_refresh_interval: Duration,
    pub(super) cooldown: Duration,
    pub(super) fetch_timeout: Duration,
    pub(super) max_stale: Duration,
    pub(super) import: Import,
    pub(super) jitter: Jitter,
}

/// The times of [`RemoteKeys`] that are to be. See [`RemoteKeys::builder`].
#[must_use = "nothing is fetched until `spawn`"]
pub struct RemoteKeysBuilder<F> {
    source: F,
    settings: Settings,
    observer: Observer,
}

/// [`RemoteKeys`] cannot be started like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteKeysError {
    /// An algorithm that RSA keys do not have.
    #[error("`{0}` is no RSA algorithm: name the one that the issuer signs with")]
    NotAnRsaAlgorithm(SignatureAlgorithm),
    /// No tokio runtime.
    #[error("no tokio runtime here: call this from async code")]
    NoRuntime,
    /// Zero, or more than a year.
    #[error("`{0}` must be more than zero and at most a year")]
    Duration(&'static str),
}

impl<F: FetchKeys> RemoteKeysBuilder<F> {
    pub(super) const fn new(source: F) -> Self {
        Self {
            source,
            observer: Observer::NOBODY,
            settings: Settings {
                refresh_interval: Duration::from_secs(5 * 60),
                min_refresh_interval: Duration::from_secs(60),
                cooldown: Duration::from_secs(30),
                fetch_timeout: Duration::from_secs(5),
                max_stale: Duration::from_secs(24 * 60 * 60),
                import: Import::new(),
                jitter: Jitter::Random,
            },
        }
    }

    /// How long a set is used at most before it is fetched again; five minutes if not set. A withdrawn key is
    /// accepted for up to that long, so what the issuer says with `Cache-Control: max-age` shortens it and never
    /// makes it longer.
    ///
    /// Up to a tenth of it is taken off by chance, so that instances do not ask in step.
    ///
    /// # Errors
    ///
    /// [`RemoteKeysError::Duration`].
    pub fn refresh_interval(mut self, interval: Duration) -> Result<Self, RemoteKeysError> {
        self.settings.refresh_interval = check("refresh_interval", interval)?;
        Ok(self)
    }

    /// How long a set is used at least before it is fetched again, though the issuer says `max-age=0` or `no-store`;
    /// one minute if not set. If the [`refresh_interval`](Self::refresh_interval) is shorter, that counts.
    ///
    /// # Errors
    ///
    /// [`RemoteKeysError::Duration`].
    pub fn min_refresh_interval(mut self, interval: Duration) -> Result<Self, RemoteKeysError> {
        self.settings.min_refresh_interval = check("min_refresh_interval", interval)?;
        Ok(self)
    }

    /// How long after a fetch that a request caused no request causes another; 30 seconds if not set.
    /// Failed fetches count. Scheduled ones do not: a key that is rotated in right after one is found
    /// at once.
    ///
    /// # Errors
    ///
    /// [`RemoteKeysError::Duration`].
    pub fn cooldown(mut self, cooldown: Duration) -> Result<Self, RemoteKeysError> {
        self.settings.cooldown = check("cooldown", cooldown)?;
        Ok(self)
    }

    /// How long one fetch may take, and requests wait for it; five seconds if not set.
    ///
    /// # Errors
    ///
    /// [`RemoteKeysError::Duration`].
    pub fn fetch_timeout(mut self, timeout: Duration) -> Result<Self, RemoteKeysError> {
        self.settings.fetch_timeout = check("fetch_timeout", timeout)?;
        Ok(self)
    }

    /// How long the last keys are used while fetches fail; 24 hours if not set.
    ///
    /// Whoever can cut us off from the issuer can keep a withdrawn key alive for that long.
    ///
    /// # Errors
    ///
    /// [`RemoteKeysError::Duration`].
    pub fn max_stale(mut self, max: Duration) -> Result<Self, RemoteKeysError> {
        self.settings.max_stale = check("max_stale", max)?;
        Ok(self)
    }

    /// The algorithm of RSA keys that the issuer publishes without `alg`; RS256 if not set.
    ///
    /// # Errors
    ///
    /// [`RemoteKeysError::NotAnRsaAlgorithm`].
    pub fn unlabelled_rsa(
        mut self,
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, RemoteKeysError> {
        if algorithm.key_type() != KeyType::Rsa {
            return Err(RemoteKeysError::NotAnRsaAlgorithm(algorithm));
        }
        self.settings.import.unlabelled_rsa = algorithm;
        Ok(self)
    }

    /// Is told what happens to the keys: one observer, which may pass it on.
    pub fn observer(mut self, observer: impl KeyObserver) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    #[cfg(test)]
    pub(super) const fn jitter(mut self, jitter: Jitter) -> Self {
        self.settings.jitter = jitter;
        self
    }

    /// Starts to fetch.
    ///
    /// # Errors
    ///
    /// As [`RemoteKeys::spawn`].
    pub fn spawn(self) -> Result<RemoteKeys, RemoteKeysError> {
        RemoteKeys::start(self.source, self.settings, self.observer)
    }
}

fn check(name: &'static str, duration: Duration) -> Result<Duration, RemoteKeysError> {
    if duration.is_zero() || duration > MAX {
        Err(RemoteKeysError::Duration(name))
    } else {
        Ok(duration)
    }
}

impl<F> fmt::Debug for RemoteKeysBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeysBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
