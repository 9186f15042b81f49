//! Audiences that are no resource identifiers.

use std::{error::Error, fmt, sync::Arc};

const MAX_BYTES: usize = 2048;

/// What issuers put into tokens by default, or what two teams choose without knowing of each other.
///
/// A token for such an audience is a token for whoever else accepts it, so accepting it lets those
/// others, and everyone who holds a token for them, in here.
const GENERIC: [&str; 22] = [
    "*",
    "account",
    "admin",
    "api",
    "app",
    "application",
    "aud",
    "audience",
    "backend",
    "client",
    "default",
    "gateway",
    "internal",
    "localhost",
    "public",
    "resource",
    "resource-server",
    "server",
    "service",
    "test",
    "users",
    "web",
];

/// An audience that is compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audience(Arc<str>);

impl Audience {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidAudienceError> {
        let audience = Self::parse_generic(text)?;
        if GENERIC.iter().any(|generic| generic.eq_ignore_ascii_case(text)) {
            return Err(InvalidAudienceError::Generic);
        }
        Ok(audience)
    }

    pub(crate) fn parse_generic(text: &str) -> Result<Self, InvalidAudienceError> {
        if text.is_empty() {
            return Err(InvalidAudienceError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(InvalidAudienceError::TooLong);
        }
        if text.contains(char::is_control) {
            return Err(InvalidAudienceError::Control);
        }
        if text.trim() != text {
            return Err(InvalidAudienceError::WhiteSpace);
        }
        Ok(Self(text.into()))
    }

    pub(crate) fn is(&self, audience: &str) -> bool {
        *self.0 == *audience
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) const fn of_any_issuer(self) -> Named {
        Named { audience: self, issuer: None }
    }

    /// # Errors
    ///
    /// If `issuer` is no name of an issuer.
    pub(crate) fn of_issuer(self, issuer: &str) -> Result<Named, InvalidAudienceError> {
        let issuer = Self::parse_generic(issuer).map_err(|_| InvalidAudienceError::Issuer)?;
        Ok(Named { audience: self, issuer: Some(issuer.0) })
    }
}

/// An audience, and whose tokens it counts for.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    audience: Audience,
    /// `None`: for those of all issuers.
    issuer: Option<Arc<str>>,
}

impl Named {
    /// Both are compared byte for byte (RFC 9068 §4 of `iss`: "MUST exactly match").
    pub(crate) fn is(&self, audience: &str, issuer: &str) -> bool {
        self.audience.is(audience) && self.issuer.as_deref().is_none_or(|ours| ours == issuer)
    }

    /// Whether a token could be found for both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.audience == other.audience
            && (self.issuer.is_none() || other.issuer.is_none() || self.issuer == other.issuer)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.audience.as_str()
    }
}

/// A text is no audience that identifies one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidAudienceError {
    /// A control character.
    Control,
    /// Nothing at all.
    Empty,
    /// A name that many services go by, such as `api` or `account`.
    Generic,
    /// Not the audience but its issuer is empty, too long or not clean text.
    Issuer,
    /// More than 2048 bytes.
    TooLong,
    /// White space before or after the audience.
    WhiteSpace,
}

impl fmt::Display for InvalidAudienceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Control => "the audience holds a control character: remove it",
            Self::Empty => "the audience is empty: write what your issuer puts into `aud`",
            Self::Generic => {
                "the audience is a name that other services go by too, so tokens for them would be \
                 accepted here: give this service an audience of its own"
            }
            Self::Issuer => {
                "the issuer of the audience is no issuer: write it as your tokens have it in `iss`"
            }
            Self::TooLong => "the audience is longer than 2048 bytes",
            Self::WhiteSpace => "the audience begins or ends with white space: remove it",
        })
    }
}

impl Error for InvalidAudienceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_audience() {
        use InvalidAudienceError as Invalid;
        for (text, expected) in [
            ("", Invalid::Empty),
            ("a\nb", Invalid::Control),
            ("a\u{0}", Invalid::Control),
            ("a\u{85}", Invalid::Control),
            ("a\n", Invalid::Control),
            (" a", Invalid::WhiteSpace),
            ("a\u{a0}", Invalid::WhiteSpace),
        ] {
            assert_eq!(Audience::parse(text), Err(expected), "{text:?}");
            assert_eq!(Audience::parse_generic(text), Err(expected), "{text:?}");
        }
        Audience::parse(&"a".repeat(2048)).unwrap();
        assert_eq!(Audience::parse(&"a".repeat(2049)), Err(Invalid::TooLong));
    }

    #[test]
    fn aud_05_names_that_many_services_go_by_are_refused() {
        for text in GENERIC.into_iter().chain(["API", "Account"]) {
            assert_eq!(Audience::parse(text), Err(InvalidAudienceError::Generic), "{text}");
            assert!(Audience::parse_generic(text).is_ok(), "{text}");
        }
        for text in ["5f0c9f1e-3b0e-4a52-9d2b-6c1f0a7d9e11", "api://default", "files-api"] {
            assert!(Audience::parse(text).is_ok(), "{text}");
        }
    }
}
