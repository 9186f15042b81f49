//! Signatures: which algorithms there are, and the library that checks them.
//!
//! One library is chosen here, by name. `jsonwebtoken` has a process-wide choice of its own that panics
//! at first use when the build has both of its backends, or neither; it is never consulted.
//!
//! Keys are parsed once, when they arrive.

mod algorithm;
#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
mod hmac;
#[cfg(all(feature = "rust-crypto", any(test, not(feature = "aws-lc-rs"))))]
mod rust_crypto;
mod self_test;
#[cfg(feature = "introspection")]
pub(crate) mod signing;

use sha2::{Digest, Sha256};

pub use self::algorithm::SignatureAlgorithm;
pub(crate) use self::{
    algorithm::{KeyType, UnsoundAlgorithms},
    hmac::HmacKey,
    self_test::passes_self_test,
};

#[cfg(feature = "aws-lc-rs")]
use self::aws_lc as backend;
#[cfg(not(feature = "aws-lc-rs"))]
use self::rust_crypto as backend;

/// The numbers of a public key, of the right length for its type but otherwise as they came.
#[derive(Clone, Copy)]
pub(crate) enum KeyMaterial<'a> {
    /// An uncompressed point: 4, x, y.
    Ec {
        point: &'a [u8],
    },
    Ed25519 {
        x: &'a [u8],
    },
    Rsa {
        n: &'a [u8],
        e: &'a [u8],
    },
}

/// The largest RSA key that the library takes.
pub(crate) const MAX_RSA_BITS: usize = backend::MAX_RSA_BITS;

/// A key that is bound to one algorithm (RFC 8725bis §3.1).
#[derive(Clone)]
pub(crate) struct PublicKey {
    algorithm: SignatureAlgorithm,
    key: backend::Key,
    fingerprint: [u8; 32],
}

impl PublicKey {
    /// `None` if the library does not take it: a point off its curve, an impossible modulus.
    pub(crate) fn parse(algorithm: SignatureAlgorithm, material: KeyMaterial<'_>) -> Option<Self> {
        let key = backend::Key::parse(algorithm, material)?;
        Some(Self { algorithm, key, fingerprint: fingerprint(algorithm, material) })
    }

    /// Whether this is that key, for that algorithm, also if it was fetched another time.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }

    pub(crate) const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The proof that the signature is right, if it is. Both libraries take only the one length of
    /// signature that the key has, and of ECDSA only r‖s, not DER (RFC 7518 §3.4).
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Option<SignatureVerified> {
        self.key.verify(message, signature).then_some(SignatureVerified(()))
    }
}

fn fingerprint(algorithm: SignatureAlgorithm, material: KeyMaterial<'_>) -> [u8; 32] {
    let numbers: &[&[u8]] = match material {
        KeyMaterial::Ec { point } => &[point],
        KeyMaterial::Ed25519 { x } => &[x],
        KeyMaterial::Rsa { n, e } => &[n, e],
    };
    let mut digest = Sha256::new();
    digest.update(algorithm.as_str());
    for number in numbers {
        digest.update(u64::try_from(number.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(number);
    }
    digest.finalize().into()
}

/// Exists only if a signature was verified: claims are out of reach without one.
#[derive(Debug)]
pub(crate) struct SignatureVerified(());
