//! What a page of another origin may read of each layer's refusals.

use http::{Method, Request, Response};
use palisade_core::{Denial, DenialKind, GuardLayer, Reason};
use palisade_cors::CorsLayer;
use palisade_integration::{
    CaptureSink, Counting, DEFECTS, Defect, Facts, TestBody, World, all_layers, body,
};
use palisade_mcp_request::cors;
use tower::{Layer, ServiceExt};

const PAGE: &str = "http://localhost:6274";

/// What clients of MCP ask for, of all revisions.
const ASKED: [&str; 10] = [
    "accept",
    "authorization",
    "content-type",
    "dpop",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-param-region",
    "mcp-protocol-version",
    "mcp-session-id",
];

/// And what they read.
const READ: [&str; 7] = [
    "dpop-nonce",
    "mcp-protocol-version",
    "mcp-session-id",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
];

fn layer() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(PAGE)
        .unwrap()
        .allow_headers(cors::REQUEST_HEADERS)
        .allow_headers_with_prefix(cors::REQUEST_HEADER_PREFIX)
        .unwrap()
        .expose_headers(cors::RESPONSE_HEADERS)
}

/// A header's items, over all lines.
fn items(response: &Response<TestBody>, name: &str) -> Vec<String> {
    let lines = response.headers().get_all(name).iter().map(|line| line.to_str().unwrap());
    lines.flat_map(|line| line.split(',').map(|item| item.trim().to_owned())).collect()
}

#[tokio::test]
async fn a_page_reads_what_each_layer_refuses_and_another_page_does_not() {
    let world = World::new().unwrap();
    let layers = all_layers(&world, &CaptureSink::default(), body).unwrap();
    for (defect, guardian) in DEFECTS {
        let guardian = layers.iter().find(|layer| layer.name() == guardian).unwrap();
        for origin in [PAGE, "http://evil.example"] {
            let service = layer().layer(guardian.around(Counting::default().service()));
            let mut request = defect.request(&world, Facts::All);
            request.headers_mut().insert("origin", origin.parse().unwrap());
            let refused = service.oneshot(request).await.unwrap();
            assert!(refused.status().is_client_error(), "{defect:?}");
            let allowed = items(&refused, "access-control-allow-origin");
            let expected: &[&str] = if origin == PAGE { &[PAGE] } else { &[] };
            assert_eq!(allowed, expected, "{defect:?}");
            let mut readable = items(&refused, "access-control-expose-headers");
            readable.sort_unstable();
            assert_eq!(readable, READ, "{defect:?}");
            assert!(items(&refused, "vary").contains(&"origin".to_owned()), "{defect:?}");
        }
    }
}

#[tokio::test]
async fn a_page_reads_refusals_of_every_status() {
    for (kind, status) in [
        (DenialKind::BadRequest, 400),
        (DenialKind::Unauthenticated, 401),
        (DenialKind::InsufficientScope, 403),
        (DenialKind::RateLimited, 429),
        (DenialKind::Misconfigured, 500),
        (DenialKind::Unavailable, 503),
    ] {
        let refuse = move |_: &mut http::request::Parts| -> Result<(), Denial> {
            Err(Denial::new("test", kind, Reason::new("no", "no")))
        };
        let inner = GuardLayer::new(refuse).layer(Counting::default().service::<TestBody>());
        let request = Request::get("/").header("origin", PAGE).body(TestBody::default()).unwrap();
        let refused = layer().layer(inner).oneshot(request).await.unwrap();
        assert_eq!(refused.status(), status);
        assert_eq!(refused.headers()["access-control-allow-origin"], PAGE, "{kind:?}");
    }
}

/// In any order, because a preflight has none of the facts that layers ask for.
#[tokio::test]
async fn a_preflight_is_answered_before_every_layer_that_refuses() {
    let world = World::new().unwrap();
    for inner in all_layers(&world, &CaptureSink::default(), body).unwrap() {
        let counting = Counting::default();
        let service = layer().layer(inner.around(counting.service()));
        let preflight = Request::builder()
            .method(Method::OPTIONS)
            .uri("/mcp")
            .header("origin", PAGE)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", ASKED.join(","))
            .body(TestBody::default())
            .unwrap();
        let answer = service.oneshot(preflight).await.unwrap();
        assert_eq!(answer.status(), 200, "{inner:?}");
        assert_eq!(items(&answer, "access-control-allow-headers"), ASKED);
        assert_eq!(counting.calls(), 0);
    }
}

#[tokio::test]
async fn what_is_no_preflight_needs_a_token() {
    let world = World::new().unwrap();
    let layers = all_layers(&world, &CaptureSink::default(), body).unwrap();
    let verify = layers.iter().find(|layer| layer.name() == "token-verify").unwrap();
    for (name, header) in [("plain", None), ("of a page", Some(("origin", PAGE)))] {
        let (mut parts, body) = Defect::NoToken.request(&world, Facts::OfTheServer).into_parts();
        parts.method = Method::OPTIONS;
        if let Some((name, value)) = header {
            parts.headers.insert(name, value.parse().unwrap());
        }
        let service = layer().layer(verify.around(Counting::default().service()));
        let answer = service.oneshot(Request::from_parts(parts, body)).await.unwrap();
        assert_eq!(answer.status(), 401, "{name}");
    }
}
