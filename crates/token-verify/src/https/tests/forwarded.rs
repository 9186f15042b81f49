//! What is read out of the headers of proxies.

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use super::super::forwarded::{rightmost_proto, rightmost_x_proto};
use super::*;

const HTTPS: Result<Scheme, Rejection> = Ok(Scheme::Https);
const HTTP: Result<Scheme, Rejection> = Ok(Scheme::Http);
const MISSING: Result<Scheme, Rejection> = Err(Rejection::ForwardedSchemeMissing);
const INVALID: Result<Scheme, Rejection> = Err(Rejection::ForwardedSchemeInvalid);

fn headers(name: &'static str, lines: &[impl AsRef<[u8]>]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(name, HeaderValue::from_bytes(line.as_ref()).unwrap());
    }
    headers
}

fn forwarded(lines: &[impl AsRef<[u8]>], hops: usize) -> Result<Scheme, Rejection> {
    rightmost_proto(&headers("forwarded", lines), NonZeroUsize::new(hops).unwrap())
}

fn x_proto(lines: &[impl AsRef<[u8]>], hops: usize) -> Result<Scheme, Rejection> {
    rightmost_x_proto(&headers("x-forwarded-proto", lines), NonZeroUsize::new(hops).unwrap())
}

#[test]
fn http_13_x_forwarded_proto_is_read_from_the_right() {
    let rows = [
        ("https", &["https"][..], 1, HTTPS),
        ("case", &["HttpS"], 1, HTTPS),
        ("http", &["http"], 1, HTTP),
        ("the client's on the left", &["https, http"], 1, HTTP),
        (
            "the client's on the left is not looked at",
            &["\u{7f}x".trim_matches('\u{7f}'), "https"],
            1,
            HTTPS,
        ),
        ("two proxies", &["http, https, http"], 2, HTTPS),
        ("two lines are one list", &["https", "http"], 1, HTTP),
        ("second line counted first", &["https", "http"], 2, HTTPS),
        ("tabs", &["https,\thttps\t"], 1, HTTPS),
        ("none", &[], 1, MISSING),
        ("one too few", &["https"], 2, MISSING),
        ("an empty line", &[""], 1, MISSING),
        ("an empty entry", &["https, "], 1, MISSING),
        ("an empty line on the right", &["https", ""], 1, MISSING),
        ("only commas", &[",,,"], 2, MISSING),
        ("another scheme", &["ftp"], 1, INVALID),
        ("a WebSocket's", &["wss"], 1, HTTPS),
        ("a WebSocket's, plain", &["WS"], 1, HTTP),
        ("a WebSocket's, longer", &["wsss"], 1, INVALID),
        ("quoted", &["\"https\""], 1, INVALID),
        ("longer", &["https:"], 1, INVALID),
        ("a URL", &["https://api.example"], 1, INVALID),
        ("two words", &["https http"], 1, INVALID),
        ("shorter", &["htt"], 1, INVALID),
        ("semicolon", &["https;http"], 1, INVALID),
        ("as in Forwarded", &["proto=https"], 1, INVALID),
        ("look-alike", &["http\u{17f}"], 1, INVALID),
    ];
    for (name, lines, hops, expected) in rows {
        assert_eq!(x_proto(lines, hops), expected, "{name}");
    }
}

#[test]
fn http_13_forwarded_is_read_by_its_grammar() {
    let rows = [
        ("proto alone", &["proto=https"][..], 1, HTTPS),
        ("among others", &["for=192.0.2.60;proto=https;by=203.0.113.43"], 1, HTTPS),
        ("http", &["for=192.0.2.60;proto=http;by=203.0.113.43"], 1, HTTP),
        ("case", &["For=\"[2001:db8:cafe::17]:4711\";PROTO=HTTPS"], 1, HTTPS),
        ("quoted", &["proto=\"https\""], 1, HTTPS),
        ("quoted pairs", &[r#"proto="h\tt\ps""#], 1, HTTPS),
        ("quoted quotes elsewhere", &[r#"host="\"a\\";proto=https"#], 1, HTTPS),
        ("a semicolon in quotes", &[r#"host="a;proto=http";proto=https"#], 1, HTTPS),
        ("a semicolon in quotes", &[r#"host="a;proto=https";proto=http"#], 1, HTTP),
        ("empty pairs", &[";;proto=https;;for=a;"], 1, HTTPS),
        ("extensions", &["secret=abc;proto=https"], 1, HTTPS),
        ("obs-text in quotes", &["host=\"\u{e9}\";proto=https"], 1, HTTPS),
        ("the client's on the left", &["proto=https, for=x;proto=http"], 1, HTTP),
        ("two proxies", &["proto=http, proto=https, proto=http"], 2, HTTPS),
        ("two lines are one list", &["proto=https", "proto=http"], 1, HTTP),
        ("second line counted first", &["proto=https", "proto=http"], 2, HTTPS),
        ("garbage on the left is not looked at", &["=;\", =, proto=https"], 1, HTTPS),
        ("an open quote on the left swallows nothing", &["for=\"a, for=x;proto=http"], 1, HTTP),
        ("nor does it make a word", &["proto=https;x=\", for=x;y=\"z\";proto=http"], 1, HTTP),
        ("none", &[], 1, MISSING),
        ("one too few", &["proto=https"], 2, MISSING),
        ("without proto", &["for=192.0.2.60"], 1, MISSING),
        ("without proto, though the one on its left has it", &["proto=https, for=x"], 1, MISSING),
        ("an empty line", &[""], 1, MISSING),
        ("an empty element", &["proto=https, "], 1, MISSING),
        ("an empty value", &["proto=\"\""], 1, MISSING),
        ("another name", &["xproto=https;proto2=https"], 1, MISSING),
        ("in another's value", &["for=\"proto=https\""], 1, MISSING),
        ("no value", &["proto="], 1, INVALID),
        ("no equals sign", &["proto"], 1, INVALID),
        ("no name", &["=https"], 1, INVALID),
        ("twice", &["proto=https;proto=https"], 1, INVALID),
        ("twice, in another case", &["proto=https;Proto=http"], 1, INVALID),
        ("spaces around the equals sign", &["proto = https"], 1, INVALID),
        ("spaces around the semicolon", &["for=x; proto=https"], 1, INVALID),
        ("a WebSocket's", &["proto=wss"], 1, HTTPS),
        ("a WebSocket's, plain", &["proto=ws"], 1, HTTP),
        ("another scheme", &["proto=ftp"], 1, INVALID),
        ("an open quote", &["proto=\"https"], 1, INVALID),
        ("a lone quote", &["proto=\""], 1, INVALID),
        ("an open escape", &["proto=\"https\\"], 1, INVALID),
        ("an escaped end", &["proto=\"https\\\""], 1, INVALID),
        ("something behind the quotes", &["proto=\"https\"x"], 1, INVALID),
        ("a backslash without quotes", &["proto=http\\s"], 1, INVALID),
        ("a space in a name", &["a b=c;proto=https"], 1, INVALID),
        ("an address that needs quotes", &["for=[2001:db8::1];proto=https"], 1, INVALID),
        ("bare scheme", &["https"], 1, INVALID),
        ("a comma in quotes", &["host=\"a,b\";proto=https"], 1, INVALID),
        ("elements in quotes", &["proto=http;host=\"a,proto=https,b\""], 2, INVALID),
        ("an element that ends in quotes", &["proto=http;host=\"a,proto=https\""], 1, INVALID),
        ("malformed between us and the one that counts", &["proto=https, for"], 2, INVALID),
    ];
    for (name, lines, hops, expected) in rows {
        assert_eq!(forwarded(lines, hops), expected, "{name}");
    }
    let long = format!("host=\"{}\";proto=https", "a".repeat(4096));
    assert_eq!(forwarded(&[long], 1), INVALID, "longer than any proxy writes");
}

/// What proxies write.
fn element(proto: Option<bool>, host: &str) -> String {
    let host = host.replace('\\', r"\\").replace('"', r#"\""#);
    match proto {
        Some(true) => format!("for=192.0.2.1;proto=https;host=\"{host}\""),
        Some(false) => format!("host=\"{host}\";proto=http;for=_x"),
        None => format!("host=\"{host}\""),
    }
}

proptest! {
    #[test]
    fn http_13_no_client_turns_a_proxys_http_into_https(
        client in r#"([ ,;="\\\\x]|proto=https|for=){0,12}"#,
        host in r#"([ ,;="\\\\x]|proto=https){0,12}"#,
        said in prop_oneof![Just(Some(false)), Just(None)],
        inner in "[a-z]{0,3}",
        hops in 1_usize..3,
        own_line in proptest::bool::ANY,
    ) {
        // The client wrote what is on the left, and the host that the proxy repeats.
        let mut lines = if own_line {
            vec![client, element(said, &host)]
        } else {
            vec![format!("{client}, {}", element(said, &host))]
        };
        if hops == 2 {
            lines.push(element(Some(true), &inner));
        }
        prop_assert_ne!(forwarded(&lines, hops), HTTPS, "{:?}", lines);
    }

    #[test]
    fn http_13_what_is_on_the_left_changes_nothing(client in r#"[ -~]{0,40}"#, host in "[a-z]{1,9}") {
        let line = format!("{client}, {}", element(Some(true), &host));
        prop_assert_eq!(forwarded(&[line], 1), HTTPS);
        let line = format!("{}, https", client.replace(',', ""));
        prop_assert_eq!(x_proto(&[line], 1), HTTPS);
    }
}
