use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{AGE, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::behaviour::JwksAnswer;
use crate::endpoints::{Answer, json, refuse};
use crate::issuer::State;

/// RFC 7517 section 8.5.2.
const JWK_SET: &str = "application/jwk-set+json";

pub(super) fn answer(state: &Arc<State>, asked: &HeaderMap) -> Answer {
    state.jwks_fetches.fetch_add(1, Ordering::Relaxed);
    Answer::Now(match state.jwks_answer() {
        JwksAnswer::Body(body) => garbage(body),
        JwksAnswer::Cached { keys, age } => {
            let mut response = json(JWK_SET, &keys);
            response.headers_mut().insert(AGE, HeaderValue::from(age.as_secs()));
            response
        }
        JwksAnswer::Endless => return Answer::Endless(json(JWK_SET, &state.keys().jwks())),
        JwksAnswer::Hang => return Answer::Never,
        JwksAnswer::KeySet => key_set(state, asked),
        JwksAnswer::Redirect(target) => redirect(target),
        JwksAnswer::Slow(delay) => return Answer::Later(delay, key_set(state, asked)),
        JwksAnswer::Status(status) => refuse(status),
    })
}

fn key_set(state: &State, asked: &HeaderMap) -> Response<Bytes> {
    let keys = state.keys().jwks();
    let tag = entity_tag(&keys);
    let mut response = if asked.get(IF_NONE_MATCH) == Some(&tag) {
        state.jwks_unmodified.fetch_add(1, Ordering::Relaxed);
        refuse(StatusCode::NOT_MODIFIED)
    } else {
        json(JWK_SET, &keys)
    };
    response.headers_mut().insert(ETAG, tag);
    if let Some(value) = state.cache_control() {
        response.headers_mut().insert(CACHE_CONTROL, value);
    }
    response
}

/// The same for the same set, and hardly ever for two: a sum of FNV-1a, which is enough for a test.
fn entity_tag(keys: &Value) -> HeaderValue {
    let sum = keys.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    HeaderValue::try_from(format!("\"{sum:016x}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn garbage(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JWK_SET));
    response
}

fn redirect(target: HeaderValue) -> Response<Bytes> {
    let mut response = refuse(StatusCode::FOUND);
    response.headers_mut().insert(LOCATION, target);
    response
}
