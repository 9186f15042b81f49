use serde_json::Value;
use tower::BoxError;

use super::{APP, Answer, AuthorizationServer, RESOURCE_SERVER, text};
use crate::ProofKey;

impl AuthorizationServer {
    /// An access token for `resource` (RFC 8707), of the client [`APP`] for itself.
    ///
    /// # Errors
    ///
    /// If there is none to be had.
    pub async fn token(&self, resource: &str, scope: &str) -> Result<String, BoxError> {
        let form = [("resource", resource), ("scope", scope)];
        text(&self.grant(&form, &[]).await?.into_json()?, "access_token")
    }

    /// An access token that names no resource: opaque, whatever the form of the others.
    ///
    /// # Errors
    ///
    /// If there is none to be had.
    pub async fn token_for_nothing(&self) -> Result<String, BoxError> {
        text(&self.grant(&[("scope", "use")], &[]).await?.into_json()?, "access_token")
    }

    /// An access token that is bound to `key` (RFC 9449 §5).
    ///
    /// # Errors
    ///
    /// If there is none to be had, or it is not bound.
    pub async fn bound_token(
        &self,
        resource: &str,
        scope: &str,
        key: &ProofKey,
    ) -> Result<String, BoxError> {
        let proof = key.proof("POST", &self.endpoint("/token")).sign()?;
        let form = [("resource", resource), ("scope", scope)];
        let answer = self.grant(&form, &[("dpop", &proof)]).await?.into_json()?;
        match answer.get("token_type").and_then(Value::as_str) {
            Some("DPoP") => text(&answer, "access_token"),
            other => Err(format!("asked for a bound token, got {other:?}").into()),
        }
    }

    /// The answer of the token endpoint to the client [`APP`].
    ///
    /// # Errors
    ///
    /// If there is no answer.
    pub async fn grant(
        &self,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Answer, BoxError> {
        let form = [&[("grant_type", "client_credentials")], form].concat();
        self.http.post(&self.endpoint("/token"), APP, &form, headers).await
    }

    /// Takes an opaque token back (RFC 7009), as the client that got it.
    ///
    /// # Errors
    ///
    /// If the server refuses, as it does for JWTs: it keeps no list of them.
    pub async fn revoke(&self, token: &str) -> Result<(), BoxError> {
        let url = self.endpoint("/token/revocation");
        let answer = self.http.post(&url, APP, &[("token", token)], &[]).await?;
        if answer.status.is_success() { Ok(()) } else { answer.into_json().map(drop) }
    }

    /// What the server says of an opaque token (RFC 7662).
    ///
    /// # Errors
    ///
    /// If it does not say, as for JWTs.
    pub async fn introspect(&self, token: &str) -> Result<Value, BoxError> {
        let url = self.endpoint("/token/introspection");
        self.http.post(&url, RESOURCE_SERVER, &[("token", token)], &[]).await?.into_json()
    }

    /// The address of an endpoint.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}
