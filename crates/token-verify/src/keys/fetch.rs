use std::{error::Error, fmt};

use serde_json::Value;

use super::{
    InvalidKeySetError,
    import::{Import, import_bytes, import_value},
    set::KeySet,
};

/// Gets the JWK Set of an issuer, once per call. [`RemoteKeys`](super::RemoteKeys) decides when.
///
/// Any closure that returns a future of a [`KeyDocument`] is one.
///
/// # For implementors
///
/// - Fetch from one place that configuration names. Nothing of a request ever reaches you, and nothing
///   should.
/// - Do not retry, do not cache, do not wait: that is done above you, and so is the time limit. What
///   cannot be stopped there is a `fetch` that blocks its thread.
/// - Bound what you read. A document of more than 512 KiB is refused in any case.
/// - Your error and its sources are logged by their `Display`: no user information of URLs, no key material.
pub trait FetchKeys: Send + Sync + 'static {
    /// Why there is no document.
    type Error: Error + Send + Sync + 'static;

    /// Gets the document.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when it takes too long, and must allow that.
    fn fetch(&self) -> impl Future<Output = Result<KeyDocument, Self::Error>> + Send;
}

impl<F, Fut, E> FetchKeys for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<KeyDocument, E>> + Send,
    E: Error + Send + Sync + 'static,
{
    type Error = E;

    fn fetch(&self) -> impl Future<Output = Result<KeyDocument, E>> + Send {
        self()
    }
}

/// A JWK Set as it was fetched, not looked into yet.
pub struct KeyDocument(Content);

enum Content {
    Json(Vec<u8>),
    Parsed(Value),
}

impl KeyDocument {
    /// The bytes of a JWK Set.
    #[must_use]
    pub fn from_json(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Content::Json(bytes.into()))
    }

    /// A JWK Set that was parsed already. Prefer [`from_json`](Self::from_json): a parsed value no
    /// longer tells whether it held names twice.
    #[must_use]
    pub const fn from_value(value: Value) -> Self {
        Self(Content::Parsed(value))
    }

    pub(super) fn import(self, how: Import) -> Result<KeySet, InvalidKeySetError> {
        match self.0 {
            Content::Json(bytes) => import_bytes(&bytes, how),
            Content::Parsed(value) => import_value(&value, how),
        }
    }
}

impl fmt::Debug for KeyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDocument").finish_non_exhaustive()
    }
}
