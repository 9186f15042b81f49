//! Methods, and headers that name another method or path, to the MCP server and to the REST server.

use super::{MARKER, Row, Target, raw::Raw, rest::Rest};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "PTH-05",
        attack: "HEAD, TRACE, CONNECT, PATCH, lower case, unknown and long methods; headers and fields that name another",
        answers: &["400", "400 path_ambiguous", "403", "403 operation_not_allowed"],
        test: "pth_05_methods",
    },
    Row {
        id: "PTH-06",
        attack: "headers that name another path: `X-Original-URL`, `X-Rewrite-URL`, `X-Forwarded-Uri` and the like",
        answers: &["401 token_missing", "403", "403 operation_not_allowed"],
        test: "pth_06_paths_in_headers",
    },
];

impl Target {
    /// For methods whose refusals have no body.
    async fn attack_status(&mut self, variant: &str, request: Raw) {
        let answer = self.ask(request).await;
        assert_eq!((answer.status, answer.body.as_str()), (403, ""), "{variant}: {answer:?}");
        self.is_among(variant, &answer);
    }
}

#[tokio::test]
async fn pth_05_methods() {
    let mut target = Target::start("PTH-05").await;
    let rest = Rest::start().await;
    let long = "M".repeat(1_000);
    for method in [
        "PATCH",
        "TRACE",
        "TRACK",
        "PROPFIND",
        "COPY",
        "get",
        "Get",
        "post",
        "Post",
        "delete",
        "GETX",
        "XGET",
        "G",
        "QUERY",
        "M-SEARCH",
        "DEBUG",
        "$response",
        "tools",
        &long,
    ] {
        let request = target.whoami().line(format!("{method} /mcp HTTP/1.1")).token(target.fresh());
        let answer = target.attack(method, request.header("x-secret", MARKER)).await;
        assert!(!answer.text.contains("authorization"), "{answer:?}");
        let request = rest.request(&format!("{method} /reports/7 HTTP/1.1"));
        target.attack_rest(&rest, method, request).await;
    }
    let put = target.whoami().line("PUT /mcp HTTP/1.1").token(target.fresh());
    target.attack("PUT", put).await;
    // No body, so nothing but the status.
    let head = target.whoami().line("HEAD /mcp HTTP/1.1").token(target.fresh());
    target.attack_status("HEAD", head).await;
    let head = rest.request("HEAD /reports/7 HTTP/1.1");
    target.attack_rest(&rest, "HEAD", head).await;
    for authority in [target.addr.to_string(), "evil.example:443".to_owned()] {
        let line = format!("CONNECT {authority} HTTP/1.1");
        let connect = target.whoami().line(line).replace("host", &authority).token(target.fresh());
        if authority.starts_with("evil") {
            assert_eq!(target.ask(connect).await.summary(), "403 host_not_allowed");
        } else {
            target.attack("CONNECT", connect).await;
        }
        let connect = rest.request(&format!("CONNECT {authority} HTTP/1.1"));
        target.attack_rest(&rest, "CONNECT", connect).await;
    }
    for line in [
        "GET",
        "GET /mcp",
        "GET /mcp HTTP/1.1 x",
        "GET /mcp HTTP/3.0",
        "GET\t/mcp HTTP/1.1",
        "GET  /mcp HTTP/1.1",
        "G(T /mcp HTTP/1.1",
        "GÉT /mcp HTTP/1.1",
        "/mcp HTTP/1.1",
    ] {
        target.attack_below(line, target.whoami().line(line).token(target.fresh())).await;
    }

    // Overrides override nothing, in either direction.
    let reader = rest.server.token("reports:read").sign();
    for name in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X_HTTP_Method_Override",
        "_method",
    ] {
        let get = target.whoami().line("GET /mcp HTTP/1.1").header(name, "POST");
        let answer = target.ask(get.token(target.fresh())).await;
        assert!(answer.status >= 400 && !answer.body.contains("mallory"), "{name}: {answer:?}");
        let post = target.whoami().header(name, "DELETE").token(target.fresh());
        let answer = target.lets_pass(name, post).await;
        assert!(answer.body.contains("mallory"), "{name}: {answer:?}");

        let put = rest.request("PUT /reports/7?_method=GET HTTP/1.1").header(name, "GET");
        let put = put.replace("authorization", format!("Bearer {reader}"));
        target.attack_rest(&rest, name, put.clone().body("_method=GET")).await;
        let get = put.line("GET /reports/7?_method=PUT HTTP/1.1").replace(name, "PUT");
        let answer = rest.send(&get).await;
        assert!(answer.body.contains("\"reader\""), "{name}: {answer:?}");
    }
    target.finish().await;
}

#[tokio::test]
async fn pth_06_paths_in_headers() {
    let mut target = Target::start("PTH-06").await;
    let rest = Rest::start().await;
    for name in [
        "X-Original-URL",
        "X-Original-Uri",
        "X-Rewrite-URL",
        "X-Forwarded-Uri",
        "X-Forwarded-Path",
        "X-Forwarded-Prefix",
        "X-Script-Name",
        "X-Replaced-Path",
        "X-Envoy-Original-Path",
        "X-Http-Destinationurl",
        "X-Matched-Path",
        "Content-Location",
        "Destination",
        "Referer",
        "x-middleware-subrequest",
        "x-middleware-rewrite",
    ] {
        for path in ["/.well-known/oauth-protected-resource/mcp", "/health"] {
            target.attack(name, target.whoami().header(name, path)).await;
        }
        let elsewhere = target.whoami().line("GET /admin HTTP/1.1").header(name, "/mcp");
        target.attack(name, elsewhere.token(target.fresh())).await;

        let salaries = rest.request("GET /salaries HTTP/1.1").header(name, "/reports/7");
        target.attack_rest(&rest, name, salaries).await;
        let report = rest.request("GET /reports/7 HTTP/1.1").header(name, "/reports/8");
        let answer = rest.send(&report).await;
        assert!(answer.body.contains("\"id\":\"7\""), "{name}: {answer:?}");
    }
    target.finish().await;
}
