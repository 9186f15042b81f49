use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Response, StatusCode};

use crate::behaviour::JwksAnswer;
use crate::endpoints::{Answer, json, refuse};
use crate::issuer::State;

/// RFC 7517 section 8.5.2.
const JWK_SET: &str = "application/jwk-set+json";

pub(super) fn answer(state: &State) -> Answer {
    state.jwks_fetches.fetch_add(1, Ordering::Relaxed);
    Answer::Now(match state.jwks_answer() {
        JwksAnswer::Body(body) => garbage(body),
        JwksAnswer::Hang => return Answer::Never,
        JwksAnswer::KeySet => json(JWK_SET, &state.keys().jwks()),
        JwksAnswer::Redirect(target) => redirect(target),
        JwksAnswer::Status(status) => refuse(status),
    })
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
