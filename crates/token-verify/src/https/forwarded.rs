//! The scheme that a trusted proxy saw, out of the header that it wrote.
//!
//! Both headers are lists to which each proxy may add on the right. Only the rightmost elements are read, as many as
//! there are trusted proxies, so nothing that a client wrote on their left is looked at.

use std::num::NonZeroUsize;

use http::{HeaderMap, HeaderName, header::FORWARDED};

use super::X_FORWARDED_PROTO;
use crate::Rejection;

/// What one proxy has to say fits into a fraction of this.
const MAX_ELEMENT_BYTES: usize = 4 * 1024;

/// Over which scheme the request reached the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// Schemes ignore case (RFC 3986 §3.1). Traefik says `wss` and `ws` of the handshake of a WebSocket, which is a
    /// request over https and http (RFC 6455 §3).
    fn read(mut bytes: impl Iterator<Item = u8> + Clone) -> Result<Self, Rejection> {
        let is = |name: &[u8]| {
            bytes.clone().map(|byte| byte.to_ascii_lowercase()).eq(name.iter().copied())
        };
        match (is(b"https") || is(b"wss"), is(b"http") || is(b"ws")) {
            (true, _) => Ok(Self::Https),
            (_, true) => Ok(Self::Http),
            (false, false) if bytes.next().is_none() => Err(Rejection::ForwardedSchemeMissing),
            (false, false) => Err(Rejection::ForwardedSchemeInvalid),
        }
    }
}

/// `X-Forwarded-Proto`: schemes between commas.
pub(super) fn rightmost_x_proto(
    headers: &HeaderMap,
    trusted_hops: NonZeroUsize,
) -> Result<Scheme, Rejection> {
    let element = from_the_right(headers, &X_FORWARDED_PROTO)
        .nth(trusted_hops.get().saturating_sub(1))
        .ok_or(Rejection::ForwardedSchemeMissing)?;
    Scheme::read(element.iter().copied())
}

/// `Forwarded` (RFC 7239 §4):
///
/// ```text
/// Forwarded         = 1#forwarded-element
/// forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
/// forwarded-pair    = token "=" value
/// value             = token / quoted-string
/// ```
///
/// Elements are cut at every comma, in quotes or not. Where a comma is in quotes, the element that was cut has an odd
/// number of quotes on either side of it, so no half of it can be read; but what is between two commas could. So each
/// element up to the one that counts has to be well-formed.
pub(super) fn rightmost_proto(
    headers: &HeaderMap,
    trusted_hops: NonZeroUsize,
) -> Result<Scheme, Rejection> {
    let mut elements = from_the_right(headers, &FORWARDED);
    for _ in 1..trusted_hops.get() {
        read_element(elements.next().ok_or(Rejection::ForwardedSchemeMissing)?)?;
    }
    read_element(elements.next().ok_or(Rejection::ForwardedSchemeMissing)?)?
        .map(unquoted)
        .map_or(Err(Rejection::ForwardedSchemeMissing), Scheme::read)
}

/// The elements of all lines, which are one list (RFC 9110 §5.3), last first. An empty one counts: to skip it would be
/// to believe the one on its left, whose writer is not trusted.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter().rev();
    lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')).map(trim)
}

/// OWS of RFC 9110 §5.6.3.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The value of `proto`, as it was written, if there is one.
fn read_element(element: &[u8]) -> Result<Option<&[u8]>, Rejection> {
    const MALFORMED: Rejection = Rejection::ForwardedSchemeInvalid;

    if element.len() > MAX_ELEMENT_BYTES {
        return Err(MALFORMED);
    }
    let (mut rest, mut proto) = (element, None);
    loop {
        if !matches!(rest.first(), None | Some(b';')) {
            let (name, value, after) = read_pair(rest).ok_or(MALFORMED)?;
            // "Each parameter MUST NOT occur more than once per field-value": another reader may take the other one.
            if name.eq_ignore_ascii_case(b"proto") && proto.replace(value).is_some() {
                return Err(MALFORMED);
            }
            rest = after;
        }
        match rest.split_first() {
            None => return Ok(proto),
            Some((b';', after)) => rest = after,
            Some(_) => return Err(MALFORMED),
        }
    }
}

/// Name, value and what follows.
fn read_pair(pair: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = split_token(pair)?;
    let value_and_rest = rest.strip_prefix(b"=")?;
    let (value, rest) = match value_and_rest.strip_prefix(b"\"") {
        Some(inside) => value_and_rest.split_at_checked(quoted_length(inside)?)?,
        None => split_token(value_and_rest)?,
    };
    Some((name, value, rest))
}

fn split_token(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = bytes.iter().take_while(|byte| crate::bearer::is_tchar(**byte)).count();
    if length == 0 { None } else { bytes.split_at_checked(length) }
}

/// How long a quoted-string is (RFC 9110 §5.6.4), both quotes included, of which this begins behind the first.
fn quoted_length(inside: &[u8]) -> Option<usize> {
    let mut bytes = inside.iter();
    let mut length = 1_usize;
    loop {
        length = length.checked_add(1)?;
        match bytes.next()? {
            b'"' => return Some(length),
            b'\\' => {
                is_text(*bytes.next()?).then_some(())?;
                length = length.checked_add(1)?;
            }
            byte => is_text(*byte).then_some(())?,
        }
    }
}

/// HTAB, SP, VCHAR and obs-text.
const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// What a value says, without its quotes and backslashes.
fn unquoted(value: &[u8]) -> impl Iterator<Item = u8> + Clone {
    let inside = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let is_quoted = inside.is_some();
    let mut is_escaped = false;
    inside.unwrap_or(value).iter().copied().filter(move |byte| {
        is_escaped = is_quoted && !is_escaped && *byte == b'\\';
        !is_escaped
    })
}
