use std::{fmt, time::SystemTime};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_core::{Clock, SystemClock};
use serde_json::{Map, Value, json};
use tower::BoxError;

/// The key of a client, to which tokens can be bound (RFC 9449).
pub struct ProofKey {
    pair: EcdsaKeyPair,
    jwk: Value,
    thumbprint: String,
}

impl ProofKey {
    /// A new one, for ES256.
    ///
    /// # Errors
    ///
    /// If there is no randomness.
    pub fn generate() -> Result<Self, BoxError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        // SEC 1 §2.3.3, uncompressed: 4, then both coordinates in full.
        let point = pair.public_key().as_ref().strip_prefix(&[4]).ok_or("a compressed point")?;
        let (x, y) = point.split_at_checked(32).ok_or("a short point")?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        // RFC 7638 §3: the required members, in this order, and no white space.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        Ok(Self { pair, jwk, thumbprint })
    }

    /// What a bound token has in `cnf.jkt` (RFC 9449 §6.1).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// A proof for one request, made now, with a name of its own.
    pub fn proof(&self, method: &str, url: &str) -> Proof<'_> {
        let now = SystemClock::new().now().duration_since(SystemTime::UNIX_EPOCH);
        let mut claims = Map::new();
        claims.insert("htm".to_owned(), method.into());
        claims.insert("htu".to_owned(), url.into());
        claims.insert("iat".to_owned(), now.map_or(0, |now| now.as_secs()).into());
        Proof { key: self, claims }
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKey").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// A proof of possession to be (RFC 9449 §4.2).
#[derive(Clone, Debug)]
#[must_use = "nothing is proved before `sign`"]
pub struct Proof<'a> {
    key: &'a ProofKey,
    claims: Map<String, Value>,
}

impl Proof<'_> {
    /// Says that it goes with this token, as it must at a resource.
    pub fn for_token(self, token: &str) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()));
        self.claim("ath", hash)
    }

    /// Sets any claim, or replaces it.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// The proof. Each call gives it another `jti`, unless it was set.
    ///
    /// # Errors
    ///
    /// If there is no randomness.
    pub fn sign(&self) -> Result<String, BoxError> {
        let mut claims = self.claims.clone();
        if !claims.contains_key("jti") {
            let mut id = [0; 16];
            aws_lc_rs::rand::fill(&mut id)?;
            claims.insert("jti".to_owned(), URL_SAFE_NO_PAD.encode(id).into());
        }
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.jwk });
        let [header, claims] =
            [header, Value::Object(claims)].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = self.key.pair.sign(&SystemRandom::new(), message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
