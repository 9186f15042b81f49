//! What happens to the keys, for whoever watches.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

/// Something happened to the keys of an issuer. Nothing in it is a stranger's text, so it may label metrics.
///
/// The same is told as `tracing` events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyEvent {
    /// No key is young enough to be used. From now on the answer is 503.
    Exhausted {
        /// How long ago the keys were last fetched; nothing if they never were.
        age: Option<Duration>,
    },
    /// A set was fetched.
    Fetched {
        /// The usable keys in it.
        keys: usize,
        /// When it will be fetched again.
        next: Duration,
    },
    /// A fetch failed. `tracing` has the error.
    FetchFailed {
        /// How many failed in a row.
        failures: u32,
        /// Why.
        cause: FetchFailure,
        /// When the next is tried.
        next: Duration,
    },
    /// A key of the fetched set is not used. Told whenever that set is fetched, and as often as there are such keys.
    KeyDropped {
        /// Why: one of a few constant texts.
        reason: &'static str,
    },
    /// The issuer says that the set is the one we have.
    NotModified {
        /// When it will be asked again.
        next: Duration,
    },
    /// The set is another than before.
    Rotated {
        /// Keys with new names.
        added: usize,
        /// Names that are gone.
        withdrawn: usize,
    },
    /// A fetch failed, and keys that are older than they should be go on being used.
    StaleServed {
        /// How long ago they were fetched.
        age: Duration,
        /// How much longer they are used.
        remaining: Duration,
    },
    /// Requests asked for keys that we did not have. A few do when a service starts and after a rotation; many are a
    /// flood.
    UnknownKeys {
        /// How many, since the last fetch ended.
        lookups: u64,
    },
}

/// Why a fetch failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchFailure {
    /// What came is no set, or has no usable key.
    Document,
    /// What came is older than what we have.
    Outdated,
    /// The source panicked.
    Panicked,
    /// The source returned an error.
    Source,
    /// The source took too long.
    TimedOut,
}

/// Is told what happens to the keys. Any closure is one.
///
/// # For implementors
///
/// You run on the task that fetches: count, send, and return. Do not block. A panic of yours is contained.
pub trait KeyObserver: Send + Sync + 'static {
    /// Something happened.
    fn observe(&self, event: &KeyEvent);
}

impl<F: Fn(&KeyEvent) + Send + Sync + 'static> KeyObserver for F {
    fn observe(&self, event: &KeyEvent) {
        self(event);
    }
}

#[derive(Clone)]
pub(super) struct Observer(Option<Arc<dyn KeyObserver>>);

impl Observer {
    pub(super) const NOBODY: Self = Self(None);

    pub(super) fn new(observer: impl KeyObserver) -> Self {
        Self(Some(Arc::new(observer)))
    }

    pub(super) fn tell(&self, event: &KeyEvent) {
        if let Some(observer) = &self.0 {
            // An observer must not be able to stop the keys from being fetched.
            let contained = catch_unwind(AssertUnwindSafe(|| observer.observe(event)));
            if contained.is_err() {
                tracing::error!("an observer of keys panicked");
            }
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}
