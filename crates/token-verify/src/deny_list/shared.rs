//! A list that several services share.

use std::{convert::Infallible, error::Error, fmt, time::Duration};

use super::{DenyEntry, DenyListFeed, DenyListFullError};
use crate::record_file::{InvalidIntervalError, check_interval};

const DEFAULT_INTERVAL: Duration = Duration::from_millis(500);
const PULL_TIMEOUT: Duration = Duration::from_secs(5);

/// A store of deny entries: a database, a key-value store, an HTTP service.
///
/// # For implementors
///
/// Answer with all entries each time, or that nothing changed. Do not retry, do not cache, do not wait: that is
/// done above you, and so is the time limit. An answer that is older than the one before is believed, so read
/// from where writes go. Answer with an error where you do not know: an empty list is believed, and lets
/// everybody in. Your error is logged by its `Display`.
pub trait DenyListStore: Send + Sync + 'static {
    /// Why there is no answer.
    type Error: Error + Send + Sync + 'static;

    /// Gets the entries. `known` is the version that you gave last, if it was taken.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when it takes too long, and must allow that.
    fn pull(
        &self,
        known: Option<&str>,
    ) -> impl Future<Output = Result<PulledEntries, Self::Error>> + Send;
}

/// What a [`DenyListStore`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stores answer with it")]
pub enum PulledEntries {
    /// All there are.
    All {
        /// The entries.
        entries: Vec<DenyEntry>,
        /// A name of this state, to be asked with the next time.
        version: Option<String>,
    },
    /// The same as for the version that was asked with.
    Unchanged,
}

/// Keeps a part of a [`DenyList`](super::DenyList) equal to what is in a [`DenyListStore`].
///
/// Nothing happens unless its future [`run`](Self::run)s: hand it to your runtime. It asks the store twice a
/// second. Requests never wait for the store: they see the last answer, for as long as
/// [`WhenStale`](super::WhenStale) of the feed says. A store that hangs has five seconds.
///
/// So an entry counts everywhere a second after it is in the store, and what the service misses while it
/// cannot reach the store is bounded by [`WhenStale::RefuseAfter`](super::WhenStale::RefuseAfter).
#[must_use = "nothing is pulled unless `run` is polled"]
pub struct SharedDenyList<S> {
    store: S,
    feed: DenyListFeed,
    interval: Duration,
    version: Option<String>,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Failed,
    Succeeded,
}

/// The entries of a store could not be taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SharedDenyListError<E: Error + 'static> {
    /// There are more than the list holds.
    #[error("the store has more entries than the list holds")]
    Full(#[source] DenyListFullError),
    /// The store has no answer.
    #[error("the store of deny entries has no answer")]
    Store(#[source] E),
    /// The store takes too long.
    #[error("the store of deny entries did not answer in time")]
    TimedOut,
}

impl<S: DenyListStore> SharedDenyList<S> {
    /// Fills the part of `feed` from `store`.
    pub const fn new(feed: DenyListFeed, store: S) -> Self {
        Self { store, feed, interval: DEFAULT_INTERVAL, version: None, outcome: Outcome::Succeeded }
    }

    /// How long to wait between two questions; half a second if not set.
    ///
    /// # Errors
    ///
    /// [`InvalidIntervalError`] for zero, or more than a day.
    pub fn interval(mut self, interval: Duration) -> Result<Self, InvalidIntervalError> {
        self.interval = check_interval(interval)?;
        Ok(self)
    }

    /// Asks again and again.
    ///
    /// # Cancel safety
    ///
    /// Dropping it ends the questions. The last entries stay, until they are stale.
    pub async fn run(mut self) -> Infallible {
        loop {
            match (self.pull().await, self.outcome) {
                (Ok(()), Outcome::Failed) => {
                    tracing::info!("the store of deny entries answers again");
                    self.outcome = Outcome::Succeeded;
                }
                (Err(error), Outcome::Succeeded) => {
                    let source = error.source().map(ToString::to_string).unwrap_or_default();
                    tracing::error!(%error, source, "the last good deny entries stay for now");
                    self.outcome = Outcome::Failed;
                }
                (Ok(()), Outcome::Succeeded) | (Err(_), Outcome::Failed) => {}
            }
            tokio::time::sleep(self.interval).await;
        }
    }

    /// Asks once. To be awaited before the service starts, so that it does not refuse its first requests.
    ///
    /// # Errors
    ///
    /// [`SharedDenyListError`]. Then all entries stay as they were.
    pub async fn pull(&mut self) -> Result<(), SharedDenyListError<S::Error>> {
        let asked = self.feed.moment();
        let answer = tokio::time::timeout(PULL_TIMEOUT, self.store.pull(self.version.as_deref()))
            .await
            .map_err(|_| SharedDenyListError::TimedOut)?
            .map_err(SharedDenyListError::Store)?;
        match answer {
            PulledEntries::All { entries, version } => {
                self.feed.replace_as_of(asked, entries).map_err(SharedDenyListError::Full)?;
                self.version = version;
            }
            PulledEntries::Unchanged => self.feed.confirm_as_of(asked),
        }
        Ok(())
    }
}

impl<S> fmt::Debug for SharedDenyList<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedDenyList")
            .field("feed", &self.feed)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
