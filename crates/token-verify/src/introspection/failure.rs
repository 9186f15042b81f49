//! Why there is no verdict.

use std::{error::Error, time::Duration};

/// The longest wait that the server may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
/// What a client is told where nobody knows better.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The token was not judged. All of it is 503 to the caller: a 401 would make it throw away a good token.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the answer's signature cannot be checked: its keys are unavailable")]
    AnswerKeys { retry_after: Option<Duration> },
    #[error("the server refuses our credentials with {status}: correct the client authentication")]
    Credentials { status: u16 },
    #[error("the exchange failed")]
    Exchange(#[source] Box<dyn Error + Send + Sync>),
    #[error("our own credential is not there")]
    NoCredential,
    #[error("the server has no capacity, it says {status}")]
    Overloaded { status: u16, retry_after: Option<Duration> },
    #[error("the server answers {status}, not 200")]
    Status { status: u16 },
    #[error("the server takes too long")]
    Timeout,
    #[error("the answer cannot be used: {what}")]
    Unreadable { what: &'static str },
}

impl Failure {
    /// Whether the next calls would fail, too, whatever token they are about.
    ///
    /// A token decides about some failures: a server may answer 400 or 500, or a firewall before it a page of HTML, to
    /// text that somebody made up. If these counted, anybody could stop introspection for all.
    pub(super) const fn is_about_the_server(&self) -> bool {
        match self {
            Self::Credentials { .. }
            | Self::Exchange(_)
            | Self::NoCredential
            | Self::Overloaded { .. }
            | Self::Timeout => true,
            Self::AnswerKeys { .. } | Self::Status { .. } | Self::Unreadable { .. } => false,
        }
    }

    /// When it makes sense to ask again.
    pub(super) fn retry_after(&self) -> Duration {
        match self {
            Self::AnswerKeys { retry_after } | Self::Overloaded { retry_after, .. } => {
                retry_after.unwrap_or(RETRY_AFTER).clamp(RETRY_AFTER, MAX_RETRY_AFTER)
            }
            Self::Credentials { .. }
            | Self::Exchange(_)
            | Self::NoCredential
            | Self::Status { .. }
            | Self::Timeout
            | Self::Unreadable { .. } => RETRY_AFTER,
        }
    }

    pub(super) fn log(&self) {
        match self {
            Self::Credentials { .. } | Self::NoCredential => {
                tracing::error!(failure = %self, "introspection is not possible");
            }
            // Whoever sends a token that the server calls a bad request may do so as often as he likes.
            Self::Status { status: 400 } => {
                tracing::debug!(failure = %self, "introspection failed");
            }
            Self::AnswerKeys { .. }
            | Self::Exchange(_)
            | Self::Overloaded { .. }
            | Self::Status { .. }
            | Self::Timeout
            | Self::Unreadable { .. } => {
                let cause = self.source().map(ToString::to_string);
                tracing::warn!(failure = %self, cause, "introspection failed");
            }
        }
    }
}
