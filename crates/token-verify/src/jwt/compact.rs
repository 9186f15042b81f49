//! The compact serialization (RFC 7515 §7.1), and nothing else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::{
    Rejection,
    json::{Bounds, read_object},
};

/// Far above any real token, far below what hurts.
const BOUNDS: Bounds = Bounds { depth: 32, values: 4096 };

/// The three parts of a token, still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Compact<'a> {
    pub(crate) fn split(token: &'a str, max_bytes: usize) -> Result<Self, Rejection> {
        if token.len() > max_bytes {
            return Err(malformed("it is too long"));
        }
        // RFC 8725bis §3.14. Braces and quotes would mean that some other reader sees JSON here.
        let is_base64url =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !token.bytes().all(is_base64url) {
            return Err(malformed("it holds a character that no JWT holds"));
        }
        let mut parts = token.split('.');
        match [parts.next(), parts.next(), parts.next(), parts.next()] {
            [Some(header), Some(payload), Some(signature), None] => {
                Ok(Self { header, payload, signature })
            }
            // Five would be encrypted (RFC 7516 §7.1): a JWE is not proof of who made it.
            _ => Err(malformed("it does not have three parts")),
        }
    }
}

/// What was signed: everything before the last dot.
pub(crate) fn signed_bytes(token: &str) -> &[u8] {
    token.rsplit_once('.').map_or(&[], |(signed, _)| signed.as_bytes())
}

/// Strict: no padding, no other alphabet, no bits left over. Otherwise one token has many spellings, and
/// whoever remembers tokens by their spelling is fooled.
pub(crate) fn decode(part: &str, complaint: &'static str) -> Result<Vec<u8>, Rejection> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed(complaint))
}

pub(crate) fn decode_object(
    part: &str,
    complaint: &'static str,
) -> Result<Map<String, Value>, Rejection> {
    read_object(&decode(part, complaint)?, BOUNDS).ok_or_else(|| malformed(complaint))
}

pub(crate) const fn malformed(what: &'static str) -> Rejection {
    Rejection::Malformed { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enc_04_what_looks_like_json_is_refused_before_it_is_decoded() {
        for token in ["{\"a\":\"b.c.d\"}", "a.b.c\n", "a.b.c=", "a.b.+", "a.b./", "a.\u{e9}.c"] {
            assert!(Compact::split(token, 100).is_err(), "{token}");
        }
        assert!(Compact::split("a.b.c", 5).is_ok_and(|parts| parts.payload == "b"));
        assert!(Compact::split("a.b.c", 4).is_err());
    }
}
