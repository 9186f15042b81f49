//! The credential of a request: one `Authorization` line, byte for byte as RFC 6750 §2.1 has it.
//!
//! ```text
//! b64token    = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
//! credentials = "Bearer" 1*SP b64token
//! ```
//!
//! With DPoP, the same with `DPoP` for `Bearer` (RFC 9449 §7.1).
//!
//! # Deviations
//!
//! - The scheme ignores ASCII case (RFC 9110 §11.1, OAuth 2.1 §5.1.1).
//! - A value that begins with the letters of a scheme that is taken, and is not of that form, is malformed,
//!   even where it could be read as another scheme, such as `Bearer:`. Its sender meant to present a token.

use std::{error::Error, fmt};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use palisade_core::{Denial, DenialKind, Reason};
use zeroize::Zeroizing;

use crate::{STAGE, sender::sealed::Taken};

const MALFORMED: Reason =
    Reason::new("authorization_malformed", "the Authorization header is malformed");
const MISSING: Reason = Reason::new("token_missing", "no access token was presented");
const REPEATED: Reason =
    Reason::new("authorization_repeated", "there is more than one Authorization header");
const TOO_LARGE: Reason = Reason::new("token_too_large", "the access token is too large");

const PROOF_MISSING: Reason =
    Reason::new("bearer_not_taken", "bearer tokens are not accepted without proof of possession");

/// A scheme that can carry an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Bearer,
    Dpop,
}

impl Scheme {
    /// Bearer is read also where it is not taken, so that its senders hear what is wrong.
    const fn read_with(taken: Taken) -> &'static [Self] {
        match taken {
            Taken::BearerOnly => &[Self::Bearer],
            Taken::Both | Taken::DpopOnly => &[Self::Bearer, Self::Dpop],
        }
    }

    const fn name(self) -> &'static [u8] {
        match self {
            Self::Bearer => b"bearer",
            Self::Dpop => b"dpop",
        }
    }

    fn is(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.name())
    }

    fn begins(self, name: &[u8]) -> bool {
        name.split_at_checked(self.name().len()).is_some_and(|(start, _)| self.is(start))
    }
}

/// An access token as it was presented. Not verified.
///
/// Whoever holds these bytes is the caller, as far as any service can tell. So they never show in
/// `Debug`, there is no `Display` and no `Clone`, and they are overwritten when the value is dropped.
pub struct BearerToken(Zeroizing<Box<str>>);

impl BearerToken {
    /// Reads a token that came some other way than in a request's `Authorization` header.
    ///
    /// # Errors
    ///
    /// [`InvalidBearerTokenError`] if `text` is not of the form that RFC 6750 §2.1 gives to tokens.
    pub fn parse(text: &str) -> Result<Self, InvalidBearerTokenError> {
        if is_token68(text.as_bytes()) {
            Ok(Self(Zeroizing::new(text.into())))
        } else {
            Err(InvalidBearerTokenError)
        }
    }

    /// The token itself. Look, do not keep: not in a log, not in a cache key, not in an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken([redacted])")
    }
}

/// A text cannot be a bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidBearerTokenError;

impl fmt::Display for InvalidBearerTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a bearer token: letters, digits and `-._~+/`, then any number of `=`")
    }
}

impl Error for InvalidBearerTokenError {}

/// The access token of a request and how it came, or the refusal that is due without one.
///
/// Nothing but `Authorization` is looked at: tokens in a query, a body, a cookie or any other header do
/// not exist (OAuth 2.1 §5.1: "MUST ignore").
pub(crate) fn extract(
    headers: &HeaderMap,
    max_bytes: usize,
    taken: Taken,
) -> Result<(Scheme, BearerToken), Denial> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let line = lines.next().ok_or_else(|| deny(DenialKind::Unauthenticated, MISSING))?;
    // Which of two lines counts would depend on who looks: a proxy may have checked the other one.
    if lines.next().is_some() {
        return Err(deny(DenialKind::InvalidCredentials, REPEATED));
    }
    let (scheme, token) = match read(line, Scheme::read_with(taken)) {
        Credential::Token(Scheme::Bearer, _) if taken == Taken::DpopOnly => {
            return Err(deny(DenialKind::Unauthenticated, PROOF_MISSING));
        }
        Credential::Token(scheme, token) => (scheme, token),
        Credential::Malformed => return Err(deny(DenialKind::InvalidCredentials, MALFORMED)),
        Credential::OtherScheme => return Err(deny(DenialKind::Unauthenticated, MISSING)),
    };
    if token.len() > max_bytes {
        return Err(deny(DenialKind::HeadersTooLarge, TOO_LARGE));
    }
    std::str::from_utf8(token)
        .ok()
        .and_then(|token| Some((scheme, BearerToken::parse(token).ok()?)))
        .ok_or_else(|| deny(DenialKind::InvalidCredentials, MALFORMED))
}

fn deny(kind: DenialKind, reason: Reason) -> Denial {
    Denial::new(STAGE, kind, reason)
}

#[derive(Debug, PartialEq, Eq)]
enum Credential<'a> {
    /// What follows the scheme and its spaces. Not checked yet.
    Token(Scheme, &'a [u8]),
    Malformed,
    OtherScheme,
}

fn read<'a>(line: &'a HeaderValue, schemes: &[Scheme]) -> Credential<'a> {
    let line = line.as_bytes();
    let (name, rest) = line.split_at(line.iter().take_while(|byte| is_tchar(**byte)).count());
    let ends_in_space = rest.first() == Some(&b' ');
    if let Some(scheme) = schemes.iter().find(|scheme| scheme.is(name))
        && ends_in_space
    {
        return Credential::Token(*scheme, skip_spaces(rest));
    }
    let means_token = schemes.iter().any(|scheme| scheme.begins(name));
    // `HeaderValue` lets 0x80 and above pass; nothing that we could name sends them here.
    let is_visible = line.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let is_scheme = !name.is_empty() && (ends_in_space || rest.is_empty());
    if means_token || !is_visible || !is_scheme || holds_second_token(rest, schemes) {
        Credential::Malformed
    } else {
        Credential::OtherScheme
    }
}

/// Whether some recipient joined `Basic …` and `Bearer …` to one line, which RFC 9110 §5.3 allows.
fn holds_second_token(rest: &[u8], schemes: &[Scheme]) -> bool {
    rest.split(|byte| *byte == b',').skip(1).any(|part| {
        let part = part.trim_ascii_start();
        let name = part.split(|byte| *byte == b' ').next().unwrap_or_default();
        schemes.iter().any(|scheme| scheme.is(name))
    })
}

/// Whether a query holds a token (RFC 6750 §2.3). It is not used (OAuth 2.1 §5.1: "MUST ignore"), but whoever
/// sends one should know that it ends up in logs.
pub(crate) fn is_in_query(query: Option<&str>) -> bool {
    query.is_some_and(|query| {
        query
            .split('&')
            .any(|pair| pair.split_once('=').is_some_and(|(name, _)| name == "access_token"))
    })
}

/// `trim_ascii_start` would take tabs too, and the grammar has only spaces.
fn skip_spaces(bytes: &[u8]) -> &[u8] {
    let spaces = bytes.iter().take_while(|byte| **byte == b' ').count();
    bytes.get(spaces..).unwrap_or_default()
}

fn is_token68(bytes: &[u8]) -> bool {
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let content = bytes.get(..bytes.len().saturating_sub(padding)).unwrap_or_default();
    !content.is_empty()
        && content.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

/// RFC 9110 §5.6.2.
pub(crate) const fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests;
