//! Public keys that are given as secrets, by mistake.
//!
//! The oldest of the attacks on JWT signs with a public key as if it were a secret (CVE-2015-9235, CVE-2016-10555,
//! CVE-2022-29217, CVE-2026-34950 and more). It starts with a setting named "key" that was filled with the wrong one.

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::crypto::{KeyMaterial, PublicKey, SignatureAlgorithm};

/// Whether it is a key of a key pair, or a certificate, in a form that can be told from random bytes. Of secrets
/// that are random, one in eight million is taken for DER.
pub(super) fn looks_public(secret: &[u8]) -> bool {
    is_key(secret)
        || from_base64(secret).is_some_and(|decoded| is_key(&decoded))
        || from_hex(secret).is_some_and(|decoded| is_key(&decoded))
}

fn is_key(bytes: &[u8]) -> bool {
    is_text_of_key(bytes) || is_der(bytes) || is_point(bytes)
}

/// PEM, SSH, or a JWK or a set of them. White space in front does not make it a secret.
fn is_text_of_key(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let starts_with = |prefix: &[u8]| text.starts_with(prefix);
    contains(text, b"-----BEGIN")
        || [b"ssh-".as_slice(), b"ecdsa-sha2-", b"sk-ssh-", b"---- BEGIN"]
            .into_iter()
            .any(starts_with)
        || (starts_with(b"{") && (contains(text, b"\"kty\"") || contains(text, b"\"keys\"")))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A SEQUENCE that ends where the secret ends, of a SEQUENCE (keys with their type, certificates) or an INTEGER
/// (PKCS #1, private keys) and more.
fn is_der(bytes: &[u8]) -> bool {
    let Some((0x30, rest)) = bytes.split_first().map(|(tag, rest)| (*tag, rest)) else {
        return false;
    };
    let Some((len, content)) = der_length(rest) else {
        return false;
    };
    content.split_at_checked(len).is_some_and(|(content, after)| {
        matches!(content.first(), Some(0x02 | 0x30)) && after.trim_ascii().is_empty()
    })
}

/// A length, and what follows it.
fn der_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    let mut len = 0_usize;
    for octet in octets {
        len = len.checked_mul(256)?.checked_add(usize::from(*octet))?;
    }
    Some((len, rest))
}

/// x and y of a point on a curve, with or without the octet that says so. Random bytes are never one.
fn is_point(bytes: &[u8]) -> bool {
    let (algorithm, has_tag) = match bytes.len() {
        64 => (SignatureAlgorithm::ES256, false),
        65 => (SignatureAlgorithm::ES256, true),
        96 => (SignatureAlgorithm::ES384, false),
        97 => (SignatureAlgorithm::ES384, true),
        132 => (SignatureAlgorithm::ES512, false),
        133 => (SignatureAlgorithm::ES512, true),
        _ => return false,
    };
    let tagged;
    let point = if has_tag {
        bytes
    } else {
        tagged = [&[4], bytes].concat();
        tagged.as_slice()
    };
    point.first() == Some(&4) && PublicKey::parse(algorithm, KeyMaterial::Ec { point }).is_some()
}

/// Either alphabet, with or without padding and line breaks.
fn from_base64(bytes: &[u8]) -> Option<Vec<u8>> {
    const FORGIVING: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let text: Vec<_> = without_white_space(bytes)
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        })
        .collect();
    FORGIVING.decode(text).ok()
}

fn from_hex(bytes: &[u8]) -> Option<Vec<u8>> {
    let digits = without_white_space(bytes).filter(|byte| *byte != b':');
    let digits: Option<Vec<u8>> = digits
        .map(|digit| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let (pairs, []) = digits.as_ref()?.as_chunks::<2>() else {
        return None;
    };
    Some(pairs.iter().map(|[high, low]| (high << 4) | low).collect())
}

fn without_white_space(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace())
}
