//! The JOSE header: what is read, what is refused, and what is not even looked at.
//!
//! `jwk`, `jku`, `x5u`, `x5c` and `x5t` are not read: a key that comes with the token proves nothing,
//! and a URL in it would make us fetch what a stranger chose (RFC 8725bis §3.10).

use serde_json::Value;

use super::compact::{decode, decode_object, malformed};
use crate::{
    Rejection,
    crypto::SignatureAlgorithm,
    keys::KeyHint,
    trust::{TrustedIssuer, is_accepted_type},
};

const MAX_KID_BYTES: usize = 256;

/// Each of them changes what the signature covers or what the payload is. `crit` demands that we
/// understand what it names (RFC 7515 §4.1.11), and we understand none of its extensions; `b64` is
/// forbidden in a JWT (RFC 7797 §7); `zip` is for JWE; `cty` announces a nested token (RFC 7519 §5.2).
pub(crate) const REFUSED: [&str; 4] = ["b64", "crit", "cty", "zip"];

#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) kid: Option<String>,
    typ: Option<Value>,
}

impl Header {
    /// What holds for every issuer.
    pub(crate) fn read(part: &str) -> Result<Self, Rejection> {
        let mut members =
            decode_object(part, "the header is not a JSON object in base64url without duplicates")?;
        if let Some(parameter) = REFUSED.into_iter().find(|name| members.contains_key(*name)) {
            return Err(Rejection::UnsupportedHeader { parameter });
        }
        let algorithm = members
            .get("alg")
            .and_then(Value::as_str)
            .and_then(SignatureAlgorithm::from_name)
            .ok_or(Rejection::DisallowedAlgorithm)?;
        let kid = match members.remove("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= MAX_KID_BYTES => Some(kid),
            Some(_) => return Err(malformed("`kid` is not a string of at most 256 bytes")),
        };
        Ok(Self { algorithm, kid, typ: members.remove("typ") })
    }

    /// What one issuer's tokens must look like.
    pub(super) fn check(&self, issuer: &TrustedIssuer) -> Result<(), Rejection> {
        self.check_algorithm(issuer)?;
        self.check_type(issuer)
    }

    pub(crate) fn check_algorithm(&self, issuer: &TrustedIssuer) -> Result<(), Rejection> {
        if issuer.accepts_algorithm(self.algorithm) {
            Ok(())
        } else {
            Err(Rejection::DisallowedAlgorithm)
        }
    }

    pub(crate) fn check_type(&self, issuer: &TrustedIssuer) -> Result<(), Rejection> {
        if is_accepted_type(self.typ.as_ref(), issuer) {
            Ok(())
        } else {
            Err(Rejection::DisallowedType)
        }
    }

    /// The signature, of a length that a key for the algorithm can have made.
    pub(crate) fn read_signature(&self, part: &str) -> Result<Vec<u8>, Rejection> {
        let signature = decode(part, "the signature is not base64url")?;
        if self.algorithm.may_have_signature_len(signature.len()) {
            Ok(signature)
        } else {
            Err(Rejection::BadSignature)
        }
    }

    pub(crate) fn key_hint(&self) -> KeyHint<'_> {
        KeyHint { kid: self.kid.as_deref(), algorithm: self.algorithm }
    }
}
