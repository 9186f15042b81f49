use proptest::prelude::*;

use super::*;

fn resource(uri: &str) -> Resource {
    Resource::parse(uri).unwrap()
}

fn endpoints(uris: &[&str]) -> Result<Endpoints<String>, EndpointsError> {
    Endpoints::new(uris.iter().map(|uri| (resource(uri), (*uri).to_owned())))
}

#[test]
fn a_request_is_for_the_resource_with_the_longest_path_above_it() {
    let all =
        endpoints(&["https://h/a", "https://h", "https://h/a/b", "https://h/a/", "https://h/c/"]);
    let all = all.unwrap();
    for (name, path, expected) in [
        ("the origin", "/", Some("https://h")),
        ("nobody's, so the origin's", "/x/y", Some("https://h")),
        ("its own path", "/a", Some("https://h/a")),
        ("the other form is another resource", "/a/", Some("https://h/a/")),
        ("below", "/a/x", Some("https://h/a/")),
        ("further below", "/a/b/c", Some("https://h/a/b")),
        ("a longer name", "/a/bc", Some("https://h/a/")),
        ("a longer name above", "/ab", Some("https://h")),
        ("without the slash that belongs to it", "/c", Some("https://h")),
        ("other case", "/A", Some("https://h")),
        ("two slashes", "/a//b", None),
        ("two slashes first", "//a", None),
        ("dots", "/a/../b", None),
        ("encoded dots", "/a/%2e%2e/b", None),
        ("encoded slash", "/a%2fb", None),
        ("encoded letter", "/%61", None),
        ("parameter", "/a;x", None),
        ("backslash", "/a\\b", None),
        ("asterisk", "*", None),
        ("nothing", "", None),
    ] {
        assert_eq!(all.find(path).map(String::as_str), expected, "{name}");
    }
}

#[test]
fn a_path_that_no_resource_covers_is_nobodys() {
    let two = endpoints(&["https://h/a", "https://h/b"]).unwrap();
    for path in ["/", "/c", "/ab", "/.well-known/x"] {
        assert_eq!(two.find(path), None, "{path}");
    }
}

#[test]
fn requests_are_found_where_they_arrive_and_not_where_clients_send_them() {
    let one = resource("https://h/tenant/mcp").served_at("/mcp").unwrap();
    let endpoints = Endpoints::new([(one, 1), (resource("https://h/b"), 2)]).unwrap();
    assert_eq!(endpoints.find("/mcp"), Some(&1));
    assert_eq!(endpoints.find("/tenant/mcp"), None);
    assert_eq!(endpoints.find("/b/x"), Some(&2));
}

#[test]
fn refuses_resources_that_no_path_tells_apart() {
    let same = |one: &str, other: &str| EndpointsError::SamePath {
        one: resource(one),
        other: resource(other),
    };
    let served = |uri: &str, at: &str| resource(uri).served_at(at).unwrap();
    let (a, a_slash) = (|| resource("https://h/a"), || resource("https://h/a/"));
    for (name, entries, expected) in [
        ("none", vec![], EndpointsError::Empty),
        ("twice", vec![a(), a()], same("https://h/a", "https://h/a")),
        ("behind others", vec![a_slash(), a(), a()], same("https://h/a", "https://h/a")),
        (
            "bare origins",
            vec![resource("https://h"), resource("https://h/")],
            same("https://h", "https://h/"),
        ),
        (
            "one of them takes both forms",
            vec![a(), a_slash().ignore_final_slash()],
            same("https://h/a", "https://h/a/"),
        ),
        (
            "queries",
            vec![resource("https://h/a?x=1"), resource("https://h/a?x=2")],
            same("https://h/a?x=1", "https://h/a?x=2"),
        ),
        (
            "served at one path",
            vec![served("https://h/t/a", "/x"), served("https://h/u/a", "/x")],
            same("https://h/t/a", "https://h/u/a"),
        ),
        (
            "served where the other is published",
            vec![served("https://h/t/a", "/a"), served("https://h/a", "/x")],
            same("https://h/t/a", "https://h/a"),
        ),
        (
            "published where the other is served",
            vec![served("https://h/a", "/x"), served("https://h/t/a", "/a")],
            same("https://h/a", "https://h/t/a"),
        ),
        (
            "ports",
            vec![a(), resource("https://h:443/b")],
            EndpointsError::DifferentOrigins { one: a(), other: resource("https://h:443/b") },
        ),
        (
            "ambiguous",
            vec![resource("https://h/a//b")],
            EndpointsError::AmbiguousPath { resource: resource("https://h/a//b") },
        ),
    ] {
        let error = Endpoints::new(entries.into_iter().map(|entry| (entry, ()))).unwrap_err();
        assert_eq!(error, expected, "{name}");
        assert!(error.to_string().contains(": "), "it says what to do: {error}");
    }
    assert!(endpoints(&["https://H/a", "https://h/a/"]).is_ok(), "hosts ignore case");
    let ambiguous = resource("https://h/a//b").served_at("/ab").unwrap();
    assert!(Endpoints::new([(ambiguous, ())]).is_ok(), "what arrives here can be told apart");
}

#[test]
fn the_path_of_the_client_is_told_from_the_one_that_arrives() {
    let served = |uri: &str, at: &str| resource(uri).served_at(at).unwrap();
    let public = |resources: &[Resource], path| {
        let endpoints = Endpoints::new(resources.iter().map(|one| (one.clone(), ()))).unwrap();
        endpoints.public_path(path).map(Cow::into_owned)
    };
    let slashed = served("https://h/t/", "/a");
    let either = served("https://h/t/a", "/a/").ignore_final_slash();
    for (name, resources, path, expected) in [
        ("not rewritten", &[resource("https://h/a")][..], "/a/b", Some("/a/b")),
        ("of nobody", &[resource("https://h/a")], "/b", None),
        ("ambiguous", &[resource("https://h/a")], "/a/../a", None),
        ("rewritten", &[served("https://h/t/a", "/x")], "/x", Some("/t/a")),
        ("below", &[served("https://h/t/a", "/x")], "/x/b", Some("/t/a/b")),
        ("with a slash", &[served("https://h/t/a", "/x")], "/x/", Some("/t/a/")),
        ("to the root", &[served("https://h/t", "/")], "/", Some("/t")),
        ("below the root", &[served("https://h/t", "/")], "/b", Some("/t/b")),
        ("from the root", &[served("https://h", "/x")], "/x", Some("/")),
        ("from below the root", &[served("https://h", "/x")], "/x/b", Some("/b")),
        ("a slash there only", std::slice::from_ref(&slashed), "/a", Some("/t/")),
        ("a slash there only, below", std::slice::from_ref(&slashed), "/a/b", Some("/t/b")),
        ("a slash there only, and here", std::slice::from_ref(&slashed), "/a/", None),
        ("either form", std::slice::from_ref(&either), "/a/", Some("/t/a")),
        ("the other form", std::slice::from_ref(&either), "/a", Some("/t/a")),
        (
            "of another, as it is sent",
            &[served("https://h/t/a", "/a"), resource("https://h/")],
            "/t/a/b",
            None,
        ),
    ] {
        assert_eq!(public(resources, path).as_deref(), expected, "{name}");
    }
}

proptest! {
    /// What is signed for one request is good for no other.
    #[test]
    fn no_two_paths_that_arrive_were_one(
        resources in prop::collection::vec(("(/[ab]){0,3}/?", "(/[ab]){1,3}/?|/", any::<bool>()), 1..4),
    ) {
        let entries = resources.iter().map(|(path, at, moved)| {
            let resource = resource(&format!("https://h{path}"));
            (if *moved { resource.served_at(at).unwrap() } else { resource }, ())
        });
        let Ok(endpoints) = Endpoints::new(entries) else { return Ok(()) };
        let mut paths = vec![String::new()];
        for _ in 0..4 {
            let longer = paths.iter().flat_map(|path| [format!("{path}/a"), format!("{path}/b")]);
            paths = paths.iter().cloned().chain(longer.collect::<Vec<_>>()).collect();
        }
        paths.sort();
        paths.dedup();
        let mut seen = std::collections::HashMap::new();
        for path in paths.iter().flat_map(|path| [path.clone(), format!("{path}/")]) {
            if let Some(public) = endpoints.public_path(&path) {
                let before = seen.insert(public.clone().into_owned(), path.clone());
                prop_assert!(before.is_none(), "{:?} and {} are both {}", before, path, public);
                prop_assert!(endpoints.find(&path).is_some());
            }
        }
    }

    /// Against a twin that compares lists of segments.
    #[test]
    fn the_longest_path_is_found_whatever_the_order(
        paths in prop::collection::btree_set("(/[ab]){0,3}/?", 1..6),
        asked in "(/[ab]){0,4}/?",
    ) {
        // The origin is there in one form only.
        let mut paths: Vec<_> = paths.into_iter().filter(|path| !path.is_empty()).collect();
        paths.reverse();
        let Ok(all) = Endpoints::new(
            paths.iter().map(|path| (resource(&format!("https://h{path}")), path.clone())),
        ) else {
            prop_assert!(paths.is_empty());
            return Ok(());
        };
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let asked_segments = segments(&asked);
        let is_above = |path: &&String| {
            let own = segments(path);
            // A slash at the end: an empty segment, in whose place anything may stand.
            let ends_with_slash = own.last().is_some_and(String::is_empty);
            let fixed = own.len().saturating_sub(usize::from(ends_with_slash));
            own == asked_segments
                || asked_segments.len() > fixed && asked_segments[..fixed] == own[..fixed]
        };
        let expected = paths.iter().filter(is_above).max_by_key(|path| path.len());
        let expected = if asked.is_empty() { None } else { expected };
        prop_assert_eq!(all.find(&asked), expected, "{:?}", paths);
    }
}
