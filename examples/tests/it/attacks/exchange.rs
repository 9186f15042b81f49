//! What HTTP around the credential can be made to say and to let through.

use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;

use super::{
    MARKER, Row, Target,
    raw::{Answer, Raw},
};
use crate::support::{Server, TempFile, send};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "HTTP-08",
        attack: "text of the attacker in claims, header parameters, path, method, headers, message: does any come back?",
        answers: &[
            "400 header_mismatch",
            "400 host_malformed",
            "400 message_invalid",
            "400 params_invalid",
            "401 audience_mismatch",
            "401 claim_invalid",
            "401 issuer_wrong",
            "401 key_unknown",
            "401 token_missing",
            "401 type_disallowed",
            "403 operation_not_allowed",
            "403 origin_not_allowed",
            "403 scope_missing",
        ],
        test: "http_08_reflected_text",
    },
    Row {
        id: "HTTP-09",
        attack: "`OPTIONS`, without a token or with one: from foreign and look-alike pages, without an origin, with a call as its body",
        answers: &[
            "200 without permission",
            "401 token_missing",
            "403 operation_not_allowed",
            "403 origin_not_allowed",
        ],
        test: "http_09_preflight",
    },
    Row {
        id: "HTTP-10",
        attack: "authority and `Host` that differ, in absolute form and in HTTP/2; user information; what they change in challenges and metadata",
        answers: &[
            "400 host_malformed",
            "401 token_missing",
            "403 host_not_allowed",
            "500 proxy_unnamed",
        ],
        test: "http_10_authority",
    },
    Row {
        id: "HTTP-12",
        attack: "health paths, probes' user agents, paths around the metadata, headers that name another path; no token",
        answers: &["401 token_missing", "404", "405", "500 proxy_unnamed"],
        test: "http_12_exemptions",
    },
];

#[tokio::test]
async fn http_08_reflected_text() {
    let mut target = Target::start("HTTP-08").await;
    let text = format!("{MARKER}\"\\, error=\"x\" é\u{202E}");
    let good = target.good();
    for (variant, token) in [
        ("sub", good.clone().subject(format!("{text}\r\nx: y"))),
        ("aud", good.clone().audience(&text)),
        ("iss", good.clone().claim("iss", text.as_str())),
        ("scope", good.clone().scope(&text)),
        ("kid", good.clone().header("kid", text.as_str())),
        ("typ", good.clone().header("typ", text.as_str())),
    ] {
        target.attack_with(variant, token.sign()).await;
    }
    // Good tokens whose text is legal, and gets as far as the policy.
    let scope = target.good().scope(format!("notes:read {MARKER}'!#<>"));
    let named = target.good().subject(&text).claim("client_id", text.as_str());
    for token in [scope, named] {
        let delete = target
            .call("tools/call", json!({ "name": "delete_all_notes" }))
            .header("mcp-name", "delete_all_notes");
        target.attack("claims of a good token", delete.token(token.sign())).await;
    }
    let token = target.good().sign();
    for line in [
        format!("POST /mcp?{MARKER}=' HTTP/1.1"),
        format!("GET /{MARKER}\"'{{}} HTTP/1.1"),
        format!("{MARKER} /mcp HTTP/1.1"),
    ] {
        target.attack(&line, target.whoami().line(&line)).await;
    }
    let line = format!("{MARKER} /{MARKER} HTTP/1.1");
    target.attack(&line, target.whoami().line(&line).token(&token)).await;
    for name in ["mcp-method", "mcp-name", "mcp-protocol-version", "host", "origin"] {
        let value = format!("{MARKER}\"<é>");
        target.attack(name, target.whoami().token(&token).replace(name, value)).await;
    }
    let name = format!("{MARKER}\"<script>");
    let unknown = target.call("tools/call", json!({ "name": name })).header("mcp-name", &name);
    target.attack("the name of a tool", unknown.token(&token)).await;
    let unknown = target.call(MARKER, json!({})).token(&token);
    target.attack("a method", unknown).await;
    let odd = target.whoami().token(&token);
    let member = format!("{{\"jsonrpc\":\"2.0\",\"é{MARKER}\":1}}");
    target.attack("a member", odd.clone().body(member)).await;
    let empty = target.call("tools/call", json!({ "uri": MARKER })).token(&token);
    target.attack("a parameter", empty).await;
    target.finish().await;
}

#[tokio::test]
async fn http_09_preflight() {
    const PERMISSION: &str = "access-control-allow-origin";
    const PAGE: &str = "http://localhost:6274";
    const LOOK_ALIKES: [&str; 9] = [
        "http://localhost:6274.evil.example",
        "http://localhost:62740",
        "http://localhost:6274/",
        "https://localhost:6274",
        "http://localhost",
        "http://evil.example/http://localhost:6274",
        "http://localhost:6274, http://evil.example",
        "http://127.0.0.1:6274",
        "null",
    ];

    let mut target = Target::start("HTTP-09").await;
    let call = target.whoami().line("OPTIONS /mcp HTTP/1.1").token(target.good().sign());
    let host = target.addr.to_string();
    // What is no preflight is a request like any other.
    for (variant, request) in [
        ("plain", Raw::new("OPTIONS /mcp HTTP/1.1").header("host", &host)),
        ("for the server", Raw::new("OPTIONS * HTTP/1.1").header("host", &host)),
        ("another host", Raw::new("OPTIONS /mcp HTTP/1.1").header("host", "evil.example")),
        ("a call", call.clone()),
        (
            "a call by another method",
            call.header("x-http-method-override", "POST").header("x-method-override", "POST"),
        ),
    ] {
        target.attack(variant, request).await;
    }
    let mut preflights = Vec::new();
    for origin in LOOK_ALIKES.into_iter().chain(["https://evil.example", PAGE, "*"]) {
        preflights.push(
            Raw::new("OPTIONS /mcp HTTP/1.1")
                .header("host", &host)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-private-network", "true")
                .header("access-control-request-headers", "authorization, x-evil"),
        );
    }
    for request in preflights {
        let answer = target.lets_pass("a preflight", request).await;
        assert_eq!(answer.body, "", "{answer:?}");
        for header in [PERMISSION, "access-control-allow-credentials", "mcp-session-id"] {
            assert_eq!(answer.header(header), None, "{answer:?}");
        }
        assert!(!answer.text.contains("x-evil"), "{answer:?}");
        target.answers.insert("200 without permission".to_owned());
    }
    let token = target.good().sign();
    let foreign = target.whoami().token(token).header("origin", "https://evil.example");
    let answer = target.attack("without preflight", foreign).await;
    assert_eq!(answer.header(PERMISSION), None);
    target.finish().await;

    // The same where one page is allowed.
    let audit = TempFile::new("look-alikes");
    let args = ["--audit", audit.0.to_str().unwrap(), "--allow-origin", PAGE];
    let server = Server::start(env!("CARGO_BIN_EXE_mcp_server"), &args).await;
    let token = server.token("notes:read").sign();
    for origin in LOOK_ALIKES {
        let preflight = server.http.request(http::Method::OPTIONS, &server.url);
        let preflight = preflight.header("access-control-request-method", "POST");
        let preflight = send(preflight.header("origin", origin), None).await;
        assert_eq!(preflight.status(), 200, "{origin}");
        assert_eq!(preflight.headers().get(PERMISSION), None, "{origin}");
        let call = server.http.post(&server.url).header("origin", origin);
        let refused = send(call, Some(&token)).await;
        assert_eq!((refused.status().as_u16(), refused.headers().get(PERMISSION)), (403, None));
    }
}

#[tokio::test]
async fn http_10_authority() {
    let mut target = Target::start("HTTP-10").await;
    let token = target.good().sign();
    let addr = target.addr;
    let good = target.whoami().token(&token);
    for uri in [
        "http://evil.example/mcp".to_owned(),
        format!("http://evil.example:{}/mcp", addr.port()),
        format!("http://{addr}.evil.example/mcp").replace(&format!(":{}", addr.port()), ""),
        format!("http://a@{addr}/mcp"),
        format!("http://evil.example@{addr}/mcp"),
        format!("http://{addr}@evil.example/mcp"),
        format!("http://localhost:{}/mcp", addr.port()),
    ] {
        target.attack(&uri, good.clone().line(format!("POST {uri} HTTP/1.1"))).await;
    }
    for (host, port) in [("evil.example", ""), ("127.0.0.1", ":1"), ("localhost", "")] {
        let uri = format!("http://{addr}/mcp");
        let request = good.clone().line(format!("POST {uri} HTTP/1.1"));
        target.attack(host, request.replace("host", format!("{host}{port}"))).await;
    }
    for scheme in ["http", "https", "ftp"] {
        let line = format!("POST {scheme}://{addr}/mcp HTTP/1.1");
        target.lets_pass(scheme, good.clone().line(line)).await;
    }
    for name in ["x-forwarded-host", "x-host", "x-original-host"] {
        target.lets_pass(name, good.clone().header(name, "host=evil.example")).await;
    }
    target.attack("forwarded", good.header("forwarded", "host=evil.example")).await;

    // Challenges and metadata lead to the configured resource, whatever host was asked for.
    let evil = target.whoami().replace("host", "evil.example");
    target.attack("a challenge", evil).await;
    let well_known = "/.well-known/oauth-protected-resource/mcp";
    for uri in [well_known.to_owned(), format!("http://evil.example{well_known}")] {
        let request = Raw::new(format!("GET {uri} HTTP/1.1"))
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https");
        let answer = target.lets_pass("metadata", request).await;
        let expected = format!("\"resource\":\"{}\"", target.url);
        assert!(answer.body.contains(&expected) && !answer.text.contains("evil"), "{answer:?}");
    }

    let resource_metadata = format!("http://{addr}/.well-known/oauth-protected-resource/mcp");
    let small = target.good().scope("unheard-of").sign();
    for (authority, host, token, expected) in [
        (addr.to_string(), None, token.as_str(), "200"),
        (addr.to_string(), Some(addr.to_string()), &token, "200"),
        (addr.to_string(), Some("evil.example".to_owned()), &token, "403 host_not_allowed"),
        ("evil.example".to_owned(), Some(addr.to_string()), &token, "403 host_not_allowed"),
        ("evil.example".to_owned(), None, &token, "403 host_not_allowed"),
        (format!("evil.example@{addr}"), None, &token, "400 host_malformed"),
        (addr.to_string(), None, "", "400 authorization_malformed"),
        (addr.to_string(), None, "x", "401 token_malformed"),
        (addr.to_string(), None, &small, "403 scope_missing"),
    ] {
        let answer = http2(&mut target, &authority, host, token).await;
        assert_eq!(answer.summary(), expected, "HTTP/2, {authority}: {answer:?}");
        answer.check_challenge(&resource_metadata);
    }
    target.finish().await;
}

/// The same request by HTTP/2, where the authority is a header of its own.
async fn http2(target: &mut Target, authority: &str, host: Option<String>, token: &str) -> Answer {
    use http_body_util::BodyExt;

    target.on_record += 1;
    let stream = TcpStream::connect(target.addr).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let (headers, body) = target.whoami().token(token).into_parts();
    let mut request = http::Request::post(format!("http://{authority}/mcp"));
    for (name, value) in headers {
        if name != "host" {
            request = request.header(name, value);
        }
    }
    if let Some(host) = host {
        request = request.header("host", host);
    }
    let body = http_body_util::Full::new(bytes::Bytes::from(body));
    let exchange = async {
        let (head, body) =
            sender.send_request(request.body(body).unwrap()).await.unwrap().into_parts();
        // As HTTP/1.1 would have it, which is what is looked at.
        let mut text = format!("HTTP/2 {}", head.status.as_u16()).into_bytes();
        for (name, value) in &head.headers {
            text.extend([b"\r\n", name.as_str().as_bytes(), b": ", value.as_bytes()].concat());
        }
        text.extend(b"\r\n\r\n");
        text.extend(body.collect().await.unwrap().to_bytes());
        Answer::parse(&text)
    };
    tokio::select! {
        answer = exchange => answer,
        ended = connection => panic!("HTTP/2, {authority}: {ended:?}"),
    }
}

#[tokio::test]
async fn http_12_exemptions() {
    let mut target = Target::start("HTTP-12").await;
    let well_known = "/.well-known/oauth-protected-resource";
    for path in [
        "/",
        "/health",
        "/healthz",
        "/ready",
        "/metrics",
        "/favicon.ico",
        "/robots.txt",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/mcp/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resources",
        "/.well-known/oauth-protected-resource%2f",
        "/.well-known//oauth-protected-resource",
        "//.well-known/oauth-protected-resource",
        "/.WELL-KNOWN/oauth-protected-resource",
        "/%2ewell-known/oauth-protected-resource",
        "/mcp?/.well-known/oauth-protected-resource",
        "/mcp/../.well-known/oauth-protected-resource",
        "/mcp;/.well-known/oauth-protected-resource",
    ] {
        for method in ["GET", "PUT", "POST"] {
            target.attack(path, target.whoami().line(format!("{method} {path} HTTP/1.1"))).await;
        }
    }
    // Below the path of the metadata there is nothing else, and nothing inside is asked.
    for path in ["/../../mcp", "/mcp/../../../mcp", "/mcp/x", "/mcp;x", "//mcp", "/%6dcp", "/MCP"] {
        for method in ["GET", "POST", "DELETE"] {
            let line = format!("{method} {well_known}{path} HTTP/1.1");
            target.attack(path, target.whoami().line(line)).await;
        }
    }
    for method in ["POST", "PUT", "DELETE"] {
        let line = format!("{method} {well_known}/mcp HTTP/1.1");
        target.attack(method, target.whoami().line(line)).await;
    }
    for (name, value) in [
        ("user-agent", "kube-probe/1.30"),
        ("user-agent", "ELB-HealthChecker/2.0"),
        ("user-agent", "GoogleHC/1.0"),
        ("x-health-check", "1"),
        ("x-skip-auth", "true"),
        ("x-internal", "1"),
        ("x-debug", "1"),
        ("x-original-url", well_known),
        ("x-rewrite-url", well_known),
        ("x-forwarded-uri", well_known),
        ("x-envoy-internal", "true"),
        ("x-middleware-subrequest", "middleware"),
        ("referer", "http://127.0.0.1/"),
        ("x-forwarded-for", "127.0.0.1"),
        ("access-control-request-method", "POST"),
    ] {
        target.attack(name, target.whoami().header(name, value)).await;
    }
    target.finish().await;
}
