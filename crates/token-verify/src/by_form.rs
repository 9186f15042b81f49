use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_core::Principal;
use pin_project_lite::pin_project;

use crate::{
    BearerToken, Rejection, VerifyToken,
    api_key::ApiKeyPrefix,
    json::{Bounds, read_object},
};

/// A header of a JWT holds a dozen members at most.
const HEADER_BOUNDS: Bounds = Bounds { depth: 16, values: 256 };
/// What JWTs begin with: `{` and a quotation mark, a space or a line break, in base64url.
const JWT_PREFIXES: [&str; 2] = ["ew", "ey"];

/// Takes tokens of several forms: JWTs by one verifier, opaque tokens by another, and API keys, which begin with a
/// prefix of yours, by a third.
///
/// Each token goes to exactly one of them, and its verdict stands. It is the *form* that decides, in this order:
///
/// 1. A token that begins with the prefix of API keys is an API key.
/// 2. A token of three parts between dots is a JWT if the first is base64url of a JSON object that has `alg`.
/// 3. Everything else is opaque. An encrypted JWT is, too: it has five parts.
///
/// # Why not try one after the other
///
/// Then a token that one verifier refuses, because it expired or because its binding was not proven, gets another
/// chance with the next, and an attacker chooses by which rules to be judged. It would also send JWTs of other issuers
/// to an introspection endpoint, which is a leak, and cost a call for each forgery.
///
/// ```
/// use palisade_core::Principal;
/// use palisade_token_verify::{BearerToken, ByTokenForm, Rejection, TokenVerifyLayer};
///
/// // Stand-ins for a `JwtVerifier` and an `IntrospectionVerifier`.
/// let jwts = async |_: BearerToken| Err::<Principal, _>(Rejection::BadSignature);
/// let opaque = async |_: BearerToken| Err::<Principal, _>(Rejection::Inactive);
/// let layer = TokenVerifyLayer::new(ByTokenForm::new(jwts, opaque));
/// # let _ = layer;
/// ```
#[derive(Clone)]
#[must_use = "a verifier does nothing until a layer asks it"]
pub struct ByTokenForm<J, O, A = NoVerifier> {
    jwts: J,
    opaque: O,
    api_keys: Option<(ApiKeyPrefix, A)>,
}

/// API keys cannot be told from JWTs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ByTokenFormError {
    /// JWTs begin with it.
    #[error("the prefix is one that JWTs begin with: use another")]
    OfJwts,
}

impl<J, O> ByTokenForm<J, O> {
    /// JWTs go to `jwts`, everything else to `opaque`.
    pub const fn new(jwts: J, opaque: O) -> Self {
        Self { jwts, opaque, api_keys: None }
    }
}

impl<J, O, A> ByTokenForm<J, O, A> {
    /// Tokens that begin with `prefix` and `_` go to `api_keys`, whatever else they look like.
    ///
    /// # Errors
    ///
    /// [`ByTokenFormError`]: JWTs begin with it.
    pub fn api_keys<A2>(
        self,
        prefix: &ApiKeyPrefix,
        api_keys: A2,
    ) -> Result<ByTokenForm<J, O, A2>, ByTokenFormError> {
        if JWT_PREFIXES.iter().any(|jwt| prefix.as_str().starts_with(jwt)) {
            return Err(ByTokenFormError::OfJwts);
        }
        let api_keys = Some((prefix.clone(), api_keys));
        Ok(ByTokenForm { jwts: self.jwts, opaque: self.opaque, api_keys })
    }
}

impl<J: VerifyToken, O: VerifyToken, A: VerifyToken> VerifyToken for ByTokenForm<J, O, A> {
    type Future = ByTokenFormFuture<J::Future, O::Future, A::Future>;

    fn verify(&self, token: BearerToken) -> Self::Future {
        let asked = match &self.api_keys {
            Some((prefix, api_keys)) if prefix.is_of(token.expose()) => {
                Asked::ApiKeys { verdict: api_keys.verify(token) }
            }
            _ if is_jwt(token.expose()) => Asked::Jwts { verdict: self.jwts.verify(token) },
            _ => Asked::Opaque { verdict: self.opaque.verify(token) },
        };
        ByTokenFormFuture { asked }
    }
}

/// Whether a token is a signed JWT by its looks. Whether it is a good one is for others to say.
fn is_jwt(token: &str) -> bool {
    let mut parts = token.split('.');
    let [Some(header), Some(_), Some(_), None] =
        [parts.next(), parts.next(), parts.next(), parts.next()]
    else {
        return false;
    };
    URL_SAFE_NO_PAD
        .decode(header)
        .ok()
        .and_then(|header| read_object(&header, HEADER_BOUNDS))
        .is_some_and(|header| header.contains_key("alg"))
}

pin_project! {
    /// The future of [`ByTokenForm`]: that of the one verifier that was asked.
    ///
    /// # Cancel safety
    ///
    /// That of the verifier's.
    #[must_use = "futures do nothing unless polled"]
    pub struct ByTokenFormFuture<J, O, A> {
        #[pin]
        asked: Asked<J, O, A>,
    }
}

pin_project! {
    #[project = AskedProj]
    enum Asked<J, O, A> {
        ApiKeys { #[pin] verdict: A },
        Jwts { #[pin] verdict: J },
        Opaque { #[pin] verdict: O },
    }
}

impl<J, O, A> Future for ByTokenFormFuture<J, O, A>
where
    J: Future<Output = Result<Principal, Rejection>>,
    O: Future<Output = Result<Principal, Rejection>>,
    A: Future<Output = Result<Principal, Rejection>>,
{
    type Output = Result<Principal, Rejection>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().asked.project() {
            AskedProj::ApiKeys { verdict } => verdict.poll(cx),
            AskedProj::Jwts { verdict } => verdict.poll(cx),
            AskedProj::Opaque { verdict } => verdict.poll(cx),
        }
    }
}

/// Takes no token at all: for a form that a service does not have.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoVerifier;

impl NoVerifier {
    /// Takes no token at all.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl VerifyToken for NoVerifier {
    type Future = std::future::Ready<Result<Principal, Rejection>>;

    fn verify(&self, _: BearerToken) -> Self::Future {
        std::future::ready(Err(Rejection::Malformed { what: "tokens of this form are not taken" }))
    }
}

impl<J, O, A> fmt::Debug for ByTokenForm<J, O, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = self.api_keys.as_ref().map(|(prefix, _)| prefix.as_str());
        f.debug_struct("ByTokenForm").field("api_key_prefix", &prefix).finish_non_exhaustive()
    }
}

impl<J, O, A> fmt::Debug for ByTokenFormFuture<J, O, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByTokenFormFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
