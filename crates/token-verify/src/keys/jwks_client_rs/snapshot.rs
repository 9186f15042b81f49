use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use jsonwebtoken::errors::ErrorKind;
use jwks_client_rs::{JsonWebKey, JsonWebKeySet, JwksClientError, source::JwksSource};
use serde_json::Value;

use crate::keys::{RemoteKeys, fetch::ReadDocument, import_embedded, set::KeySet};

/// [`RemoteKeys`] as a [`JwksSource`]: for code that uses a `JwksClient` of `jwks_client_rs` and shall go on with it.
///
/// `JwksClient` asks its source for every unknown name, again and again, and makes all other look-ups wait
/// meanwhile. From here it is answered at once, with what [`RemoteKeys`] has; the issuer is asked behind that, with all
/// the limits of [`RemoteKeys`]. So a token of a key that was rotated in a moment ago fails once or twice, and then
/// works; no other look-up ever waits for the network.
///
/// The set holds the keys that [`RemoteKeys`] would use and no others, each with its one `alg`. Keys without `kid` are
/// not in it: a `JwksClient` finds keys by name only. When the keys are too old, there are none.
///
/// # What it does not protect against
///
/// - `JwksClient` keeps what it got for its time to live, a day if not set, withdrawn keys included: set it to a minute
///   or so. Its cache even gives a withdrawn key out once more after that.
/// - `JwksClient::decode` checks neither the issuer nor the type of a token, accepts tokens without `aud`, and does not
///   look at `crit`. Use a [`JwtVerifier`](crate::JwtVerifier) over the same [`RemoteKeys`] wherever you can: a clone
///   of it costs nothing.
///
/// ```no_run
/// use std::time::Duration;
///
/// use jwks_client_rs::JwksClient;
/// use palisade_token_verify::keys::{JwksSnapshot, KeyDocument, RemoteKeys};
///
/// # async fn read() -> std::io::Result<Vec<u8>> { Ok(Vec::new()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = RemoteKeys::spawn(|| async { read().await.map(KeyDocument::from_json) })?;
/// let client = JwksClient::builder()
///     .time_to_live(Duration::from_secs(60))
///     .build(JwksSnapshot::new(keys));
/// # drop(client);
/// # Ok(())
/// # }
/// ```
pub struct JwksSnapshot {
    keys: RemoteKeys,
    /// Made once for each document, not for each name that somebody invents.
    made: Mutex<Option<([u8; 32], JsonWebKeySet)>>,
}

impl JwksSnapshot {
    /// Answers from `keys`.
    #[must_use]
    pub const fn new(keys: RemoteKeys) -> Self {
        Self { keys, made: Mutex::new(None) }
    }

    fn current(&self) -> Result<JsonWebKeySet, JwksClientError> {
        self.keys.ask_for_fetch();
        let (document, set) = self.keys.in_use().ok_or_else(no_keys)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((digest, known)) = &*made
            && *digest == document.digest
        {
            return Ok(known.clone());
        }
        let fresh = JsonWebKeySet::from(usable(&document, &set));
        *made = Some((document.digest, fresh.clone()));
        Ok(fresh)
    }
}

/// The type has no error for it that can be made outside its crate.
fn no_keys() -> JwksClientError {
    jsonwebtoken::errors::Error::from(ErrorKind::InvalidKeyFormat).into()
}

fn usable(document: &ReadDocument, set: &Arc<KeySet>) -> Vec<JsonWebKey> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(&document.json) else {
        return Vec::new();
    };
    let Some(Value::Array(keys)) = members.remove("keys") else {
        return Vec::new();
    };
    keys.into_iter()
        .filter_map(|mut jwk| {
            let key = set.get(jwk.get("kid")?.as_str()?)?;
            // An entry that was left out may have the name of one that was not.
            let is_it = import_embedded(&jwk, key.algorithm()).is_some_and(|own| own.is_same(key));
            if !is_it {
                return None;
            }
            // Without it, `JwksClient` takes a key for one of HMAC.
            let alg = Value::from(key.algorithm().as_str());
            jwk.as_object_mut()?.insert("alg".to_owned(), alg);
            serde_json::from_value(jwk).ok()
        })
        .collect()
}

impl JwksSource for JwksSnapshot {
    // What `async_trait` makes of `async fn fetch_keys(&self)`.
    fn fetch_keys<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = Result<JsonWebKeySet, JwksClientError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(std::future::ready(self.current()))
    }
}

impl fmt::Debug for JwksSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksSnapshot").field("keys", &self.keys).finish_non_exhaustive()
    }
}
