use http::Request;

use super::*;

use Misdirected::{HostMalformed, HostNotAllowed, OriginNotAllowed};

fn parts(uri: &str, hosts: &[&str], origins: &[&str]) -> Parts {
    let mut request = Request::get(uri);
    for host in hosts {
        request = request.header(HOST, *host);
    }
    for origin in origins {
        request = request.header(ORIGIN, *origin);
    }
    request.body(()).unwrap().into_parts().0
}

fn public() -> Addressees {
    let mut addressees = Addressees::default();
    addressees.allow_host("MCP.example.com").unwrap();
    addressees.allow_host("internal:8443").unwrap();
    addressees.allow_host("[2001:db8::1]:*").unwrap();
    addressees.allow_origin("https://app.example").unwrap();
    addressees.allow_origin("http://app.example:8080").unwrap();
    addressees.allow_origin("vscode-webview://abc").unwrap();
    addressees
}

#[test]
fn mcp_12_only_loopback_hosts_are_allowed_by_default() {
    for (host, expected) in [
        ("localhost", Ok(())),
        ("LOCALHOST:49152", Ok(())),
        ("127.0.0.1:80", Ok(())),
        ("[::1]:3000", Ok(())),
        ("mcp.example.com", Err(HostNotAllowed)),
        ("localhost.evil.example", Err(HostNotAllowed)),
        ("evil.localhost", Err(HostNotAllowed)),
        ("127.0.0.1.evil.example", Err(HostNotAllowed)),
        ("0.0.0.0", Err(HostNotAllowed)),
        ("localhost.", Err(HostNotAllowed)),
    ] {
        assert_eq!(Addressees::default().check(&parts("/", &[host], &[])), expected, "{host}");
    }
}

#[test]
fn mcp_12_hosts_are_compared_with_their_port() {
    for (host, expected) in [
        ("mcp.example.com", Ok(())),
        ("Mcp.Example.Com", Ok(())),
        ("mcp.example.com:443", Ok(())),
        ("mcp.example.com:80", Ok(())),
        ("mcp.example.com:8443", Err(HostNotAllowed)),
        ("internal:8443", Ok(())),
        ("internal", Err(HostNotAllowed)),
        ("[2001:db8::1]", Ok(())),
        ("[2001:DB8::1]:9", Ok(())),
        ("evil.example", Err(HostNotAllowed)),
        ("mcp.example.com.evil.example", Err(HostNotAllowed)),
        ("evil-mcp.example.com", Err(HostNotAllowed)),
        ("localhost", Err(HostNotAllowed)),
    ] {
        assert_eq!(public().check(&parts("/", &[host], &[])), expected, "{host}");
    }
}

#[test]
fn a_request_names_one_host() {
    let host = "mcp.example.com";
    for (name, uri, hosts, expected) in [
        ("none", "/", vec![], Err(HostMalformed)),
        ("two", "/", vec![host, host], Err(HostMalformed)),
        ("in the URI", "https://mcp.example.com/", vec![], Ok(())),
        ("twice the same", "https://mcp.example.com:443/", vec!["MCP.example.com"], Ok(())),
        ("a bad one in the URI", "https://evil.example/", vec![], Err(HostNotAllowed)),
        ("a bad one behind a good one", "https://evil.example/", vec![host], Err(HostNotAllowed)),
        (
            "a good one behind a bad one",
            "https://mcp.example.com/",
            vec!["evil.example"],
            Err(HostNotAllowed),
        ),
        ("another port", "https://mcp.example.com:444/", vec![host], Err(HostNotAllowed)),
        ("empty", "/", vec![""], Err(HostMalformed)),
        ("a list", "/", vec!["mcp.example.com, evil.example"], Err(HostMalformed)),
        ("user", "/", vec!["evil@mcp.example.com"], Err(HostMalformed)),
        ("user in the URI", "https://evil@mcp.example.com/", vec![], Err(HostMalformed)),
        ("path", "/", vec!["mcp.example.com/x"], Err(HostMalformed)),
        ("URL", "/", vec!["https://mcp.example.com"], Err(HostMalformed)),
        ("sign", "/", vec!["mcp.example.com:+443"], Err(HostMalformed)),
        ("no port", "/", vec!["mcp.example.com:"], Err(HostMalformed)),
        ("big port", "/", vec!["mcp.example.com:65536"], Err(HostMalformed)),
        ("two ports", "/", vec!["mcp.example.com:80:80"], Err(HostMalformed)),
        ("open bracket", "/", vec!["[::1"], Err(HostMalformed)),
        ("no address", "/", vec!["[evil]"], Err(HostMalformed)),
        ("space", "/", vec!["mcp.example.com evil"], Err(HostMalformed)),
    ] {
        assert_eq!(public().check(&parts(uri, &hosts, &[])), expected, "{name}");
    }
}

#[test]
fn mcp_12_origins_are_the_same_or_refused() {
    for (origin, expected) in [
        ("https://app.example", Ok(())),
        ("HTTPS://app.example", Err(OriginNotAllowed)),
        ("https://APP.example", Err(OriginNotAllowed)),
        ("https://app.example:443", Err(OriginNotAllowed)),
        ("http://app.example:8080", Ok(())),
        ("vscode-webview://abc", Ok(())),
        ("http://app.example", Err(OriginNotAllowed)),
        ("https://app.example:8443", Err(OriginNotAllowed)),
        ("https://app.example:80", Err(OriginNotAllowed)),
        ("https://app.example.evil.example", Err(OriginNotAllowed)),
        ("https://app.example@evil.example", Err(OriginNotAllowed)),
        ("https://app.example/", Err(OriginNotAllowed)),
        ("https://app.example?x", Err(OriginNotAllowed)),
        ("https://app.example https://evil.example", Err(OriginNotAllowed)),
        ("https://evil.example, https://app.example", Err(OriginNotAllowed)),
        ("https://", Err(OriginNotAllowed)),
        ("app.example", Err(OriginNotAllowed)),
        ("null", Err(OriginNotAllowed)),
        ("", Err(OriginNotAllowed)),
        ("http://localhost", Err(OriginNotAllowed)),
    ] {
        let request = parts("/", &["mcp.example.com"], &[origin]);
        assert_eq!(public().check(&request), expected, "{origin}");
    }
    let own = "https://app.example";
    let twice = parts("/", &["mcp.example.com"], &[own, own]);
    assert_eq!(public().check(&twice), Err(OriginNotAllowed));
}

#[test]
fn mcp_12_only_loopback_origins_are_allowed_by_default() {
    for (origin, expected) in [
        ("http://localhost:6274", Ok(())),
        ("https://127.0.0.1", Ok(())),
        ("http://[::1]:1", Ok(())),
        ("ftp://localhost", Err(OriginNotAllowed)),
        ("https://localhost.evil.example", Err(OriginNotAllowed)),
        ("https://app.example", Err(OriginNotAllowed)),
        ("null", Err(OriginNotAllowed)),
    ] {
        let request = parts("/", &["localhost"], &[origin]);
        assert_eq!(Addressees::default().check(&request), expected, "{origin}");
    }
}

#[test]
fn each_way_out_opens_one_door() {
    let evil = parts("/", &["evil.example"], &["https://evil.example"]);
    let mut addressees = Addressees::default();
    addressees.allow_any_host();
    assert_eq!(addressees.check(&evil), Err(OriginNotAllowed));
    assert_eq!(addressees.check(&parts("/", &[], &[])), Err(HostMalformed));
    addressees.allow_any_origin();
    assert_eq!(addressees.check(&evil), Ok(()));

    let mut addressees = public();
    addressees.allow_null_origin();
    let from = |origin| parts("/", &["mcp.example.com"], &[origin]);
    assert_eq!(addressees.check(&from("null")), Ok(()));
    assert_eq!(addressees.check(&from("https://app.example")), Ok(()));
    assert_eq!(addressees.check(&from("https://evil.example")), Err(OriginNotAllowed));
    assert_eq!(addressees.check(&from("NULL")), Err(OriginNotAllowed));
}

#[test]
fn what_no_request_can_name_is_a_configuration_error() {
    let mut addressees = Addressees::default();
    for host in
        ["", "https://mcp.example.com", "mcp.example.com/mcp", "*", "*.example.com", "a:1:*", "::1"]
    {
        addressees.allow_host(host).unwrap_err();
    }
    for origin in
        ["", "app.example", "https://app.example/", "https://*.example", "*", "https://a:*"]
    {
        let error = addressees.allow_origin(origin).unwrap_err();
        assert_eq!(error, InvalidOriginError::NotAnOrigin);
    }
    assert_eq!(addressees.allow_origin("null"), Err(InvalidOriginError::Null));
    let message = addressees.allow_host("a b").unwrap_err().to_string();
    assert!(message.starts_with("`a b` is not a host; write it as "), "{message}");
}
