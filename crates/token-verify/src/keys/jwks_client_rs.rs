//! `jwks_client_rs`, both ways: its sources for our keys, our keys as a source for its client.

mod snapshot;

use std::fmt;

use jwks_client_rs::{JsonWebKey, JwksClientError, source::JwksSource};
use serde_json::{Map, Value, json};

pub use self::snapshot::JwksSnapshot;
use super::{FetchKeys, KeyDocument};

/// Any [`JwksSource`] of `jwks_client_rs` as a source for [`RemoteKeys`](super::RemoteKeys).
///
/// The keys go through the same import as all others. Its `JwksClient` is not involved: caching,
/// retrying and verifying are done here. A `JwksClient` itself is no source, because it gives keys out by
/// name only and never says which are gone; give us the source that it was built from, or give it ours,
/// a [`JwksSnapshot`].
///
/// What `jwks_client_rs` does before we see the keys cannot be undone: it refuses a whole set for one
/// key that it does not know or that has no `kid`; it does not say whether an elliptic-curve key had a
/// `use`, and no key whether it had `key_ops` or private members; and its `WebSource` follows redirects
/// and does not bound what it reads. `HttpSource` has none of these limits.
///
/// ```no_run
/// use jwks_client_rs::source::WebSource;
/// use palisade_token_verify::keys::{JwksClientSource, RemoteKeys};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let source = WebSource::builder().build("https://as.example/jwks".parse()?)?;
/// let keys = RemoteKeys::spawn(JwksClientSource::new(source))?;
/// # drop(keys);
/// # Ok(())
/// # }
/// ```
pub struct JwksClientSource<S>(S);

/// A [`JwksSource`] returned an error.
#[derive(Debug, thiserror::Error)]
#[error("the `JwksSource` has no keys")]
#[non_exhaustive]
pub struct JwksClientSourceError {
    // Not part of the text: it may hold the URL, user information included.
    source: JwksClientError,
}

impl<S> JwksClientSource<S> {
    /// Adapts `source`.
    pub const fn new(source: S) -> Self {
        Self(source)
    }
}

impl<S: JwksSource + Send + Sync + 'static> FetchKeys for JwksClientSource<S> {
    type Error = JwksClientSourceError;

    async fn fetch(&self) -> Result<KeyDocument, JwksClientSourceError> {
        let set = self.0.fetch_keys().await.map_err(|source| JwksClientSourceError { source })?;
        let keys: Vec<_> = set.keys().iter().map(as_jwk).collect();
        Ok(KeyDocument::from_value(json!({ "keys": keys })))
    }
}

fn as_jwk(key: &JsonWebKey) -> Value {
    let numbers = match key {
        JsonWebKey::Ec(ec) => json!({ "kty": "EC", "crv": ec.curve(), "x": ec.x(), "y": ec.y() }),
        JsonWebKey::Okp(okp) => json!({ "kty": "OKP", "crv": okp.curve(), "x": okp.x() }),
        JsonWebKey::Rsa(rsa) => json!({ "kty": "RSA", "n": rsa.modulus(), "e": rsa.exponent() }),
    };
    let labels = [("kid", Some(key.key_id())), ("alg", key.alg()), ("use", purpose(key))];
    let labels = labels.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let mut jwk = Map::new();
    jwk.extend(labels.map(|(name, value)| (name.to_owned(), Value::from(value))));
    if let Value::Object(numbers) = numbers {
        jwk.extend(numbers);
    }
    Value::Object(jwk)
}

/// The type of `use` has no name outside its crate, so only its `Debug` can be asked. Whatever is not
/// `Sig` keeps the key out.
fn purpose(key: &JsonWebKey) -> Option<&'static str> {
    let purpose = key.as_rsa_public_key().ok()?.r#use()?;
    Some(if format!("{purpose:?}") == "Sig" { "sig" } else { "enc" })
}

impl<S> fmt::Debug for JwksClientSource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksClientSource").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
