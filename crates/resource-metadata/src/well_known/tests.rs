use super::*;

fn resource(uri: &str) -> Resource {
    Resource::parse(uri).unwrap()
}

fn paths_of(uris: &[&str], root: Option<usize>) -> Paths {
    let resources: Vec<_> = uris.iter().map(|uri| resource(uri)).collect();
    let mut paths = Paths::of(&resources);
    paths.set_root(root);
    paths
}

#[test]
fn the_well_known_path_goes_between_host_and_path() {
    for (uri, expected) in [
        ("https://h", "https://h/.well-known/oauth-protected-resource"),
        ("https://h/", "https://h/.well-known/oauth-protected-resource"),
        ("https://h/a", "https://h/.well-known/oauth-protected-resource/a"),
        ("https://h/a/", "https://h/.well-known/oauth-protected-resource/a/"),
        ("https://h/a/b", "https://h/.well-known/oauth-protected-resource/a/b"),
        ("https://h:8443/a", "https://h:8443/.well-known/oauth-protected-resource/a"),
        ("https://h?x=1", "https://h/.well-known/oauth-protected-resource?x=1"),
        ("https://h/?x=1", "https://h/.well-known/oauth-protected-resource?x=1"),
        ("https://h/a?x=1/2", "https://h/.well-known/oauth-protected-resource/a?x=1/2"),
        ("http://[::1]:80/a", "http://[::1]:80/.well-known/oauth-protected-resource/a"),
    ] {
        assert_eq!(url(&resource(uri)), expected, "{uri}");
    }
}

#[test]
fn prm_02_only_exact_paths_lead_to_the_document() {
    use Place::{Elsewhere, Unknown};

    const W: &str = WELL_KNOWN;
    const DOCUMENT: Place = Place::Document(0);
    for (name, uri, path, expected) in [
        ("inserted", "https://h/a/b", format!("{W}/a/b"), DOCUMENT),
        ("inserted, other slash form", "https://h/a/b", format!("{W}/a/b/"), DOCUMENT),
        ("slash, same form", "https://h/a/", format!("{W}/a/"), DOCUMENT),
        ("slash, other form", "https://h/a/", format!("{W}/a"), DOCUMENT),
        ("root", "https://h/a/b", W.to_owned(), DOCUMENT),
        ("root with slash", "https://h/a/b", format!("{W}/"), DOCUMENT),
        ("resource at the root", "https://h", W.to_owned(), DOCUMENT),
        ("resource with a query", "https://h/a?x=1", format!("{W}/a"), DOCUMENT),
        ("two slashes", "https://h/a", format!("{W}/a//"), Unknown),
        ("slashes between", "https://h/a", format!("{W}//a"), Unknown),
        ("a parent of it", "https://h/a/b", format!("{W}/a"), Unknown),
        ("a child of it", "https://h/a", format!("{W}/a/b"), Unknown),
        ("another resource", "https://h/a", format!("{W}/b"), Unknown),
        ("other case", "https://h/a", format!("{W}/A"), Unknown),
        ("encoded", "https://h/a", format!("{W}/%61"), Unknown),
        ("dot segments", "https://h/a", format!("{W}/../../a"), Unknown),
        ("dot segments to it", "https://h/a", format!("{W}/./a"), Unknown),
        ("parameters", "https://h/a", format!("{W}/a;x"), Unknown),
        ("the resource itself", "https://h/a", "/a".to_owned(), Elsewhere),
        ("appended instead", "https://h/a", format!("/a{W}"), Elsewhere),
        ("a longer name", "https://h/a", format!("{W}s"), Elsewhere),
        ("a longer name below", "https://h/a", format!("{W}s/a"), Elsewhere),
        ("other case above", "https://h/a", W.to_uppercase(), Elsewhere),
        ("encoded above", "https://h/a", W.replace(".well", "%2ewell"), Elsewhere),
        ("slashes before", "https://h/a", format!("/{W}/a"), Elsewhere),
        ("another well-known", "https://h/a", "/.well-known/security.txt".to_owned(), Elsewhere),
    ] {
        assert_eq!(paths_of(&[uri], Some(0)).place(&path), expected, "{name}");
    }
}

#[test]
fn each_of_several_documents_has_paths_of_its_own() {
    use Place::{Document, Unknown};

    const W: &str = WELL_KNOWN;
    let all = ["https://h/a", "https://h/b/", "https://h/a/b", "https://h/c", "https://h/c/"];
    let none = paths_of(&all, None);
    let owned = paths_of(&all, Some(1));
    let origin = paths_of(&["https://h/a", "https://h"], None);
    for (name, paths, path, expected) in [
        ("the first", &none, "/a", Document(0)),
        ("the first, other slash form", &none, "/a/", Document(0)),
        ("the second", &none, "/b/", Document(1)),
        ("the second, other slash form", &none, "/b", Document(1)),
        ("below the first", &none, "/a/b", Document(2)),
        ("one with a slash, one without", &none, "/c", Document(3)),
        ("one without a slash, one with", &none, "/c/", Document(4)),
        ("the root, nobody's", &none, "", Unknown),
        ("the root with slash, nobody's", &none, "/", Unknown),
        ("the root, the second's", &owned, "", Document(1)),
        ("the root with slash, the second's", &owned, "/", Document(1)),
        ("the first, with the second at the root", &owned, "/a", Document(0)),
        ("the root, of the one at the origin", &origin, "", Document(1)),
        ("the root with slash, of the one at the origin", &origin, "/", Document(1)),
        ("none", &owned, "/d", Unknown),
    ] {
        assert_eq!(paths.place(&format!("{W}{path}")), expected, "{name}");
    }
}

#[test]
fn a_document_is_also_where_a_proxy_sends_those_who_ask_for_it() {
    let served = |uri: &str, at: &str| resource(uri).served_at(at).unwrap();
    let paths = Paths::of(&[served("https://h/t/a", "/a"), served("https://h/t", "/")]);
    for (name, path, expected) in [
        ("public", "/t/a", Place::Document(0)),
        ("public, other slash form", "/t/a/", Place::Document(0)),
        ("shortened", "/a", Place::Document(0)),
        ("shortened, other slash form", "/a/", Place::Document(0)),
        ("public, at the root behind the proxy", "/t", Place::Document(1)),
        ("shortened to the root, which nobody said it owns", "", Place::Unknown),
    ] {
        assert_eq!(paths.place(&format!("{WELL_KNOWN}{path}")), expected, "{name}");
    }
}

#[test]
fn the_root_can_be_left_to_others() {
    let paths = paths_of(&["https://h/a"], None);
    assert_eq!(paths.place(WELL_KNOWN), Place::Unknown);
    assert_eq!(paths.place("/.well-known/oauth-protected-resource/a"), Place::Document(0));
    let paths = paths_of(&["https://h"], None);
    assert_eq!(paths.place(WELL_KNOWN), Place::Document(0), "it is the only place there is");
}

#[test]
fn who_looks_for_an_authorization_server_here_finds_none_unless_the_service_has_one() {
    let ours = paths_of(&["https://h/a"], Some(0));
    let mut theirs = ours.clone();
    theirs.leave_authorization_servers_to_service();
    for (path, expected) in [
        ("/.well-known/oauth-authorization-server", Place::Unknown),
        ("/.well-known/oauth-authorization-server/", Place::Unknown),
        ("/.well-known/oauth-authorization-server/a", Place::Unknown),
        ("/.well-known/openid-configuration", Place::Unknown),
        ("/.well-known/openid-configuration/a", Place::Unknown),
        ("/.well-known/openid-configurations", Place::Elsewhere),
        ("/.well-known/openid-credential-issuer", Place::Elsewhere),
        ("/a/.well-known/openid-configuration", Place::Elsewhere),
        ("/.well-known", Place::Elsewhere),
    ] {
        assert_eq!(ours.place(path), expected, "{path}");
        assert_eq!(theirs.place(path), Place::Elsewhere, "{path}");
    }
    assert_eq!(theirs.place(WELL_KNOWN), Place::Document(0));
}
