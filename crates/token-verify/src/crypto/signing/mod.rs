//! Signatures of our own, for client assertions.
//!
//! As with [verification](super), the library is chosen by name, and a key is parsed once and bound to one algorithm.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(all(feature = "rust-crypto", any(test, not(feature = "aws-lc-rs"))))]
mod rust_crypto;

use std::fmt;

#[cfg(feature = "aws-lc-rs")]
use self::aws_lc as backend;
#[cfg(not(feature = "aws-lc-rs"))]
use self::rust_crypto as backend;

/// An algorithm that this service signs client assertions with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssertionAlgorithm {
    /// EdDSA on Ed25519.
    EdDSA,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// RSASSA-PSS with SHA-256. Only with the `aws-lc-rs` backend.
    PS256,
    /// RSASSA-PKCS1-v1_5 with SHA-256. Only with the `aws-lc-rs` backend: signing with the RSA of `rust-crypto` takes
    /// a time that tells of the key (RUSTSEC-2023-0071).
    RS256,
}

impl AssertionAlgorithm {
    /// The name in `alg`. Ed25519 goes by the name that servers know, not by that of RFC 9864.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDSA => "EdDSA",
            Self::ES256 => "ES256",
            Self::PS256 => "PS256",
            Self::RS256 => "RS256",
        }
    }
}

impl fmt::Display for AssertionAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A private key, bound to one algorithm. The libraries overwrite it when it is dropped.
pub(crate) struct SigningKey {
    algorithm: AssertionAlgorithm,
    key: backend::Key,
}

impl SigningKey {
    /// `None` if the library does not take it.
    pub(crate) fn from_pkcs8(algorithm: AssertionAlgorithm, der: &[u8]) -> Option<Self> {
        Some(Self { algorithm, key: backend::Key::from_pkcs8(algorithm, der)? })
    }

    pub(crate) const fn algorithm(&self) -> AssertionAlgorithm {
        self.algorithm
    }

    /// In the form that JWS wants: ECDSA as r‖s (RFC 7518 §3.4).
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.key.sign(message)
    }
}

#[cfg(test)]
mod tests;
