//! A key in this process that signs metadata.
//!
//! The library is chosen by name, as decision 0007 has it: the choice that `jsonwebtoken` makes for a whole process
//! panics when the build has both of its backends, or neither.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(all(feature = "rust-crypto", any(test, not(feature = "aws-lc-rs"))))]
mod rust_crypto;

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use thiserror::Error;
use zeroize::Zeroizing;

#[cfg(feature = "aws-lc-rs")]
use self::aws_lc as backend;
#[cfg(not(feature = "aws-lc-rs"))]
use self::rust_crypto as backend;
use crate::{SignMetadata, SigningError};

/// An algorithm that a [`MetadataKey`] signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetadataKeyAlgorithm {
    /// EdDSA on Ed25519. The same metadata have the same signature, so that all instances of a service publish the
    /// same bytes.
    EdDSA,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// RSASSA-PSS with SHA-256. Only with the `aws-lc-rs` backend.
    PS256,
    /// RSASSA-PKCS1-v1_5 with SHA-256. Only with the `aws-lc-rs` backend: how long the RSA of `rust-crypto` takes tells
    /// of the key (RUSTSEC-2023-0071).
    RS256,
}

impl MetadataKeyAlgorithm {
    const fn as_str(self) -> &'static str {
        match self {
            Self::EdDSA => "EdDSA",
            Self::ES256 => "ES256",
            Self::PS256 => "PS256",
            Self::RS256 => "RS256",
        }
    }
}

/// A private key that signs metadata, bound to one algorithm. The libraries overwrite it when it is dropped.
///
/// It is no key of an authorization server: no client takes tokens for good because of it. Keep it away from those
/// anyway, as each key has one use.
pub struct MetadataKey {
    algorithm: MetadataKeyAlgorithm,
    key: backend::Key,
    key_id: Option<Box<str>>,
}

/// A private key cannot sign metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidMetadataKeyError {
    /// Not a key that the library signs with.
    #[error(
        "not an unencrypted PKCS#8 key for this algorithm, or one that the library does not take"
    )]
    Key,
    /// No PEM block `PRIVATE KEY`.
    #[error(
        "not PEM with one block `PRIVATE KEY`: convert it with `openssl pkcs8 -topk8 -nocrypt`"
    )]
    Pem,
}

impl MetadataKey {
    /// Reads a key in PKCS#8, PEM: one block `PRIVATE KEY` (RFC 7468 §10).
    ///
    /// # Errors
    ///
    /// [`InvalidMetadataKeyError`].
    pub fn from_pkcs8_pem(
        algorithm: MetadataKeyAlgorithm,
        pem: &str,
    ) -> Result<Self, InvalidMetadataKeyError> {
        let der = der_of(pem).ok_or(InvalidMetadataKeyError::Pem)?;
        Self::from_pkcs8_der(algorithm, &der)
    }

    /// Reads a key in PKCS#8, DER (RFC 5958).
    ///
    /// # Errors
    ///
    /// [`InvalidMetadataKeyError::Key`].
    pub fn from_pkcs8_der(
        algorithm: MetadataKeyAlgorithm,
        der: &[u8],
    ) -> Result<Self, InvalidMetadataKeyError> {
        let key = backend::Key::from_pkcs8(algorithm, der).ok_or(InvalidMetadataKeyError::Key)?;
        Ok(Self { algorithm, key, key_id: None })
    }

    /// The name of the key in the key set where clients find its public half.
    #[must_use]
    pub fn with_key_id(mut self, kid: &str) -> Self {
        self.key_id = Some(kid.into());
        self
    }
}

impl SignMetadata for MetadataKey {
    fn algorithm(&self) -> &str {
        self.algorithm.as_str()
    }

    fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.key.sign(message).ok_or_else(|| SigningError::new("the library cannot sign"))
    }
}

impl fmt::Debug for MetadataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn der_of(pem: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, rest) = rest.split_once("-----END PRIVATE KEY-----")?;
    if rest.contains("-----BEGIN") {
        return None;
    }
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    STANDARD.decode(base64.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests;
