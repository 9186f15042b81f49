use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use url::Url;

use crate::algorithm::SigningAlgorithm;
use crate::error::TestIssuerError;
use crate::issuer::{State, TestIssuer};
use crate::keys::KeySet;
use crate::opaque::TokenFormat;
use crate::server;

const DEFAULT_TOKEN_LIFETIME: Duration = Duration::from_secs(300);

/// What a [`TestIssuer`] is made from. Everything has a default.
///
/// Identifiers and secrets are opaque here: they are compared byte by byte, never interpreted.
#[must_use = "a builder does nothing until `in_process`, `start` or `bind`"]
#[derive(Clone)]
pub struct TestIssuerBuilder {
    pub(crate) settings: Settings,
    signing: SigningAlgorithm,
    other_keys: Vec<SigningAlgorithm>,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) clients: Vec<Client>,
    pub(crate) resources: Vec<String>,
    pub(crate) default_audience: Option<String>,
    pub(crate) token_lifetime: Duration,
    pub(crate) token_format: TokenFormat,
    pub(crate) now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) scopes: Vec<String>,
}

impl TestIssuerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings {
                clients: Vec::new(),
                resources: Vec::new(),
                default_audience: None,
                token_lifetime: DEFAULT_TOKEN_LIFETIME,
                token_format: TokenFormat::default(),
                now: Arc::new(system_time),
            },
            signing: SigningAlgorithm::default(),
            other_keys: Vec::new(),
        }
    }

    /// The algorithm of the signing key, ES256 if not set. An RSA key takes a moment to generate.
    pub fn algorithm(mut self, algorithm: SigningAlgorithm) -> Self {
        self.signing = algorithm;
        self
    }

    /// One more published key. The signing key stays the one of [`algorithm`](Self::algorithm);
    /// [`TokenBuilder::algorithm`](crate::TokenBuilder::algorithm) signs with this one.
    pub fn add_key(mut self, algorithm: SigningAlgorithm) -> Self {
        self.other_keys.push(algorithm);
        self
    }

    /// A client of the token endpoint, with the scopes it may ask for separated by spaces. It gets
    /// all of them if it asks for none. A second client of the same name replaces the first.
    pub fn client(
        mut self,
        id: impl Into<String>,
        secret: impl Into<String>,
        scopes: impl AsRef<str>,
    ) -> Self {
        let scopes = scopes.as_ref().split_ascii_whitespace().map(str::to_owned).collect();
        let client = Client { id: id.into(), secret: secret.into(), scopes };
        self.settings.clients.retain(|other| other.id != client.id);
        self.settings.clients.push(client);
        self
    }

    /// A resource that tokens may be issued for (RFC 8707). May be repeated.
    pub fn resource(mut self, uri: impl Into<String>) -> Self {
        self.settings.resources.push(uri.into());
        self
    }

    /// The audience of a token whose request names no `resource`. Without it such a request is
    /// refused with `invalid_target`.
    pub fn default_audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.default_audience = Some(audience.into());
        self
    }

    /// The token endpoint issues opaque tokens, which only the introspection endpoint understands, instead of JWTs.
    pub fn opaque_tokens(mut self) -> Self {
        self.settings.token_format = TokenFormat::Opaque;
        self
    }

    /// How long tokens live, in whole seconds; five minutes if not set.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.token_lifetime = lifetime;
        self
    }

    /// The clock behind `iat` and `exp`, the system's if not set.
    pub fn now(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.settings.now = Arc::new(now);
        self
    }

    /// An issuer without any socket, which therefore may carry any name. Needs no runtime.
    ///
    /// # Errors
    ///
    /// The identifier is not an `http` or `https` URL, or has a user, query or fragment
    /// (RFC 8414 section 2); or no key could be generated.
    pub fn in_process(self, issuer: impl Into<String>) -> Result<TestIssuer, TestIssuerError> {
        let state = self.state(issuer.into())?;
        Ok(TestIssuer::new(state, None))
    }

    /// An issuer on a free port of 127.0.0.1, called `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    ///
    /// There is no tokio runtime, no port, or no key.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn start(self) -> Result<TestIssuer, TestIssuerError> {
        self.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// An issuer on this loopback address, called `http://ADDRESS`.
    ///
    /// # Errors
    ///
    /// The address is not a loopback one: 127.0.0.0/8 and `::1` are, 0.0.0.0 is not. Otherwise
    /// as [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn bind(self, address: SocketAddr) -> Result<TestIssuer, TestIssuerError> {
        // INVARIANT: the only way to a listener is through this check. Whoever can reach the
        // issuer can have tokens from it.
        if !address.ip().is_loopback() {
            return Err(TestIssuerError::NotLoopback(address));
        }
        let listener = server::listen(address).await?;
        let address = listener.local_addr().map_err(TestIssuerError::Bind)?;
        let state = self.state(format!("http://{address}"))?;
        let server = server::spawn(listener, Arc::clone(&state));
        Ok(TestIssuer::new(state, Some(server)))
    }

    fn state(self, issuer: String) -> Result<Arc<State>, TestIssuerError> {
        let Some(path) = issuer_path(&issuer) else {
            return Err(TestIssuerError::InvalidIssuer(issuer));
        };
        let keys = KeySet::generate(self.signing, &self.other_keys)?;
        Ok(Arc::new(State::new(self.settings, issuer, path, keys)))
    }
}

impl fmt::Debug for TestIssuerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIssuerBuilder")
            .field("signing", &self.signing)
            .field("other_keys", &self.other_keys)
            .field("resources", &self.settings.resources)
            .finish_non_exhaustive()
    }
}

/// The path of an issuer identifier without terminating slash, if it is a valid identifier.
fn issuer_path(issuer: &str) -> Option<String> {
    let url = Url::parse(issuer).ok()?;
    // The parser forgives white space and missing slashes, which would still stand in `iss`.
    let valid = (issuer.starts_with("https://") || issuer.starts_with("http://"))
        && !issuer.contains(char::is_whitespace)
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    valid.then(|| url.path().trim_end_matches('/').to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where time enters; `TestIssuerBuilder::now` replaces it"
)]
fn system_time() -> SystemTime {
    SystemTime::now()
}
