use std::{error::Error, fmt, sync::Arc, time::Duration};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    InvalidKeySetError,
    import::{Import, MAX_SET_BYTES, import_bytes, import_value},
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

    /// Gets the document, or learns that it is still the one that came with `held`. Without an
    /// implementation it is fetched in full.
    ///
    /// # Cancel safety
    ///
    /// As [`fetch`](Self::fetch).
    fn fetch_unless(
        &self,
        held: &KeyValidator,
    ) -> impl Future<Output = Result<KeyDocument, Self::Error>> + Send {
        let _ = held;
        self.fetch()
    }
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

/// By what a source knows again a document that it gave, such as an entity tag (RFC 9110 §8.8.3). It is
/// kept with the keys of that document, and only if they could be used.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyValidator(Arc<str>);

impl KeyValidator {
    /// Any text of the source.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// That text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyValidator").finish_non_exhaustive()
    }
}

/// A JWK Set as it was fetched, not looked into yet, and what the source says about it.
pub struct KeyDocument {
    content: Content,
    max_age: Option<Duration>,
    age: Duration,
    validator: Option<KeyValidator>,
}

enum Content {
    Json(Vec<u8>),
    NotModified,
    Parsed(Value),
}

/// What a document says about itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Freshness {
    /// How long it wants to be used, if it says so.
    pub(super) max_age: Option<Duration>,
    /// How long it lay in a cache before it came here.
    pub(super) age: Duration,
    pub(super) validator: Option<KeyValidator>,
}

/// What a document holds.
pub(super) enum Read {
    NotModified,
    Set { keys: KeySet, document: ReadDocument },
}

/// The document that keys came from.
#[derive(Clone)]
pub(super) struct ReadDocument {
    /// Tells one document from another.
    pub(super) digest: [u8; 32],
    /// The names of all keys in it, also of those that cannot be used: the issuer knows them. Some have none.
    pub(super) names: Arc<[Option<Box<str>>]>,
    #[cfg(feature = "jwks-client-rs")]
    pub(super) json: Arc<[u8]>,
}

impl KeyDocument {
    /// The bytes of a JWK Set.
    #[must_use]
    pub fn from_json(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Content::Json(bytes.into()))
    }

    /// A JWK Set that was parsed already. Prefer [`from_json`](Self::from_json): a parsed value no
    /// longer tells whether it held names twice.
    #[must_use]
    pub const fn from_value(value: Value) -> Self {
        Self::new(Content::Parsed(value))
    }

    /// The document is the one that [`FetchKeys::fetch_unless`] was asked about. From
    /// [`FetchKeys::fetch`], it is a failure.
    #[must_use]
    pub const fn not_modified() -> Self {
        Self::new(Content::NotModified)
    }

    const fn new(content: Content) -> Self {
        Self { content, max_age: None, age: Duration::ZERO, validator: None }
    }

    /// For how long the source wants it to be used, from now on. It is followed within the bounds of
    /// [`RemoteKeys`](super::RemoteKeys).
    #[must_use]
    pub const fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// How long it lay in a cache before it came here (RFC 9111 §5.1). By that, a set that is older than
    /// the one in use is known.
    #[must_use]
    pub const fn with_age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// By what the source knows it again.
    #[must_use]
    pub fn with_validator(mut self, validator: KeyValidator) -> Self {
        self.validator = Some(validator);
        self
    }

    pub(super) fn read(self, how: Import) -> Result<(Read, Freshness), InvalidKeySetError> {
        let Self { content, max_age, age, validator } = self;
        let read = match content {
            Content::NotModified => Read::NotModified,
            Content::Json(json) => {
                if json.len() > MAX_SET_BYTES {
                    return Err(InvalidKeySetError::TooLarge);
                }
                let keys = import_bytes(&json, how)?;
                // Never fails: it was read just now.
                let value = serde_json::from_slice(&json).unwrap_or_default();
                Read::Set { keys, document: ReadDocument::new(&json, &value) }
            }
            Content::Parsed(value) => {
                let json = value.to_string();
                if json.len() > MAX_SET_BYTES {
                    return Err(InvalidKeySetError::TooLarge);
                }
                let keys = import_value(&value, how)?;
                Read::Set { keys, document: ReadDocument::new(json.as_bytes(), &value) }
            }
        };
        Ok((read, Freshness { max_age, age, validator }))
    }
}

impl ReadDocument {
    fn new(json: &[u8], value: &Value) -> Self {
        let keys = value.get("keys").and_then(Value::as_array);
        let names = keys.into_iter().flatten().map(|jwk| jwk.get("kid").and_then(Value::as_str));
        Self {
            digest: Sha256::digest(json).into(),
            names: names.map(|name| name.map(Into::into)).collect(),
            #[cfg(feature = "jwks-client-rs")]
            json: json.into(),
        }
    }
}

impl fmt::Debug for KeyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDocument")
            .field("max_age", &self.max_age)
            .field("age", &self.age)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_bounded_in_either_form() {
        let set = |padding: usize| {
            let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
            json!({ "keys": [key], "x": "x".repeat(padding) })
        };
        let read = |document: KeyDocument| document.read(Import::new()).map(|_| ()).err();
        let too_large = Some(InvalidKeySetError::TooLarge);
        for (set, expected) in [(set(0), None), (set(MAX_SET_BYTES), too_large)] {
            assert_eq!(read(KeyDocument::from_json(set.to_string())), expected);
            assert_eq!(read(KeyDocument::from_value(set)), expected);
        }
    }
}
