use std::{future::Ready, sync::Arc};

use super::{
    InvalidKeySetError, KeyAnswer, KeyHint, KeyLookup, KeySource, VerificationKey,
    import::{Import, import_bytes, import_value},
    set::{Found, KeySet},
};

/// Keys that were given once. Cheap to clone.
///
/// See the [module docs](super) for which keys of a set are used.
#[derive(Clone, Debug)]
pub struct StaticKeys(Arc<KeySet>);

impl StaticKeys {
    /// Reads a JWK Set (RFC 7517 §5).
    ///
    /// # Errors
    ///
    /// [`InvalidKeySetError`] if it is none, is too large, or has no usable key.
    pub fn from_jwks_json(json: &str) -> Result<Self, InvalidKeySetError> {
        import_bytes(json.as_bytes(), Import::new()).and_then(Self::of)
    }

    /// Reads a JWK Set that was parsed already. Prefer [`from_jwks_json`](Self::from_jwks_json): a parsed
    /// value no longer tells whether it held names twice.
    ///
    /// # Errors
    ///
    /// As [`from_jwks_json`](Self::from_jwks_json).
    pub fn from_jwks_value(value: &serde_json::Value) -> Result<Self, InvalidKeySetError> {
        import_value(value, Import::new()).and_then(Self::of)
    }

    fn of(set: KeySet) -> Result<Self, InvalidKeySetError> {
        if set.len() == 0 { Err(InvalidKeySetError::NoUsableKey) } else { Ok(Self(Arc::new(set))) }
    }

    /// How many keys of the set are used.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a set without a usable key is an error")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl StaticKeys {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &VerificationKey> {
        self.0.keys().map(|key| &**key)
    }
}

impl KeySource for StaticKeys {
    type Wait = Ready<KeyAnswer>;

    fn find(&self, hint: &KeyHint<'_>) -> KeyLookup<Self::Wait> {
        KeyLookup::Ready(match self.0.find(hint) {
            Found::Key(key) => KeyAnswer::Found(key),
            Found::Nothing | Found::Unfit => KeyAnswer::Unknown,
        })
    }
}
