//! The alternative without C: RustCrypto, by way of `jsonwebtoken`.
//!
//! `jsonwebtoken` hands out a boxed verifier per signature and keeps no parsed RSA key, so this backend
//! pays for both with every token. It is also slower at the mathematics.

use std::sync::Arc;

use jsonwebtoken::{
    Algorithm, DecodingKey,
    crypto::{JwtVerifier, rust_crypto::DEFAULT_PROVIDER},
};
use p521::ecdsa::signature::Verifier;

use super::{KeyMaterial, SignatureAlgorithm};

/// What the `rsa` crate takes.
#[cfg(not(feature = "aws-lc-rs"))]
pub(super) const MAX_RSA_BITS: usize = 4096;

#[derive(Clone)]
pub(super) enum Key {
    Jsonwebtoken {
        algorithm: Algorithm,
        key: Arc<DecodingKey>,
    },
    /// `jsonwebtoken` has no ES512.
    P521(Arc<p521::ecdsa::VerifyingKey>),
}

impl Key {
    pub(super) fn parse(algorithm: SignatureAlgorithm, material: KeyMaterial<'_>) -> Option<Self> {
        let key = match material {
            KeyMaterial::Ec { point } if algorithm == SignatureAlgorithm::ES512 => {
                let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
                return Some(Self::P521(Arc::new(key)));
            }
            KeyMaterial::Ec { point } => DecodingKey::from_ec_der(point),
            // INVARIANT: 32 bytes, as the importer makes sure. The library slices without looking.
            KeyMaterial::Ed25519 { x } if x.len() == 32 => DecodingKey::from_ed_der(x),
            KeyMaterial::Ed25519 { .. } => return None,
            KeyMaterial::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        };
        let (algorithm, key) = (in_jsonwebtoken(algorithm)?, Arc::new(key));
        // Points are checked here; an RSA key only when it is used.
        verifier(algorithm, &key)?;
        Some(Self::Jsonwebtoken { algorithm, key })
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Jsonwebtoken { algorithm, key } => verifier(*algorithm, key)
                .is_some_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok()),
            Self::P521(key) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Option<Box<dyn JwtVerifier>> {
    (DEFAULT_PROVIDER.verifier_factory)(&algorithm, key).ok()
}

/// HMAC is not here: its keys are not public, and no backend does it.
const fn in_jsonwebtoken(algorithm: SignatureAlgorithm) -> Option<Algorithm> {
    Some(match algorithm {
        SignatureAlgorithm::Ed25519 => Algorithm::EdDSA,
        SignatureAlgorithm::ES256 => Algorithm::ES256,
        SignatureAlgorithm::ES384 => Algorithm::ES384,
        SignatureAlgorithm::PS256 => Algorithm::PS256,
        SignatureAlgorithm::PS384 => Algorithm::PS384,
        SignatureAlgorithm::PS512 => Algorithm::PS512,
        SignatureAlgorithm::RS256 => Algorithm::RS256,
        SignatureAlgorithm::RS384 => Algorithm::RS384,
        SignatureAlgorithm::RS512 => Algorithm::RS512,
        SignatureAlgorithm::ES512
        | SignatureAlgorithm::HS256
        | SignatureAlgorithm::HS384
        | SignatureAlgorithm::HS512 => return None,
    })
}
