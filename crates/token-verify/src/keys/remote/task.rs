//! The one task: it alone fetches, one fetch at a time, so an older answer cannot replace a newer one.

use std::{
    error::Error,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout, timeout_at},
};

use super::{settings::Settings, snapshot::Snapshot};
use crate::keys::{FetchKeys, InvalidKeySetError, set::KeySet};

const FIRST_RETRY: Duration = Duration::from_secs(1);

pub(super) async fn run<F: FetchKeys>(
    source: F,
    settings: Settings,
    snapshot: watch::Sender<Snapshot>,
    asked: Arc<Notify>,
) {
    let mut failures = 0_u32;
    let mut cause = Cause::Schedule;
    let mut ask_from = Instant::now();
    loop {
        snapshot.send_modify(Snapshot::begin);
        let result = fetch(&source, &settings).await;
        let ended = Instant::now();
        // Only fetches that requests cause use up what requests may cause: a key that is rotated in right
        // after a scheduled fetch is found at once.
        if cause == Cause::Request {
            ask_from = after(ended, settings.cooldown);
            snapshot.send_modify(|snapshot| snapshot.ask_from(ask_from));
        }
        let next = match result {
            Ok(set) => {
                failures = 0;
                let next = after(ended, settings.refresh_interval);
                log_rotation(snapshot.borrow().set().map(|set| &**set), &set);
                snapshot.send_modify(|snapshot| snapshot.succeed(Arc::new(set), ended, next));
                next
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                let wait = retry_after(failures, settings.cooldown);
                tracing::warn!(error = %Causes(&error), failures, "fetching keys failed");
                let next = after(ended, wait);
                snapshot.send_modify(|snapshot| snapshot.fail(next));
                next
            }
        };
        cause = wait(next, &asked, ask_from).await;
    }
}

/// Why there is a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Request,
    Schedule,
}

/// INVARIANT: no request causes a fetch before `ask_from`. Readers look too, but a request of theirs
/// may be as old as the fetch before; whoever made it is answered by that fetch.
async fn wait(next: Instant, asked: &Notify, ask_from: Instant) -> Cause {
    while timeout_at(next, asked.notified()).await.is_ok() {
        if Instant::now() >= ask_from {
            return Cause::Request;
        }
    }
    Cause::Schedule
}

fn after(instant: Instant, wait: Duration) -> Instant {
    // Never overflows: the settings are at most a year.
    instant.checked_add(wait).unwrap_or(instant)
}

/// One second, doubled with each failure, up to the cooldown.
fn retry_after(failures: u32, cooldown: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    FIRST_RETRY.saturating_mul(1 << doublings).min(cooldown)
}

/// An error and what caused it, in one line.
struct Causes<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum FetchError<E: Error + 'static> {
    #[error(transparent)]
    Document(InvalidKeySetError),
    #[error("the source panicked")]
    Panicked,
    #[error("the source failed")]
    Source(#[source] E),
    #[error("the source took too long")]
    TimedOut,
}

async fn fetch<F: FetchKeys>(
    source: &F,
    settings: &Settings,
) -> Result<KeySet, FetchError<F::Error>> {
    let fetch = contain(async {
        let document = source.fetch().await.map_err(FetchError::Source)?;
        document.import(settings.import).map_err(FetchError::Document)
    });
    timeout(settings.fetch_timeout, fetch)
        .await
        .unwrap_or(Ok(Err(FetchError::TimedOut)))
        .unwrap_or(Err(FetchError::Panicked))
}

struct Panicked;

/// A source that panics must not end the task: the keys would never be fetched again.
async fn contain<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        // The future is not polled again after it panicked. What a panic does to the source behind it is
        // the source's own affair.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}

fn log_rotation(old: Option<&KeySet>, new: &KeySet) {
    let keys = new.len();
    match old {
        None => tracing::info!(keys, "keys fetched"),
        Some(old) => {
            let (added, withdrawn) = (new.count_not_in(old), old.count_not_in(new));
            if added > 0 || withdrawn > 0 {
                tracing::info!(keys, added, withdrawn, "keys rotated");
            }
        }
    }
}
