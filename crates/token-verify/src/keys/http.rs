//! Key sets over HTTPS, with a limit to everything.

mod freshness;

use std::{error::Error, fmt, time::Duration};

use palisade_core::{InvalidResourceError, Resource};
use reqwest::{
    StatusCode,
    header::{ACCEPT, CACHE_CONTROL, HeaderMap, HeaderValue, IF_NONE_MATCH},
};
use serde_json::{Map, Value};

use self::freshness::{age, entity_tag, max_age};
use super::{FetchKeys, KeyDocument, KeyValidator, import::MAX_SET_BYTES};
use crate::{
    AddressPolicy, Issuer, RefusedAddressError,
    http_client::{HttpAnswer, HttpClient, HttpError, HttpSettings, HttpSetupError},
    json::{Bounds, read_object},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
const METADATA_BOUNDS: Bounds = Bounds { depth: 16, values: 4096 };

/// Fetches a JWK Set over HTTPS, from an address that is configured or that the issuer's metadata name.
///
/// - `https` only; `http` on loopback, for development. An issuer on `https` cannot lead us to `http`.
/// - No redirect is followed: the answer comes from where you said, or not at all.
/// - 200 is an answer, nothing else is. At most 512 KiB are read, uncompressed. Ten seconds for one
///   exchange.
/// - `Cache-Control: max-age`, `no-store` and `no-cache`, `Age` and `ETag` are read; [`RemoteKeys`](super::RemoteKeys)
///   decides how far they are followed. A fetch that is not conditional says `Cache-Control: no-cache`: whether a key
///   exists is the issuer's to say. A cache that does not listen can still hide a new key for its `max-age`.
/// - No cookies. No proxy, whatever the environment says: a proxy variable must not decide who provides
///   keys. If you need one, implement [`FetchKeys`], or use `jwks_client_rs` (feature
///   `jwks-client-rs`).
/// - Certificates are checked against the platform's roots.
/// - Addresses are checked when they are connected to: the public internet only, unless
///   [`address_policy`](Self::address_policy) says otherwise. See [`AddressPolicy`].
///
/// ```no_run
/// use palisade_token_verify::keys::{HttpSource, RemoteKeys};
/// use palisade_token_verify::{Issuer, JwtVerifier};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = Issuer::parse("https://as.example")?;
/// let keys = RemoteKeys::spawn(HttpSource::discover(&issuer)?)?;
/// let verifier = JwtVerifier::new(issuer, keys)?;
/// # drop(verifier);
/// # Ok(())
/// # }
/// ```
pub struct HttpSource {
    client: HttpClient,
    target: Target,
}

enum Target {
    Keys(Resource),
    Metadata { issuer: Issuer, url: Resource, places: Vec<Resource> },
}

/// An [`HttpSource`] cannot be made like this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpSourceSetupError {
    /// The HTTP client does not start, for want of TLS roots for example.
    #[error("the HTTP client does not start")]
    Client(#[source] Box<dyn Error + Send + Sync>),
    /// The address is none that keys may come from.
    #[error("keys cannot come from this address: use the `jwks_uri` of the issuer")]
    Url(#[source] InvalidResourceError),
}

/// An [`HttpSource`] has no keys. No text of it holds an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpSourceError {
    /// The host has an address that may not be asked.
    #[error("the address may not be asked")]
    Address(#[source] RefusedAddressError),
    /// The exchange failed.
    #[error("the HTTP exchange failed")]
    Exchange(#[source] Box<dyn Error + Send + Sync>),
    /// The metadata name no `jwks_uri` that we would fetch.
    #[error("the issuer's metadata have no usable `jwks_uri`")]
    KeyUrl,
    /// The metadata are not a JSON object.
    #[error("the issuer's metadata are not a JSON object without duplicate names")]
    Metadata,
    /// Another status than 200. Redirects included.
    #[error("the status is {0}, not 200")]
    Status(u16),
    /// More than 512 KiB.
    #[error("the answer is larger than 512 KiB")]
    TooLarge,
    /// The metadata are those of another issuer (RFC 8414 §3.3).
    #[error("the metadata are those of another issuer")]
    WrongIssuer,
}

impl HttpSource {
    /// Fetches from `jwks_uri`.
    ///
    /// # Errors
    ///
    /// [`HttpSourceSetupError::Url`] unless it is an absolute `https` URL without user information, or an
    /// `http` one on loopback.
    pub fn new(jwks_uri: &str) -> Result<Self, HttpSourceSetupError> {
        let url = Resource::parse(jwks_uri).map_err(HttpSourceSetupError::Url)?;
        let client = client(&url, AddressPolicy::default())?;
        Ok(Self { client, target: Target::Keys(url) })
    }

    /// Asks the metadata of `issuer` for the address, before each fetch.
    ///
    /// The metadata are looked for where RFC 8414 §3.1 puts them, then where OpenID Connect puts them,
    /// inserted and appended. They count only if their `issuer` is this one, byte for byte.
    ///
    /// # Errors
    ///
    /// [`HttpSourceSetupError::Client`], and [`HttpSourceSetupError::Url`] if the issuer is so long that the places
    /// of its metadata are no addresses any more.
    pub fn discover(issuer: &Issuer) -> Result<Self, HttpSourceSetupError> {
        let url = Resource::parse(issuer.as_str()).map_err(HttpSourceSetupError::Url)?;
        let client = client(&url, AddressPolicy::default())?;
        let places = metadata_places(&url).map_err(HttpSourceSetupError::Url)?;
        let target = Target::Metadata { issuer: issuer.clone(), url, places };
        Ok(Self { client, target })
    }

    /// Where keys may be fetched from; the public internet if not set. An issuer in a private network needs
    /// [`AddressPolicy::AllowPrivate`].
    ///
    /// # Errors
    ///
    /// [`HttpSourceSetupError::Client`].
    pub fn address_policy(self, policy: AddressPolicy) -> Result<Self, HttpSourceSetupError> {
        let (Target::Keys(url) | Target::Metadata { url, .. }) = &self.target;
        Ok(Self { client: client(url, policy)?, target: self.target })
    }

    /// The first place whose metadata are the issuer's decides. If none is, the first failure is told.
    async fn discover_key_url(
        &self,
        issuer: &Issuer,
        places: &[Resource],
    ) -> Result<Resource, HttpSourceError> {
        let mut first_error = None;
        for place in places {
            match self.read_metadata(issuer, place).await {
                Ok(url) => return Ok(url),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        Err(first_error.unwrap_or(HttpSourceError::Metadata))
    }

    async fn read_metadata(
        &self,
        issuer: &Issuer,
        place: &Resource,
    ) -> Result<Resource, HttpSourceError> {
        let answer = self.get(place, "application/json", None).await?;
        let metadata =
            read_object(&answer.body, METADATA_BOUNDS).ok_or(HttpSourceError::Metadata)?;
        key_url(&metadata, issuer)
    }

    async fn get(
        &self,
        url: &Resource,
        accept: &'static str,
        unless: Option<HeaderValue>,
    ) -> Result<HttpAnswer, HttpSourceError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        let is_conditional = unless.is_some();
        // Somebody may have asked for a key that we do not have, and a cache may have the set from before it.
        if !is_conditional {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        headers.extend(unless.map(|tag| (IF_NONE_MATCH, tag)));
        let answer = self.client.get(url, headers, MAX_SET_BYTES).await?;
        match answer.status {
            // tidy: allow status-codes reads the issuer's answer and chooses none
            StatusCode::OK => Ok(answer),
            // tidy: allow status-codes reads the issuer's answer and chooses none
            StatusCode::NOT_MODIFIED if is_conditional => Ok(answer),
            other => Err(HttpSourceError::Status(other.as_u16())),
        }
    }

    async fn get_keys(&self, held: Option<&KeyValidator>) -> Result<KeyDocument, HttpSourceError> {
        const ACCEPT_KEYS: &str = "application/jwk-set+json, application/json";

        let url = match &self.target {
            Target::Keys(url) => url,
            Target::Metadata { issuer, places, .. } => {
                &self.discover_key_url(issuer, places).await?
            }
        };
        let unless = held.and_then(|held| tag_for(url, held));
        let answer = self.get(url, ACCEPT_KEYS, unless).await?;
        // tidy: allow status-codes reads the issuer's answer and chooses none
        let document = if answer.status == StatusCode::NOT_MODIFIED {
            KeyDocument::not_modified()
        } else {
            let validator = entity_tag(&answer).map(|tag| validator(url, tag));
            let document = KeyDocument::from_json(&*answer.body).with_age(age(&answer));
            validator.into_iter().fold(document, KeyDocument::with_validator)
        };
        Ok(max_age(&answer).into_iter().fold(document, KeyDocument::with_max_age))
    }
}

/// A tag means something at one address only, and metadata may name another next time.
fn validator(url: &Resource, tag: &str) -> KeyValidator {
    KeyValidator::new(&format!("{tag} {url}"))
}

fn tag_for(url: &Resource, held: &KeyValidator) -> Option<HeaderValue> {
    let (tag, its_url) = held.as_str().split_once(' ')?;
    if its_url == url.as_str() { HeaderValue::from_str(tag).ok() } else { None }
}

impl FetchKeys for HttpSource {
    type Error = HttpSourceError;

    async fn fetch(&self) -> Result<KeyDocument, HttpSourceError> {
        self.get_keys(None).await
    }

    async fn fetch_unless(&self, held: &KeyValidator) -> Result<KeyDocument, HttpSourceError> {
        self.get_keys(Some(held)).await
    }
}

fn key_url(metadata: &Map<String, Value>, issuer: &Issuer) -> Result<Resource, HttpSourceError> {
    // RFC 8414 §3.3: "If these values are not identical, the data contained in the response MUST NOT be
    // used." So not even `jwks_uri` is read before.
    if metadata.get("issuer").and_then(Value::as_str) != Some(issuer.as_str()) {
        return Err(HttpSourceError::WrongIssuer);
    }
    metadata
        .get("jwks_uri")
        .and_then(Value::as_str)
        .and_then(|url| Resource::parse(url).ok())
        // A server on the network has no business on our loopback.
        .filter(|url| is_https(url.as_str()) || !is_https(issuer.as_str()))
        .ok_or(HttpSourceError::KeyUrl)
}

impl From<HttpError> for HttpSourceError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Address(refused) => Self::Address(refused),
            HttpError::Exchange(error) => Self::Exchange(error),
            HttpError::TooLarge => Self::TooLarge,
        }
    }
}

fn client(
    configured: &Resource,
    addresses: AddressPolicy,
) -> Result<HttpClient, HttpSourceSetupError> {
    let settings = HttpSettings {
        addresses,
        connect_timeout: CONNECT_TIMEOUT,
        timeout: TOTAL_TIMEOUT,
        // Fetches are minutes apart: a kept connection is mostly one that the other side has closed.
        max_idle: 0,
    };
    HttpClient::new(configured, settings)
        .map_err(|HttpSetupError(error)| HttpSourceSetupError::Client(error))
}

fn is_https(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
}

/// RFC 8414 §3.1 and §5, OpenID Connect Discovery §4.1.
fn metadata_places(issuer: &Resource) -> Result<Vec<Resource>, InvalidResourceError> {
    let origin = issuer.origin();
    let path = issuer.path_and_query();
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut places = vec![
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        places.push(format!("{origin}{path}/.well-known/openid-configuration"));
    }
    places.iter().map(|place| Resource::parse(place)).collect()
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, place) = match &self.target {
            Target::Keys(url) => ("keys", url.origin()),
            Target::Metadata { issuer, .. } => ("issuer", issuer.as_str()),
        };
        f.debug_struct("HttpSource")
            .field(what, &place)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
