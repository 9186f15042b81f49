//! The one way out: HTTP requests of ours, with a limit to everything.
//!
//! - `https`, and `http` on loopback if the configured URL names a loopback host. Certificates are checked against the
//!   platform's roots.
//! - Addresses are checked when they are connected to, see [`AddressPolicy`](crate::AddressPolicy).
//! - No redirects, no cookies, no `Referer`. No proxy, whatever the environment says: a variable must not decide who
//!   answers for an issuer.
//! - A time limit to the connection and to the exchange; a limit to the bytes of an answer, which is never unpacked.
//!
//! No text of an error holds an address, a header or a byte of a body.

mod address;
#[cfg(any(test, feature = "introspection"))]
pub(crate) mod form;
mod gate;
#[cfg(test)]
mod tests;

use std::{error::Error, fmt, time::Duration};

use palisade_core::Resource;
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

pub use self::address::RefusedAddressError;
use self::{address::is_loopback_host, gate::Gate};
use crate::AddressPolicy;

/// How an [`HttpClient`] is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HttpSettings {
    pub(crate) addresses: AddressPolicy,
    pub(crate) connect_timeout: Duration,
    /// From the first byte out to the last byte in.
    pub(crate) timeout: Duration,
    /// Connections that are kept for the next request, per host.
    pub(crate) max_idle: usize,
}

/// A client for the hosts that one configured URL leads to.
pub(crate) struct HttpClient {
    client: Client,
    gate: Gate,
}

/// The client does not start, for want of TLS roots for example.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client does not start")]
pub(crate) struct HttpSetupError(#[source] pub(crate) Box<dyn Error + Send + Sync>);

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the address may not be asked")]
    Address(#[source] RefusedAddressError),
    #[error("the HTTP exchange failed")]
    Exchange(#[source] Box<dyn Error + Send + Sync>),
    #[error("the answer is too large")]
    TooLarge,
}

/// An answer, whatever its status.
pub(crate) struct HttpAnswer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    /// Empty unless the status is 200: nothing else says what was asked for.
    pub(crate) body: Vec<u8>,
}

impl HttpClient {
    /// A client for `configured` and for what an answer from there names. Whether plain http and loopback are
    /// possible is decided here, by the URL that the operator wrote.
    pub(crate) fn new(
        configured: &Resource,
        settings: HttpSettings,
    ) -> Result<Self, HttpSetupError> {
        let url = Url::parse(configured.as_str()).map_err(|error| HttpSetupError(error.into()))?;
        let loopback = url.host_str().is_some_and(is_loopback_host);
        let gate = Gate { policy: settings.addresses, loopback };
        let client = Client::builder()
            .https_only(url.scheme() == "https")
            .dns_resolver(gate)
            .redirect(Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            // Off here even where another crate in the build switched them on for `reqwest`: a compressed answer has
            // two sizes, and only one of them is bounded.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(settings.max_idle)
            .build()
            .map_err(|error| HttpSetupError(error.without_url().into()))?;
        Ok(Self { client, gate })
    }

    /// GET. At most `max_bytes` of an answer.
    #[cfg(any(test, feature = "http-source"))]
    pub(crate) async fn get(
        &self,
        url: &Resource,
        headers: HeaderMap,
        max_bytes: usize,
    ) -> Result<HttpAnswer, HttpError> {
        let request = self.request(Method::GET, url)?.headers(headers);
        exchange(request, max_bytes).await
    }

    /// POST of a form that was [encoded](form::encode). At most `max_bytes` of an answer.
    #[cfg(any(test, feature = "introspection"))]
    pub(crate) async fn post_form(
        &self,
        url: &Resource,
        headers: HeaderMap,
        form: &str,
        max_bytes: usize,
    ) -> Result<HttpAnswer, HttpError> {
        const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

        let request = self.request(Method::POST, url)?.headers(headers);
        let request = request.header(reqwest::header::CONTENT_TYPE, FORM).body(form.to_owned());
        exchange(request, max_bytes).await
    }

    fn request(&self, method: Method, url: &Resource) -> Result<RequestBuilder, HttpError> {
        // INVARIANT: the URL that is checked is the URL that is asked. It is parsed once.
        let url = Url::parse(url.as_str()).map_err(|error| HttpError::Exchange(error.into()))?;
        self.gate.check_url(&url).map_err(HttpError::Address)?;
        Ok(self.client.request(method, url))
    }
}

impl HttpAnswer {
    /// A header that is there once. Twice, it says two things, and so nothing.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(only), None) => Some(only),
            (None | Some(_), _) => None,
        }
    }

    /// All lines of a header that is a list, in order.
    #[cfg(any(test, feature = "http-source"))]
    pub(crate) fn header_lines(&self, name: &HeaderName) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }
}

async fn exchange(request: RequestBuilder, max_bytes: usize) -> Result<HttpAnswer, HttpError> {
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    // tidy: allow status-codes reads the answer of another server and chooses none
    let answers = status == StatusCode::OK;
    let body = if answers { read(&mut response, max_bytes).await? } else { Vec::new() };
    Ok(HttpAnswer { status, headers: std::mem::take(response.headers_mut()), body })
}

async fn read(response: &mut Response, max_bytes: usize) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len().saturating_add(chunk.len()) > max_bytes {
            return Err(HttpError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The resolver's refusal comes back wrapped in what connecting, pooling and `reqwest` made of it.
fn failed(error: reqwest::Error) -> HttpError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<RefusedAddressError>() {
            return HttpError::Address(*refused);
        }
        cause = inner.source();
    }
    HttpError::Exchange(error.without_url().into())
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}
