//! From JWKs to keys. Lenient about which keys are in a set, strict about those that are used.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use serde_json::{Map, Value};

use super::{AnyKey, VerificationKey, ed25519::is_weak, roca::is_roca, set::KeySet};
use crate::{
    crypto::{KeyMaterial, KeyType, MAX_RSA_BITS, PublicKey, SignatureAlgorithm},
    json::{Bounds, read_object},
};

pub(super) const MAX_SET_BYTES: usize = 512 * 1024;
const MAX_KEYS: usize = 100;
pub(super) const MAX_KID_BYTES: usize = 256;
/// Deep enough that an odd member spoils its key and not the set.
const SET_BOUNDS: Bounds = Bounds { depth: 64, values: 16 * 1024 };

const MIN_RSA_BITS: usize = 2048;
/// FIPS 186-5 §5.1 asks for an exponent above 2^16; both backends stop at 2^33.
const RSA_EXPONENTS: std::ops::Range<u64> = 65_537..(1 << 33);

/// RFC 7518 §6.2.2, §6.3.2, §6.4.1 and RFC 8037 §2.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A JWK Set cannot be used at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeySetError {
    /// No usable key.
    #[error("no key of the set can be used: enable `warn` and `debug` events to see why")]
    NoUsableKey,
    /// Not a JSON object with an array `keys`, or a name twice in one object.
    #[error("not a JWK set: give a JSON object with an array `keys` and no duplicate names")]
    NotAKeySet,
    /// More than 512 KiB.
    #[error("the JWK set is larger than 512 KiB")]
    TooLarge,
    /// More than 100 keys.
    #[error("the JWK set has more than 100 keys")]
    TooManyKeys,
}

/// How keys are read that leave something open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Import {
    /// The algorithm of RSA keys without `alg`. One, because a key has one (RFC 8725bis §3.1).
    pub(super) unlabelled_rsa: SignatureAlgorithm,
}

impl Import {
    pub(super) const fn new() -> Self {
        Self { unlabelled_rsa: SignatureAlgorithm::RS256 }
    }
}

pub(super) fn import_bytes(json: &[u8], how: Import) -> Result<KeySet, InvalidKeySetError> {
    if json.len() > MAX_SET_BYTES {
        return Err(InvalidKeySetError::TooLarge);
    }
    let set = read_object(json, SET_BOUNDS).ok_or(InvalidKeySetError::NotAKeySet)?;
    import_keys(set.get("keys"), how)
}

pub(super) fn import_value(set: &Value, how: Import) -> Result<KeySet, InvalidKeySetError> {
    import_keys(set.get("keys"), how)
}

fn import_keys(keys: Option<&Value>, how: Import) -> Result<KeySet, InvalidKeySetError> {
    let keys = keys.and_then(Value::as_array).ok_or(InvalidKeySetError::NotAKeySet)?;
    if keys.len() > MAX_KEYS {
        return Err(InvalidKeySetError::TooManyKeys);
    }
    let published: Vec<_> = keys.iter().filter(|jwk| is_private(jwk)).collect();
    let mut dropped = Vec::new();
    let usable = keys.iter().enumerate().filter_map(|(index, jwk)| {
        import_key(jwk, how)
            .and_then(|key| {
                let is_known = published.iter().any(|private| is_same_key(private, jwk));
                if is_known { Err(Unusable::Published) } else { Ok(key) }
            })
            .map_err(|unusable| dropped.push(unusable.report(index)))
            .ok()
    });
    let (named, nameless): (Vec<_>, Vec<_>) = usable.partition(|key| key.kid().is_some());
    let named = without_namesakes(named, &mut dropped);
    let set = KeySet::new(named, nameless).with_dropped(dropped);
    // An issuer that published the secrets of all its keys has said something: that they are nobody's. Were
    // that an error, the set before would stay in use.
    if set.len() == 0 && published.is_empty() {
        return Err(InvalidKeySetError::NoUsableKey);
    }
    Ok(set)
}

/// Whether a set has secrets in it. A set that cannot be read has none that could be told.
#[cfg(feature = "toml")]
pub(crate) fn holds_private_members(json: &str) -> bool {
    let set = read_object(json.as_bytes(), SET_BOUNDS).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array);
    keys.is_some_and(|keys| {
        let names = keys.iter().filter_map(Value::as_object).flat_map(Map::keys);
        names.into_iter().any(|name| PRIVATE_MEMBERS.contains(&name.as_str()))
    })
}

fn is_private(jwk: &Value) -> bool {
    jwk.as_object().is_some_and(|members| refuse_secrets(members) == Err(Unusable::Private))
}

/// Whether one is the other, as far as names and public numbers tell.
fn is_same_key(private: &Value, other: &Value) -> bool {
    let text = |key: &Value, name: &str| key.get(name).and_then(Value::as_str).map(str::to_owned);
    let name = text(private, "kid");
    if name.is_some() && name == text(other, "kid") {
        return true;
    }
    ["n", "x"].iter().any(|member| {
        let number = |key: &Value| text(key, member).map(|text| as_number(&text));
        number(private).is_some_and(|left| number(other) == Some(left))
    })
}

/// However it is spelled: a key that leaked is out, also if the entry that leaks it is no JWK that we would use.
fn as_number(text: &str) -> Vec<u8> {
    let plain = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    integer(&plain).unwrap_or_else(|_| text.into())
}

/// Of keys with the same name, none is the right one: who adds a key to a set must not be able to take
/// the place of another.
fn without_namesakes(
    keys: Vec<VerificationKey>,
    dropped: &mut Vec<&'static str>,
) -> Vec<VerificationKey> {
    let mut uses: HashMap<Box<str>, usize> = HashMap::new();
    for kid in keys.iter().filter_map(VerificationKey::kid) {
        let count = uses.entry(kid.into()).or_default();
        *count = count.saturating_add(1);
    }
    let is_alone = |key: &VerificationKey| key.kid().and_then(|kid| uses.get(kid)) == Some(&1);
    keys.into_iter()
        .enumerate()
        .filter_map(|(index, key)| {
            if is_alone(&key) {
                return Some(key);
            }
            dropped.push(Unusable::SharedName.report(index));
            None
        })
        .collect()
}

/// Why a key is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unusable {
    AlgorithmMismatch,
    ForbiddenUse,
    Malformed,
    NameTooLong,
    OtherAlgorithm,
    OtherType,
    Private,
    Published,
    Refused,
    Roca,
    RsaExponent,
    RsaSize,
    SharedName,
    SmallOrder,
    Symmetric,
    WrongLength,
}

impl Unusable {
    /// Keys for other purposes are ordinary; the rest is worth a look. Returns the reason.
    fn report(self, index: usize) -> &'static str {
        let reason = self.as_str();
        match self {
            Self::ForbiddenUse | Self::OtherAlgorithm | Self::OtherType => {
                tracing::debug!(index, reason, "key left out of the key set");
            }
            Self::AlgorithmMismatch
            | Self::Malformed
            | Self::NameTooLong
            | Self::Private
            | Self::Published
            | Self::Refused
            | Self::Roca
            | Self::RsaExponent
            | Self::RsaSize
            | Self::SharedName
            | Self::SmallOrder
            | Self::Symmetric
            | Self::WrongLength => tracing::warn!(index, reason, "key left out of the key set"),
        }
        reason
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::AlgorithmMismatch => "`alg` does not fit the key",
            Self::ForbiddenUse => "`use` or `key_ops` says it does not verify signatures",
            Self::Malformed => "it is not a JWK",
            Self::NameTooLong => "`kid` is longer than 256 bytes",
            Self::OtherAlgorithm => "`alg` is not supported",
            Self::OtherType => "`kty` or `crv` is not supported",
            Self::Private => "it has private members: replace it at once",
            Self::Published => "its private members are in the set: replace it at once",
            Self::Refused => "the cryptographic library refuses it",
            Self::Roca => "its generator was broken (CVE-2017-15361): replace it at once",
            Self::RsaExponent => "the RSA exponent is even, too small or too large",
            Self::RsaSize => "the RSA modulus is even, too small or too large",
            Self::SharedName => "another key has the same `kid`",
            Self::SmallOrder => "anybody can forge signatures for it",
            Self::Symmetric => "it is symmetric",
            Self::WrongLength => "a coordinate has the wrong length",
        }
    }
}

fn import_key(jwk: &Value, how: Import) -> Result<VerificationKey, Unusable> {
    let members = jwk.as_object().ok_or(Unusable::Malformed)?;
    refuse_secrets(members)?;
    let typed: Jwk = serde::Deserialize::deserialize(jwk).map_err(|_| Unusable::Malformed)?;
    if typed.common.key_id.as_ref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
        return Err(Unusable::NameTooLong);
    }
    if !may_verify(&typed) {
        return Err(Unusable::ForbiddenUse);
    }
    // Not `typed.common.key_algorithm`, which knows no `Ed25519` and makes everything unknown one thing.
    let label = match members.get("alg") {
        None => None,
        Some(Value::String(name)) => {
            Some(SignatureAlgorithm::from_name(name).ok_or(Unusable::OtherAlgorithm)?)
        }
        Some(_) => return Err(Unusable::Malformed),
    };
    let public = import_public_key(&typed.algorithm, label, how)?;
    Ok(VerificationKey {
        kid: typed.common.key_id.map(String::into_boxed_str),
        material: AnyKey::Public(public),
    })
}

/// Reads a key that came along with what it signed, as in DPoP proofs. It is held to all that a key of an
/// issuer is held to, and bound to the algorithm that the signature is said to be in.
pub(crate) fn import_embedded(
    jwk: &Value,
    algorithm: SignatureAlgorithm,
) -> Option<VerificationKey> {
    let key = import_key(jwk, Import { unlabelled_rsa: algorithm }).ok()?;
    (key.algorithm() == algorithm).then_some(key)
}

fn refuse_secrets(members: &Map<String, Value>) -> Result<(), Unusable> {
    if members.get("kty").and_then(Value::as_str) == Some("oct") {
        return Err(Unusable::Symmetric);
    }
    if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
        return Err(Unusable::Private);
    }
    Ok(())
}

fn may_verify(jwk: &Jwk) -> bool {
    let by_use = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let by_operations = jwk
        .common
        .key_operations
        .as_ref()
        .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    by_use && by_operations
}

fn import_public_key(
    parameters: &AlgorithmParameters,
    label: Option<SignatureAlgorithm>,
    how: Import,
) -> Result<PublicKey, Unusable> {
    match parameters {
        AlgorithmParameters::EllipticCurve(ec) => {
            let (algorithm, len) = match ec.curve {
                EllipticCurve::P256 => (SignatureAlgorithm::ES256, 32),
                EllipticCurve::P384 => (SignatureAlgorithm::ES384, 48),
                EllipticCurve::P521 => (SignatureAlgorithm::ES512, 66),
                EllipticCurve::Ed25519 | _ => return Err(Unusable::OtherType),
            };
            fits(label, algorithm)?;
            let (x, y) = (coordinate(&ec.x, len)?, coordinate(&ec.y, len)?);
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            parse(algorithm, KeyMaterial::Ec { point: &point })
        }
        AlgorithmParameters::OctetKeyPair(okp) => {
            if okp.curve != EllipticCurve::Ed25519 {
                return Err(Unusable::OtherType);
            }
            fits(label, SignatureAlgorithm::Ed25519)?;
            let x = coordinate(&okp.x, 32)?;
            if is_weak(&x) {
                return Err(Unusable::SmallOrder);
            }
            parse(SignatureAlgorithm::Ed25519, KeyMaterial::Ed25519 { x: &x })
        }
        AlgorithmParameters::RSA(rsa) => {
            let algorithm = label.unwrap_or(how.unlabelled_rsa);
            if algorithm.key_type() != KeyType::Rsa {
                return Err(Unusable::AlgorithmMismatch);
            }
            let (n, e) = (integer(&rsa.n)?, integer(&rsa.e)?);
            check_modulus(&n)?;
            check_exponent(&e)?;
            if is_roca(&n) {
                return Err(Unusable::Roca);
            }
            parse(algorithm, KeyMaterial::Rsa { n: &n, e: &e })
        }
        AlgorithmParameters::OctetKey(_) | AlgorithmParameters::Other(_) | _ => {
            Err(Unusable::OtherType)
        }
    }
}

fn fits(label: Option<SignatureAlgorithm>, algorithm: SignatureAlgorithm) -> Result<(), Unusable> {
    match label {
        Some(label) if label != algorithm => Err(Unusable::AlgorithmMismatch),
        _ => Ok(()),
    }
}

fn parse(algorithm: SignatureAlgorithm, material: KeyMaterial<'_>) -> Result<PublicKey, Unusable> {
    PublicKey::parse(algorithm, material).ok_or(Unusable::Refused)
}

fn decode(text: &str) -> Result<Vec<u8>, Unusable> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Unusable::Malformed)
}

/// RFC 7518 §6.2.1.2: "the length of this octet string MUST be the full size of a coordinate".
fn coordinate(text: &str, len: usize) -> Result<Vec<u8>, Unusable> {
    let octets = decode(text)?;
    if octets.len() == len { Ok(octets) } else { Err(Unusable::WrongLength) }
}

/// An unsigned integer. RFC 7518 §6.3.1.1 knows of producers that leave a sign octet in front: it changes
/// nothing about the number.
fn integer(text: &str) -> Result<Vec<u8>, Unusable> {
    let octets = decode(text)?;
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    Ok(octets.get(zeros..).unwrap_or_default().to_vec())
}

fn check_modulus(n: &[u8]) -> Result<(), Unusable> {
    let leading_zeros = n.first().map_or(0, |first| first.leading_zeros());
    let bits = n
        .len()
        .saturating_mul(8)
        .saturating_sub(usize::try_from(leading_zeros).unwrap_or_default());
    let is_odd = n.last().is_some_and(|last| last & 1 == 1);
    if is_odd && (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        Ok(())
    } else {
        Err(Unusable::RsaSize)
    }
}

fn check_exponent(e: &[u8]) -> Result<(), Unusable> {
    let mut octets = [0; 8];
    let start = octets.len().checked_sub(e.len()).ok_or(Unusable::RsaExponent)?;
    octets.get_mut(start..).ok_or(Unusable::RsaExponent)?.copy_from_slice(e);
    let value = u64::from_be_bytes(octets);
    if value & 1 == 1 && RSA_EXPONENTS.contains(&value) {
        Ok(())
    } else {
        Err(Unusable::RsaExponent)
    }
}

#[cfg(test)]
mod event_tests;
#[cfg(test)]
mod tests;
