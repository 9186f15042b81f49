//! The credential of a request: one `Authorization` line, byte for byte as RFC 6750 §2.1 has it.
//!
//! ```text
//! b64token    = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
//! credentials = "Bearer" 1*SP b64token
//! ```
//!
//! # Deviations
//!
//! - The scheme ignores ASCII case (RFC 9110 §11.1, OAuth 2.1 §5.1.1).
//! - A value that begins with the letters of `Bearer` and is not of that form is malformed, even where it
//!   could be read as another scheme, such as `Bearer:`. Its sender meant to present a token.

use std::{error::Error, fmt};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use palisade_core::{Denial, DenialKind, Reason};
use zeroize::Zeroizing;

use crate::STAGE;

const MALFORMED: Reason =
    Reason::new("authorization_malformed", "the Authorization header is malformed");
const MISSING: Reason = Reason::new("token_missing", "no access token was presented");
const REPEATED: Reason =
    Reason::new("authorization_repeated", "there is more than one Authorization header");
const TOO_LARGE: Reason = Reason::new("token_too_large", "the access token is too large");

const BEARER: &[u8] = b"bearer";

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

/// The bearer token of a request, or the refusal that is due without one.
///
/// Nothing but `Authorization` is looked at: tokens in a query, a body, a cookie or any other header do
/// not exist (OAuth 2.1 §5.1: "MUST ignore").
pub(crate) fn extract(headers: &HeaderMap, max_bytes: usize) -> Result<BearerToken, Denial> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let line = lines.next().ok_or_else(|| deny(DenialKind::Unauthenticated, MISSING))?;
    // Which of two lines counts would depend on who looks: a proxy may have checked the other one.
    if lines.next().is_some() {
        return Err(deny(DenialKind::InvalidCredentials, REPEATED));
    }
    let token = match read(line) {
        Credential::Bearer(token) => token,
        Credential::Malformed => return Err(deny(DenialKind::InvalidCredentials, MALFORMED)),
        Credential::OtherScheme => return Err(deny(DenialKind::Unauthenticated, MISSING)),
    };
    if token.len() > max_bytes {
        return Err(deny(DenialKind::HeadersTooLarge, TOO_LARGE));
    }
    std::str::from_utf8(token)
        .ok()
        .and_then(|token| BearerToken::parse(token).ok())
        .ok_or_else(|| deny(DenialKind::InvalidCredentials, MALFORMED))
}

fn deny(kind: DenialKind, reason: Reason) -> Denial {
    Denial::new(STAGE, kind, reason)
}

#[derive(Debug, PartialEq, Eq)]
enum Credential<'a> {
    /// What follows the scheme and its spaces. Not checked yet.
    Bearer(&'a [u8]),
    Malformed,
    OtherScheme,
}

fn read(line: &HeaderValue) -> Credential<'_> {
    let line = line.as_bytes();
    let (scheme, rest) = line.split_at(line.iter().take_while(|byte| is_tchar(**byte)).count());
    let ends_in_space = rest.first() == Some(&b' ');
    if scheme.eq_ignore_ascii_case(BEARER) && ends_in_space {
        return Credential::Bearer(skip_spaces(rest));
    }
    let means_bearer = scheme
        .split_at_checked(BEARER.len())
        .is_some_and(|(start, _)| start.eq_ignore_ascii_case(BEARER));
    // `HeaderValue` lets 0x80 and above pass; nothing that we could name sends them here.
    let is_visible = line.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let is_scheme = !scheme.is_empty() && (ends_in_space || rest.is_empty());
    if means_bearer || !is_visible || !is_scheme || holds_second_bearer(rest) {
        Credential::Malformed
    } else {
        Credential::OtherScheme
    }
}

/// Whether some recipient joined `Basic …` and `Bearer …` to one line, which RFC 9110 §5.3 allows.
fn holds_second_bearer(rest: &[u8]) -> bool {
    rest.split(|byte| *byte == b',').skip(1).any(|part| {
        let part = part.trim_ascii_start();
        part.split_at_checked(BEARER.len()).is_some_and(|(scheme, rest)| {
            scheme.eq_ignore_ascii_case(BEARER) && matches!(rest.first(), None | Some(b' '))
        })
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
const fn is_tchar(byte: u8) -> bool {
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
