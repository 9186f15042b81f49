//! Where a resource may be mounted, what real clients make of it, and that a token for one is refused at another.

mod clients;
mod cognito;

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_core::{
    AccessStack, Check, ClientAddr, Denial, GuardLayer, Principal, Resource,
    stack::roles::ChecksAudience,
};
use palisade_integration::{SCOPE, World};
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_scope_policy::{ScopePolicy, ScopePolicyBuilder, ScopePolicyLayer};
use palisade_token_verify::{JwtVerifier, TokenVerifyLayer};
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneService};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

type Service = BoxCloneService<Request<Full<Bytes>>, Response<Full<Bytes>>, Infallible>;

/// One host, with everything that is mounted on it behind one stack.
struct Host {
    world: World,
    service: Service,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    challenge: String,
    reason: Option<&'static str>,
    body: Bytes,
}

impl Answer {
    fn metadata_url(&self) -> Option<&str> {
        let (_, rest) = self.challenge.split_once("resource_metadata=\"")?;
        rest.split('"').next()
    }

    /// The `resource` of the document.
    fn resource(&self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        let document: Value = serde_json::from_slice(&self.body).unwrap();
        document["resource"].as_str().unwrap().to_owned()
    }
}

impl Host {
    fn of(resources: &[Resource]) -> Self {
        let world = World::new().unwrap();
        let metadata = |resource: &Resource| {
            Metadata::new(resource.clone())
                .add_authorization_server(world.issuer())
                .and_then(|metadata| metadata.scopes_supported(World::scopes().unwrap()))
                .unwrap()
        };
        let service = match resources {
            [resource] => behind(
                ResourceMetadataLayer::new(metadata(resource)).unwrap(),
                world.verifier().unwrap(),
                AudienceGuardLayer::new(resource.clone()).into_check(),
            ),
            several => behind(
                ResourceMetadataLayer::per_endpoint(several.iter().map(metadata)).unwrap(),
                world.verifier().unwrap(),
                AudienceGuardLayer::per_endpoint(
                    several.iter().cloned().map(AudienceGuardLayer::new),
                )
                .unwrap()
                .into_check(),
            ),
        };
        Self { world, service }
    }

    fn at(uris: &[&str]) -> Self {
        Self::of(&uris.iter().map(|uri| Resource::parse(uri).unwrap()).collect::<Vec<_>>())
    }

    /// `target` is a path, or a URL as a client has it.
    async fn ask(&self, method: Method, target: &str, token: Option<&str>) -> Answer {
        ask(&self.service, method, target, token).await
    }

    async fn get(&self, target: &str) -> Answer {
        self.ask(Method::GET, target, None).await
    }

    /// Status, and the resource that the handler was told of, or the reason of the refusal.
    async fn with_token_for(&self, target: &str, audience: &str) -> (u16, String) {
        let token = self.world.token().audience(audience).sign();
        let answer = self.ask(Method::POST, target, Some(&token)).await;
        let text = match answer.reason {
            Some(reason) => reason.to_owned(),
            None => String::from_utf8(answer.body.to_vec()).unwrap(),
        };
        (answer.status.as_u16(), text)
    }
}

/// One guard or several, behind one type.
#[derive(Clone)]
struct AnyGuard(Arc<dyn Check + Send + Sync>);

impl Check for AnyGuard {
    fn check(&self, request: &mut Parts) -> Result<(), Denial> {
        self.0.check(request)
    }
}

impl ChecksAudience for AnyGuard {}

/// The whole stack around a handler that says which resource it was told of.
fn behind(
    metadata: ResourceMetadataLayer,
    verifier: JwtVerifier,
    guard: impl Check + Send + Sync + 'static,
) -> Service {
    let policy = ScopePolicy::deny_all()
        .allow_path(Method::POST, "/", SCOPE)
        .and_then(|policy| policy.allow_path(Method::POST, "/{*any}", SCOPE))
        .and_then(ScopePolicyBuilder::build)
        .unwrap();
    let stack = AccessStack::new()
        .metadata(metadata)
        .authenticate(TokenVerifyLayer::new(verifier))
        .audience(GuardLayer::new(AnyGuard(Arc::new(guard))))
        .authorize(ScopePolicyLayer::new(policy))
        .build();
    BoxCloneService::new(stack.layer(service_fn(async |request| Ok(told(&request)))))
}

fn told(request: &Request<Full<Bytes>>) -> Response<Full<Bytes>> {
    let principal = request.extensions().get::<Principal>();
    let resource = principal.and_then(Principal::checked_audience).unwrap();
    Response::new(Full::from(resource.as_str().to_owned()))
}

async fn ask(service: &Service, method: Method, target: &str, token: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(target);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let (mut parts, body) = request.body(Full::default()).unwrap().into_parts();
    ClientAddr::peer(([127, 0, 0, 1], 4711).into()).leave_in(&mut parts);
    let response = service.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    Answer {
        status: response.status(),
        challenge: challenge.map_or("", |value| value.to_str().unwrap()).to_owned(),
        reason: response.extensions().get::<Denial>().map(|denial| denial.reason().code()),
        body: response.into_body().collect().await.unwrap().to_bytes(),
    }
}

/// Where RFC 9728 §3.1 has the document of a URL, as clients compute it.
fn path_inserted(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let path = if url.path() == "/" { "" } else { url.path() };
    format!("{}{WELL_KNOWN}{path}", url.origin().ascii_serialization())
}

/// Each set of resources on one host.
const HOSTS: &[&[&str]] = &[
    &["https://h"],
    &["https://h/"],
    &["https://h/mcp"],
    &["https://h/mcp/"],
    &["https://h/a", "https://h/b"],
    &["https://h", "https://h/mcp"],
    &["https://h/mcp", "https://h/mcp/"],
    &["https://h/", "https://h/mcp", "https://h/mcp/tools"],
];

#[tokio::test]
async fn discovery_leads_from_every_mount_to_its_own_document() {
    for resources in HOSTS {
        let host = Host::at(resources);
        for resource in *resources {
            for method in [Method::GET, Method::POST] {
                let refused = host.ask(method, resource, None).await;
                assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{resource}");
                let by_challenge = refused.metadata_url().unwrap();
                assert_eq!(by_challenge, path_inserted(resource), "{resource}");
                assert_eq!(host.get(by_challenge).await.resource(), *resource);
            }
            let by_path = path_inserted(resource);
            assert_eq!(host.get(&by_path).await.resource(), *resource);
            // The other slash form, unless that is a resource of its own.
            let other =
                by_path.strip_suffix('/').map_or_else(|| format!("{by_path}/"), str::to_owned);
            let document = host.get(&other).await.resource();
            let is_mounted = resources.iter().any(|mounted| path_inserted(mounted) == other);
            assert_eq!(document == *resource, !is_mounted, "{other} of {resources:?}");
        }
    }
}

#[tokio::test]
async fn the_root_form_is_the_only_resources_or_that_at_the_origin_and_else_a_404_in_json() {
    for resources in HOSTS {
        let host = Host::at(resources);
        let at_origin = resources.iter().find(|uri| Resource::parse(uri).unwrap().path() == "/");
        let owner = at_origin.or_else(|| resources.first().filter(|_| resources.len() == 1));
        for form in ["", "/"] {
            let answer = host.get(&format!("{WELL_KNOWN}{form}")).await;
            match owner {
                Some(owner) => assert_eq!(answer.resource(), **owner),
                None => {
                    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{resources:?}");
                    assert!(serde_json::from_slice::<Value>(&answer.body).unwrap().is_object());
                }
            }
        }
    }
}

#[tokio::test]
async fn who_falls_back_to_the_host_as_authorization_server_finds_json_and_no_login() {
    let host = Host::at(&["https://h/a", "https://h/b"]);
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/a",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/a",
        "/.well-known/oauth-protected-resource/c",
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = host.ask(method, path, None).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert!(answer.challenge.is_empty(), "{path}");
            assert!(serde_json::from_slice::<Value>(&answer.body).unwrap().is_object(), "{path}");
        }
    }
}

#[tokio::test]
async fn aud_11_a_token_for_one_mount_is_refused_at_every_other() {
    for resources in HOSTS {
        let host = Host::at(resources);
        for resource in *resources {
            for audience in *resources {
                let (status, text) = host.with_token_for(resource, audience).await;
                if resource == audience {
                    assert_eq!((status, text.as_str()), (200, *resource));
                } else {
                    let expected = (401, "audience_mismatch");
                    assert_eq!((status, text.as_str()), expected, "{audience} at {resource}");
                }
            }
            let (status, _) = host.with_token_for(resource, "https://h/other").await;
            assert_eq!(status, 401, "{resource}");
        }
    }
}

#[tokio::test]
async fn aud_11_a_refused_token_is_answered_with_the_document_of_the_mount_that_was_called() {
    let host = Host::at(&["https://h/a", "https://h/b"]);
    let token = host.world.token().audience("https://h/b").sign();
    let answer = host.ask(Method::POST, "/a/x", Some(&token)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "and not 403: a new token is what helps");
    assert!(answer.challenge.contains(r#"error="invalid_token""#), "{}", answer.challenge);
    assert_eq!(answer.metadata_url(), Some("https://h/.well-known/oauth-protected-resource/a"));
}

#[tokio::test]
async fn aud_11_a_path_of_no_mount_and_one_that_can_be_read_in_two_ways_take_no_token() {
    let host = Host::at(&["https://h/a", "https://h/b"]);
    for (path, expected) in [
        ("/c", (401, "resource_unknown")),
        ("/", (401, "resource_unknown")),
        ("/ab", (401, "resource_unknown")),
        ("/a/../b", (400, "path_ambiguous")),
        ("/a/%2e%2e/b", (400, "path_ambiguous")),
        ("/a%2f..%2fb", (400, "path_ambiguous")),
        ("//b", (400, "path_ambiguous")),
        ("/a//b", (400, "path_ambiguous")),
        ("/a;/../b", (400, "path_ambiguous")),
    ] {
        for audience in ["https://h/a", "https://h/b"] {
            let (status, text) = host.with_token_for(path, audience).await;
            assert_eq!((status, text.as_str()), expected, "{audience} at {path}");
        }
        let challenge = host.get(path).await.challenge;
        assert!(!challenge.contains("resource_metadata"), "{path}: {challenge}");
    }
}

#[tokio::test]
async fn aud_03_the_slash_that_a_client_adds_to_a_bare_origin_changes_nothing() {
    for resource in ["https://h", "https://h/"] {
        let host = Host::at(&[resource, "https://h/mcp"]);
        for audience in ["https://h", "https://h/", "HTTPS://H/"] {
            let expected = (200, resource.to_owned());
            assert_eq!(host.with_token_for("/", audience).await, expected, "{audience}");
        }
    }
    let one = Resource::parse("https://h/mcp").unwrap().ignore_final_slash();
    let host = Host::of(&[one, Resource::parse("https://h/x").unwrap()]);
    for target in ["/mcp", "/mcp/"] {
        for audience in ["https://h/mcp", "https://h/mcp/"] {
            let expected = (200, "https://h/mcp".to_owned());
            assert_eq!(host.with_token_for(target, audience).await, expected);
        }
        let url = host.get(target).await;
        assert_eq!(url.metadata_url(), Some("https://h/.well-known/oauth-protected-resource/mcp"));
    }
}

#[tokio::test]
async fn behind_a_proxy_that_takes_a_prefix_away_nothing_that_clients_see_changes() {
    let served = |uri: &str, at: &str| Resource::parse(uri).unwrap().served_at(at).unwrap();
    let host = Host::of(&[
        served("https://h/tenant/mcp", "/mcp"),
        served("https://h/tenant/admin", "/admin"),
    ]);
    let answer = host.get("/mcp").await;
    let url = "https://h/.well-known/oauth-protected-resource/tenant/mcp";
    assert_eq!(answer.metadata_url(), Some(url));
    for path in ["/tenant/mcp", "/mcp"] {
        let document = host.get(&format!("{WELL_KNOWN}{path}")).await.resource();
        assert_eq!(document, "https://h/tenant/mcp");
    }
    let own = (200, "https://h/tenant/mcp".to_owned());
    assert_eq!(host.with_token_for("/mcp", "https://h/tenant/mcp").await, own);
    for audience in ["https://h/tenant/admin", "https://h/mcp"] {
        assert_eq!(host.with_token_for("/mcp", audience).await.0, 401, "{audience}");
    }
}
