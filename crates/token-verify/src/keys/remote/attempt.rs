//! One fetch, and all the ways in which it can go wrong.

use std::{
    error::Error,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use tokio::time::timeout;

use super::{FetchFailure, settings::Settings};
use crate::keys::{
    FetchKeys, InvalidKeySetError, KeyValidator,
    fetch::{Freshness, Read},
};

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError<E: Error + 'static> {
    #[error(transparent)]
    Document(InvalidKeySetError),
    #[error("the answer is older than the keys that are in use")]
    Outdated,
    #[error("the source panicked")]
    Panicked,
    #[error("the source failed")]
    Source(#[source] E),
    #[error("the source took too long")]
    TimedOut,
    #[error("the source says that nothing changed, and was not asked about that")]
    Unprompted,
}

impl<E: Error> FetchError<E> {
    pub(super) const fn cause(&self) -> FetchFailure {
        match self {
            Self::Document(_) => FetchFailure::Document,
            Self::Outdated => FetchFailure::Outdated,
            Self::Panicked => FetchFailure::Panicked,
            Self::Source(_) | Self::Unprompted => FetchFailure::Source,
            Self::TimedOut => FetchFailure::TimedOut,
        }
    }
}

/// Fetches once. What does not come in time is dropped, so it cannot come later.
pub(super) async fn fetch<F: FetchKeys>(
    source: &F,
    settings: &Settings,
    held: Option<&KeyValidator>,
) -> Result<(Read, Freshness), FetchError<F::Error>> {
    let fetch = contain(async {
        let document = match held {
            Some(validator) => source.fetch_unless(validator).await,
            None => source.fetch().await,
        };
        document.map_err(FetchError::Source)?.read(settings.import).map_err(FetchError::Document)
    });
    let (read, freshness) = timeout(settings.fetch_timeout, fetch)
        .await
        .unwrap_or(Ok(Err(FetchError::TimedOut)))
        .unwrap_or(Err(FetchError::Panicked))?;
    match read {
        Read::NotModified if held.is_none() => Err(FetchError::Unprompted),
        Read::NotModified | Read::Set { .. } => Ok((read, freshness)),
    }
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

/// An error and what caused it, in one line.
pub(super) struct Causes<'a>(pub(super) &'a (dyn Error + 'static));

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
