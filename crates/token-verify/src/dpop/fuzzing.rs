//! The reader of proofs, for fuzz targets.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Method};

use super::proof::{Expected, Proof};
use crate::{BearerToken, SignatureAlgorithm, service::DPOP};

/// What a proof says of itself.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "compared with what a twin finds")]
pub struct ProofFacts {
    /// `iat`.
    pub issued_at: u64,
    /// `jti`.
    pub jti: String,
    /// `nonce`.
    pub nonce: Option<String>,
    /// Of the key.
    pub thumbprint: [u8; 32],
}

/// A proof of these parts for `POST https://api.example/a/b~c` with the token `token`. Its signature and its age
/// are not checked.
#[must_use]
pub fn proof(header: &[u8], claims: &[u8], signature: &[u8]) -> Option<ProofFacts> {
    let parts = [header, claims, signature].map(|part| URL_SAFE_NO_PAD.encode(part));
    let mut headers = HeaderMap::new();
    headers.insert(DPOP, HeaderValue::try_from(parts.join(".")).ok()?);
    let expected = Expected {
        method: &Method::POST,
        target: Some("https://api.example/a/b~c"),
        token: &BearerToken::parse("token").ok()?,
        algorithms: &[SignatureAlgorithm::ES256, SignatureAlgorithm::Ed25519],
    };
    let proof = Proof::read(&headers, &expected).ok()?;
    Some(ProofFacts {
        issued_at: proof.issued_at(),
        jti: proof.jti().to_owned(),
        nonce: proof.nonce().map(str::to_owned),
        thumbprint: *proof.thumbprint(),
    })
}
