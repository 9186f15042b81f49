use std::time::Duration;

use http::Request;
use palisade_core::{DenialKind, Reason, ScopeSet};

use super::*;
use crate::call::{Inner, MessageKind};

const REASON: Reason = Reason::new("some_reason", "some reason");

fn denial(kind: DenialKind) -> Denial {
    Denial::new("some-layer", kind, REASON)
}

fn request(id: Option<RequestId>) -> Parts {
    let (mut parts, ()) = Request::post("/").body(()).unwrap().into_parts();
    if id.is_some() {
        parts.extensions.insert(McpCall::new(Inner {
            kind: MessageKind::Request,
            method: "tools/call".into(),
            target: None,
            id,
            protocol_version: None,
        }));
    }
    parts
}

fn body(denial: Denial, request: &Parts) -> (u16, String) {
    let response: Response<Bytes> = denial.into_response(&JsonRpcRenderer::new(), request);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    (response.status().as_u16(), String::from_utf8(response.into_body().to_vec()).unwrap())
}

#[test]
fn every_kind_has_its_body() {
    for (kind, status, code) in [
        (DenialKind::BadRequest, 400, -32600),
        (DenialKind::Forbidden, 403, 403),
        (DenialKind::HeadersTooLarge, 431, 431),
        (DenialKind::InsufficientScope, 403, 403),
        (DenialKind::InvalidCredentials, 400, -32600),
        (DenialKind::InvalidToken, 401, 401),
        (DenialKind::Misconfigured, 500, 500),
        (DenialKind::PayloadTooLarge, 413, 413),
        (DenialKind::RateLimited, 429, 429),
        (DenialKind::Unauthenticated, 401, 401),
        (DenialKind::Unavailable, 503, 503),
        (DenialKind::UnsupportedMediaType, 415, 415),
    ] {
        let kind_name = kind.as_str();
        let expected = format!(
            r#"{{"jsonrpc":"2.0","error":{{"code":{code},"message":"some reason","data":{{"reason":"some_reason","kind":"{kind_name}"}}}}}}"#
        );
        assert_eq!(body(denial(kind), &request(None)), (status, expected));
    }
}

#[test]
fn the_body_says_what_would_help() {
    let scopes = ScopeSet::parse("files:write files:read").unwrap();
    let refused = denial(DenialKind::InsufficientScope).with_required_scopes(scopes);
    assert_eq!(
        body(refused, &request(Some(RequestId::Number(7)))).1,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":403,"message":"some reason","data":{"reason":"some_reason","kind":"insufficient_scope","requiredScopes":["files:read","files:write"]}}}"#
    );
    let refused = denial(DenialKind::RateLimited).with_retry_after(Duration::from_millis(1001));
    assert_eq!(
        body(refused, &request(Some(RequestId::Text("a\"b".into())))).1,
        r#"{"jsonrpc":"2.0","id":"a\"b","error":{"code":429,"message":"some reason","data":{"reason":"some_reason","kind":"rate_limited","retryAfterSeconds":2}}}"#
    );
}

#[test]
fn a_request_that_says_it_is_grpc_is_refused_in_http() {
    let mut request = request(None);
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let response: Response<Bytes> =
        denial(DenialKind::Forbidden).into_response(&JsonRpcRenderer::new(), &request);
    assert_eq!(response.status(), 403);
    assert!(!response.headers().contains_key("grpc-status"));
}

#[test]
fn any_body_can_be_made() {
    let renderer = JsonRpcRenderer::new().with_body(|bytes: Bytes| bytes.len());
    let response = denial(DenialKind::Forbidden).into_response(&renderer, &request(None));
    assert!(*response.body() > 0);
    assert_eq!(format!("{renderer:?}"), "JsonRpcRenderer { .. }");
}
