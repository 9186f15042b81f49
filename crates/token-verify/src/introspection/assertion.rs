//! `private_key_jwt`: assertions that this service is the client (RFC 7523 §2.2, §3).

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;
use zeroize::Zeroizing;

pub use crate::crypto::signing::AssertionAlgorithm;
use crate::crypto::signing::SigningKey;

pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Long enough for clocks that differ a little, short enough that a stolen one is worthless soon.
const LIFETIME: Duration = Duration::from_secs(60);
/// Bytes of randomness in `jti`, so that the server can refuse a second use (RFC 7523 §3).
const JTI_BYTES: usize = 16;

/// The private key that this service signs client assertions with. It never leaves the process, never shows in
/// `Debug`, and is bound to one algorithm.
#[derive(Clone)]
pub struct AssertionKey {
    key: Arc<SigningKey>,
    key_id: Option<Arc<str>>,
    typ: &'static str,
}

/// A private key cannot be used. The text holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAssertionKeyError {
    /// Not a key for this algorithm that the cryptographic library takes.
    #[error(
        "not an unencrypted PKCS#8 key for this algorithm, or one that the library does not take"
    )]
    Key,
    /// No PEM block `PRIVATE KEY`.
    #[error(
        "not PEM with one block `PRIVATE KEY`: convert it with `openssl pkcs8 -topk8 -nocrypt`"
    )]
    Pem,
}

impl AssertionKey {
    /// Reads a key in PKCS#8, DER (RFC 5958).
    ///
    /// # Errors
    ///
    /// [`InvalidAssertionKeyError::Key`].
    pub fn from_pkcs8_der(
        algorithm: AssertionAlgorithm,
        der: &[u8],
    ) -> Result<Self, InvalidAssertionKeyError> {
        let key = SigningKey::from_pkcs8(algorithm, der).ok_or(InvalidAssertionKeyError::Key)?;
        Ok(Self { key: Arc::new(key), key_id: None, typ: "JWT" })
    }

    /// Reads a key in PKCS#8, PEM: one block `PRIVATE KEY` (RFC 7468 §10).
    ///
    /// # Errors
    ///
    /// [`InvalidAssertionKeyError`].
    pub fn from_pkcs8_pem(
        algorithm: AssertionAlgorithm,
        pem: &str,
    ) -> Result<Self, InvalidAssertionKeyError> {
        let der = der_of(pem).ok_or(InvalidAssertionKeyError::Pem)?;
        Self::from_pkcs8_der(algorithm, &der)
    }

    /// The name of the key in the client's registration, for clients with several.
    #[must_use]
    pub fn with_key_id(mut self, kid: &str) -> Self {
        self.key_id = Some(kid.into());
        self
    }

    /// Writes `typ` as `client-authentication+jwt`, which says what the JWT is for. Without this call it is `JWT`:
    /// servers that predate the name refuse it.
    #[must_use]
    pub const fn with_explicit_type(mut self) -> Self {
        self.typ = "client-authentication+jwt";
        self
    }

    /// `None` if the clock stands before 1970 or the library cannot sign.
    pub(super) fn sign(
        &self,
        client_id: &str,
        audience: &str,
        now: SystemTime,
    ) -> Option<Zeroizing<String>> {
        let mut header = json!({ "typ": self.typ, "alg": self.key.algorithm().as_str() });
        if let (Some(kid), Some(members)) = (&self.key_id, header.as_object_mut()) {
            members.insert("kid".to_owned(), (&**kid).into());
        }
        let issued = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let mut jti = [0_u8; JTI_BYTES];
        getrandom::fill(&mut jti).ok()?;
        // RFC 7523 §3: `iss` and `sub` are both the client.
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": URL_SAFE_NO_PAD.encode(jti),
            "iat": issued.as_secs(),
            "exp": issued.saturating_add(LIFETIME).as_secs(),
        });
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = Zeroizing::new(format!("{}.{}", encode(&header), encode(&claims)));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes())?);
        Some(Zeroizing::new(format!("{}.{signature}", *signed)))
    }
}

fn der_of(pem: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    STANDARD.decode(base64.as_bytes()).ok().map(Zeroizing::new)
}

impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionKey")
            .field("algorithm", &self.key.algorithm())
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
