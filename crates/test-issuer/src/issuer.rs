use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use serde_json::Value;

use crate::behaviour::{Behaviour, JwksAnswer};
use crate::builder::{Settings, TestIssuerBuilder};
use crate::endpoints::{self, Reply};
use crate::error::TestIssuerError;
use crate::keys::{ForeignKeys, Key, KeySet};
use crate::mint::TokenBuilder;
use crate::opaque::OpaqueTokens;
use crate::server::ServerHandle;

/// A handle to a running test issuer. Clones share one issuer; its server, if it has one, stops
/// when the last of them is dropped.
///
/// See the [crate documentation](crate) for how to use it.
#[derive(Clone)]
pub struct TestIssuer {
    shared: Arc<Shared>,
}

/// What becomes of the key that signed until a rotation.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retire {
    /// It leaves the published set at once, as after a compromise.
    DropPrevious,
    /// It stays published, as in a planned rotation: its tokens remain good.
    KeepPrevious,
}

impl TestIssuer {
    /// Starts to describe an issuer.
    pub fn builder() -> TestIssuerBuilder {
        TestIssuerBuilder::new()
    }

    pub(crate) fn new(state: Arc<State>, server: Option<ServerHandle>) -> Self {
        Self { shared: Arc::new(Shared { state, server }) }
    }

    /// The issuer identifier, exactly as it stands in `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.state().issuer
    }

    /// Where the key set is served.
    #[must_use]
    pub fn jwks_uri(&self) -> String {
        self.state().endpoint("/jwks")
    }

    /// Where tokens are issued.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        self.state().endpoint("/token")
    }

    /// Where tokens are introspected (RFC 7662).
    #[must_use]
    pub fn introspection_endpoint(&self) -> String {
        self.state().endpoint("/introspect")
    }

    /// The issuer's clock, in unix seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.state().now()
    }

    /// The published key set: what the JWKS endpoint serves while it behaves.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.state().keys().jwks()
    }

    /// The key identifier of the signing key.
    #[must_use]
    pub fn current_kid(&self) -> String {
        self.state().signing_key().kid().to_owned()
    }

    /// The public half of the signing key as a JWK, serialized as in the key set.
    ///
    /// This and the next two are the secrets that an algorithm-confusion attack tries with
    /// [`TokenBuilder::hmac_with`].
    #[must_use]
    pub fn public_key_jwk_bytes(&self) -> Vec<u8> {
        self.state().signing_key().jwk().to_string().into_bytes()
    }

    /// The public half of the signing key as a DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn public_key_der(&self) -> Vec<u8> {
        self.state().signing_key().spki_der().to_vec()
    }

    /// The public half of the signing key as PEM, with a final newline.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        self.state().signing_key().spki_pem()
    }

    /// Generates a new signing key of the same algorithm and publishes it. Returns its key
    /// identifier, which no other key of this issuer had before.
    ///
    /// # Errors
    ///
    /// No key could be generated; everything stays as it was.
    pub fn rotate(&self, retire: Retire) -> Result<String, TestIssuerError> {
        self.state().keys().rotate(retire).map(|key| key.kid().to_owned())
    }

    /// Takes every key with this identifier out of the published set.
    ///
    /// If it is the signing key, the issuer goes on signing with it, as a thief would: that is how
    /// a test shows that tokens of a withdrawn key are refused.
    ///
    /// # Errors
    ///
    /// No published key has this identifier.
    pub fn withdraw(&self, kid: &str) -> Result<(), TestIssuerError> {
        self.state().keys().withdraw(kid)
    }

    /// One more resource that tokens may be issued for, as of now: for servers whose URL is known only
    /// once they run.
    pub fn add_resource(&self, uri: impl Into<String>) {
        lock(&self.state().resources).push(uri.into());
    }

    /// Adds anything to the published set, at its end: an `oct` key, an unknown `kty`, a second
    /// key with a `kid` that is taken, no key at all.
    pub fn publish_raw_key(&self, jwk: Value) {
        self.state().keys().publish_raw(jwk);
    }

    /// Changes how the JWKS endpoint answers from now on.
    ///
    /// # Errors
    ///
    /// The behaviour holds a status or a redirect target that HTTP cannot carry.
    pub fn behave(&self, behaviour: Behaviour) -> Result<(), TestIssuerError> {
        let answer = JwksAnswer::try_from(behaviour)?;
        *lock(&self.state().jwks_answer) = answer;
        Ok(())
    }

    /// What the JWKS endpoint says in `Cache-Control` while it behaves; nothing if not set.
    ///
    /// # Errors
    ///
    /// HTTP cannot carry it.
    pub fn set_cache_control(&self, value: &str) -> Result<(), TestIssuerError> {
        let value = HeaderValue::from_str(value).map_err(|_| TestIssuerError::InvalidHeader)?;
        *lock(&self.state().cache_control) = Some(value);
        Ok(())
    }

    /// How often the JWKS endpoint said that the set is the one that was asked about (304).
    #[must_use]
    pub fn jwks_unmodified(&self) -> u64 {
        self.state().jwks_unmodified.load(Ordering::Relaxed)
    }

    /// How often the JWKS endpoint was asked, however it answered.
    #[must_use]
    pub fn jwks_fetches(&self) -> u64 {
        self.state().jwks_fetches.load(Ordering::Relaxed)
    }

    /// How often the introspection endpoint was asked, however it answered.
    #[must_use]
    pub fn introspections(&self) -> u64 {
        self.state().introspections.load(Ordering::Relaxed)
    }

    /// Ends the life of an opaque token.
    ///
    /// # Errors
    ///
    /// No such token was issued, or it was revoked before.
    pub fn revoke(&self, opaque_token: &str) -> Result<(), TestIssuerError> {
        self.state().opaque_tokens().revoke(opaque_token)
    }

    /// Starts a token that is good until told otherwise: what the token endpoint would issue to
    /// the first client for the [default audience], or else the first [resource].
    ///
    /// Without clients, both `sub` and `client_id` are `test-client` and there is no `scope`;
    /// without an audience, there is no `aud`.
    ///
    /// [default audience]: TestIssuerBuilder::default_audience
    /// [resource]: TestIssuerBuilder::resource
    pub fn mint(&self) -> TokenBuilder {
        TokenBuilder::new(Arc::clone(self.state()))
    }

    /// Answers one HTTP request without any socket. Scheme and authority are not looked at.
    ///
    /// The future borrows nothing, so that a closure around this method serves as a tower service.
    ///
    /// # Cancel safety
    ///
    /// The request is answered before this method returns; the future only hands the answer over.
    pub fn handle(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Response<Bytes>> + Send + use<> {
        let answer = endpoints::answer(self.state(), request);
        async {
            match answer.await {
                Reply::Whole(response) => response,
                Reply::Endless(_) => std::future::pending().await,
            }
        }
    }

    /// Stops the server, if there is one, and waits until its port is free and its connections
    /// are closed. Everything that needs no socket goes on working, for all clones.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future only stops waiting; the server stops all the same.
    pub async fn shutdown(&self) {
        if let Some(server) = &self.shared.server {
            server.stop().await;
        }
    }

    fn state(&self) -> &Arc<State> {
        &self.shared.state
    }
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIssuer")
            .field("issuer", &self.state().issuer)
            .field("keys", &*self.state().keys())
            .finish_non_exhaustive()
    }
}

/// The server task holds the state only, so that it does not keep itself alive.
struct Shared {
    state: Arc<State>,
    server: Option<ServerHandle>,
}

pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) issuer: String,
    /// The issuer's path without terminating slash: empty for most.
    pub(crate) path: String,
    pub(crate) foreign_keys: ForeignKeys,
    pub(crate) jwks_fetches: AtomicU64,
    pub(crate) introspections: AtomicU64,
    opaque_tokens: Mutex<OpaqueTokens>,
    pub(crate) jwks_unmodified: AtomicU64,
    cache_control: Mutex<Option<HeaderValue>>,
    resources: Mutex<Vec<String>>,
    keys: Mutex<KeySet>,
    jwks_answer: Mutex<JwksAnswer>,
    tokens: AtomicU64,
}

impl State {
    pub(crate) fn new(settings: Settings, issuer: String, path: String, keys: KeySet) -> Self {
        Self {
            resources: Mutex::new(settings.resources.clone()),
            settings,
            issuer,
            path,
            foreign_keys: ForeignKeys::default(),
            jwks_fetches: AtomicU64::new(0),
            introspections: AtomicU64::new(0),
            opaque_tokens: Mutex::default(),
            jwks_unmodified: AtomicU64::new(0),
            cache_control: Mutex::new(None),
            keys: Mutex::new(keys),
            jwks_answer: Mutex::new(JwksAnswer::KeySet),
            tokens: AtomicU64::new(0),
        }
    }

    pub(crate) fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.trim_end_matches('/'))
    }

    pub(crate) fn resources(&self) -> Vec<String> {
        lock(&self.resources).clone()
    }

    pub(crate) fn keys(&self) -> MutexGuard<'_, KeySet> {
        lock(&self.keys)
    }

    pub(crate) fn opaque_tokens(&self) -> MutexGuard<'_, OpaqueTokens> {
        lock(&self.opaque_tokens)
    }

    pub(crate) fn signing_key(&self) -> Arc<Key> {
        Arc::clone(self.keys().signing())
    }

    pub(crate) fn cache_control(&self) -> Option<HeaderValue> {
        lock(&self.cache_control).clone()
    }

    pub(crate) fn jwks_answer(&self) -> JwksAnswer {
        lock(&self.jwks_answer).clone()
    }

    /// A `jti` that no other token of this issuer has: `jti-1`, `jti-2`, …
    pub(crate) fn next_jti(&self) -> String {
        format!("jti-{}", self.tokens.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }

    pub(crate) fn now(&self) -> i64 {
        let whole = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        match (self.settings.now)().duration_since(UNIX_EPOCH) {
            Ok(since) => whole(since.as_secs()),
            Err(before) => whole(before.duration().as_secs()).saturating_neg(),
        }
    }
}

/// No lock here holds anybody's code, so a poisoned one holds a whole value all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
