use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use crate::error::TestIssuerError;

/// How the JWKS endpoint answers, until told otherwise.
///
/// Minting, `jwks()` and the other endpoints are not affected: the keys stay good, only fetching
/// them goes wrong.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// 200 with exactly these bytes instead of the key set: HTML, half a document, ten megabytes.
    Body(Bytes),
    /// 200 with this key set, such as one from before a rotation, and an `Age`: what a cache gives out that
    /// has not heard of it.
    Cached {
        /// The set.
        keys: Value,
        /// How long it lay there.
        age: Duration,
    },
    /// 200 with the key set, and behind it white space without end. In process, it never comes.
    Endless,
    /// No answer, ever. A request that hangs goes on hanging after the behaviour changes.
    Hang,
    /// 200 with the key set.
    #[default]
    Normal,
    /// 302 to this place, written into `Location` as it is.
    Redirect(String),
    /// 200 with the key set, that much later. Needs a tokio runtime with time.
    Slow(Duration),
    /// This status and no body.
    Status(u16),
}

/// A [`Behaviour`] that was checked: nothing in it can fail while a request waits.
#[derive(Clone, Debug)]
pub(crate) enum JwksAnswer {
    Body(Bytes),
    Cached { keys: Value, age: Duration },
    Endless,
    Hang,
    KeySet,
    Redirect(HeaderValue),
    Slow(Duration),
    Status(StatusCode),
}

impl TryFrom<Behaviour> for JwksAnswer {
    type Error = TestIssuerError;

    fn try_from(behaviour: Behaviour) -> Result<Self, TestIssuerError> {
        Ok(match behaviour {
            Behaviour::Body(body) => Self::Body(body),
            Behaviour::Cached { keys, age } => Self::Cached { keys, age },
            Behaviour::Endless => Self::Endless,
            Behaviour::Hang => Self::Hang,
            Behaviour::Normal => Self::KeySet,
            Behaviour::Redirect(target) => Self::Redirect(
                HeaderValue::try_from(target).map_err(|_| TestIssuerError::InvalidRedirect)?,
            ),
            Behaviour::Slow(delay) => Self::Slow(delay),
            // hyper answers 500 in place of an informational status, which would be a surprise.
            Behaviour::Status(code) => Self::Status(
                StatusCode::from_u16(code)
                    .ok()
                    .filter(|status| !status.is_informational())
                    .ok_or(TestIssuerError::InvalidStatus(code))?,
            ),
        })
    }
}
