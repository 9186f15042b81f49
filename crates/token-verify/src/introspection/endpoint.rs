use std::{error::Error, fmt, time::Duration};

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
};
use palisade_core::{InvalidResourceError, Resource};

use super::{
    IntrospectToken, IntrospectionRequest, IntrospectionResponse, answer::MAX_ANSWER_BYTES, google,
};
use crate::{
    AddressPolicy, RefusedAddressError,
    http_client::{HttpClient, HttpError, HttpSettings, HttpSetupError},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Introspection happens all the time, so connections are kept.
const MAX_IDLE: usize = 32;

/// The introspection endpoint of an authorization server, over HTTPS.
///
/// - `https` only; `http` on loopback, for development. Certificates are checked against the platform's roots: RFC
///   7662 §4 demands it, since whoever answers in the server's place decides who is let in.
/// - No redirect is followed: the token and our credential would follow.
/// - At most 64 KiB of an answer are read, uncompressed. Ten seconds for one exchange; the verifier's own
///   [timeout](super::IntrospectionBuilder::timeout) is shorter.
/// - No cookies, and no proxy, whatever the environment says.
/// - The server's address must be a public one, or be [allowed](Self::addresses).
pub struct IntrospectionEndpoint {
    url: Resource,
    client: HttpClient,
}

/// An [`IntrospectionEndpoint`] cannot be made like this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionEndpointError {
    /// The HTTP client does not start, for want of TLS roots for example.
    #[error("the HTTP client does not start")]
    Client(#[source] Box<dyn Error + Send + Sync>),
    /// The address is none that may be asked.
    #[error(
        "this address cannot be asked: use the `introspection_endpoint` of the issuer's metadata"
    )]
    Url(#[source] InvalidResourceError),
}

/// There is no answer. No text of it holds an address, a token or a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionExchangeError {
    /// The host has an address that may not be asked.
    #[error("the address may not be asked")]
    Address(#[source] RefusedAddressError),
    /// The exchange failed.
    #[error("the HTTP exchange failed")]
    Exchange(#[source] Box<dyn Error + Send + Sync>),
    /// More than 64 KiB.
    #[error("the answer is larger than 64 KiB")]
    TooLarge,
}

impl IntrospectionEndpoint {
    /// The endpoint at `url`.
    ///
    /// # Errors
    ///
    /// [`IntrospectionEndpointError`]: the URL is not an absolute `https` one, or the client does not start.
    pub fn new(url: &str) -> Result<Self, IntrospectionEndpointError> {
        let url = Resource::parse(url).map_err(IntrospectionEndpointError::Url)?;
        let client = client(&url, AddressPolicy::default())?;
        Ok(Self { url, client })
    }

    /// Google's, for [`IntrospectionVerifier::google`](super::IntrospectionVerifier::google).
    ///
    /// # Errors
    ///
    /// [`IntrospectionEndpointError::Client`].
    pub fn google() -> Result<Self, IntrospectionEndpointError> {
        Self::new(google::TOKEN_INFO)
    }

    /// Where the server may be; the public internet if not set. A server in a private network needs
    /// [`AddressPolicy::AllowPrivate`].
    ///
    /// # Errors
    ///
    /// [`IntrospectionEndpointError::Client`].
    pub fn addresses(self, policy: AddressPolicy) -> Result<Self, IntrospectionEndpointError> {
        let client = client(&self.url, policy)?;
        Ok(Self { client, ..self })
    }
}

impl IntrospectToken for IntrospectionEndpoint {
    type Error = IntrospectionExchangeError;

    async fn introspect(
        &self,
        request: IntrospectionRequest,
    ) -> Result<IntrospectionResponse, IntrospectionExchangeError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(request.accept()));
        if let Some(credential) = request.authorization() {
            headers.insert(AUTHORIZATION, credential.clone());
        }
        let answer = self
            .client
            .post_form(&self.url, headers, request.body(), MAX_ANSWER_BYTES)
            .await
            .map_err(IntrospectionExchangeError::from)?;
        let text = |name| answer.header(&name).and_then(|value| value.to_str().ok());
        let content_type = text(CONTENT_TYPE).map(Into::into);
        let retry_after = text(RETRY_AFTER).and_then(|text| text.parse().ok());
        Ok(IntrospectionResponse {
            status: answer.status.as_u16(),
            content_type,
            retry_after: retry_after.map(Duration::from_secs),
            body: answer.body,
        })
    }
}

impl From<HttpError> for IntrospectionExchangeError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Address(refused) => Self::Address(refused),
            HttpError::Exchange(error) => Self::Exchange(error),
            HttpError::TooLarge => Self::TooLarge,
        }
    }
}

fn client(
    url: &Resource,
    addresses: AddressPolicy,
) -> Result<HttpClient, IntrospectionEndpointError> {
    let settings = HttpSettings {
        addresses,
        connect_timeout: CONNECT_TIMEOUT,
        timeout: TOTAL_TIMEOUT,
        max_idle: MAX_IDLE,
    };
    HttpClient::new(url, settings)
        .map_err(|HttpSetupError(error)| IntrospectionEndpointError::Client(error))
}

impl fmt::Debug for IntrospectionEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionEndpoint")
            .field("origin", &self.url.origin())
            .finish_non_exhaustive()
    }
}
