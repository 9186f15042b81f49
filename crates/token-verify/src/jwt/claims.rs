//! The claims: out of reach before the signature is verified.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::compact::decode_object;
use crate::{Rejection, crypto::SignatureVerified, trust::issuer_of};

/// What a token claims, before anybody knows whether it is true.
pub(crate) struct UnverifiedClaims(Map<String, Value>);

impl UnverifiedClaims {
    pub(crate) fn read(part: &str) -> Result<Self, Rejection> {
        decode_object(part, "the payload is not a JSON object in base64url without duplicates")
            .map(Self)
    }

    /// Who made the token, by its own word: whose rules and keys it is held to.
    pub(crate) fn issuer(&self) -> Result<&str, Rejection> {
        issuer_of(&self.0)
    }

    /// The claims as they stand there, for whoever explains a token. Nothing may be granted by them.
    pub(crate) const fn unproven(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The claims, now that the signature over these very bytes is known to be right.
    pub(super) fn trust(self, _: SignatureVerified) -> Map<String, Value> {
        self.0
    }
}

/// The claims of a verified token, for handlers that need more than a
/// [`Principal`](palisade_core::Principal) says: `principal.claims::<Claims>()`.
///
/// They are verified in that the issuer said so, and may say so. Whether a claim means something here is
/// yours to know: beyond what the principal has, nothing looked at them.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    pub(crate) const fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// A claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All claims.
    #[must_use]
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All claims as a type of your own.
    ///
    /// # Errors
    ///
    /// Whatever the type's `Deserialize` finds wrong.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.0.clone()))
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claims").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}
