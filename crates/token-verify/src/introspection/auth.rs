//! How this service proves to the authorization server who it is.

use std::{fmt, sync::Arc, time::SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use zeroize::Zeroizing;

use super::{
    assertion::{ASSERTION_TYPE, AssertionKey},
    failure::Failure,
};
use crate::{BearerToken, Issuer, http_client::form};

/// The credential that this service shows to the introspection endpoint (RFC 7662 §2.1: "the endpoint MUST also
/// require some form of authorization").
///
/// | method | registered name | specified in |
/// |---|---|---|
/// | [`secret_basic`](Self::secret_basic) | `client_secret_basic` | RFC 6749 §2.3.1 |
/// | [`secret_post`](Self::secret_post) | `client_secret_post` | RFC 6749 §2.3.1 |
/// | [`private_key_jwt`](Self::private_key_jwt) | `private_key_jwt` | RFC 7523 §2.2 |
/// | [`bearer`](Self::bearer), [`bearer_from`](Self::bearer_from) | | RFC 7662 §2.1 |
///
/// Prefer `private_key_jwt`: the server never sees a secret of ours, so none can leak from there, and what is on the
/// wire is good for a minute. Cheap to clone. The secrets never show in `Debug` and are overwritten when dropped.
#[derive(Clone)]
pub struct ClientAuthentication(Method);

#[derive(Clone)]
enum Method {
    Assertion(Arc<Assertion>),
    Basic { client_id: Arc<str>, secret: Secret },
    Bearer(Arc<dyn Fn() -> Option<BearerToken> + Send + Sync>),
    Post { client_id: Arc<str>, secret: Secret },
}

type Secret = Arc<Zeroizing<Box<str>>>;

struct Assertion {
    client_id: Arc<str>,
    key: AssertionKey,
    audience: Option<Box<str>>,
}

/// A credential cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientAuthenticationError {
    /// An empty audience.
    #[error(
        "the audience of the assertion is empty: name the issuer or the introspection endpoint"
    )]
    Audience,
    /// An empty client identifier, or one with control characters.
    #[error("the client identifier is empty or has control characters: copy it from the server")]
    ClientId,
    /// Not an assertion.
    #[error("only `private_key_jwt` has an audience")]
    NotAnAssertion,
    /// An empty secret.
    #[error("the client secret is empty: a client without a secret cannot introspect")]
    Secret,
}

/// What goes into the request.
#[derive(Default)]
pub(super) struct Credential {
    pub(super) authorization: Option<HeaderValue>,
    pub(super) fields: Vec<(&'static str, Zeroizing<String>)>,
}

impl ClientAuthentication {
    /// HTTP Basic. Identifier and secret are form-encoded before they are joined, as RFC 6749 §2.3.1 says and some
    /// clients forget: without it, a colon in the identifier or a percent sign in the secret means something else.
    ///
    /// # Errors
    ///
    /// [`ClientAuthenticationError::ClientId`], [`ClientAuthenticationError::Secret`].
    pub fn secret_basic(client_id: &str, secret: &str) -> Result<Self, ClientAuthenticationError> {
        let (client_id, secret) = (check_client_id(client_id)?, check_secret(secret)?);
        Ok(Self(Method::Basic { client_id, secret }))
    }

    /// Identifier and secret in the body, for servers that do not take them in the header.
    ///
    /// # Errors
    ///
    /// As [`secret_basic`](Self::secret_basic).
    pub fn secret_post(client_id: &str, secret: &str) -> Result<Self, ClientAuthenticationError> {
        let (client_id, secret) = (check_client_id(client_id)?, check_secret(secret)?);
        Ok(Self(Method::Post { client_id, secret }))
    }

    /// A JWT that is signed for each request and good for a minute.
    ///
    /// Its audience is the issuer, which is what the successor of RFC 7523 demands: an audience that several servers
    /// share would let one of them use the assertion at another. [`assertion_audience`](Self::assertion_audience)
    /// changes it for servers that want the URL of the endpoint.
    ///
    /// # Errors
    ///
    /// [`ClientAuthenticationError::ClientId`].
    pub fn private_key_jwt(
        client_id: &str,
        key: AssertionKey,
    ) -> Result<Self, ClientAuthenticationError> {
        let client_id = check_client_id(client_id)?;
        Ok(Self(Method::Assertion(Arc::new(Assertion { client_id, key, audience: None }))))
    }

    /// Changes the audience of the assertions.
    ///
    /// # Errors
    ///
    /// [`ClientAuthenticationError::Audience`], [`ClientAuthenticationError::NotAnAssertion`].
    pub fn assertion_audience(self, audience: &str) -> Result<Self, ClientAuthenticationError> {
        let Method::Assertion(assertion) = &self.0 else {
            return Err(ClientAuthenticationError::NotAnAssertion);
        };
        if audience.is_empty() {
            return Err(ClientAuthenticationError::Audience);
        }
        Ok(Self(Method::Assertion(Arc::new(Assertion {
            client_id: Arc::clone(&assertion.client_id),
            key: assertion.key.clone(),
            audience: Some(audience.into()),
        }))))
    }

    /// An access token that does not change.
    #[must_use]
    pub fn bearer(token: BearerToken) -> Self {
        let token = Arc::new(token);
        Self::bearer_from(move || BearerToken::parse(token.expose()).ok())
    }

    /// An access token that is asked for before each request, for tokens that expire: keep one fresh elsewhere and
    /// hand it out here, without waiting. Without one, requests are refused with 503.
    pub fn bearer_from(current: impl Fn() -> Option<BearerToken> + Send + Sync + 'static) -> Self {
        Self(Method::Bearer(Arc::new(current)))
    }

    /// The name that the server has for us, if the method has one.
    fn client_id(&self) -> Option<&str> {
        match &self.0 {
            Method::Assertion(assertion) => Some(&assertion.client_id),
            Method::Basic { client_id, .. } | Method::Post { client_id, .. } => Some(client_id),
            Method::Bearer(_) => None,
        }
    }

    pub(super) fn credential(
        &self,
        issuer: &Issuer,
        now: SystemTime,
    ) -> Result<Credential, Failure> {
        let mut credential = Credential::default();
        match &self.0 {
            Method::Assertion(assertion) => {
                let audience = assertion.audience.as_deref().unwrap_or_else(|| issuer.as_str());
                let jwt = assertion
                    .key
                    .sign(&assertion.client_id, audience, now)
                    .ok_or(Failure::NoCredential)?;
                let kind = Zeroizing::new(ASSERTION_TYPE.to_owned());
                // RFC 7521 §4.2 makes `client_id` optional; servers that look the client up before they read the
                // assertion need it.
                let client_id = Zeroizing::new((*assertion.client_id).to_owned());
                credential.fields = vec![
                    ("client_id", client_id),
                    ("client_assertion_type", kind),
                    ("client_assertion", jwt),
                ];
            }
            Method::Basic { client_id, secret } => {
                credential.authorization = Some(basic(client_id, secret)?);
            }
            Method::Bearer(current) => {
                let token = current().ok_or(Failure::NoCredential)?;
                credential.authorization = Some(sensitive("Bearer ", token.expose())?);
            }
            Method::Post { client_id, secret } => {
                credential.fields = vec![
                    ("client_id", Zeroizing::new((**client_id).to_owned())),
                    ("client_secret", Zeroizing::new(String::from(&****secret))),
                ];
            }
        }
        Ok(credential)
    }
}

fn basic(client_id: &str, secret: &str) -> Result<HeaderValue, Failure> {
    let bytes = form::encoded_len(client_id).saturating_add(form::encoded_len(secret));
    let bytes = bytes.saturating_add(1);
    let mut pair = Zeroizing::new(String::with_capacity(bytes));
    form::push(&mut pair, client_id);
    pair.push(':');
    form::push(&mut pair, secret);
    sensitive("Basic ", &Zeroizing::new(STANDARD.encode(pair.as_bytes())))
}

fn sensitive(scheme: &str, credential: &str) -> Result<HeaderValue, Failure> {
    let line = Zeroizing::new([scheme, credential].concat());
    let mut value = HeaderValue::from_str(&line).map_err(|_| Failure::NoCredential)?;
    value.set_sensitive(true);
    Ok(value)
}

fn check_client_id(client_id: &str) -> Result<Arc<str>, ClientAuthenticationError> {
    if client_id.is_empty() || client_id.contains(char::is_control) {
        return Err(ClientAuthenticationError::ClientId);
    }
    Ok(client_id.into())
}

fn check_secret(secret: &str) -> Result<Secret, ClientAuthenticationError> {
    if secret.is_empty() {
        return Err(ClientAuthenticationError::Secret);
    }
    Ok(Arc::new(Zeroizing::new(secret.into())))
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match &self.0 {
            Method::Assertion(_) => "private_key_jwt",
            Method::Basic { .. } => "client_secret_basic",
            Method::Bearer(_) => "bearer",
            Method::Post { .. } => "client_secret_post",
        };
        f.debug_struct("ClientAuthentication")
            .field("method", &method)
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}
