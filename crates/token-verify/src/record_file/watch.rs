//! A file that is looked at again and again.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::{MAX_FILE_BYTES, RecordFileError, bytes_to_read, into_text};

/// Two looks within a second, with room to read.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(250);
const MAX_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// A file on a network may never answer.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// What takes the text of a file.
pub(crate) trait FileTarget: Send + Sync {
    /// The records were changed. All of them are taken, or none.
    fn take(&self, text: &str) -> Result<(), RecordFileError>;

    /// The records are those that were taken last.
    fn confirm(&self);
}

/// Looks at a file four times a second, and takes its records over when they changed.
///
/// Nothing happens unless its future [`run`](Self::run)s: hand it to your runtime.
///
/// - The whole content is compared, not the date: a tool that keeps dates, or two changes within one tick of
///   the file system, cannot hide a change.
/// - A change counts when two looks one after the other saw the same, so that a file which is being written is
///   not taken. Better than that is to write another file and to rename it.
/// - A file that cannot be read, is empty or has a bad line changes nothing: the last good records stay. It is
///   logged as an error, once, and [`health`](Self::health) says so until it is repaired.
///
/// It needs the timer of a tokio runtime, which also reads the file, outside of the async threads.
#[must_use = "nothing is reloaded unless `run` is polled"]
pub struct FileWatcher {
    path: PathBuf,
    target: Box<dyn FileTarget>,
    interval: Duration,
    health: FileHealthHandle,
    taken: Option<Content>,
    refused: Option<Content>,
    last_seen: Option<Content>,
    /// What a look did not wait for to the end.
    reading: Option<Reading>,
}

type Reading = Pin<Box<dyn Future<Output = std::io::Result<Vec<u8>>> + Send + Sync>>;
type Content = [u8; 32];

/// How often to look cannot be set to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the interval must be more than zero and at most a day")]
#[non_exhaustive]
pub struct InvalidIntervalError;

pub(crate) fn check_interval(interval: Duration) -> Result<Duration, InvalidIntervalError> {
    if interval.is_zero() || interval > MAX_INTERVAL {
        Err(InvalidIntervalError)
    } else {
        Ok(interval)
    }
}

impl FileWatcher {
    pub(crate) fn new(path: PathBuf, target: Box<dyn FileTarget>) -> Self {
        Self {
            path,
            target,
            interval: DEFAULT_INTERVAL,
            health: FileHealthHandle::default(),
            taken: None,
            refused: None,
            last_seen: None,
            reading: None,
        }
    }

    /// How long to wait between two looks; a quarter of a second if not set. A change counts after up to two
    /// of them.
    ///
    /// # Errors
    ///
    /// [`InvalidIntervalError`] for zero, or more than a day.
    pub fn interval(mut self, interval: Duration) -> Result<Self, InvalidIntervalError> {
        self.interval = check_interval(interval)?;
        Ok(self)
    }

    /// Tells how it goes, also when the watcher was handed over.
    #[must_use]
    pub fn health(&self) -> FileHealthHandle {
        self.health.clone()
    }

    /// Looks again and again.
    ///
    /// # Cancel safety
    ///
    /// Dropping it ends the watch. The last good records stay.
    pub async fn run(mut self) -> Infallible {
        loop {
            self.look().await;
            tokio::time::sleep(self.interval).await;
        }
    }

    /// Looks once.
    pub async fn look(&mut self) {
        match tokio::time::timeout(READ_TIMEOUT, self.read()).await {
            Ok(Ok(bytes)) => self.judge(bytes),
            Ok(Err(error)) => self.lose(&error.into()),
            Err(_) => self.lose(&std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }

    async fn read(&mut self) -> std::io::Result<Vec<u8>> {
        // A read that hangs holds a thread of the runtime, also when nobody waits for it any more. One more with each
        // look would take them all, and with them the resolution of host names and the files of everybody else.
        if let Some(late) = &mut self.reading {
            // Whatever it read is from before.
            let _ = late.await;
            self.reading = None;
        }
        let read = self.reading.insert(Box::pin(read(self.path.clone()))).await;
        self.reading = None;
        read
    }

    fn judge(&mut self, bytes: Vec<u8>) {
        if bytes.len() > MAX_FILE_BYTES {
            return self.lose(&RecordFileError::TooLarge);
        }
        let content: Content = Sha256::digest(&bytes).into();
        let is_steady = self.last_seen.replace(content) == Some(content);
        if self.taken == Some(content) {
            self.refused = None;
            self.target.confirm();
            self.health.succeed(false);
            return;
        }
        if !is_steady || self.refused == Some(content) {
            return;
        }
        match into_text(bytes).and_then(|text| self.target.take(&text)) {
            Ok(()) => {
                (self.taken, self.refused) = (Some(content), None);
                self.health.succeed(true);
                tracing::info!(file = %self.path.display(), "records reloaded");
            }
            Err(error) => {
                self.refused = Some(content);
                self.fail(&error);
            }
        }
    }

    /// There is nothing to compare the next look with.
    fn lose(&mut self, error: &RecordFileError) {
        (self.last_seen, self.refused) = (None, None);
        self.fail(error);
    }

    fn fail(&self, error: &RecordFileError) {
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        if self.health.fail(error.clone()) {
            tracing::error!(
                file = %self.path.display(), %error, source,
                "a file of records cannot be used; the last good records stay"
            );
        }
    }
}

async fn read(path: PathBuf) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(bytes_to_read()).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

impl fmt::Debug for FileWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWatcher")
            .field("path", &self.path)
            .field("health", &self.health.current())
            .finish_non_exhaustive()
    }
}

/// How it goes with a [`FileWatcher`], at any time. Cheap to clone. For readiness probes and alarms.
#[derive(Clone, Debug, Default)]
pub struct FileHealthHandle(Arc<Mutex<FileHealth>>);

/// How it went with a [`FileWatcher`] at one moment.
#[derive(Clone, Debug, Default)]
pub struct FileHealth {
    loads: u64,
    problem: Option<RecordFileError>,
}

impl FileHealthHandle {
    /// How it goes.
    #[must_use]
    pub fn current(&self) -> FileHealth {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn succeed(&self, is_load: bool) {
        let mut health = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        health.loads = health.loads.saturating_add(u64::from(is_load));
        health.problem = None;
    }

    /// Whether that is news.
    fn fail(&self, error: RecordFileError) -> bool {
        let mut health = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |error: &RecordFileError| error.to_string();
        let is_news = health.problem.as_ref().map(text) != Some(text(&error));
        health.problem = Some(error);
        is_news
    }
}

impl FileHealth {
    /// How often records were taken over.
    #[must_use]
    pub const fn loads(&self) -> u64 {
        self.loads
    }

    /// Why the file as it is now is not used, if so. The last good records are.
    #[must_use]
    pub const fn problem(&self) -> Option<&RecordFileError> {
        self.problem.as_ref()
    }
}
