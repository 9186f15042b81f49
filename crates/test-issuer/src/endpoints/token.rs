//! The token endpoint: `client_credentials` (RFC 6749 section 4.4) for one resource (RFC 8707).

mod client;
mod form;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

pub(super) use self::{client::authenticate, form::Form};
use crate::builder::Client;
use crate::endpoints::{MAX_BODY_BYTES, json as json_response, refuse};
use crate::issuer::State;
use crate::mint::TokenBuilder;
use crate::opaque::TokenFormat;

pub(super) fn answer(state: &Arc<State>, headers: &HeaderMap, body: &[u8]) -> Response<Bytes> {
    let mut response = if body.len() > MAX_BODY_BYTES {
        refuse(StatusCode::PAYLOAD_TOO_LARGE)
    } else {
        match issue(state, headers, body) {
            Ok(document) => json_response("application/json", &document),
            Err(refusal) => refusal.into_response(),
        }
    };
    // RFC 6749 section 5.1: "MUST include the HTTP "Cache-Control" response header field with a
    // value of "no-store" in any response containing tokens". Errors are no better to keep.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why there is no token: the error codes of RFC 6749 section 5.2 and RFC 8707 section 2. The
/// descriptions are constants, so that nothing of the request comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    InvalidClient,
    InvalidRequest(&'static str),
    InvalidScope,
    InvalidTarget(&'static str),
    ServerError,
    UnsupportedGrantType,
}

fn issue(state: &Arc<State>, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let form = Form::parse(headers, body)?;
    let client = authenticate(&state.settings.clients, headers, &form)?;
    match form.one("grant_type")? {
        Some("client_credentials") => {}
        Some(_) => return Err(Refusal::UnsupportedGrantType),
        None => return Err(Refusal::InvalidRequest("`grant_type` is missing")),
    }
    let audience = audience(state, &form)?;
    let scopes = scopes(client, form.one("scope")?)?;

    let mut token = TokenBuilder::new(Arc::clone(state))
        .subject(&client.id)
        .client_id(&client.id)
        .audience(audience)
        .without_claim("scope");
    let mut answer = json!({
        "token_type": "Bearer",
        "expires_in": state.settings.token_lifetime.as_secs(),
    });
    if !scopes.is_empty() {
        let scopes = scopes.join(" ");
        token = token.scope(&scopes);
        insert(&mut answer, "scope", scopes);
    }
    let token = match state.settings.token_format {
        TokenFormat::Jwt => token.try_sign(),
        TokenFormat::Opaque => token.try_issue_opaque(),
    };
    insert(&mut answer, "access_token", token.map_err(|_| Refusal::ServerError)?);
    Ok(answer)
}

/// RFC 8707 section 2: `invalid_target` when a resource is "invalid, missing, unknown, or
/// malformed". Two at once would make a token that one of them could use at the other.
fn audience(state: &State, form: &Form) -> Result<String, Refusal> {
    let mut requested = form.all("resource");
    match (requested.next(), requested.next()) {
        (None, _) => state
            .settings
            .default_audience
            .clone()
            .ok_or(Refusal::InvalidTarget("`resource` is missing")),
        (Some(resource), None) => state
            .resources()
            .into_iter()
            .find(|known| known == resource)
            .ok_or(Refusal::InvalidTarget("`resource` is not known here")),
        (Some(_), Some(_)) => Err(Refusal::InvalidTarget("one `resource` at a time")),
    }
}

/// The scopes to grant, in the client's order: all that were asked for, or nothing.
fn scopes(client: &Client, requested: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(requested) = requested else {
        return Ok(client.scopes.clone());
    };
    // RFC 6749 section 3.3 separates with single spaces: an empty name is as unknown as any other.
    let requested: Vec<&str> = requested.split(' ').collect();
    if !requested.iter().all(|scope| client.scopes.iter().any(|own| own == scope)) {
        return Err(Refusal::InvalidScope);
    }
    Ok(client.scopes.iter().filter(|own| requested.contains(&own.as_str())).cloned().collect())
}

impl Refusal {
    pub(super) fn into_response(self) -> Response<Bytes> {
        let (status, error, description) = match self {
            Self::InvalidClient => {
                (StatusCode::UNAUTHORIZED, "invalid_client", "unknown client or wrong secret")
            }
            Self::InvalidRequest(why) => (StatusCode::BAD_REQUEST, "invalid_request", why),
            Self::InvalidScope => {
                (StatusCode::BAD_REQUEST, "invalid_scope", "a scope this client does not have")
            }
            Self::InvalidTarget(why) => (StatusCode::BAD_REQUEST, "invalid_target", why),
            Self::ServerError => {
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the token could not be signed")
            }
            Self::UnsupportedGrantType => {
                (StatusCode::BAD_REQUEST, "unsupported_grant_type", "only `client_credentials`")
            }
        };
        let document = json!({ "error": error, "error_description": description });
        let mut response = json_response("application/json", &document);
        *response.status_mut() = status;
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 section 15.5.2: a 401 carries a challenge, whatever method failed.
            let challenge = HeaderValue::from_static(r#"Basic realm="palisade-test-issuer""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn insert(document: &mut Value, name: &'static str, value: String) {
    if let Value::Object(members) = document {
        members.insert(name.to_owned(), Value::String(value));
    }
}
