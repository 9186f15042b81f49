use bytes::Bytes;
use http::{HeaderValue, StatusCode};

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
    /// No answer, ever. A request that hangs goes on hanging after the behaviour changes.
    Hang,
    /// 200 with the key set.
    #[default]
    Normal,
    /// 302 to this place, written into `Location` as it is.
    Redirect(String),
    /// This status and no body.
    Status(u16),
}

/// A [`Behaviour`] that was checked: nothing in it can fail while a request waits.
#[derive(Clone, Debug)]
pub(crate) enum JwksAnswer {
    Body(Bytes),
    Hang,
    KeySet,
    Redirect(HeaderValue),
    Status(StatusCode),
}

impl TryFrom<Behaviour> for JwksAnswer {
    type Error = TestIssuerError;

    fn try_from(behaviour: Behaviour) -> Result<Self, TestIssuerError> {
        Ok(match behaviour {
            Behaviour::Body(body) => Self::Body(body),
            Behaviour::Hang => Self::Hang,
            Behaviour::Normal => Self::KeySet,
            Behaviour::Redirect(target) => Self::Redirect(
                HeaderValue::try_from(target).map_err(|_| TestIssuerError::InvalidRedirect)?,
            ),
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
