//! Heads: what is refused before a body is read.

use palisade_core::Operation;

use super::{message::TOOL_CALL, *};
use crate::{JsonRpcRenderer, McpCall, McpRequestLayer};

#[tokio::test]
async fn mcp_10_a_body_says_that_it_is_json() {
    for (content_type, is_good) in [
        ("application/json", true),
        ("Application/JSON", true),
        ("application/json;charset=utf-8", true),
        ("application/json ; charset=\"UTF-8\" ;", true),
        ("application/json; charset=utf-16", false),
        ("application/json; charset=utf-8; charset=utf-16", false),
        ("application/json; version=1", false),
        ("application/json, text/plain", false),
        ("application/jsonp", false),
        ("application/problem+json", false),
        ("text/plain", false),
        ("text/plain; x=application/json", false),
        ("multipart/form-data", false),
        ("application/grpc-web", false),
        ("", false),
    ] {
        let request = Request::post("http://localhost/mcp")
            .header("content-type", content_type)
            .body(Frames::from(PING))
            .unwrap();
        let polls = Arc::clone(&request.body().polls);
        if is_good {
            assert_eq!(send(request).await.0.status(), 200, "{content_type}");
        } else {
            let refused = refusal(request).await;
            assert_eq!(refused, (415, "content_type_unsupported"), "{content_type}");
            assert_eq!(polls.load(Ordering::Relaxed), 0, "{content_type}");
        }
    }
    let without = Request::post("http://localhost/mcp").body(Frames::from(PING)).unwrap();
    assert_eq!(refusal(without).await, (415, "content_type_unsupported"));
    let twice = post().header("content-type", "text/plain").body(Frames::from(PING)).unwrap();
    assert_eq!(refusal(twice).await, (415, "content_type_unsupported"));
}

#[tokio::test]
async fn bdy_02_bdy_03_encoded_bodies_are_refused() {
    for coding in ["gzip", "br", "zstd", "x-unknown", "gzip, gzip", "identity, gzip", ""] {
        let request = post().header("content-encoding", coding).body(Frames::from(PING)).unwrap();
        let (response, seen) = send(request).await;
        assert_eq!(response.status(), 415, "{coding}");
        assert_eq!(response.headers()["accept-encoding"], "identity", "{coding}");
        assert!(seen.is_none(), "{coding}");
    }
    let twice = post()
        .header("content-encoding", "identity")
        .header("content-encoding", "gzip")
        .body(Frames::from(PING))
        .unwrap();
    assert_eq!(refusal(twice).await, (415, "content_encoding_unsupported"));
    let plain = post().header("content-encoding", "Identity").body(Frames::from(PING)).unwrap();
    assert_eq!(send(plain).await.0.status(), 200);
}

#[tokio::test]
async fn mcp_12_foreign_hosts_and_origins_are_refused_for_every_method() {
    for method in ["GET", "POST", "DELETE", "OPTIONS"] {
        let request = |host: &str, origin: &str| {
            Request::builder()
                .method(method)
                .uri("/mcp")
                .header("host", host)
                .header("origin", origin)
                .header("content-type", "application/json")
                .body(Frames::from(PING))
                .unwrap()
        };
        let own = "http://localhost:1";
        assert_eq!(refusal(request("evil.example", own)).await, (403, "host_not_allowed"));
        assert_eq!(
            refusal(request("localhost", "http://evil.example")).await,
            (403, "origin_not_allowed")
        );
        assert_eq!(refusal(request("a, b", own)).await, (400, "host_malformed"));
        assert_eq!(send(request("localhost:8080", own)).await.0.status(), 200, "{method}");
    }
}

#[tokio::test]
async fn a_forbidden_origin_gets_no_challenge() {
    let request = post().header("origin", "http://evil.example").body(Frames::from(PING)).unwrap();
    let (response, _) = send(request).await;
    assert!(!response.headers().contains_key("www-authenticate"));
    assert_eq!(
        response.body(),
        r#"{"jsonrpc":"2.0","error":{"code":403,"message":"pages of this origin may not call this server","data":{"reason":"origin_not_allowed","kind":"forbidden"}}}"#
    );
}

#[tokio::test]
async fn versions_are_well_formed_for_every_method() {
    for method in ["GET", "DELETE"] {
        let request = |version: &str| {
            Request::builder()
                .method(method)
                .uri("http://localhost/mcp")
                .header("mcp-protocol-version", version)
                .body(Frames::default())
                .unwrap()
        };
        assert_eq!(send(request("2025-06-18")).await.0.status(), 200);
        assert_eq!(refusal(request("20 25")).await, (400, "version_malformed"));
    }
}

#[tokio::test]
async fn who_claims_to_speak_grpc_is_refused_like_all_others() {
    let request = Request::post("http://localhost/mcp")
        .header("content-type", "application/grpc")
        .body(Frames::default())
        .unwrap();
    let (response, seen) = send(request).await;
    assert!(seen.is_none());
    assert_eq!(response.status(), 415, "and not 200 with a gRPC status");
}

#[tokio::test]
async fn each_endpoint_takes_messages_and_no_path_between_them() {
    let layer = || {
        let layer = McpRequestLayer::new("/a/mcp").add_endpoint("/b/mcp");
        layer.with_renderer(JsonRpcRenderer::new())
    };
    for (path, is_endpoint) in [("/a/mcp", true), ("/b/mcp", true), ("/mcp", false), ("/a", false)]
    {
        let request = Request::post(format!("http://localhost{path}"))
            .header("content-type", "application/json")
            .body(Frames::from(TOOL_CALL))
            .unwrap();
        let (_, seen) = send_through(layer(), request).await;
        assert_eq!(McpCall::of(&seen.unwrap().parts).is_some(), is_endpoint, "{path}");
    }
}

/// A message that a policy allows must not open other routes.
#[tokio::test]
async fn pth_01_only_the_endpoint_takes_messages() {
    for path in ["/", "/mcp/", "/MCP", "/mcp2", "//mcp", "/x/../mcp", "/%6dcp", "/admin"] {
        let request = Request::post(format!("http://localhost{path}"))
            .header("content-type", "application/json")
            .body(Frames::from(TOOL_CALL))
            .unwrap();
        let (response, seen) = send(request).await;
        assert_eq!(response.status(), 200, "{path}");
        let seen = seen.unwrap();
        assert_eq!(*Operation::of(&seen.parts), Operation::http("POST", path), "{path}");
        assert!(McpCall::of(&seen.parts).is_none(), "{path}");
    }
    let elsewhere = Request::post("http://evil.example/admin").body(Frames::default()).unwrap();
    assert_eq!(refusal(elsewhere).await, (403, "host_not_allowed"), "hosts count everywhere");
}
