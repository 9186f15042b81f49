mod browser;
mod vary;

use std::{convert::Infallible, time::Duration};

use http::{HeaderName, Method, Request, Response, header};
use palisade_core::{Denial, DenialKind, GuardLayer, InvalidOriginError, Reason};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};

use self::browser::{Page, Refused};
use crate::CorsLayer;

const PAGE: &str = "https://app.example";
const ALLOW_ORIGIN: HeaderName = header::ACCESS_CONTROL_ALLOW_ORIGIN;

type Service_ = BoxCloneSyncService<Request<String>, Response<String>, Infallible>;

/// Those of a protocol, as its crate would give them.
fn layer() -> CorsLayer {
    let named = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(PAGE)
        .unwrap()
        .allow_headers([
            named("mcp-protocol-version"),
            named("mcp-method"),
            named("mcp-name"),
            named("mcp-session-id"),
        ])
        .allow_headers_with_prefix("Mcp-Param-")
        .unwrap()
        .expose_headers([named("mcp-session-id"), named("mcp-protocol-version")])
}

/// Says what came, and everything that a script may want to read.
fn answers(layer: &CorsLayer) -> Service_ {
    let inner = service_fn(async |request: Request<String>| {
        let mut response = Response::builder().status(401);
        for name in READ {
            response = response.header(*name, "x");
        }
        let method = request.method().to_string();
        Ok(response.header("x-method", &method).body(method).unwrap())
    });
    BoxCloneSyncService::new(layer.layer(inner))
}

/// All headers that clients in browsers send, each with a value that makes browsers ask.
const SENT: &[(&str, &str)] = &[
    ("Accept", "application/json;profile=\"x\""),
    ("Authorization", "Bearer x"),
    ("Content-Type", "application/json"),
    ("DPoP", "x"),
    ("Last-Event-ID", "1"),
    ("MCP-Protocol-Version", "2026-07-28"),
    ("Mcp-Method", "tools/call"),
    ("Mcp-Name", "x"),
    ("Mcp-Param-Region", "eu"),
    ("Mcp-Session-Id", "x"),
];

/// All headers that they have to read.
const READ: &[&str] = &[
    "dpop-nonce",
    "mcp-protocol-version",
    "mcp-session-id",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
];

#[tokio::test]
async fn a_page_sends_what_it_has_to_and_reads_the_refusal() {
    let service = answers(&layer());
    let (status, headers) = Page::at(PAGE).fetch(&service, Method::POST, SENT).await.unwrap();
    assert_eq!(status, 401);
    for name in READ {
        assert!(headers.contains_key(*name), "{name}");
    }
    assert!(!headers.contains_key("x-method"), "what is not exposed is not read");
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::PATCH] {
        Page::at(PAGE).fetch(&service, method, SENT).await.unwrap();
    }
}

#[tokio::test]
async fn with_any_one_header_lost_the_browser_refuses() {
    let service = answers(&layer());
    let fetch =
        async |method, loses| Page { origin: PAGE, loses }.fetch(&service, method, SENT).await;
    for lost in [
        "accept",
        "authorization",
        "content-type",
        "dpop",
        "last-event-id",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
        "mcp-param-region",
        "mcp-session-id",
    ] {
        assert_eq!(fetch(Method::POST, lost).await, Err(Refused::Header), "{lost}");
    }
    assert_eq!(fetch(Method::DELETE, "delete").await, Err(Refused::Method));
    assert_eq!(fetch(Method::POST, "access-control-allow-origin").await, Err(Refused::Preflight));
    // Nothing to ask for: the request is sent, and the answer withheld.
    let simple = Page { origin: PAGE, loses: "access-control-allow-origin" };
    assert_eq!(simple.fetch(&service, Method::GET, &[]).await, Err(Refused::Answer));
    for lost in READ {
        let page = Page { origin: PAGE, loses: lost };
        let (_, headers) = page.fetch(&service, Method::GET, &[]).await.unwrap();
        assert!(!headers.contains_key(*lost), "{lost} is exposed by name");
    }
}

#[tokio::test]
async fn a_wildcard_would_not_cover_the_token() {
    let inner = service_fn(async |_: Request<String>| {
        let response = Response::builder().header(ALLOW_ORIGIN, "*");
        let response = response.header(header::ACCESS_CONTROL_ALLOW_HEADERS, "*");
        Ok::<_, Infallible>(response.body(String::new()).unwrap())
    });
    let fetch = async |headers: &'static [_]| {
        Page::at(PAGE).fetch(&inner, Method::POST, headers).await.map(|(status, _)| status)
    };
    assert_eq!(fetch(&[("X-Other", "x")]).await, Ok(200));
    assert_eq!(fetch(&[("Authorization", "Bearer x")]).await, Err(Refused::Header));
}

#[tokio::test]
async fn http_09_pages_of_other_origins_get_no_permission() {
    let service = answers(&layer());
    for origin in [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://evil.example/https://app.example",
        "https://app.example:8443",
        "https://app.example:443",
        "https://app.example/",
        "https://APP.example",
        "http://app.example",
        "https://app.example, https://evil.example",
        "null",
        "*",
        "",
    ] {
        let page = Page::at(origin);
        assert_eq!(page.fetch(&service, Method::GET, &[]).await, Err(Refused::Answer), "{origin}");
        let refused = page.fetch(&service, Method::POST, SENT).await;
        assert_eq!(refused, Err(Refused::Preflight), "{origin}");
    }
    for (first, second) in
        [(PAGE, "https://evil.example"), ("https://evil.example", PAGE), (PAGE, PAGE)]
    {
        for method in [Method::GET, Method::OPTIONS] {
            let request = Request::builder()
                .method(method)
                .header("origin", first)
                .header("origin", second)
                .header("access-control-request-method", "POST");
            let answer = send(&service, request).await;
            assert!(!answer.headers().contains_key(ALLOW_ORIGIN), "{first} and {second}");
        }
    }
}

#[tokio::test]
async fn a_layer_without_origins_allows_none() {
    let service = answers(&CorsLayer::default());
    assert_eq!(Page::at(PAGE).fetch(&service, Method::GET, &[]).await, Err(Refused::Answer));
    let service =
        answers(&CorsLayer::new().insecure_allow_any_origin().allow_origin(PAGE).unwrap());
    for origin in ["https://evil.example", "null", PAGE] {
        let headers = &[("Authorization", "Bearer x"), ("Content-Type", "application/json")];
        let (status, _) = Page::at(origin).fetch(&service, Method::POST, headers).await.unwrap();
        assert_eq!(status, 401);
    }
}

async fn send(service: &Service_, request: http::request::Builder) -> Response<String> {
    service.clone().oneshot(request.body(String::new()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn http_09_only_preflights_are_answered_and_never_reach_the_service() {
    let service = answers(&layer());
    for (name, origin, asks_for, reaches) in [
        ("a preflight", Some(PAGE), Some("POST"), false),
        ("of another page", Some("https://evil.example"), Some("POST"), false),
        ("of a method that is not allowed", Some(PAGE), Some("TRACE"), false),
        ("without origin", None, Some("POST"), true),
        ("without method", Some(PAGE), None, true),
        ("plain", None, None, true),
    ] {
        let mut request = Request::options("/");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if let Some(method) = asks_for {
            request = request.header("access-control-request-method", method);
        }
        let answer = send(&service, request.header("authorization", "Bearer x")).await;
        if reaches {
            assert_eq!(
                (answer.status().as_u16(), answer.body().as_str()),
                (401, "OPTIONS"),
                "{name}"
            );
        } else {
            assert_eq!((answer.status().as_u16(), answer.body().as_str()), (200, ""), "{name}");
        }
        let is_allowed = answer.headers().contains_key(ALLOW_ORIGIN);
        assert_eq!(
            is_allowed,
            origin == Some(PAGE),
            "{name}: a script may read what it may ask for"
        );
    }
}

#[tokio::test]
async fn a_preflight_is_told_nothing_that_it_did_not_ask_for_and_nothing_odd() {
    let service = answers(&layer());
    for (name, asked, expected) in [
        ("in any case", "AUTHORIZATION, Mcp-Param-X", Some("authorization,mcp-param-x")),
        ("unknown ones are left out", "authorization,x-evil,cookie", Some("authorization")),
        ("a prefix alone is no name", "mcp-param-,mcp-param", None),
        ("nor is a likeness", "xmcp-param-x,mcp-parameter", None),
        ("nor a wildcard", "*,mcp-param-*", Some("mcp-param-*")),
        ("nor what is no token", "authorization x,mcp-param-a b,dpop;x,\"dpop\"", None),
        ("empty", "", None),
        ("commas", ",,dpop,", Some("dpop")),
    ] {
        let request = Request::options("/")
            .header("origin", PAGE)
            .header("access-control-request-method", "POST")
            .header("access-control-request-private-network", "true")
            .header("access-control-request-headers", asked);
        let answer = send(&service, request).await;
        let allowed = answer.headers().get("access-control-allow-headers");
        assert_eq!(allowed.map(|value| value.to_str().unwrap()), expected, "{name}");
        assert_eq!(answer.headers()["access-control-max-age"], "7200");
        for never in ["access-control-allow-credentials", "access-control-allow-private-network"] {
            assert!(!answer.headers().contains_key(never), "{never}");
        }
    }
    let long = format!("authorization,{}", "mcp-param-x,".repeat(400));
    let request = Request::options("/")
        .header("origin", PAGE)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", long);
    assert!(!send(&service, request).await.headers().contains_key("access-control-allow-headers"));
}

#[tokio::test]
async fn what_a_handler_says_about_cors_is_not_sent() {
    let inner = service_fn(async |_: Request<String>| {
        let response = Response::builder()
            .header(ALLOW_ORIGIN, "*")
            .header("access-control-allow-credentials", "true")
            .header("access-control-allow-private-network", "true")
            .header("vary", "accept");
        Ok::<_, Infallible>(response.body(String::new()).unwrap())
    });
    let service: Service_ = BoxCloneSyncService::new(layer().layer(inner));
    for (origin, expected) in [(PAGE, Some(PAGE)), ("https://evil.example", None)] {
        let answer = send(&service, Request::get("/").header("origin", origin)).await;
        let allowed = answer.headers().get(ALLOW_ORIGIN).map(|value| value.to_str().unwrap());
        assert_eq!(allowed, expected);
        assert!(!answer.headers().contains_key("access-control-allow-credentials"));
        assert!(!answer.headers().contains_key("access-control-allow-private-network"));
        assert_eq!(answer.headers().get_all("vary").iter().next().unwrap(), "accept");
    }
}

#[tokio::test]
async fn refusals_of_every_kind_are_readable() {
    for kind in [
        DenialKind::BadRequest,
        DenialKind::Forbidden,
        DenialKind::HeadersTooLarge,
        DenialKind::InsufficientScope,
        DenialKind::InvalidCredentials,
        DenialKind::InvalidToken,
        DenialKind::Misconfigured,
        DenialKind::PayloadTooLarge,
        DenialKind::RateLimited,
        DenialKind::Unauthenticated,
        DenialKind::Unavailable,
        DenialKind::UnsupportedMediaType,
    ] {
        let refuse = move |_: &mut http::request::Parts| -> Result<(), Denial> {
            let denial = Denial::new("test", kind, Reason::new("no", "no"));
            Err(denial.with_retry_after(Duration::from_secs(1)))
        };
        let refuses = (layer(), GuardLayer::new(refuse));
        let service = refuses.layer(service_fn(async |_: Request<String>| Ok(Response::default())));
        let (status, headers) = Page::at(PAGE).fetch(&service, Method::POST, SENT).await.unwrap();
        assert_eq!(status, kind.status().as_u16());
        assert!(headers.contains_key("retry-after"), "{kind:?}");
    }
}

#[tokio::test]
async fn what_is_configured_is_what_is_allowed() {
    let configured = layer()
        .allow_origin("http://localhost:6274")
        .unwrap()
        .allow_method(Method::from_bytes(b"REPORT").unwrap())
        .max_age(Duration::from_millis(59_999));
    let service = answers(&configured);
    let page = Page::at("http://localhost:6274");
    page.fetch(&service, Method::from_bytes(b"REPORT").unwrap(), SENT).await.unwrap();
    let request = Request::options("/").header("origin", PAGE);
    let answer = send(&service, request.header("access-control-request-method", "GET")).await;
    assert_eq!(answer.headers()["access-control-max-age"], "59");
}

/// In an answer it would stand for every header but `Authorization`.
#[tokio::test]
async fn a_page_cannot_have_the_wildcard_repeated() {
    let layer = layer().allow_headers([HeaderName::from_static("*")]);
    let service = answers(&layer.allow_headers_with_prefix("x-").unwrap());
    let request = Request::options("/")
        .header("origin", PAGE)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "*,authorization,evil")
        .header("access-control-request-headers", "X-One,x-one")
        .header("access-control-request-headers", "x-two");
    let answer = send(&service, request).await;
    let allowed: Vec<_> = answer.headers().get_all("access-control-allow-headers").iter().collect();
    assert_eq!(allowed, ["authorization,x-one,x-one,x-two"]);
}

/// A page of another origin gets the answer of a shared cache if that does not know the difference.
#[tokio::test]
async fn every_answer_varies_with_the_origin() {
    let inner = service_fn(async |request: Request<String>| {
        let status = request.uri().path().trim_start_matches('/').parse::<u16>().unwrap();
        Ok::<_, Infallible>(Response::builder().status(status).body(String::new()).unwrap())
    });
    let service: Service_ = BoxCloneSyncService::new(layer().layer(inner));
    for status in [101, 200, 204, 206, 301, 304, 401, 404, 500] {
        for origin in [None, Some(PAGE), Some("null"), Some("https://evil.example")] {
            let mut request = Request::get(format!("/{status}"));
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let answer = send(&service, request).await;
            let varies = answer.headers()["vary"].to_str().unwrap();
            assert!(varies.split(", ").any(|name| name == "origin"), "{status}, {origin:?}");
            assert_eq!(answer.headers().contains_key(ALLOW_ORIGIN), origin == Some(PAGE));
        }
    }
}

#[test]
fn a_configuration_that_no_browser_can_meet_is_an_error() {
    for (origin, expected) in [
        ("null", InvalidOriginError::Null),
        ("*", InvalidOriginError::NotAnOrigin),
        ("https://*.example", InvalidOriginError::NotAnOrigin),
        ("https://app.example/", InvalidOriginError::NotAnOrigin),
        ("https://app.example:443", InvalidOriginError::Port),
        ("https://App.example", InvalidOriginError::UpperCase),
    ] {
        assert_eq!(CorsLayer::new().allow_origin(origin).unwrap_err(), expected, "{origin}");
    }
    for prefix in ["", "-", "x", "x-app", "x app-", "x-*-", "é-"] {
        let error = CorsLayer::new().allow_headers_with_prefix(prefix).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("`{prefix}` is not the beginning")),
            "{error}"
        );
    }
}
