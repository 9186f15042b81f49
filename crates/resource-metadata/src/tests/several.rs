//! Several resources behind one layer.

use std::error::Error;

use palisade_core::{Challenge, EndpointsError};

use super::*;

fn several(uris: &[&str]) -> ResourceMetadataLayer {
    ResourceMetadataLayer::per_endpoint(uris.iter().map(|uri| metadata_of(uri))).unwrap()
}

fn resource(uri: &str) -> Resource {
    Resource::parse(uri).unwrap()
}

/// The resource of the document at this path, or the status of another answer.
async fn published(layer: &ResourceMetadataLayer, path: &str) -> Result<String, StatusCode> {
    let answer = ask(layer.clone(), request(Method::GET, path)).await;
    if answer.status() != StatusCode::OK {
        return Err(answer.status());
    }
    let document: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    Ok(document["resource"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn each_document_is_where_its_resource_says_and_nowhere_else() {
    let apart = several(&["https://h/a", "https://h/b/", "https://h/a/b"]);
    let owned = apart.clone().with_root_document_of(&resource("https://h/b/")).unwrap();
    let origin = several(&["https://h/a", "https://h/"]);
    for (name, layer, path, expected) in [
        ("one", &apart, "/a", Ok("https://h/a")),
        ("one, other slash form", &apart, "/a/", Ok("https://h/a")),
        ("the other", &apart, "/b/", Ok("https://h/b/")),
        ("the other, other slash form", &apart, "/b", Ok("https://h/b/")),
        ("the one below", &apart, "/a/b", Ok("https://h/a/b")),
        ("nobody's root", &apart, "", Err(StatusCode::NOT_FOUND)),
        ("none", &apart, "/c", Err(StatusCode::NOT_FOUND)),
        ("below one", &apart, "/a/c", Err(StatusCode::NOT_FOUND)),
        ("the root, said", &owned, "", Ok("https://h/b/")),
        ("the root with slash, said", &owned, "/", Ok("https://h/b/")),
        ("the root of who is there", &origin, "", Ok("https://h/")),
    ] {
        let path = format!("{WELL_KNOWN}{path}");
        assert_eq!(published(layer, &path).await, expected.map(str::to_owned), "{name}");
    }
    let disowned = owned.without_root_document();
    assert_eq!(published(&disowned, WELL_KNOWN).await, Err(StatusCode::NOT_FOUND));
    let still = origin.without_root_document();
    assert!(published(&still, WELL_KNOWN).await.is_ok(), "there is no other place for it");
}

#[tokio::test]
async fn prm_05_a_challenge_names_the_document_of_the_resource_that_was_asked_for_or_none() {
    let apart = several(&["https://h/a", "https://h/a/", "https://h/b"]);
    let origin = several(&["https://h", "https://h/a"]);
    for (name, layer, path, expected) in [
        ("one", &apart, "/a", Some("/a")),
        ("the other slash form", &apart, "/a/", Some("/a/")),
        ("below", &apart, "/a/x?y", Some("/a/")),
        ("the other", &apart, "/b/x", Some("/b")),
        ("none", &apart, "/c", None),
        ("a longer name", &apart, "/bc", None),
        ("the root", &apart, "/", None),
        ("dots", &apart, "/a/../b", None),
        ("encoded dots", &apart, "/a/%2e%2e/b", None),
        ("two slashes", &apart, "//b", None),
        ("another host in the target", &apart, "http://evil.example/b", Some("/b")),
        ("the origin", &origin, "/", Some("")),
        ("the origin's, where nobody else is", &origin, "/x", Some("")),
        ("not the origin's", &origin, "/a", Some("/a")),
        ("the origin's, ambiguous", &origin, "//a", None),
    ] {
        let mut asks = request(Method::POST, path);
        asks.headers_mut().insert(HOST, "evil.example".parse().unwrap());
        let answer = ask(layer.clone(), asks).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
        let challenge = answer.headers()[WWW_AUTHENTICATE].to_str().unwrap();
        match expected {
            Some(path) => {
                let url = format!("resource_metadata=\"https://h{WELL_KNOWN}{path}\"");
                assert!(challenge.ends_with(&url), "{name}: {challenge}");
            }
            None => assert!(!challenge.contains("resource_metadata"), "{name}: {challenge}"),
        }
    }
}

#[tokio::test]
async fn each_resource_hints_at_scopes_of_its_own() {
    let layer = ResourceMetadataLayer::per_endpoint([
        metadata_of("https://h/a").challenge_scope(scopes("of-a")).unwrap(),
        metadata_of("https://h/b"),
    ])
    .unwrap();
    for (path, scope) in [("/a", r#"scope="of-a""#), ("/b", r#"scope="read""#)] {
        let answer = ask(layer.clone(), request(Method::GET, path)).await;
        let challenge = answer.headers()[WWW_AUTHENTICATE].to_str().unwrap();
        assert!(challenge.contains(scope), "{challenge}");
    }
}

#[tokio::test]
async fn behind_a_proxy_that_shortens_paths_everything_public_stays_as_clients_see_it() {
    let behind = |uri| metadata_of_resource(resource(uri).served_at("/mcp").unwrap());
    let one = ResourceMetadataLayer::new(behind("https://h/tenant/mcp")).unwrap();
    let two = ResourceMetadataLayer::per_endpoint([
        behind("https://h/tenant/mcp"),
        metadata_of("https://h/other"),
    ])
    .unwrap();
    for layer in [one, two] {
        for path in ["/tenant/mcp", "/tenant/mcp/", "/mcp", "/mcp/"] {
            let document = published(&layer, &format!("{WELL_KNOWN}{path}")).await;
            assert_eq!(document.unwrap(), "https://h/tenant/mcp", "{path}");
        }
        let answer = ask(layer, request(Method::POST, "/mcp")).await;
        assert_eq!(
            answer.headers()[WWW_AUTHENTICATE],
            r#"Bearer scope="read", resource_metadata="https://h/.well-known/oauth-protected-resource/tenant/mcp""#
        );
    }
}

fn metadata_of_resource(resource: Resource) -> Metadata {
    Metadata::new(resource)
        .add_authorization_server("https://as.example")
        .and_then(|metadata| metadata.scopes_supported(scopes("read")))
        .unwrap()
}

#[test]
fn refuses_resources_and_owners_that_contradict_each_other() {
    let (a, origin) = (resource("https://h/a"), resource("https://h"));
    let of = |uris: &[&str]| {
        ResourceMetadataLayer::per_endpoint(uris.iter().map(|uri| metadata_of(uri)))
    };
    for (name, uris, expected) in [
        ("none", &[][..], EndpointsError::Empty),
        (
            "twice",
            &["https://h/a", "https://h/b", "https://h/a"],
            EndpointsError::SamePath { one: a.clone(), other: a.clone() },
        ),
        (
            "both forms of the origin",
            &["https://h", "https://h/"],
            EndpointsError::SamePath { one: origin.clone(), other: resource("https://h/") },
        ),
        (
            "two hosts",
            &["https://h/a", "https://i/b"],
            EndpointsError::DifferentOrigins { one: a.clone(), other: resource("https://i/b") },
        ),
    ] {
        let error = of(uris).unwrap_err();
        assert_eq!(error, MetadataError::Endpoints { source: expected }, "{name}");
    }
    let error = of(&["https://h", "https://h/a"]).unwrap().with_root_document_of(&a).unwrap_err();
    assert_eq!(error, MetadataError::RootTaken { owner: origin.clone() });
    let _ = of(&["https://h", "https://h/a"]).unwrap().with_root_document_of(&origin).unwrap();
    let error = of(&["https://h/b"]).unwrap().with_root_document_of(&a).unwrap_err();
    assert_eq!(error, MetadataError::UnknownResource { resource: a });
}

#[test]
fn refuses_what_clients_misread_in_a_challenge() {
    let is_refused = |name: &str, metadata: Metadata, expected: MetadataError| {
        assert_eq!(ResourceMetadataLayer::new(metadata.clone()).unwrap_err(), expected, "{name}");
        let error = ResourceMetadataLayer::per_endpoint([metadata]).unwrap_err();
        assert_eq!(error, expected, "{name}");
        assert!(error.to_string().contains(": ") && error.source().is_some(), "{error}");
    };
    for (name, path) in [
        ("a comma", "/a,b"),
        ("an error", "/a?error=x"),
        ("a scope, in other case", "/a?Scope=x"),
        ("a realm behind other letters", "/a?myrealm=x"),
    ] {
        let metadata = metadata_of(&format!("https://h{path}"));
        let url = format!("https://h/.well-known/oauth-protected-resource{path}");
        let source = Challenge::check_resource_metadata(&url).unwrap_err();
        is_refused(name, metadata, MetadataError::UnreadableUrl { url: url.into(), source });
    }
    let long: Vec<_> = (0..100).map(|number| format!("some-scope-{number}")).collect();
    for (name, text) in [
        ("a comma", "a b,c"),
        ("an error", "xerror=y"),
        ("a URL", "resource_metadata=https://evil.example"),
        ("more than a challenge has room for", &long.join(" ")),
    ] {
        let scopes = scopes(text);
        let source = Challenge::check_scope(&scopes).unwrap_err();
        let expected = MetadataError::UnreadableScopes { scopes: scopes.clone(), source };
        let hint = metadata_of("https://h/a").challenge_scope(scopes.clone()).unwrap();
        is_refused(name, hint, expected.clone());
        let supported = metadata_of("https://h/a").scopes_supported(scopes).unwrap();
        is_refused(name, supported.clone(), expected);
        // They may be in the document if challenges name others.
        let others = supported.challenge_scope(ScopeSet::empty()).unwrap();
        let _ = ResourceMetadataLayer::new(others).unwrap();
    }
    let fine = metadata_of("https://h/a?tenant=x").challenge_scope(scopes("files:read a=b"));
    let _ = ResourceMetadataLayer::new(fine.unwrap()).unwrap();
}

proptest! {
    /// Whatever is asked for, a challenge names one of our documents or none, and what is below the well-known path
    /// never reaches the service.
    #[test]
    fn prm_05_whatever_the_path_a_challenge_names_a_document_of_ours_above_it(
        path in "/([ab./;%2ef]){0,8}",
    ) {
        let layer = several(&["https://h/a", "https://h/b", "https://h/b/a"]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(ask(layer.clone(), request(Method::GET, &path)));
        let challenge = answer.headers()[WWW_AUTHENTICATE].to_str().unwrap().to_owned();
        if let Some((_, url)) = challenge.split_once("resource_metadata=\"") {
            let url = url.strip_suffix('"').unwrap();
            prop_assert!(layer.metadata_urls().any(|known| known == url), "{}", url);
            let own = url.strip_prefix("https://h/.well-known/oauth-protected-resource").unwrap();
            prop_assert!(path == own || path.starts_with(&format!("{own}/")), "{} {}", path, own);
        }
    }
}
