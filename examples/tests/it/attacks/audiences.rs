//! For whom a token is, and by whom.

use palisade_test_issuer::TestIssuer;
use serde_json::{Value, json};

use super::{MARKER, Row, Target};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "AUD-01",
        attack: "our URL as prefix, user information, fragment, query, path or subdomain of another",
        answers: &["401 audience_mismatch", "401 claim_invalid"],
        test: "aud_01_our_url_inside_another",
    },
    Row {
        id: "AUD-02",
        attack: "a parent, child, sibling or prefix of our path, dot segments",
        answers: &["401 audience_mismatch"],
        test: "aud_02_our_neighbours",
    },
    Row {
        id: "AUD-03",
        attack: "our URL in other spellings: slash, port, percent escapes, other hosts of loopback, IDN dots",
        answers: &["401 audience_mismatch", "401 claim_invalid"],
        test: "aud_03_other_spellings",
    },
    Row {
        id: "AUD-04",
        attack: "`aud` missing, empty, of another type, with one bad entry, with 65 entries",
        answers: &["401 claim_invalid", "401 claim_missing"],
        test: "aud_04_no_audience",
    },
    Row {
        id: "AUD-06",
        attack: "`iss` with or without slash, other scheme, case, port, host of loopback, path",
        answers: &["401 issuer_wrong"],
        test: "aud_06_other_spellings_of_the_issuer",
    },
    Row {
        id: "AUD-07",
        attack: "a good token of another issuer; ours with its `iss`; its with ours",
        answers: &["401 issuer_wrong", "401 signature_bad"],
        test: "aud_07_another_issuer",
    },
    Row {
        id: "AUD-08",
        attack: "all scopes, or none, or no limit left, in a token for somebody else",
        answers: &["401 audience_mismatch"],
        test: "aud_08_audience_before_scope",
    },
    Row {
        id: "AUD-09",
        attack: "a token for another host, with that host in `Host`, in the target, and in forwarding headers",
        answers: &["401 audience_mismatch", "500 proxy_unnamed"],
        test: "aud_09_host_chosen_by_the_client",
    },
];

#[tokio::test]
async fn aud_01_our_url_inside_another() {
    let mut target = Target::start("AUD-01").await;
    let url = target.url.clone();
    let (origin, host) = (format!("http://{}", target.addr), target.addr.to_string());
    for audience in [
        format!("{origin}.evil.example/mcp"),
        format!("{origin}@evil.example/mcp"),
        format!("http://evil.example@{host}/mcp"),
        format!("http://user:pass@{host}/mcp"),
        format!("http://evil.example/#{url}"),
        format!("http://evil.example/?{url}"),
        format!("http://evil.example/{url}"),
        format!("http://evil.example\\@{host}/mcp"),
        format!("http://sub.{host}/mcp"),
        format!("{url}#"),
        format!("{url}?"),
        format!("{url}?x=1"),
        format!("{url}%00.evil.example"),
        format!("{url}\0.evil.example"),
        format!("{url}\n"),
        format!("{url} https://evil.example"),
        format!("{url},https://evil.example"),
        format!("[\"{url}\"]"),
        format!(" {url}"),
        format!("{url} "),
        MARKER.to_owned(),
        "*".to_owned(),
        "http://*/mcp".to_owned(),
        ".*".to_owned(),
    ] {
        target.attack_with(&audience, target.good().audience(audience.as_str()).sign()).await;
        let token = target.good().audiences([audience.as_str(), "https://other.example"]);
        target.attack_with("among others", token.sign()).await;
    }
    let token = target.good().audiences(["https://other.example", &url]).sign();
    target.lets_pass("ours among others", target.whoami().token(token)).await;
    target.finish().await;
}

#[tokio::test]
async fn aud_02_our_neighbours() {
    let mut target = Target::start("AUD-02").await;
    for path in [
        "",
        "/",
        "/m",
        "/mc",
        "/mcp2",
        "/mcp/",
        "/mcp/admin",
        "/mcp/../mcp",
        "/x/../mcp",
        "/./mcp",
        "//mcp",
        "/mcp/.",
        "/mcp;x",
        "/MCP",
        "/Mcp",
        "/%6dcp",
        "/mcp%2f",
        "\\mcp",
        "/mcp.",
        "/other",
    ] {
        let audience = format!("http://{}{path}", target.addr);
        target.attack_with(path, target.good().audience(audience).sign()).await;
    }
    for audience in ["http://", "http:", "h", "/mcp", "mcp", "//"] {
        target.attack_with(audience, target.good().audience(audience).sign()).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn aud_03_other_spellings() {
    let mut target = Target::start("AUD-03").await;
    let port = target.addr.port();
    for authority in [
        format!("127.0.0.1:0{port}"),
        format!("127.0.0.1:{port}:"),
        "127.0.0.1".to_owned(),
        "127.0.0.1:80".to_owned(),
        format!("127.0.0.1.:{port}"),
        format!("127.1:{port}"),
        format!("127.0.1:{port}"),
        format!("0x7f.0.0.1:{port}"),
        format!("0x7f000001:{port}"),
        format!("2130706433:{port}"),
        format!("0177.0.0.1:{port}"),
        format!("127.0.0.01:{port}"),
        format!("127.0.0.2:{port}"),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("0.0.0.0:{port}"),
        format!("%31%32%37.0.0.1:{port}"),
        format!("127\u{3002}0\u{3002}0\u{3002}1:{port}"),
        format!("\u{ff11}27.0.0.1:{port}"),
        format!("127.0.0.1\u{ff1a}{port}"),
        format!("127.0.0.1:{port}\t"),
    ] {
        let audience = format!("http://{authority}/mcp");
        target.attack_with(&audience, target.good().audience(audience.as_str()).sign()).await;
    }
    for scheme in ["https", "ws", "mcp", "", "http\u{200b}"] {
        let audience = format!("{scheme}://{}/mcp", target.addr);
        target.attack_with(scheme, target.good().audience(audience).sign()).await;
    }
    // Scheme and host have no case, and that is all that is forgiven.
    let upper = target.url.replace("http", "HTTP");
    let token = target.good().audience(upper).sign();
    target.lets_pass("HTTP", target.whoami().token(token)).await;
    target.finish().await;
}

#[tokio::test]
async fn aud_04_no_audience() {
    let mut target = Target::start("AUD-04").await;
    let url = Value::from(target.url.as_str());
    for aud in [
        json!(""),
        json!(0),
        json!(true),
        json!(null),
        json!([]),
        json!([[]]),
        json!([[url]]),
        json!([""]),
        json!([null]),
        json!({}),
        json!({ "0": url }),
        json!({ "aud": url }),
        json!([url, 1]),
        json!([1, url]),
        json!([url, null]),
        json!([url, ""]),
        json!([url, "a\0"]),
        json!([url, [url]]),
        json!([url, { "x": url }]),
        Value::from(vec![url.clone(); 65]),
        Value::from(vec![url.clone(); 300]),
    ] {
        let token = target.good().claim("aud", aud.clone());
        target.attack_with(&aud.to_string(), token.sign()).await;
    }
    let missing = target.good().without_claim("aud");
    target.attack_with("missing", missing.sign()).await;
    let elsewhere = missing.header("aud", url.clone()).claim("resource", url.clone());
    let elsewhere = elsewhere.claim("azp", url.clone()).claim("client_id", url.clone());
    target.attack_with("elsewhere", elsewhere.claim("audience", url).sign()).await;
    target.finish().await;
}

#[tokio::test]
async fn aud_06_other_spellings_of_the_issuer() {
    let mut target = Target::start("AUD-06").await;
    let issuer = target.issuer.issuer().to_owned();
    for other in [
        format!("{issuer}/"),
        format!("{issuer}//"),
        format!("{issuer}/x/.."),
        format!("{issuer}?"),
        format!("{issuer}#"),
        format!("{issuer} "),
        format!(" {issuer}"),
        format!("{issuer}\0"),
        format!("{issuer}.evil.example"),
        format!("{issuer}@evil.example"),
        issuer.replace("http", "https"),
        issuer.replace("http", "HTTP"),
        issuer.replace("127.0.0.1", "localhost"),
        issuer.replace("127.0.0.1", "127.1"),
        issuer.replace("http://", ""),
        issuer[..issuer.len() - 1].to_owned(),
        String::new(),
        MARKER.to_owned(),
    ] {
        let token = target.good().claim("iss", other.as_str());
        target.attack_with(&other, token.sign()).await;
        target.attack_with(&other, token.header("iss", issuer.as_str()).sign()).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn aud_07_another_issuer() {
    let mut target = Target::start("AUD-07").await;
    let fetches = target.issuer.jwks_fetches();
    // On the same machine, with keys of the same names, and one that lives below our issuer.
    let running = TestIssuer::builder().start().await.unwrap();
    let below = format!("{}/tenant", target.issuer.issuer());
    let below = TestIssuer::builder().in_process(below).unwrap();
    for other in [&running, &below] {
        let foreign = other.mint().audience(&target.url).subject("alice").scope("notes:admin");
        target.attack_with("foreign", foreign.sign()).await;
        target.attack_with("unknown kid", foreign.clone().header("kid", "new").sign()).await;
        target.attack_with("no kid", foreign.without_header("kid").sign()).await;
        target.attack_with("ours by name", target.claims_of(other.mint()).sign()).await;
        let renamed = target.good().claim("iss", other.issuer());
        target.attack_with("ours by key", renamed.sign()).await;
    }
    assert_eq!(running.jwks_fetches(), 0, "nobody asks an issuer that a token names");
    assert_eq!(target.issuer.jwks_fetches(), fetches, "nor ours about tokens of others");
    target.finish().await;
}

#[tokio::test]
async fn aud_08_audience_before_scope() {
    let mut target = Target::start("AUD-08").await;
    let foreign = target.good().audience("https://evil.example");
    for scope in ["notes:read", "notes:read notes:write notes:admin", "other", ""] {
        let token = foreign.clone().scope(scope).sign();
        for tool in ["whoami", "delete_all_notes", "unheard_of"] {
            let request = target.call("tools/call", json!({ "name": tool, "arguments": {} }));
            target.attack(tool, request.header("mcp-name", tool).token(&token)).await;
        }
        for request in [
            target.call("tools/list", json!({})),
            target.call("unheard/of", json!({})),
            target.whoami().body("no JSON"),
            target.whoami().line("GET /mcp HTTP/1.1"),
            target.whoami().line("DELETE /mcp HTTP/1.1"),
            target.whoami().line("POST /other HTTP/1.1"),
        ] {
            target.attack(scope, request.token(&token)).await;
        }
    }
    // More than the caller's limit: whoever holds a foreign token does not use up what is mallory's.
    for _ in 0..50 {
        target.attack_with("again", foreign.sign()).await;
    }
    let good = target.good().sign();
    target.lets_pass("mallory", target.whoami().token(good)).await;
    target.finish().await;
}

#[tokio::test]
async fn aud_09_host_chosen_by_the_client() {
    let mut target = Target::start("AUD-09").await;
    let token = target.good().audience("http://evil.example/mcp").sign();
    let request = target.whoami().token(&token);
    for request in [
        request.clone().replace("host", "evil.example"),
        request.clone().line("POST http://evil.example/mcp HTTP/1.1"),
        request
            .clone()
            .line("POST http://evil.example/mcp HTTP/1.1")
            .replace("host", "evil.example"),
        request.clone().header("x-forwarded-host", "evil.example"),
        request
            .clone()
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "http"),
        request.clone().header("forwarded", "host=evil.example;proto=http"),
        request.clone().header("x-original-url", "http://evil.example/mcp"),
        request.clone().header("x-original-host", "evil.example"),
        request.clone().header("x-host", "evil.example").header("host", "evil.example"),
    ] {
        target.attack("host", request).await;
    }
    let metadata = target
        .whoami()
        .line("GET /.well-known/oauth-protected-resource/mcp HTTP/1.1")
        .replace("host", "evil.example")
        .header("x-forwarded-host", "evil.example");
    let answer = target.lets_pass("metadata", metadata.body("")).await;
    assert!(answer.body.contains(&format!("\"resource\":\"{}\"", target.url)), "{answer:?}");
    assert!(!answer.text.contains("evil"), "{answer:?}");
    target.finish().await;
}
