//! The text of a key: `<prefix>_<id><secret><checksum>`.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::{Zeroize as _, Zeroizing};

pub(super) const ID_LEN: usize = 16;
/// 62^43 > 2^256.
const SECRET_LEN: usize = 43;
/// 62^6 > 2^32.
const CHECKSUM_LEN: usize = 6;
const BODY_LEN: usize = ID_LEN + 1 + SECRET_LEN + CHECKSUM_LEN;
const MAX_PREFIX_LEN: usize = 24;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The largest multiple of 62 that a byte can be below: beyond it, some letters would come more often.
const UNBIASED_BELOW: u8 = 248;

/// What the keys of a ring begin with, such as `acme_live`.
///
/// It is what secret scanners look for, and what tells a key from a token of another kind. So choose one
/// that nobody else uses, and one per environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyPrefix(Box<str>);

impl ApiKeyPrefix {
    /// Reads a prefix.
    ///
    /// # Errors
    ///
    /// [`InvalidApiKeyPrefixError`] if it is not 2 to 24 of `a-z`, `0-9` and `_`, with a letter first and no
    /// `_` last.
    pub fn parse(text: &str) -> Result<Self, InvalidApiKeyPrefixError> {
        let is_good = (2..=MAX_PREFIX_LEN).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('_')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if is_good { Ok(Self(text.into())) } else { Err(InvalidApiKeyPrefixError) }
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `token` claims to be a key of this prefix.
    pub(crate) fn is_of(&self, token: &str) -> bool {
        self.strip(token).is_some()
    }

    fn strip<'a>(&self, token: &'a str) -> Option<&'a str> {
        token.strip_prefix(&*self.0)?.strip_prefix('_')
    }
}

/// A text cannot be the prefix of API keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a prefix of API keys is 2 to 24 of `a-z`, `0-9` and `_`, with a letter first and no `_` last"
)]
#[non_exhaustive]
pub struct InvalidApiKeyPrefixError;

/// Which key it is. Public: for records, support and deny lists.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiKeyId([u8; ID_LEN]);

impl ApiKeyId {
    /// Reads 16 letters and digits. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id: [u8; ID_LEN] = text.as_bytes().try_into().ok()?;
        id.iter().all(u8::is_ascii_alphanumeric).then_some(Self(id))
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: only ASCII is let in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyId({self})")
    }
}

/// The SHA-256 of a whole key: what is stored in place of the key.
#[derive(Clone, Copy)]
pub(super) struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// What an unknown key is compared with, so that it costs what a known one costs. No key is let in by
    /// it: the answer for an unknown one is no, whatever the comparison says.
    pub(super) const DUMMY: Self = Self([0; 32]);

    fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    pub(super) fn is(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }

    pub(super) fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let mut digest = [0_u8; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != digest.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
            *byte = (nibble(*high)? << 4) | nibble(*low)?;
        }
        Some(Self(digest))
    }
}

/// Lower case only: one digest, one text.
const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.saturating_sub(b'0')),
        b'a'..=b'f' => Some(digit.saturating_sub(b'a').saturating_add(10)),
        _ => None,
    }
}

/// An API key, as it was generated: shown to its owner once, and then forgotten.
///
/// Never in `Debug`, no `Display`, no `Clone`; overwritten when dropped.
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// The key itself, for the one who asked for it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn draw(prefix: &ApiKeyPrefix) -> Result<(Self, ApiKeyId), getrandom::Error> {
        let mut id = [0_u8; ID_LEN];
        draw_letters(&mut id)?;
        let id = ApiKeyId(id);
        let mut secret = Zeroizing::new([0_u8; SECRET_LEN]);
        draw_letters(&mut *secret)?;
        Ok((Self::put_together(prefix, id, &secret), id))
    }

    fn put_together(prefix: &ApiKeyPrefix, id: ApiKeyId, secret: &[u8; SECRET_LEN]) -> Self {
        // In one piece: a string that grows leaves copies of the secret behind.
        let mut text = Zeroizing::new(String::with_capacity(MAX_PREFIX_LEN + 1 + BODY_LEN));
        text.push_str(prefix.as_str());
        text.push('_');
        text.push_str(id.as_str());
        text.push('_');
        text.extend(secret.iter().copied().map(char::from));
        let checksum = checksum(&text);
        text.extend(checksum.iter().copied().map(char::from));
        Self(text)
    }

    pub(super) fn digest(&self) -> KeyDigest {
        KeyDigest::of(&self.0)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

/// What a token says that has the form of a key.
pub(super) struct Presented {
    pub(super) id: ApiKeyId,
    pub(super) digest: KeyDigest,
}

impl Presented {
    /// `Err` says what is wrong. Nothing that is not exactly of the form is hashed or looked up: a key that
    /// was cut off or mistyped costs a checksum.
    pub(super) fn read(prefix: &ApiKeyPrefix, token: &str) -> Result<Self, &'static str> {
        let body = prefix.strip(token).ok_or("not an API key of this ring")?;
        // One length only: a fast hash protects 256 random bits, and nothing shorter.
        if body.len() != BODY_LEN {
            return Err("an API key of the wrong length");
        }
        let (id, rest) = body.split_at_checked(ID_LEN).ok_or("an API key of the wrong form")?;
        let id = ApiKeyId::parse(id).ok_or("an API key of the wrong form")?;
        let rest = rest.strip_prefix('_').ok_or("an API key of the wrong form")?;
        if !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("an API key of the wrong form");
        }
        let (checked, sum) = token
            .split_at_checked(token.len().saturating_sub(CHECKSUM_LEN))
            .ok_or("an API key of the wrong form")?;
        // Not a secret: anybody can compute it from the rest.
        if checksum(checked) != sum.as_bytes() {
            return Err("an API key with a wrong checksum");
        }
        Ok(Self { id, digest: KeyDigest::of(token) })
    }
}

/// Letters from the operating system's source, each as likely as any other.
fn draw_letters(out: &mut [u8]) -> Result<(), getrandom::Error> {
    let mut pool = Zeroizing::new([0_u8; 64]);
    let mut left = out.iter_mut();
    let mut slot = left.next();
    while slot.is_some() {
        getrandom::fill(&mut *pool)?;
        for byte in pool.iter().filter(|byte| **byte < UNBIASED_BELOW) {
            let Some(letter) = slot else { break };
            *letter = letter_of(u32::from(*byte));
            slot = left.next();
        }
        pool.zeroize();
    }
    Ok(())
}

fn letter_of(value: u32) -> u8 {
    let index = usize::try_from(value % 62).unwrap_or_default();
    ALPHABET.get(index).copied().unwrap_or(b'0')
}

/// CRC-32 as six letters, the most significant first. It finds typos and lets scanners tell keys from
/// look-alikes offline. It protects nothing.
fn checksum(text: &str) -> [u8; CHECKSUM_LEN] {
    let mut rest = crc32(text.as_bytes());
    let mut out = [b'0'; CHECKSUM_LEN];
    for letter in out.iter_mut().rev() {
        *letter = letter_of(rest);
        rest /= 62;
    }
    out
}

/// The CRC-32 of IEEE 802.3, bit by bit: 80 bytes need no table.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let mask = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xEDB8_8320 & mask);
        }
    }
    !crc
}

#[cfg(test)]
mod tests;
