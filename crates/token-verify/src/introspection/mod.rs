//! Opaque tokens, verified by asking the authorization server (RFC 7662).
//!
//! # What an [`IntrospectionVerifier`] decides
//!
//! 1. Is the token known from a moment ago? Then that verdict stands: an active token's for up to 30 seconds and never
//!    beyond its `exp`, a refused one's for up to 5.
//! 2. If not, the server is asked: one POST, with a credential of ours, for all requests that wait for this token.
//! 3. Is it an answer at all? It has status 200, a content type of JSON or of RFC 9701, at most 64 KiB, and is one JSON
//!    object without duplicate names. If answers must be signed, it is a JWT of type `token-introspection+jwt`, signed
//!    by the issuer's key, for us, within the last minute. Everything else is an outage.
//! 4. Is `active` the JSON boolean `true`? Not `"true"`, not `1`.
//! 5. Is it about an access token? `token_type`, `token_use` and `typ`, if there, say so: servers introspect refresh
//!    tokens, too, and call them active.
//! 6. Does it follow the rules of the issuer? `iss`, if there, is the issuer, byte for byte. From there on, the rules are
//!    those of [`TrustedIssuer`](crate::trust::TrustedIssuer), as for a JWT: times with leeway, bindings, actors, limits,
//!    required claims. That the server calls a token active saves none of it.
//!
//! What the server may leave out (RFC 7662 §2.2) is treated so:
//!
//! | missing | then |
//! |---|---|
//! | `iss` | it is the issuer that was configured |
//! | `sub` | refused. [`subjects_from`](crate::trust::TrustedIssuer::subjects_from) may name `client_id` as the second place to look, for tokens of machines; do so only if no client can be called like a user |
//! | `aud` | a principal without audiences, which the audience check refuses. See [`audience_if_missing`](IntrospectionBuilder::audience_if_missing) |
//! | `exp` | remembered for 30 seconds like others, and good for as long as the server says so |
//! | `scope` | no scopes |
//!
//! # What it needs outside itself
//!
//! An endpoint ([`IntrospectionEndpoint`], or an [`IntrospectToken`] of yours), a [`ClientAuthentication`], and a tokio
//! runtime with its timer.
//!
//! # What a client sees when refused
//!
//! | case | HTTP | record |
//! |---|---|---|
//! | the server says no | 401 `invalid_token` | `token_inactive` |
//! | the server says yes and the rules say no | 401 `invalid_token` | `token_expired`, `claim_invalid`, `issuer_wrong`, … |
//! | the server is away, slow, overloaded, or its answer cannot be used | 503, `Retry-After` | `introspection_unavailable` |
//! | the server refuses *our* credentials (401, 403) | 503, `Retry-After` | the same, and an event of level `error` |
//! | more calls or requests at a time than allowed | 503, `Retry-After` | the same |
//!
//! An outage is never a 401, and never remembered. After three failures in a row nobody asks for two seconds, then one
//! request finds out whether the server is back; so an outage does not fill the service with requests that wait. Failures
//! that a token can cause, such as a 400, do not count: else an attacker could stop introspection for all.
//!
//! # What it does not protect against
//!
//! - **Revocation within the memory.** A token that was revoked is accepted for up to 30 seconds. Shorten that with
//!   [`remember_active_for`](IntrospectionBuilder::remember_active_for), zero for not at all, or call
//!   [`forget`](IntrospectionVerifier::forget) when you hear of it.
//! - **Floods of invented tokens.** Each costs a call. The calls at a time are bounded, so what suffers is introspection
//!   and nothing else; put a limit by address outside.
//! - **A server that lies**, about this or any token. Signed answers protect from whoever stands in between.
//! - **Tokens for another service.** Add an audience check, as for JWTs.
//!
//! # Servers and their habits
//!
//! | server | what to know |
//! |---|---|
//! | Ory Hydra | the endpoint is on the admin port, which lets everybody in: see that nobody else reaches it. Audiences come from the request's `audience` and may be empty |
//! | Zitadel | the audiences are client and project ids; scopes are in the introspection answer and not in the JWT |
//! | glewlwyd | with Basic a client may ask about its own tokens only: use [`ClientAuthentication::bearer_from`] with a token of the configured scope. Signs answers |
//! | `oidc-provider` | answers 400 about its own JWTs: take those with a [`JwtVerifier`](crate::JwtVerifier), by [`ByTokenForm`](crate::ByTokenForm) |
//! | Keycloak | calls refresh tokens active, with `typ` `Refresh`: refused here |
//! | Google | has no introspection: [`IntrospectionVerifier::google`] |
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use palisade_token_verify::{
//!     BearerToken, Issuer, Rejection, VerifyToken,
//!     introspection::{
//!         ClientAuthentication, IntrospectionRequest, IntrospectionResponse, IntrospectionVerifier,
//!     },
//! };
//!
//! // Stands in for `IntrospectionEndpoint::new("https://as.example/introspect")?`.
//! let server = async |request: IntrospectionRequest| {
//!     let answer = if request.body().starts_with("token=good&") {
//!         r#"{"active":true,"sub":"alice","aud":"https://api.example","scope":"read"}"#
//!     } else {
//!         r#"{"active":false}"#
//!     };
//!     Ok::<_, std::io::Error>(
//!         IntrospectionResponse::new(200, answer).with_content_type("application/json"),
//!     )
//! };
//!
//! let credential = ClientAuthentication::secret_basic("api", "a-secret")?;
//! let issuer = Issuer::parse("https://as.example")?;
//! let verifier = IntrospectionVerifier::builder(issuer, server, credential)?.build();
//!
//! let alice = verifier.verify(BearerToken::parse("good")?).await?;
//! assert_eq!(alice.subject(), "alice");
//! let refused = verifier.verify(BearerToken::parse("bad")?).await;
//! assert_eq!(refused.err(), Some(Rejection::Inactive));
//! # Ok(()) }
//! ```

mod answer;
mod assertion;
mod auth;
mod breaker;
mod builder;
mod cache;
mod claims;
mod endpoint;
mod exchange;
mod failure;
mod flights;
mod google;
mod signed;
#[cfg(test)]
mod tests;
mod verifier;

pub use self::{
    assertion::{AssertionAlgorithm, AssertionKey, InvalidAssertionKeyError},
    auth::{ClientAuthentication, ClientAuthenticationError},
    builder::{IntrospectionBuilder, IntrospectionError},
    endpoint::{IntrospectionEndpoint, IntrospectionEndpointError, IntrospectionExchangeError},
    exchange::{IntrospectToken, IntrospectionRequest, IntrospectionResponse},
    signed::SignedAnswers,
    verifier::{IntrospectionFuture, IntrospectionVerifier},
};
