//! Keys that are fetched, and kept fresh by one task.

mod attempt;
mod event;
mod health;
mod jitter;
mod settings;
mod snapshot;
mod task;
#[cfg(test)]
mod tests;
mod unknown;

use std::{fmt, pin::Pin, sync::Arc, task::Context, task::Poll, time::Duration};

use tokio::{
    runtime::Handle,
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    task::AbortHandle,
    time::Instant,
};

use self::{
    event::Observer,
    settings::Settings,
    snapshot::{Consulted, Outcome, Snapshot},
    task::Line,
    unknown::{UnknownNames, Verdict},
};
pub use self::{
    event::{FetchFailure, KeyEvent, KeyObserver},
    health::KeyHealth,
    settings::{RemoteKeysBuilder, RemoteKeysError},
};
use super::{FetchKeys, KeyAnswer, KeyHint, KeyLookup, KeySource};
#[cfg(feature = "jwks-client-rs")]
use super::{fetch::ReadDocument, set::KeySet};
use crate::crypto::SignatureAlgorithm;

/// How many requests may wait for one fetch. More are told to come back.
const MAX_WAITERS: usize = 1024;
const COME_BACK: Duration = Duration::from_secs(1);

/// The keys of an issuer, fetched from a [`FetchKeys`] and kept fresh. Cheap to clone.
///
/// One task fetches: at once, then every five minutes, or more often if the source says so. It ends when the
/// last handle is dropped.
///
/// - A key that is known is found without waiting, whatever the issuer does.
/// - A key that is not known causes a fetch, at most one in 30 seconds however many such tokens arrive,
///   and their requests wait for that one. So a key that was rotated in works with its first token, and
///   a flood of invented key names does not reach the issuer.
/// - A key that is not known, within those 30 seconds, is one of two. If the issuer was asked after
///   somebody had asked for that key, or has withdrawn it, or publishes it in a form that is not used, it
///   does not exist: 401. If not, nobody has
///   heard of it yet: 503 `key_not_yet_known` with `Retry-After`, and never 401, because the issuer may
///   have begun to sign with it a moment ago. Names are remembered, 4096 for each fetch.
/// - A token that comes while a fetch is under way is not refused for what that fetch brings, which
///   may be older than its key. It waits for the next one, if the cooldown allows one.
/// - While fetches fail, the last keys are used for up to 24 hours. Fetches are retried after one
///   second, then two, four, up to the cooldown, and up to a quarter later by chance.
/// - A set replaces the one before it. A key that is not in it is withdrawn, at once. An answer from a
///   cache that was written before the set in use (`Age`) does not replace it.
/// - Where there are no keys, or none young enough, and for unknown keys while fetches fail, the answer
///   is 503 with `Retry-After`, never 401: the token was not judged.
///
/// [`health`](Self::health) is for a readiness probe, [`RemoteKeysBuilder::observer`] for metrics.
///
/// All of these times can be set, see [`builder`](Self::builder).
///
/// Ages are measured with tokio's clock. A fetch that panics, hangs or answers nonsense has failed, and
/// nothing more.
///
/// ```no_run
/// use palisade_token_verify::keys::{KeyDocument, RemoteKeys};
///
/// # async fn read_from_vault() -> std::io::Result<Vec<u8>> { Ok(Vec::new()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = RemoteKeys::spawn(|| async { read_from_vault().await.map(KeyDocument::from_json) })?;
/// # drop(keys); Ok(()) }
/// ```
#[derive(Clone)]
pub struct RemoteKeys(Arc<Shared>);

struct Shared {
    snapshot: watch::Receiver<Snapshot>,
    asked: Arc<Notify>,
    names: Arc<UnknownNames>,
    waiters: Arc<Semaphore>,
    settings: Settings,
    _task: EndWithLastHandle,
}

struct EndWithLastHandle(AbortHandle);

impl Drop for EndWithLastHandle {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl RemoteKeys {
    /// Starts to fetch from `source`.
    ///
    /// # Errors
    ///
    /// [`RemoteKeysError::NoRuntime`] outside a tokio runtime. The runtime needs its timer.
    pub fn spawn<F: FetchKeys>(source: F) -> Result<Self, RemoteKeysError> {
        Self::builder(source).spawn()
    }

    /// Sets times before it starts.
    pub const fn builder<F: FetchKeys>(source: F) -> RemoteKeysBuilder<F> {
        RemoteKeysBuilder::new(source)
    }

    fn start<F: FetchKeys>(
        source: F,
        settings: Settings,
        observer: Observer,
    ) -> Result<Self, RemoteKeysError> {
        let runtime = Handle::try_current().map_err(|_| RemoteKeysError::NoRuntime)?;
        let (sender, snapshot) = watch::channel(Snapshot::before_first_fetch());
        let (asked, names) = (Arc::new(Notify::new()), Arc::new(UnknownNames::new()));
        let line = Line {
            asked: Arc::clone(&asked),
            names: Arc::clone(&names),
            observer,
            settings,
            snapshot: sender,
        };
        let task = runtime.spawn(task::run(source, line));
        Ok(Self(Arc::new(Shared {
            snapshot,
            asked,
            names,
            waiters: Arc::new(Semaphore::new(MAX_WAITERS)),
            settings,
            _task: EndWithLastHandle(task.abort_handle()),
        })))
    }

    /// Whether tokens can be verified now. For a readiness probe; it asks nobody.
    #[must_use]
    pub fn health(&self) -> KeyHealth {
        self.0.snapshot.borrow().health(Instant::now(), &self.0.settings)
    }

    /// Waits until tokens can be verified: so that a service takes requests only when it can answer them. Puts no
    /// limit to the time; wrap it in a timeout of yours. If the runtime ends before, the answer is
    /// [`KeyHealth::Unavailable`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it does not stop the fetch.
    pub async fn ready(&self) -> KeyHealth {
        let mut snapshot = self.0.snapshot.clone();
        let settings = self.0.settings;
        // An error is the end of the task. Then the health says what is left.
        let _ = snapshot
            .wait_for(|snapshot| snapshot.usable(Instant::now(), &settings).is_some())
            .await;
        self.health()
    }

    /// What is used now, for who wants to see it whole.
    #[cfg(feature = "jwks-client-rs")]
    pub(super) fn in_use(&self) -> Option<(ReadDocument, Arc<KeySet>)> {
        let snapshot = self.0.snapshot.borrow();
        let held = snapshot.usable(Instant::now(), &self.0.settings)?;
        Some((held.document.clone(), Arc::clone(&held.set)))
    }

    /// Asks for a fetch, as an unknown key would. The task knows whether it is time.
    #[cfg(feature = "jwks-client-rs")]
    pub(super) fn ask_for_fetch(&self) {
        self.0.asked.notify_one();
    }

    fn wait_for(&self, fetch: Awaited, hint: &KeyHint<'_>, seen: u64) -> KeyLookup<RemoteKeysWait> {
        let Ok(permit) = Arc::clone(&self.0.waiters).try_acquire_owned() else {
            return KeyLookup::Ready(match self.health() {
                KeyHealth::Ready { .. } => KeyAnswer::NotYetKnown { retry_after: COME_BACK },
                KeyHealth::Stale { .. } | KeyHealth::Unavailable { .. } => {
                    KeyAnswer::Unavailable { retry_after: Some(COME_BACK) }
                }
            });
        };
        let waiter = Waiter {
            snapshot: self.0.snapshot.clone(),
            asked: Arc::clone(&self.0.asked),
            names: Arc::clone(&self.0.names),
            fetch,
            seen,
            kid: hint.kid.map(Into::into),
            algorithm: hint.algorithm,
            settings: self.0.settings,
            _permit: permit,
        };
        // Boxed: it has no name, and it exists only where a request waits for the network anyway.
        KeyLookup::Wait(RemoteKeysWait(Box::pin(waiter.wait())))
    }
}

impl KeySource for RemoteKeys {
    type Wait = RemoteKeysWait;

    fn find(&self, hint: &KeyHint<'_>) -> KeyLookup<Self::Wait> {
        let (consulted, seen) = {
            let snapshot = self.0.snapshot.borrow();
            (snapshot.consult(hint, Instant::now(), &self.0.settings), snapshot.attempts())
        };
        match consulted {
            Consulted::Answer(answer) => KeyLookup::Ready(answer),
            Consulted::AskAndWait => {
                self.0.names.note(hint);
                // A request, not an order: the task knows whether it is time.
                self.0.asked.notify_one();
                self.wait_for(Awaited::Next, hint, seen)
            }
            Consulted::CoolingDown { set, retry_after } => {
                self.0.names.note(hint);
                KeyLookup::Ready(judge(&self.0.names, hint, set, retry_after))
            }
            Consulted::Wait => {
                self.0.names.note(hint);
                self.wait_for(Awaited::UnderWay, hint, seen)
            }
        }
    }
}

/// The answer to an unknown name for which nobody may be asked now.
fn judge(names: &UnknownNames, hint: &KeyHint<'_>, set: u64, retry_after: Duration) -> KeyAnswer {
    match names.verdict(hint, set) {
        Verdict::Dead => KeyAnswer::Unknown,
        Verdict::NeverHeardOf => KeyAnswer::NotYetKnown { retry_after },
    }
}

/// The fetch that a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// It begins after the token came: what it does not bring does not exist.
    Next,
    /// It began before the token came, and may bring a set that is older than the key.
    UnderWay,
}

struct Waiter {
    snapshot: watch::Receiver<Snapshot>,
    asked: Arc<Notify>,
    names: Arc<UnknownNames>,
    fetch: Awaited,
    seen: u64,
    kid: Option<Box<str>>,
    algorithm: SignatureAlgorithm,
    settings: Settings,
    _permit: OwnedSemaphorePermit,
}

impl Waiter {
    /// Ends with the fetch, or with the one after it. Each has a time limit. Or with the task.
    async fn wait(mut self) -> KeyAnswer {
        let hint = KeyHint { kid: self.kid.as_deref(), algorithm: self.algorithm };
        loop {
            let seen = self.seen;
            let Ok(snapshot) = self.snapshot.wait_for(|snapshot| snapshot.attempts() > seen).await
            else {
                return KeyAnswer::Unavailable { retry_after: None };
            };
            let now = Instant::now();
            match snapshot.last_outcome() {
                // A fetch that failed is no reason to make another at once.
                Some(Outcome::Failed) => return snapshot.settle(&hint, now, &self.settings),
                Some(Outcome::Read) if self.fetch == Awaited::Next => {
                    return snapshot.settle(&hint, now, &self.settings);
                }
                // It was not read, or it was asked for before the token came.
                Some(Outcome::NotModified | Outcome::Read) | None => {}
            }
            // Whatever is under way now began after the token came.
            self.fetch = Awaited::Next;
            self.seen = snapshot.attempts();
            match snapshot.consult(&hint, now, &self.settings) {
                Consulted::Answer(answer) => return answer,
                Consulted::AskAndWait => self.asked.notify_one(),
                Consulted::CoolingDown { set, retry_after } => {
                    return judge(&self.names, &hint, set, retry_after);
                }
                Consulted::Wait => {}
            }
        }
    }
}

/// Waits for the fetch that is under way.
///
/// # Cancel safety
///
/// Dropping it does not stop the fetch: others may wait for the same.
#[must_use = "futures do nothing unless polled"]
pub struct RemoteKeysWait(Pin<Box<dyn Future<Output = KeyAnswer> + Send>>);

impl Future for RemoteKeysWait {
    type Output = KeyAnswer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<KeyAnswer> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for RemoteKeysWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeysWait").finish_non_exhaustive()
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys")
            .field("settings", &self.0.settings)
            .field("snapshot", &*self.0.snapshot.borrow())
            .finish_non_exhaustive()
    }
}
