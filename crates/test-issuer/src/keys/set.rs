use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::algorithm::SigningAlgorithm;
use crate::error::TestIssuerError;
use crate::issuer::Retire;
use crate::keys::Key;

/// The keys the issuer owns, and what it publishes of them.
///
/// The two lists are separate on purpose: a key that was withdrawn can still sign, as a stolen one
/// would, and what is published need not be a key at all.
#[derive(Debug)]
pub(crate) struct KeySet {
    signing: Arc<Key>,
    /// Every key ever generated, oldest first.
    owned: Vec<Arc<Key>>,
    published: Vec<Published>,
}

enum Published {
    Own(Arc<Key>),
    Raw(Value),
}

impl KeySet {
    /// A set that signs with the first algorithm and also publishes a key for each other one.
    pub(crate) fn generate(
        signing: SigningAlgorithm,
        others: &[SigningAlgorithm],
    ) -> Result<Self, TestIssuerError> {
        let first = Arc::new(Key::generate(signing, kid(signing, 0))?);
        let mut set =
            Self { signing: Arc::clone(&first), owned: Vec::new(), published: Vec::new() };
        set.add(first);
        for &algorithm in others {
            set.generate_next(algorithm)?;
        }
        Ok(set)
    }

    pub(crate) fn signing(&self) -> &Arc<Key> {
        &self.signing
    }

    /// The key to sign `algorithm` with: one made for it, or one of the same kind. The signing key
    /// goes first, then the newest.
    pub(crate) fn for_algorithm(&self, algorithm: SigningAlgorithm) -> Option<&Arc<Key>> {
        let candidates = || std::iter::once(&self.signing).chain(self.owned.iter().rev());
        candidates()
            .find(|key| key.algorithm() == algorithm)
            .or_else(|| candidates().find(|key| key.algorithm().kind() == algorithm.kind()))
    }

    pub(crate) fn rotate(&mut self, retire: Retire) -> Result<&Arc<Key>, TestIssuerError> {
        let next = self.generate_next(self.signing.algorithm())?;
        let previous = std::mem::replace(&mut self.signing, next);
        match retire {
            Retire::DropPrevious => self.published.retain(
                |entry| !matches!(entry, Published::Own(key) if Arc::ptr_eq(key, &previous)),
            ),
            Retire::KeepPrevious => {}
        }
        Ok(&self.signing)
    }

    pub(crate) fn withdraw(&mut self, kid: &str) -> Result<(), TestIssuerError> {
        let before = self.published.len();
        self.published.retain(|entry| entry.kid() != Some(kid));
        if self.published.len() == before {
            return Err(TestIssuerError::UnknownKey(kid.to_owned()));
        }
        Ok(())
    }

    pub(crate) fn publish_raw(&mut self, jwk: Value) {
        self.published.push(Published::Raw(jwk));
    }

    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.published.iter().map(Published::jwk).collect::<Vec<_>>() })
    }

    fn generate_next(&mut self, algorithm: SigningAlgorithm) -> Result<Arc<Key>, TestIssuerError> {
        let key = Arc::new(Key::generate(algorithm, kid(algorithm, self.owned.len()))?);
        self.add(Arc::clone(&key));
        Ok(key)
    }

    fn add(&mut self, key: Arc<Key>) {
        self.owned.push(Arc::clone(&key));
        self.published.push(Published::Own(key));
    }
}

impl Published {
    fn jwk(&self) -> &Value {
        match self {
            Self::Own(key) => key.jwk(),
            Self::Raw(jwk) => jwk,
        }
    }

    fn kid(&self) -> Option<&str> {
        match self {
            Self::Own(key) => Some(key.kid()),
            Self::Raw(jwk) => jwk.get("kid").and_then(Value::as_str),
        }
    }
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(key) => key.fmt(f),
            // It may be a symmetric key.
            Self::Raw(_) => f.write_str("Raw"),
        }
    }
}

/// `ES256-1`, `RS256-2`, … in the order the keys were made: predictable, so that a test can write
/// one down, and the same for two issuers, so that a verifier that looks keys up by `kid` alone is
/// found out.
fn kid(algorithm: SigningAlgorithm, older_keys: usize) -> String {
    format!("{algorithm}-{}", older_keys.saturating_add(1))
}

/// Keys that are never published: one of each kind, made when first asked for.
#[derive(Debug, Default)]
pub(crate) struct ForeignKeys(Mutex<Vec<Arc<Key>>>);

impl ForeignKeys {
    pub(crate) fn get(&self, algorithm: SigningAlgorithm) -> Result<Arc<Key>, TestIssuerError> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = made.iter().find(|key| key.algorithm().kind() == algorithm.kind()) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(Key::generate(algorithm, "foreign".to_owned())?);
        made.push(Arc::clone(&key));
        Ok(key)
    }
}
