use proptest::prelude::*;

use super::*;

#[test]
fn refuses_what_is_no_resource() {
    use InvalidResourceError as Invalid;
    for (uri, expected) in [
        ("mcp.example.com", Invalid::NotAbsolute),
        ("https://mcp.example.com#x", Invalid::Fragment),
        ("https://", Invalid::Host),
        ("https:///path", Invalid::Host),
        ("https://exa mple.com", Invalid::Character),
        ("https://mcp。example.com", Invalid::Character),
        ("https://example.com:port/", Invalid::Host),
        ("https://example.com:70000/", Invalid::Host),
        ("https://[::1", Invalid::Host),
        ("https://[zz]/", Invalid::Host),
        ("https://user@example.com", Invalid::UserInfo),
        ("http://example.com/mcp", Invalid::PlainHttp),
        ("http://127.0.0.1.example.com/mcp", Invalid::PlainHttp),
        ("ftp://example.com", Invalid::Scheme),
        ("https://example.com/a/../b", Invalid::DotSegment),
    ] {
        assert_eq!(Resource::parse(uri).unwrap_err(), expected, "{uri}");
    }
    let of_length = |bytes: usize| format!("{:a<bytes$}", "https://example.com/");
    Resource::parse(&of_length(2048)).unwrap();
    assert_eq!(Resource::parse(&of_length(2049)).unwrap_err(), Invalid::TooLong);
}

#[test]
fn accepts_https_and_loopback_http() {
    for uri in [
        "https://mcp.example.com",
        "https://mcp.example.com/",
        "https://mcp.example.com:8443/a/b?tenant=x",
        "http://127.0.0.1:3900/mcp",
        "http://[::1]:3900/mcp",
        "http://localhost/mcp",
        "https://[2001:db8::1]/mcp",
    ] {
        let resource = Resource::parse(uri).unwrap();
        assert_eq!(format!("{}{}", resource.origin(), resource.path_and_query()), uri);
    }
}

#[test]
fn aud_01_to_03_only_the_case_of_scheme_and_host_is_forgiven() {
    let resource = Resource::parse("https://mcp.example.com/mcp").unwrap();
    assert!(resource.is_named_by("https://mcp.example.com/mcp"));
    assert!(resource.is_named_by("HTTPS://MCP.EXAMPLE.COM/mcp"));
    for other in [
        "https://mcp.example.com.evil.com",
        "https://mcp.example.com.evil.com/mcp",
        "https://mcp.example.com@evil.com/mcp",
        "https://evil.com/#https://mcp.example.com/mcp",
        "https://mcp.example.com/mcp%00.evil",
        "https://mcp.example.com",
        "https://mcp.example.com/",
        "https://mcp.example.com/mcp2",
        "https://mcp.example.com/mcp/../admin",
        "https://mcp.example.com/mcp/",
        "https://mcp.example.com:443/mcp",
        "https://mcp.example.com/MCP",
        "https://mcp.example.com/%6dcp",
        "https://mcp。example.com/mcp",
        "https://mcp.example.com./mcp",
        "http://mcp.example.com/mcp",
        " https://mcp.example.com/mcp",
        "",
    ] {
        assert!(!resource.is_named_by(other), "{other}");
    }
}

#[test]
fn aud_02_and_03_only_a_bare_origin_is_the_same_with_and_without_its_slash() {
    for (name, uri, audience, expected) in [
        ("origin, slash added", "https://h", "https://h/", true),
        ("origin, slash left out", "https://h/", "https://h", true),
        ("origin with port", "https://h:8443", "https://h:8443/", true),
        ("origin with query", "https://h?x=1", "https://h/?x=1", true),
        ("origin, other query", "https://h?x=1", "https://h/?x=2", false),
        ("origin, query added", "https://h", "https://h/?", false),
        ("origin, empty query", "https://h", "https://h?", false),
        ("origin, two slashes", "https://h", "https://h//", false),
        ("origin, two slashes fewer", "https://h//", "https://h", false),
        ("origin, a path", "https://h", "https://h/mcp", false),
        ("origin, dots", "https://h", "https://h/.", false),
        ("origin, encoded slash", "https://h", "https://h%2f", false),
        ("origin, backslash", "https://h", "https://h\\", false),
        ("origin, port", "https://h", "https://h:/", false),
        ("path, slash added", "https://h/mcp", "https://h/mcp/", false),
        ("path, slash left out", "https://h/mcp/", "https://h/mcp", false),
        ("path, parent", "https://h/mcp", "https://h/", false),
        ("path and query, slash added", "https://h/mcp?x=1", "https://h/mcp/?x=1", false),
        ("query with a slash at its end", "https://h/mcp?x=/", "https://h/mcp?x=", false),
    ] {
        assert_eq!(Resource::parse(uri).unwrap().is_named_by(audience), expected, "{name}");
    }
}

#[test]
fn both_forms_of_a_path_are_one_resource_only_if_that_was_said() {
    for (uri, audience, expected) in [
        ("https://h/mcp", "https://h/mcp", true),
        ("https://h/mcp", "https://h/mcp/", true),
        ("https://h/mcp/", "https://h/mcp", true),
        ("https://h/mcp/", "https://h/mcp/", true),
        ("https://h/mcp?x=1", "https://h/mcp/?x=1", true),
        ("https://h", "https://h/", true),
        ("https://h/mcp", "https://h/mcp//", false),
        ("https://h/mcp/", "https://h/mcp//", false),
        ("https://h/mcp", "https://h/", false),
        ("https://h/mcp?x=/", "https://h/mcp?x=", false),
        ("https://h/mcp", "https://h/mcp?/", false),
    ] {
        let resource = Resource::parse(uri).unwrap().ignore_final_slash();
        assert_eq!(resource.is_named_by(audience), expected, "{uri} {audience}");
        assert_eq!(resource.as_str(), uri, "it is published as it was written");
    }
}

#[test]
fn requests_may_arrive_at_another_path() {
    let resource = Resource::parse("https://h/tenant/mcp").unwrap();
    assert_eq!((resource.path(), resource.request_path()), ("/tenant/mcp", "/tenant/mcp"));
    let moved = resource.clone().served_at("/mcp").unwrap();
    assert_eq!((moved.path(), moved.request_path()), ("/tenant/mcp", "/mcp"));
    assert!(moved.covers("/mcp/x") && !moved.covers("/tenant/mcp"));
    assert!(moved.is_named_by("https://h/tenant/mcp") && !moved.is_named_by("https://h/mcp"));
    assert_eq!(moved, resource, "it is the same resource");
    for path in ["", "mcp", "/a//b", "/a/../b", "/mcp?x=1", "https://h/mcp", "/%6dcp"] {
        let error = resource.clone().served_at(path).unwrap_err();
        assert_eq!(error, InvalidResourceError::ServedAt, "{path}");
    }
}

proptest! {
    /// The rule, by a twin that cuts slashes off.
    #[test]
    fn the_slash_rule_equals_its_naive_twin(
        ours in "(/[ab]?){0,3}",
        theirs in "(/[ab]?){0,3}",
        ignored in any::<bool>(),
    ) {
        let resource = Resource::parse(&format!("https://h{ours}")).unwrap();
        let resource = if ignored { resource.ignore_final_slash() } else { resource };
        let is_origin = |path: &str| path.is_empty() || path == "/";
        let cut = |path: &str| path.strip_suffix('/').unwrap_or(path).to_owned();
        let expected = ours == theirs
            || is_origin(&ours) && is_origin(&theirs)
            || ignored && cut(&ours) == cut(&theirs);
        prop_assert_eq!(resource.is_named_by(&format!("HTTPS://H{theirs}")), expected);
    }

    /// What a resource names, another that is named by it names, too: there is one rule, not one each way.
    #[test]
    fn the_slash_rule_is_the_same_in_both_directions(
        ours in "(/[ab]?){0,3}(\\?x)?",
        theirs in "(/[ab]?){0,3}(\\?x)?",
    ) {
        let [ours, theirs] = [ours, theirs].map(|path| Resource::parse(&format!("https://h{path}")).unwrap());
        prop_assert_eq!(ours.is_named_by(theirs.as_str()), theirs.is_named_by(ours.as_str()));
        prop_assert!(ours.is_named_by(ours.as_str()));
    }

    /// No audience in other bytes than ours is ours, but for case of scheme and host, and the slash of an origin.
    #[test]
    fn nothing_else_is_forgiven(audience in "\\PC{0,40}") {
        for uri in ["https://mcp.example.com", "https://mcp.example.com/mcp", "https://mcp.example.com/mcp/"] {
            prop_assert!(!Resource::parse(uri).unwrap().is_named_by(&audience), "{}", audience);
            let resource = Resource::parse(uri).unwrap();
            let longer = format!("{uri}{audience}");
            let forgiven = audience.is_empty() || uri.len() == resource.origin().len() && audience == "/";
            prop_assert_eq!(resource.is_named_by(&longer), forgiven, "{}", longer);
        }
    }
}
