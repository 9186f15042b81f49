//! A proof on its way through the checks of RFC 9449 §4.3.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::thumbprint::thumbprint;
use crate::{
    BearerToken, ProofFault, SignatureAlgorithm,
    jwt::{
        compact::{Compact, decode, decode_object, signed_bytes},
        header::REFUSED,
    },
    keys::import_embedded,
    service::DPOP,
    trust::same_media_type,
};

/// Room for an RSA key and signature of the largest size, and far more than anything else needs.
const MAX_BYTES: usize = 8 * 1024;
/// A UUID has 36. Bounded although only a hash is kept (RFC 9449 §11.1).
const MAX_JTI_BYTES: usize = 256;
const TYPE: &str = "dpop+jwt";

/// The request that a proof must be for.
pub(super) struct Expected<'a> {
    pub(super) method: &'a Method,
    /// In the one spelling. `None` if the path of the request is none: no proof is for that.
    pub(super) target: Option<&'a str>,
    pub(super) token: &'a BearerToken,
    pub(super) algorithms: &'a [SignatureAlgorithm],
}

/// A proof for this request and this token, by its own word. Neither its signature nor its age was checked.
pub(super) struct Proof {
    text: Box<str>,
    algorithm: SignatureAlgorithm,
    jwk: Value,
    thumbprint: [u8; 32],
    signature: Vec<u8>,
    issued_at: u64,
    jti: String,
    nonce: Option<String>,
}

/// A proof for this request, and the URI of the request.
#[expect(unnameable_types, reason = "sealed: only the layer of this crate asks for proofs")]
pub struct Presented {
    pub(super) proof: Box<Proof>,
    pub(super) target: String,
}

impl Proof {
    /// All that can be checked without a principal and without public-key cryptography.
    pub(super) fn read(headers: &HeaderMap, expected: &Expected<'_>) -> Result<Self, ProofFault> {
        let text = only_line(headers)?;
        // What the readers of tokens complain about in detail is all one here.
        let parts = Compact::split(text, MAX_BYTES).map_err(|_| ProofFault::Malformed)?;
        let (algorithm, jwk) = read_header(parts.header, expected.algorithms)?;
        let thumbprint = jwk.as_object().and_then(thumbprint).ok_or(ProofFault::Key)?;
        let signature = decode(parts.signature, "").map_err(|_| ProofFault::Malformed)?;
        if !algorithm.may_have_signature_len(signature.len()) {
            return Err(ProofFault::Signature);
        }
        let claims = decode_object(parts.payload, "").map_err(|_| ProofFault::Malformed)?;
        // Methods have case (RFC 9110 §9.1).
        if text_claim(&claims, "htm")? != expected.method.as_str() {
            return Err(ProofFault::Method);
        }
        let target = super::target::canonical_htu(text_claim(&claims, "htu")?);
        if target.is_none() || target.as_deref() != expected.target {
            return Err(ProofFault::Target);
        }
        check_token_hash(&claims, expected.token)?;
        let issued_at = claims.get("iat").and_then(Value::as_u64).ok_or(ProofFault::Time)?;
        let jti = text_claim(&claims, "jti")?;
        if jti.is_empty() || jti.len() > MAX_JTI_BYTES {
            return Err(ProofFault::Malformed);
        }
        let nonce = match claims.get("nonce") {
            None => None,
            Some(Value::String(nonce)) => Some(nonce.clone()),
            Some(_) => return Err(ProofFault::Malformed),
        };
        let (text, jti) = (text.into(), jti.to_owned());
        Ok(Self { text, algorithm, jwk, thumbprint, signature, issued_at, jti, nonce })
    }

    /// Checks that whoever made the proof has the key that came with it. The only place where a key that a
    /// stranger sent is used, after the caller has seen that the token is bound to just this key.
    pub(super) fn verify(&self) -> Result<(), ProofFault> {
        let key = import_embedded(&self.jwk, self.algorithm).ok_or(ProofFault::Key)?;
        key.verify(self.algorithm, signed_bytes(&self.text), &self.signature)
            .map(|_verified| ())
            .ok_or(ProofFault::Signature)
    }

    pub(super) const fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// Seconds since 1970.
    pub(super) const fn issued_at(&self) -> u64 {
        self.issued_at
    }

    pub(super) fn jti(&self) -> &str {
        &self.jti
    }

    pub(super) fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }
}

/// Check 1: a second line could be the one that somebody else looked at. A line that was joined from two
/// has a comma, which no JWT has.
fn only_line(headers: &HeaderMap) -> Result<&str, ProofFault> {
    let mut lines = headers.get_all(DPOP).iter();
    let line = lines.next().ok_or(ProofFault::Missing)?;
    if lines.next().is_some() {
        return Err(ProofFault::Repeated);
    }
    line.to_str().map_err(|_| ProofFault::Malformed)
}

/// Algorithm and key. `kid`, `jku`, `x5c` and the like are not read: the key of a proof is in `jwk`.
fn read_header(
    part: &str,
    accepted: &[SignatureAlgorithm],
) -> Result<(SignatureAlgorithm, Value), ProofFault> {
    let mut members = decode_object(part, "").map_err(|_| ProofFault::Malformed)?;
    if REFUSED.iter().any(|name| members.contains_key(*name)) {
        return Err(ProofFault::Malformed);
    }
    // An access token, or whatever else the key signs, is not a proof (RFC 9449 §11.5).
    if !members.get("typ").and_then(Value::as_str).is_some_and(|typ| same_media_type(typ, TYPE)) {
        return Err(ProofFault::Type);
    }
    let algorithm = members
        .get("alg")
        .and_then(Value::as_str)
        .and_then(SignatureAlgorithm::from_name)
        .filter(|algorithm| accepted.contains(algorithm))
        .ok_or(ProofFault::Algorithm)?;
    let jwk = members.remove("jwk").ok_or(ProofFault::Key)?;
    Ok((algorithm, jwk))
}

fn text_claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, ProofFault> {
    claims.get(name).and_then(Value::as_str).ok_or(ProofFault::Malformed)
}

/// RFC 9449 §4.2: "the base64url encoding of the SHA-256 hash of the ASCII encoding of the associated access
/// token's value". Compared as text, so there is one spelling.
fn check_token_hash(claims: &Map<String, Value>, token: &BearerToken) -> Result<(), ProofFault> {
    let claimed = claims.get("ath").and_then(Value::as_str).ok_or(ProofFault::TokenHash)?;
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose()));
    if bool::from(claimed.as_bytes().ct_eq(hash.as_bytes())) {
        Ok(())
    } else {
        Err(ProofFault::TokenHash)
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").finish_non_exhaustive()
    }
}
