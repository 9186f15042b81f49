use std::{
    convert::Infallible,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{
        ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST,
        IF_NONE_MATCH, VARY, WWW_AUTHENTICATE,
    },
    request::Parts,
};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use palisade_core::{Denial, DenialKind, GuardLayer, Reason, Resource, ScopeSet};
use proptest::prelude::*;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::{Metadata, MetadataError, ResourceMetadataLayer};

mod several;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const DOCUMENT: &str = r#"{"resource":"https://h/a","authorization_servers":["https://as.example"],"scopes_supported":["read"],"bearer_methods_supported":["header"]}"#;

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn metadata_of(uri: &str) -> Metadata {
    Metadata::new(Resource::parse(uri).unwrap())
        .add_authorization_server("https://as.example")
        .and_then(|metadata| metadata.scopes_supported(scopes("read")))
        .unwrap()
}

fn layer_of(uri: &str) -> ResourceMetadataLayer {
    ResourceMetadataLayer::new(metadata_of(uri)).unwrap()
}

fn layer_with_hint(hint: ScopeSet) -> ResourceMetadataLayer {
    ResourceMetadataLayer::new(metadata_of("https://h/a").challenge_scope(hint).unwrap()).unwrap()
}

fn layer() -> ResourceMetadataLayer {
    layer_of("https://h/a")
}

/// Refuses everything, as for want of a token.
fn refuse(request: &mut Parts) -> Result<(), Denial> {
    let refusal = |kind| Denial::new("refusing", kind, Reason::new("no", "no"));
    Err(match request.uri.path() {
        "/a/scope" => refusal(DenialKind::InsufficientScope).with_required_scopes(scopes("write")),
        _ => refusal(DenialKind::Unauthenticated),
    })
}

/// What a client gets from a service that refuses everything that reaches it.
async fn ask(layer: ResourceMetadataLayer, request: Request<String>) -> Response<Vec<u8>> {
    ServiceBuilder::new()
        .layer(layer)
        .layer(GuardLayer::new(refuse))
        .service_fn(async |_: Request<String>| Ok::<_, Infallible>(Response::default()))
        .oneshot(request)
        .await
        .unwrap()
}

fn request(method: Method, uri: &str) -> Request<String> {
    Request::builder().method(method).uri(uri).body(String::new()).unwrap()
}

fn headers(response: &Response<Vec<u8>>) -> Vec<String> {
    let mut lines: Vec<_> = response
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn the_document_is_public_and_whole() {
    for path in ["/a", "/a/", "", "/", "/a?x=1", "?resource=https://other.example"] {
        let answer = ask(layer(), request(Method::GET, &format!("{WELL_KNOWN}{path}"))).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(String::from_utf8_lossy(answer.body()), DOCUMENT, "{path}");
        assert_eq!(
            headers(&answer),
            [
                "access-control-allow-origin: *",
                "cache-control: public, max-age=3600",
                "content-length: 139",
                "content-type: application/json",
                "etag: \"f46b47272abf61d324c0d968154cb321\"",
            ],
            "{path}"
        );
    }
}

#[tokio::test]
async fn prm_02_nothing_below_the_well_known_path_reaches_the_service() {
    for (name, path, expected) in [
        ("document", format!("{WELL_KNOWN}/a"), StatusCode::OK),
        ("another resource", format!("{WELL_KNOWN}/b"), StatusCode::NOT_FOUND),
        ("a child", format!("{WELL_KNOWN}/a/b"), StatusCode::NOT_FOUND),
        ("out of it", format!("{WELL_KNOWN}/../a"), StatusCode::NOT_FOUND),
        ("encoded", format!("{WELL_KNOWN}/%61"), StatusCode::NOT_FOUND),
        // What is not below it is protected like everything else.
        ("a longer name", format!("{WELL_KNOWN}-2/a"), StatusCode::UNAUTHORIZED),
        ("slashes before it", format!("/{WELL_KNOWN}/a"), StatusCode::UNAUTHORIZED),
        (
            "encoded above",
            "/%2ewell-known/oauth-protected-resource".into(),
            StatusCode::UNAUTHORIZED,
        ),
        ("the issuer's", "/.well-known/oauth-authorization-server".into(), StatusCode::NOT_FOUND),
        (
            "the issuer's, inserted",
            "/.well-known/oauth-authorization-server/a".into(),
            StatusCode::NOT_FOUND,
        ),
        (
            "the OpenID provider's",
            "/.well-known/openid-configuration".into(),
            StatusCode::NOT_FOUND,
        ),
        ("another well-known", "/.well-known/security.txt".into(), StatusCode::UNAUTHORIZED),
        ("the resource", "/a".into(), StatusCode::UNAUTHORIZED),
    ] {
        let answer = ask(layer(), request(Method::GET, &path)).await;
        assert_eq!(answer.status(), expected, "{name}");
        if expected == StatusCode::NOT_FOUND {
            assert_eq!(answer.body(), br#"{"error":"not_found"}"#, "{name}");
            assert_eq!(answer.headers()[CONTENT_TYPE], "application/json", "{name}");
            assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{name}");
            assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{name}");
        }
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    for path in [WELL_KNOWN.to_owned(), format!("{WELL_KNOWN}/unknown")] {
        let get = ask(layer(), request(Method::GET, &path)).await;
        let head = ask(layer(), request(Method::HEAD, &path)).await;
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(headers(&head), headers(&get), "{path}");
        assert!(head.body().is_empty() && !get.body().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_preflight_is_answered_by_constants_wherever_it_asks() {
    for path in ["", "/a", "/unknown"] {
        let mut preflight = request(Method::OPTIONS, &format!("{WELL_KNOWN}{path}"));
        let asked = preflight.headers_mut();
        asked.insert("origin", "https://evil.example".parse().unwrap());
        asked.insert("access-control-request-method", "GET".parse().unwrap());
        asked.insert("access-control-request-headers", "mcp-protocol-version, x".parse().unwrap());
        let answer = ask(layer(), preflight).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{path}");
        assert_eq!(
            headers(&answer),
            [
                "access-control-allow-headers: *, Authorization",
                "access-control-allow-methods: GET, HEAD, OPTIONS",
                "access-control-allow-origin: *",
                "access-control-max-age: 86400",
                "allow: GET, HEAD, OPTIONS",
            ],
            "{path}"
        );
        assert!(answer.body().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = ask(layer(), request(method.clone(), WELL_KNOWN)).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.headers()[ALLOW], "GET, HEAD, OPTIONS", "{method}");
        assert_eq!(answer.body(), br#"{"error":"method_not_allowed"}"#, "{method}");
    }
}

#[tokio::test]
async fn a_client_that_has_the_document_gets_no_other() {
    let tag = ask(layer(), request(Method::GET, WELL_KNOWN)).await.headers()[ETAG].clone();
    for method in [Method::GET, Method::HEAD] {
        let mut again = request(method, WELL_KNOWN);
        again.headers_mut().insert(IF_NONE_MATCH, tag.clone());
        let answer = ask(layer(), again).await;
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer.headers()[ETAG], tag);
        assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=3600");
        assert!(!answer.headers().contains_key(CONTENT_LENGTH));
        assert!(answer.body().is_empty());
    }
    let mut other = request(Method::GET, WELL_KNOWN);
    other.headers_mut().insert(IF_NONE_MATCH, tag);
    assert_eq!(ask(layer_of("https://h/b"), other).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn challenges_point_to_the_document_and_hint_at_scopes() {
    for (name, layer, path, expected) in [
        (
            "by default the supported scopes",
            layer(),
            "/a",
            r#"Bearer scope="read", resource_metadata="https://h/.well-known/oauth-protected-resource/a""#,
        ),
        (
            "a hint of its own",
            layer_with_hint(scopes("hint")),
            "/a",
            r#"Bearer scope="hint", resource_metadata="https://h/.well-known/oauth-protected-resource/a""#,
        ),
        (
            "no hint",
            layer_with_hint(ScopeSet::empty()),
            "/a",
            r#"Bearer resource_metadata="https://h/.well-known/oauth-protected-resource/a""#,
        ),
        (
            "what the refusal knows",
            layer(),
            "/a/scope",
            r#"Bearer error="insufficient_scope", error_description="no", scope="write", resource_metadata="https://h/.well-known/oauth-protected-resource/a""#,
        ),
        (
            "prm_03 whatever was asked for",
            layer(),
            "//evil.example/.well-known/oauth-protected-resource?resource=https://evil.example",
            r#"Bearer scope="read", resource_metadata="https://h/.well-known/oauth-protected-resource/a""#,
        ),
        (
            "a resource with a query",
            layer_of("https://h/a?tenant=x"),
            "/a",
            r#"Bearer scope="read", resource_metadata="https://h/.well-known/oauth-protected-resource/a?tenant=x""#,
        ),
    ] {
        let answer = ask(layer, request(Method::POST, path)).await;
        assert_eq!(answer.headers()[WWW_AUTHENTICATE], expected, "{name}");
    }
}

#[tokio::test]
async fn the_url_in_the_challenge_leads_to_the_document() {
    for uri in ["https://h", "https://h/", "https://h/a", "https://h/a/", "https://h/a/b?x=1"] {
        let layer = layer_of(uri).without_root_document();
        let url = layer.metadata_urls().next().unwrap().to_owned();
        let answer = ask(layer, request(Method::GET, &url)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{uri}");
        let start = format!(r#"{{"resource":"{uri}","#);
        assert!(answer.body().starts_with(start.as_bytes()), "{uri}");
    }
}

#[tokio::test]
async fn a_service_that_is_an_authorization_server_can_say_so() {
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration/a"] {
        let layer = layer().leave_authorization_server_metadata_to_service();
        let answer = ask(layer, request(Method::GET, path)).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn how_long_caches_keep_it_can_be_chosen() {
    let layer = layer().max_age(Duration::from_millis(60_999));
    let answer = ask(layer, request(Method::GET, WELL_KNOWN)).await;
    assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=60");
}

#[test]
fn b_02_and_b_10_are_checked_before_anything_is_served() {
    let metadata = Metadata::new(Resource::parse("https://h/a").unwrap());
    let error = ResourceMetadataLayer::new(metadata).unwrap_err();
    assert_eq!(error, MetadataError::NoAuthorizationServer);
    let error =
        metadata_of("https://h/a").challenge_scope(scopes("read offline_access")).unwrap_err();
    assert_eq!(error, MetadataError::OfflineAccess);
}

#[tokio::test]
async fn a_changed_copy_of_a_layer_leaves_the_original_alone() {
    let original = layer();
    let _changed = original.clone().max_age(Duration::ZERO).without_root_document();
    let answer = ask(original, request(Method::GET, WELL_KNOWN)).await;
    assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=3600");
}

#[tokio::test]
async fn bodies_of_any_type_can_be_made() {
    type Boxed = BoxBody<Bytes, Infallible>;

    let service = layer().with_body(|bytes| Full::new(bytes).boxed()).layer(service_fn(
        async |_: Request<String>| Ok::<_, Infallible>(Response::<Boxed>::default()),
    ));
    let answer = service.oneshot(request(Method::GET, WELL_KNOWN)).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), DOCUMENT);
}

#[tokio::test]
async fn uses_the_instance_that_was_polled_ready_and_passes_its_error_on() {
    /// Ready once per `poll_ready`; clones are not ready.
    struct NeedsReady(bool);

    impl Clone for NeedsReady {
        fn clone(&self) -> Self {
            Self(false)
        }
    }

    impl Service<Request<String>> for NeedsReady {
        type Response = Response<Vec<u8>>;
        type Error = &'static str;
        type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.0 = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<String>) -> Self::Future {
            assert!(std::mem::take(&mut self.0), "called without being ready");
            std::future::ready(Err("the inner error"))
        }
    }

    let mut service = layer().layer(NeedsReady(false));
    for _ in 0..2 {
        let result = service.ready().await.unwrap().call(request(Method::GET, "/a")).await;
        assert_eq!(result.unwrap_err(), "the inner error");
    }
}

#[tokio::test]
async fn services_and_futures_go_where_servers_take_them() {
    fn check<T: Send + 'static>(value: T) -> T {
        value
    }

    fn shared<T: Sync>(value: T) -> T {
        value
    }

    let service = shared(layer().layer(service_fn(async |_: Request<String>| {
        Ok::<_, Infallible>(Response::new(Vec::new()))
    })));
    let answer = check(check(service).clone().oneshot(request(Method::GET, "/a"))).await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
}

proptest! {
    /// PRM-01, PRM-03 and PRM-04: no header and no query changes the document, or what caches make of it.
    #[test]
    fn prm_01_and_04_whatever_is_sent_along_the_answer_is_the_same(
        host in "[ -~]{0,40}",
        forwarded in "[ -~]{0,40}",
        query in "[a-z=&]{0,20}",
    ) {
        let mut odd = request(Method::GET, &format!("{WELL_KNOWN}/a?{query}"));
        let mut sent = HeaderMap::new();
        sent.insert(HOST, host.parse().unwrap());
        for name in ["x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix", "forwarded",
            "x-original-url", "origin", "accept", "accept-language", "mcp-protocol-version"] {
            sent.insert(name, forwarded.parse().unwrap());
        }
        sent.insert(AUTHORIZATION, forwarded.parse().unwrap());
        *odd.headers_mut() = sent.clone();
        let mut refused = request(Method::GET, "/a");
        *refused.headers_mut() = sent;

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (plain, odd, refused) = runtime.block_on(async {
            (
                ask(layer(), request(Method::GET, &format!("{WELL_KNOWN}/a"))).await,
                ask(layer(), odd).await,
                ask(layer(), refused).await,
            )
        });
        prop_assert_eq!(plain.body(), odd.body());
        prop_assert_eq!(headers(&plain), headers(&odd));
        prop_assert!(!odd.headers().contains_key(VARY));
        prop_assert_eq!(
            &refused.headers()[WWW_AUTHENTICATE],
            r#"Bearer scope="read", resource_metadata="https://h/.well-known/oauth-protected-resource/a""#
        );
    }
}
