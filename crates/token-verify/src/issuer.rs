use std::{fmt, str::FromStr, sync::Arc};

use palisade_core::{InvalidResourceError, Resource};

/// The identifier of an authorization server (RFC 8414 §2), kept byte for byte.
///
/// Issuers are compared as they are written: `https://as.example` and `https://as.example/` are two
/// (RFC 9068 §4: "MUST exactly match", RFC 8414 §4). Copy it from the `issuer` member of the server's
/// metadata.
///
/// ```
/// use palisade_token_verify::Issuer;
///
/// assert!(Issuer::parse("https://as.example/tenant").is_ok());
/// assert!(Issuer::parse("http://as.example").is_err(), "https, except on loopback");
/// assert_ne!(Issuer::parse("https://as.example")?, Issuer::parse("https://as.example/")?);
/// # Ok::<_, palisade_token_verify::InvalidIssuerError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer(Arc<str>);

impl Issuer {
    /// Reads an issuer identifier.
    ///
    /// # Errors
    ///
    /// [`InvalidIssuerError`] unless `url` is an `https` URL without user information, query and
    /// fragment. `http` is accepted for loopback hosts, for development.
    pub fn parse(url: &str) -> Result<Self, InvalidIssuerError> {
        Resource::parse(url).map_err(InvalidIssuerError::Url)?;
        if url.contains('?') {
            return Err(InvalidIssuerError::Query);
        }
        Ok(Self(url.into()))
    }

    /// The identifier, byte for byte as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn to_shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Issuer {
    type Err = InvalidIssuerError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        Self::parse(url)
    }
}

/// A text is not an issuer identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidIssuerError {
    /// It has a query (RFC 8414 §2: "no query or fragment components").
    #[error("the issuer has a query: copy the `issuer` of the server's metadata, which has none")]
    Query,
    /// It is no URL of the kind that we accept.
    #[error("the issuer cannot be used: copy the `issuer` of the server's metadata")]
    Url(#[source] InvalidResourceError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_rfc_8414_does_not_allow() {
        for url in [
            "",
            "as.example",
            "http://as.example",
            "ftp://as.example",
            "https://",
            "https://user@as.example",
            "https://as.example#x",
            "https://as.example?x=1",
            "https://as.example/?x=1",
            " https://as.example",
            "https://as.example\n",
        ] {
            assert!(Issuer::parse(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn keeps_every_byte() {
        for url in ["https://as.example", "https://AS.example:443/a%2fb/", "http://127.0.0.1:9/x"] {
            assert_eq!(Issuer::parse(url).unwrap().as_str(), url);
        }
    }
}
