//! One question to the authorization server, and what came back.

use std::{error::Error, fmt, time::Duration};

use http::HeaderValue;
use zeroize::Zeroizing;

/// Carries one introspection request to the authorization server and its answer back.
///
/// `IntrospectionEndpoint` (feature `introspection`) does it over HTTPS, with a limit to everything. So does any
/// closure that returns a future of an [`IntrospectionResponse`].
///
/// # For implementors
///
/// - POST to one address that configuration names, over TLS with a checked certificate (RFC 7662 §4). Nothing of a
///   request chooses where to.
/// - Send [`accept`](IntrospectionRequest::accept), [`authorization`](IntrospectionRequest::authorization) if there is
///   one, and [`body`](IntrospectionRequest::body) as `application/x-www-form-urlencoded`.
/// - Hand back any status; do not follow redirects: the token and our credentials would follow, too.
/// - Do not retry and do not cache: that is done above you, and so is the time limit. Bound what you read.
/// - Your error and its sources are logged by their `Display`: no token and no credential in it.
pub trait IntrospectToken: Send + Sync + 'static {
    /// Why there is no answer.
    type Error: Error + Send + Sync + 'static;

    /// Asks.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when it takes too long or nobody waits any more, and must allow that.
    fn introspect(
        &self,
        request: IntrospectionRequest,
    ) -> impl Future<Output = Result<IntrospectionResponse, Self::Error>> + Send;
}

impl<F, Fut, E> IntrospectToken for F
where
    F: Fn(IntrospectionRequest) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<IntrospectionResponse, E>> + Send,
    E: Error + Send + Sync + 'static,
{
    type Error = E;

    fn introspect(
        &self,
        request: IntrospectionRequest,
    ) -> impl Future<Output = Result<IntrospectionResponse, E>> + Send {
        self(request)
    }
}

/// A POST (RFC 7662 §2.1). It holds the token and, mostly, a credential of ours; both never show in `Debug`.
pub struct IntrospectionRequest {
    pub(super) accept: &'static str,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) body: Zeroizing<String>,
}

impl IntrospectionRequest {
    /// The value of `Accept`.
    #[must_use]
    pub const fn accept(&self) -> &'static str {
        self.accept
    }

    /// The value of `Authorization`, if the credential of ours goes there. It is marked as sensitive.
    #[must_use]
    pub const fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// The body, `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl fmt::Debug for IntrospectionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionRequest").field("accept", &self.accept).finish_non_exhaustive()
    }
}

/// What the server answered. Nothing looked into it yet.
pub struct IntrospectionResponse {
    pub(super) status: u16,
    pub(super) content_type: Option<Box<str>>,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

impl IntrospectionResponse {
    /// An answer without headers. Nothing but a status of 200 with a content type is ever a yes.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type: None, retry_after: None, body: body.into() }
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<Box<str>>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// The value of `Retry-After`, if it was a number of seconds.
    #[must_use]
    pub const fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl fmt::Debug for IntrospectionResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionResponse")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}
