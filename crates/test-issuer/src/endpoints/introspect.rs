//! The introspection endpoint (RFC 7662), with signed answers for those who ask for them (RFC 9701).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::token::{Form, Refusal, authenticate};
use crate::endpoints::{MAX_BODY_BYTES, json as json_response, refuse};
use crate::issuer::State;
use crate::mint::TokenBuilder;

const SIGNED: &str = "application/token-introspection+jwt";

pub(super) fn answer(state: &Arc<State>, headers: &HeaderMap, body: &[u8]) -> Response<Bytes> {
    state.introspections.fetch_add(1, Ordering::Relaxed);
    let mut response = if body.len() > MAX_BODY_BYTES {
        refuse(StatusCode::PAYLOAD_TOO_LARGE)
    } else {
        introspect(state, headers, body).unwrap_or_else(Refusal::into_response)
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn introspect(
    state: &Arc<State>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response<Bytes>, Refusal> {
    let form = Form::parse(headers, body)?;
    let client = authenticate(&state.settings.clients, headers, &form)?;
    let token = form.one("token")?.ok_or(Refusal::InvalidRequest("`token` is missing"))?;
    let document = document(state, token);
    let wants_signature = headers
        .get_all(ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|accept| accept.contains(SIGNED)));
    if !wants_signature {
        return Ok(json_response("application/json", &document));
    }
    let payload = json!({
        "iss": state.issuer,
        "aud": client.id,
        "iat": state.now(),
        "token_introspection": document,
    });
    let jwt = TokenBuilder::new(Arc::clone(state))
        .header("typ", "token-introspection+jwt")
        .raw_payload(payload.to_string())
        .try_sign()
        .map_err(|_| Refusal::ServerError)?;
    let mut response = Response::new(Bytes::from(jwt));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(SIGNED));
    Ok(response)
}

/// RFC 7662 section 2.2: of a token that does not live, nothing is said but that.
fn document(state: &State, token: &str) -> Value {
    let claims = state.opaque_tokens().find(token).cloned();
    match claims.filter(|claims| is_alive(claims, state.now())) {
        Some(mut claims) => {
            claims.insert("active".to_owned(), Value::Bool(true));
            claims.entry("token_type").or_insert_with(|| Value::from("Bearer"));
            Value::Object(claims)
        }
        None => json!({ "active": false }),
    }
}

fn is_alive(claims: &Map<String, Value>, now: i64) -> bool {
    claims.get("exp").and_then(Value::as_i64).is_none_or(|exp| now < exp)
}
