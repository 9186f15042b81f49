//! Secrets that are shared with the issuer. Look for another way first.
//!
//! # What you give up
//!
//! With HMAC, whoever can check a token can make one:
//!
//! - **Every service that holds the secret is an issuer.** Break into any one of them, read its environment, its
//!   backups or its crash dumps, and every other takes your tokens, for any subject with any scope.
//! - **Nobody can say who made a token.** Audit records name an issuer that may not have been asked.
//! - **The secret cannot be rotated in public.** There is no key set to fetch: each service must be told of the
//!   new secret before the issuer uses it, and of the end of the old one.
//!
//! RFC 9068 §2.1 requires of access tokens that they are signed, and RS256 of both sides. Use this for an issuer that
//! you run, that has no other way, and that trusts each of its services as itself.
//!
//! # What stays closed
//!
//! - No key set brings a secret: `oct` keys of a JWK Set are left out (see the [`keys`](super)).
//! - No default accepts HMAC. The issuer's algorithms must name it, and then name nothing asymmetric. With any other
//!   source of keys, no verifier can be made of such an issuer: a public key is never taken for a secret.
//! - A secret that is empty, short, all the same byte, or looks like a public key is refused when it is given.
//!
//! ```
//! use palisade_token_verify::{
//!     Issuer, JwtVerifier, SignatureAlgorithm,
//!     keys::danger::{HmacKeys, HmacKeysError},
//!     trust::TrustedIssuer,
//! };
//!
//! let secret = *b"from a vault, by a random number generator";
//! let keys = HmacKeys::new(SignatureAlgorithm::HS256, secret)?;
//! let issuer = TrustedIssuer::new(Issuer::parse("https://as.example")?)
//!     .algorithms([SignatureAlgorithm::HS256])?;
//! let verifier = JwtVerifier::new(issuer, keys)?;
//!
//! let unset = std::env::var("NO_SUCH_SECRET").unwrap_or_default();
//! let refused = HmacKeys::new(SignatureAlgorithm::HS256, unset).err();
//! assert!(matches!(refused, Some(HmacKeysError::TooShort { .. })));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod public_key;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, fmt, future::Ready, sync::Arc};

use subtle::ConstantTimeEq;

use self::public_key::looks_public;
use super::{
    AnyKey, KeyAnswer, KeyHint, KeyLookup, KeySource, VerificationKey,
    import::MAX_KID_BYTES,
    set::{Found, KeySet},
};
use crate::crypto::{HmacKey, SignatureAlgorithm};

/// Secrets for HS256, HS384 and HS512. Cheap to clone; wiped from memory with the last clone.
///
/// Read [what you give up](self#what-you-give-up). A verifier can be made of them only if the issuer's
/// algorithms name HMAC.
#[derive(Clone)]
pub struct HmacKeys(Arc<KeySet>);

/// A secret is none, or cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HmacKeysError {
    /// More than 256 bytes.
    #[error("the name of a secret is longer than 256 bytes: no token can name it")]
    NameTooLong,
    /// No secret at all.
    #[error("no secret is given: name at least one")]
    NoKey,
    /// An asymmetric algorithm.
    #[error("`{0}` is not HMAC: give HS256, HS384 or HS512, or use public keys, which is better")]
    NotHmac(SignatureAlgorithm),
    /// A public key, a certificate or a private key, as PEM, DER, JWK, SSH or bare point, perhaps in base64 or
    /// hex.
    #[error(
        "the secret looks like a key pair or half of one: anybody may know it; to verify signatures with a \
         public key, give it to `StaticKeys`"
    )]
    PublicKey,
    /// Two secrets of one name.
    #[error("two secrets have the same name: a token could mean either")]
    SharedName,
    /// One secret twice. RFC 8725bis §3.1: a key is used with one algorithm.
    #[error("two names or algorithms share one secret: give each its own")]
    SharedSecret,
    /// Shorter than the output of the hash function (RFC 7518 §3.2).
    #[error(
        "the secret for {algorithm} is shorter than {needed} bytes: is the place that it comes from empty?"
    )]
    TooShort {
        /// The algorithm.
        algorithm: SignatureAlgorithm,
        /// How many bytes it needs.
        needed: usize,
    },
    /// One byte, over and over: a buffer that nobody filled.
    #[error("all bytes of the secret are the same: let a random number generator make one")]
    Uniform,
}

impl HmacKeys {
    /// One secret, for tokens without `kid`.
    ///
    /// The bytes are taken as they are: decode them first if they come as base64 or hex. The copy that is made
    /// is wiped at the end; yours is up to you.
    ///
    /// # What it cannot see
    ///
    /// That a secret can be guessed, or that it is one of the public keys that look like random bytes: a bare
    /// Ed25519 key, a compressed point, an RSA modulus.
    ///
    /// # Errors
    ///
    /// [`HmacKeysError`].
    pub fn new(
        algorithm: SignatureAlgorithm,
        secret: impl AsRef<[u8]>,
    ) -> Result<Self, HmacKeysError> {
        let key = read(algorithm, secret.as_ref())?;
        let key = VerificationKey { kid: None, material: AnyKey::Secret(key) };
        Ok(Self(Arc::new(KeySet::new(Vec::new(), vec![key]))))
    }

    /// Several secrets, each for the tokens whose `kid` has its name. For rotation: give the new one to every
    /// service before the issuer uses it.
    ///
    /// # Errors
    ///
    /// [`HmacKeysError`].
    pub fn named<N, S>(
        keys: impl IntoIterator<Item = (N, SignatureAlgorithm, S)>,
    ) -> Result<Self, HmacKeysError>
    where
        N: Into<String>,
        S: AsRef<[u8]>,
    {
        let (mut names, mut secrets, mut read_keys) = (HashSet::new(), Vec::new(), Vec::new());
        for (name, algorithm, secret) in keys {
            let name = name.into().into_boxed_str();
            if name.len() > MAX_KID_BYTES {
                return Err(HmacKeysError::NameTooLong);
            }
            if !names.insert(name.clone()) {
                return Err(HmacKeysError::SharedName);
            }
            let key = read(algorithm, secret.as_ref())?;
            if secrets.iter().any(|other: &HmacKey| other.secret().ct_eq(key.secret()).into()) {
                return Err(HmacKeysError::SharedSecret);
            }
            secrets.push(key.clone());
            let material = AnyKey::Secret(key);
            read_keys.push(VerificationKey { kid: Some(name), material });
        }
        if read_keys.is_empty() {
            return Err(HmacKeysError::NoKey);
        }
        Ok(Self(Arc::new(KeySet::new(read_keys, Vec::new()))))
    }

    /// For vectors whose secret is a buffer of zeros.
    #[cfg(test)]
    pub(crate) fn of_zeros(name: &str) -> Self {
        let key = HmacKey::new(SignatureAlgorithm::HS256, &[0; 32]).expect("it is long enough");
        let key = VerificationKey { kid: Some(name.into()), material: AnyKey::Secret(key) };
        Self(Arc::new(KeySet::new(vec![key], Vec::new())))
    }
}

fn read(algorithm: SignatureAlgorithm, secret: &[u8]) -> Result<HmacKey, HmacKeysError> {
    let needed = algorithm.hash_len().ok_or(HmacKeysError::NotHmac(algorithm))?;
    // Before the length: a short public key needs other words than "too short".
    if looks_public(secret) {
        return Err(HmacKeysError::PublicKey);
    }
    let key = HmacKey::new(algorithm, secret);
    let key = key.ok_or(HmacKeysError::TooShort { algorithm, needed })?;
    if secret.iter().all(|byte| secret.first() == Some(byte)) {
        return Err(HmacKeysError::Uniform);
    }
    Ok(key)
}

impl KeySource for HmacKeys {
    type Wait = Ready<KeyAnswer>;

    fn find(&self, hint: &KeyHint<'_>) -> KeyLookup<Self::Wait> {
        KeyLookup::Ready(match self.0.find(hint) {
            Found::Key(key) => KeyAnswer::Found(key),
            Found::Nothing | Found::Unfit => KeyAnswer::Unknown,
        })
    }

    fn is_symmetric(&self) -> bool {
        true
    }
}

impl fmt::Debug for HmacKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HmacKeys").field(&self.0).finish()
    }
}
