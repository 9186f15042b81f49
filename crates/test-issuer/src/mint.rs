use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value};

use crate::algorithm::SigningAlgorithm;
use crate::error::TestIssuerError;
use crate::issuer::State;
use crate::keys::{self, Key};

/// A token in the making: a good RFC 9068 access token, bent where a test wants it bent.
///
/// Every method but the last replaces what an earlier call said. Nothing is validated: asking for
/// nonsense is the point.
///
/// Time stands still in a builder: `iat`, `exp` and `jti` are those of the moment of
/// [`TestIssuer::mint`](crate::TestIssuer::mint), so signing twice makes the same token twice.
#[must_use = "a token builder does nothing until `sign` or `sign_parts`"]
#[derive(Clone)]
pub struct TokenBuilder {
    state: Arc<State>,
    minted_at: i64,
    claims: Map<String, Value>,
    /// What differs from the usual header; `None` leaves a parameter out.
    header: BTreeMap<String, Option<Value>>,
    raw_header: Option<Vec<u8>>,
    raw_payload: Option<Vec<u8>>,
    algorithm: Option<SigningAlgorithm>,
    proof: Proof,
    signature: Signature,
}

/// What stands in the third part of a token.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// Exactly these bytes.
    Bytes(Vec<u8>),
    /// Nothing: the token ends in a dot.
    Empty,
    /// The right signature and one zero byte.
    Extended,
    /// The right signature without its last byte.
    Truncated,
    /// The right signature.
    #[default]
    Valid,
    /// As many zero bytes as the right signature has.
    Zeros,
}

/// Whose signature it is.
#[derive(Clone)]
enum Proof {
    Foreign,
    Genuine,
    Hmac(Vec<u8>),
    None,
}

impl TokenBuilder {
    pub(crate) fn new(state: Arc<State>) -> Self {
        let minted_at = state.now();
        let settings = &state.settings;
        let client = settings.clients.first();
        let id = client.map_or("test-client", |client| &client.id);

        let mut claims = Map::new();
        claims.insert("iss".to_owned(), Value::from(state.issuer.as_str()));
        claims.insert("sub".to_owned(), Value::from(id));
        claims.insert("client_id".to_owned(), Value::from(id));
        let audience =
            settings.default_audience.clone().or_else(|| state.resources().into_iter().next());
        if let Some(audience) = audience {
            claims.insert("aud".to_owned(), Value::from(audience));
        }
        if let Some(client) = client.filter(|client| !client.scopes.is_empty()) {
            claims.insert("scope".to_owned(), Value::from(client.scopes.join(" ")));
        }
        claims.insert("iat".to_owned(), Value::from(minted_at));
        claims.insert("jti".to_owned(), Value::from(state.next_jti()));
        let lifetime = settings.token_lifetime;

        Self {
            state,
            minted_at,
            claims,
            header: BTreeMap::new(),
            raw_header: None,
            raw_payload: None,
            algorithm: None,
            proof: Proof::Genuine,
            signature: Signature::Valid,
        }
        .expires_in(lifetime)
    }

    /// Sets `sub`.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        self.claim("sub", subject.into())
    }

    /// Sets `client_id`.
    pub fn client_id(self, id: impl Into<String>) -> Self {
        self.claim("client_id", id.into())
    }

    /// Sets `aud` to this string.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.claim("aud", audience.into())
    }

    /// Sets `aud` to an array, be it of one or none.
    pub fn audiences<A: Into<String>>(self, audiences: impl IntoIterator<Item = A>) -> Self {
        self.claim("aud", audiences.into_iter().map(Into::into).collect::<Vec<String>>())
    }

    /// Sets `scope`: names separated by spaces, written as given.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.claim("scope", scope.into())
    }

    /// Sets `act`, the party that acts for the subject (RFC 8693).
    pub fn actor(self, actor: Value) -> Self {
        self.claim("act", actor)
    }

    /// Sets `iat`, in unix seconds.
    pub fn issued_at(self, unix_seconds: i64) -> Self {
        self.claim("iat", unix_seconds)
    }

    /// Sets `nbf`, in unix seconds.
    pub fn valid_from(self, unix_seconds: i64) -> Self {
        self.claim("nbf", unix_seconds)
    }

    /// Sets `exp`, in unix seconds.
    pub fn expires_at(self, unix_seconds: i64) -> Self {
        self.claim("exp", unix_seconds)
    }

    /// Sets `exp` to this long after the token was minted, whatever `iat` says.
    pub fn expires_in(self, lifetime: Duration) -> Self {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let expiry = self.minted_at.saturating_add(seconds);
        self.expires_at(expiry)
    }

    /// Sets any claim to any value.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Leaves a claim out.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets any header parameter to any value. Setting `alg` changes what the token says, not how
    /// it is signed: see [`algorithm`](Self::algorithm).
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), Some(value.into()));
        self
    }

    /// Leaves a header parameter out.
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.header.insert(name.into(), None);
        self
    }

    /// Signs over exactly these bytes as the header, with the key the token would have had:
    /// duplicate members, a byte order mark, no JSON at all.
    pub fn raw_header(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_header = Some(bytes.into());
        self
    }

    /// Signs over exactly these bytes as the payload, with the key the token would have had.
    pub fn raw_payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_payload = Some(bytes.into());
        self
    }

    /// Says and signs with this algorithm. The key, and `kid`, are the issuer's: the one published
    /// for it, or else one that is published for another algorithm and can do this one (RS256 and
    /// PS512, say). If it has neither, a foreign key signs under the current `kid`.
    pub fn algorithm(mut self, algorithm: SigningAlgorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// Signs with a key that is never published, under the `kid` of the one that should have.
    pub fn signed_with_foreign_key(mut self) -> Self {
        self.proof = Proof::Foreign;
        self
    }

    /// Says HS256 and authenticates with these bytes: algorithm confusion, when they are the
    /// public key.
    pub fn hmac_with(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.proof = Proof::Hmac(secret.into());
        self
    }

    /// Says `none` and has no signature.
    pub fn unsigned(mut self) -> Self {
        self.proof = Proof::None;
        self
    }

    /// Puts this in the place of the signature. Other than [`Signature::Bytes`], it is made from
    /// the signature the token would have had.
    pub fn signature(mut self, signature: Signature) -> Self {
        self.signature = signature;
        self
    }

    /// The token, in compact serialization.
    ///
    /// # Panics
    ///
    /// If the cryptographic library cannot generate a key or sign, which it can unless the system
    /// has no memory or no randomness. A test must not go on with a token that is wrong in
    /// another way than it asked for.
    #[must_use]
    pub fn sign(&self) -> String {
        join(&self.sign_parts())
    }

    /// The three parts of the token, base64url without padding, for tests that corrupt the
    /// encoding. Joined with dots they are the token.
    ///
    /// # Panics
    ///
    /// As [`sign`](Self::sign).
    #[must_use]
    #[expect(clippy::expect_used, reason = "documented: no key means a broken machine")]
    pub fn sign_parts(&self) -> (String, String, String) {
        self.try_sign_parts().expect("the cryptographic library can sign")
    }

    /// An opaque token with these claims: what the introspection endpoint says of it. Each call makes another.
    ///
    /// # Panics
    ///
    /// If the system has no randomness.
    #[must_use]
    #[expect(clippy::expect_used, reason = "documented: no randomness means a broken machine")]
    pub fn issue_opaque(&self) -> String {
        self.try_issue_opaque().expect("the system has randomness")
    }

    pub(crate) fn try_issue_opaque(&self) -> Result<String, TestIssuerError> {
        self.state.opaque_tokens().issue(self.claims.clone())
    }

    pub(crate) fn try_sign(&self) -> Result<String, TestIssuerError> {
        Ok(join(&self.try_sign_parts()?))
    }

    fn try_sign_parts(&self) -> Result<(String, String, String), TestIssuerError> {
        let (kid, signer) = self.signer()?;
        let header = self.raw_header.clone().unwrap_or_else(|| self.header_json(&kid, &signer));
        let payload = self.raw_payload.clone().unwrap_or_else(|| to_json(&self.claims));
        let header = URL_SAFE_NO_PAD.encode(header);
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let right = signer.sign(format!("{header}.{payload}").as_bytes())?;
        Ok((header, payload, URL_SAFE_NO_PAD.encode(self.signature.bent_from(right))))
    }

    fn header_json(&self, kid: &str, signer: &Signer) -> Vec<u8> {
        let mut header = Map::new();
        header.insert("typ".to_owned(), Value::from("at+jwt"));
        header.insert("alg".to_owned(), Value::from(signer.algorithm()));
        header.insert("kid".to_owned(), Value::from(kid));
        for (name, value) in &self.header {
            match value {
                Some(value) => header.insert(name.clone(), value.clone()),
                None => header.remove(name),
            };
        }
        to_json(&header)
    }

    /// Who signs, and under which key identifier.
    fn signer(&self) -> Result<(String, Signer), TestIssuerError> {
        let current = self.state.signing_key();
        let algorithm = self.algorithm.unwrap_or_else(|| current.algorithm());
        let own = self.state.keys().for_algorithm(algorithm).cloned();
        let kid = own.as_ref().unwrap_or(&current).kid().to_owned();
        let foreign = || self.state.foreign_keys.get(algorithm);
        let signer = match &self.proof {
            Proof::Foreign => Signer::Key(algorithm, foreign()?),
            Proof::Genuine => Signer::Key(algorithm, own.map_or_else(foreign, Ok)?),
            Proof::Hmac(secret) => Signer::Hmac(EncodingKey::from_secret(secret)),
            Proof::None => Signer::None,
        };
        Ok((kid, signer))
    }
}

impl fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuilder")
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Signature {
    fn bent_from(&self, mut right: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => return bytes.clone(),
            Self::Empty => right.clear(),
            Self::Extended => right.push(0),
            Self::Truncated => drop(right.pop()),
            Self::Valid => {}
            Self::Zeros => right.fill(0),
        }
        right
    }
}

enum Signer {
    Hmac(EncodingKey),
    Key(SigningAlgorithm, Arc<Key>),
    None,
}

impl Signer {
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "HS256",
            Self::Key(algorithm, _) => algorithm.name(),
            Self::None => "none",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TestIssuerError> {
        match self {
            Self::Hmac(secret) => keys::sign(Algorithm::HS256, self.algorithm(), secret, message),
            Self::Key(algorithm, key) => key.sign(*algorithm, message),
            Self::None => Ok(Vec::new()),
        }
    }
}

fn to_json(members: &Map<String, Value>) -> Vec<u8> {
    Value::Object(members.clone()).to_string().into_bytes()
}

fn join((header, payload, signature): &(String, String, String)) -> String {
    format!("{header}.{payload}.{signature}")
}
