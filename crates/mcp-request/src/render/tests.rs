use std::time::Duration;

use http::Request;
use palisade_core::{
    AuthScheme, Challenge, DenialKind, OfferedSchemes, ProtectedResource, Reason, ScopeSet,
};

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

/// A request for which a message of this kind and method is known.
fn call(kind: MessageKind, method: &str, version: Option<&str>, id: Option<RequestId>) -> Parts {
    let (mut parts, ()) = Request::post("/").body(()).unwrap().into_parts();
    parts.extensions.insert(McpCall::new(Inner {
        kind,
        method: method.into(),
        target: None,
        id,
        protocol_version: version.map(Into::into),
    }));
    ProtectedResource::new("https://rs.example/metadata").unwrap().leave_in(&mut parts);
    parts
}

const CHALLENGE: &str = r#"Bearer error="insufficient_scope", error_description="some reason", scope="files:write", resource_metadata="https://rs.example/metadata""#;

fn missing_scope() -> Denial {
    let scopes = ScopeSet::parse("files:write").unwrap();
    denial(DenialKind::InsufficientScope).with_required_scopes(scopes)
}

#[test]
fn a_tool_result_has_the_challenge_of_the_header_and_the_id_of_the_call() {
    let renderer = JsonRpcRenderer::new().with_challenges_in_tool_results();
    let quoted = serde_json::to_string(CHALLENGE).unwrap();
    for (id, version, expected_id, result_type) in [
        (RequestId::Number(7), Some("2025-11-25"), "7", ""),
        (RequestId::Number(-8), None, "-8", ""),
        (
            RequestId::Text("a\"b".into()),
            Some("2026-07-28"),
            r#""a\"b""#,
            r#""resultType":"complete","#,
        ),
    ] {
        let request = call(MessageKind::Request, "tools/call", version, Some(id));
        let response: Response<Bytes> = missing_scope().into_response(&renderer, &request);
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["www-authenticate"], CHALLENGE);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert!(response.extensions().get::<Denial>().is_some());
        assert_eq!(
            *response.body(),
            format!(
                r#"{{"jsonrpc":"2.0","id":{expected_id},"result":{{{result_type}"content":[{{"type":"text","text":"some reason"}}],"isError":true,"_meta":{{"mcp/www_authenticate":[{quoted}]}}}}}}"#
            )
        );
    }
}

#[test]
fn a_tool_result_has_every_challenge_that_is_offered() {
    let renderer = JsonRpcRenderer::new().with_challenges_in_tool_results();
    let mut request = call(MessageKind::Request, "tools/call", None, Some(RequestId::Number(1)));
    OfferedSchemes::new(Challenge::new(AuthScheme::DPoP).param("algs", "ES256"))
        .or(Challenge::new(AuthScheme::Bearer))
        .leave_in(&mut request);
    let response: Response<Bytes> = missing_scope().into_response(&renderer, &request);
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let repeated = body["result"]["_meta"]["mcp/www_authenticate"].as_array().unwrap();
    let sent = response.headers().get_all("www-authenticate").iter();
    let sent: Vec<_> = sent.map(|line| line.to_str().unwrap()).collect();
    assert_eq!((repeated.len(), sent.len()), (2, 2));
    assert_eq!(repeated, &sent);
    assert_eq!(sent[0], CHALLENGE, "Bearer first");
}

#[test]
fn all_other_refusals_keep_their_status() {
    let known = call(MessageKind::Request, "tools/call", None, Some(RequestId::Number(1)));
    let in_results = JsonRpcRenderer::new().with_challenges_in_tool_results();
    for kind in [
        DenialKind::BadRequest,
        DenialKind::Forbidden,
        DenialKind::HeadersTooLarge,
        DenialKind::Misconfigured,
        DenialKind::PayloadTooLarge,
        DenialKind::RateLimited,
        DenialKind::Unavailable,
        DenialKind::UnsupportedMediaType,
    ] {
        // Not even with a challenge that the layer added.
        let refused = denial(kind).add_challenge(Challenge::new(AuthScheme::Bearer));
        let response: Response<Bytes> = refused.into_response(&in_results, &known);
        assert_eq!(response.status(), kind.status(), "{kind:?}");
        assert!(response.body().starts_with(br#"{"jsonrpc":"2.0","id":1,"error":"#), "{kind:?}");
    }
    let number = || Some(RequestId::Number(1));
    for (name, request) in [
        ("nothing known", request(None)),
        ("another method", call(MessageKind::Request, "tools/list", None, number())),
        ("a look-alike", call(MessageKind::Request, "tools/call2", None, number())),
        ("a notification", call(MessageKind::Notification, "tools/call", None, None)),
        ("without id", call(MessageKind::Request, "tools/call", None, None)),
        ("a response", call(MessageKind::Response, McpCall::RESPONSE, None, number())),
    ] {
        let response: Response<Bytes> = missing_scope().into_response(&in_results, &request);
        assert_eq!(response.status(), 403, "{name}");
        assert!(response.headers().contains_key("www-authenticate"), "{name}");
    }
    let by_default: Response<Bytes> =
        missing_scope().into_response(&JsonRpcRenderer::new(), &known);
    assert_eq!(by_default.status(), 403, "nobody gets it without asking for it");
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
