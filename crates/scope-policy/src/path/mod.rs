//! Paths of requests, and patterns of paths.
//!
//! Between this layer and the handler are routers, proxies and file systems, each with its own idea of
//! which paths are the same. We do not guess: a path that any of them might read differently from us is
//! refused, whatever it is.

mod pattern;

use std::borrow::Cow;

pub use self::pattern::InvalidPathError;
pub(crate) use self::pattern::{PathTree, Pattern};

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
