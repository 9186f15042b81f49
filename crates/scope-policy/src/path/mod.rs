//! Paths of requests, and patterns of paths.
//!
//! Between this layer and the handler are routers, proxies and file systems, each with its own idea of
//! which paths are the same. We do not guess: a path that any of them might read differently from us is
//! refused, whatever it is.

mod pattern;

use std::borrow::Cow;

pub use self::pattern::InvalidPathError;
pub(crate) use self::pattern::{PathTree, Pattern};

/// Whether everyone reads the path in the same way.
pub(crate) fn is_unambiguous(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return false };
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        // `//` is `/` to some. A slash at the end is fine: it makes another path to us, and at worst a
        // path without a rule.
        if segment.is_empty() && segments.peek().is_some() || !is_plain(segment) {
            return false;
        }
    }
    true
}

/// Whether everyone reads the segment in the same way.
fn is_plain(segment: &str) -> bool {
    if matches!(segment, "." | "..") {
        return false;
    }
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let plain = match byte {
            b'%' => match (bytes.next().and_then(hex), bytes.next().and_then(hex)) {
                (Some(high), Some(low)) => may_be_encoded(high << 4 | low),
                _ => false,
            },
            byte => may_stand_for_itself(byte),
        };
        if !plain {
            return false;
        }
    }
    true
}

/// `pchar` of RFC 3986 without `;`, which cuts off a parameter for some servers. Leaves out `\`, which
/// is a slash to some, control characters, and bytes outside ASCII, which some fold.
const fn may_stand_for_itself(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
        )
}

/// RFC 3986 §2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Leaves out what routers decode into something else (`%2F`, `%5C`, `%3B`, `%00`), what is the same
/// path undecoded (`%61`, `%2e`), and `%25`, which a second decoder would take for an escape.
const fn may_be_encoded(byte: u8) -> bool {
    !is_unreserved(byte) && !byte.is_ascii_control() && !matches!(byte, b'/' | b'\\' | b';' | b'%')
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

/// What a decoding router makes of a segment. What is no escape stays as it is.
fn decode(segment: &str) -> Cow<'_, [u8]> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment.as_bytes());
    }
    let mut out = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = match (byte, after) {
            (b'%', [high, low, after @ ..]) => {
                hex(*high).zip(hex(*low)).map(|(high, low)| (high << 4 | low, after))
            }
            _ => None,
        };
        let (byte, after) = escape.unwrap_or((byte, after));
        out.push(byte);
        rest = after;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
