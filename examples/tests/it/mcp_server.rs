use palisade_test_issuer::Retire;
use reqwest::{
    RequestBuilder, Response,
    header::{HeaderMap, HeaderName},
};
use serde_json::{Value, json};

use crate::support::{Server, TempFile, challenge, send};

async fn start(audit: &TempFile) -> Server {
    let file = audit.0.to_str().unwrap();
    Server::start(env!("CARGO_BIN_EXE_mcp_server"), &["--audit", file]).await
}

/// A request of revision 2026-07-28.
fn request(server: &Server, method: &str, tool: Option<&str>) -> RequestBuilder {
    let mut params = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    } });
    let mut request = server
        .http
        .post(&server.url)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if let Some(tool) = tool {
        params["name"] = tool.into();
        params["arguments"] = json!({ "text": "milk" });
        request = request.header("mcp-name", tool);
    }
    request.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
}

async fn call(server: &Server, token: &str, tool: &str) -> Response {
    send(request(server, "tools/call", Some(tool)), Some(token)).await
}

async fn error(response: Response) -> Value {
    let body: Value = response.json().await.unwrap();
    body["error"].clone()
}

#[tokio::test]
async fn tools_know_on_whose_authority_they_are_called() {
    let audit = TempFile::new("tools");
    let server = start(&audit).await;
    let alice = server.token("notes:write").sign();
    let bob = server.token("notes:write").subject("bob").sign();
    assert_eq!(call(&server, &alice, "add_note").await.status(), 200);
    assert!(call(&server, &alice, "list_notes").await.text().await.unwrap().contains("milk"));
    assert!(call(&server, &bob, "list_notes").await.text().await.unwrap().contains("no notes"));
    let whoami = call(&server, &alice, "whoami").await.text().await.unwrap();
    assert!(whoami.contains("alice of ") && whoami.contains("notes:write"), "{whoami}");
}

#[tokio::test]
async fn refusals_are_json_rpc_errors_with_the_status_that_clients_act_on() {
    let audit = TempFile::new("refusals");
    let server = start(&audit).await;
    let token = server.token("notes:read").sign();

    let refused = send(request(&server, "tools/list", None), None).await;
    assert_eq!(refused.status(), 401);
    assert!(challenge(&refused).starts_with("Bearer scope=\"notes:read\", resource_metadata="));
    assert_eq!(error(refused).await["data"]["reason"], "token_missing");

    let refused = call(&server, &token, "delete_all_notes").await;
    assert_eq!(refused.status(), 403);
    assert!(challenge(&refused).contains("scope=\"notes:admin notes:write\""));
    assert_eq!(error(refused).await["data"]["reason"], "scope_missing");

    let refused = call(&server, &token, "unheard_of").await;
    assert_eq!(refused.status(), 403);
    assert_eq!(challenge(&refused), "", "no scope would help");

    let harmless =
        HeaderMap::from_iter([(HeaderName::from_static("mcp-name"), "whoami".parse().unwrap())]);
    let lying = request(&server, "tools/call", Some("delete_all_notes")).headers(harmless);
    let refused = send(lying, Some(&token)).await;
    assert_eq!(refused.status(), 400, "MCP-06: header and body disagree");
    assert_eq!(error(refused).await["code"], -32020);

    let foreign = request(&server, "tools/list", None).header("origin", "https://evil.example");
    let refused = send(foreign, Some(&token)).await;
    assert_eq!(refused.status(), 403, "MCP-12: DNS rebinding");
}

#[tokio::test]
async fn a_rotation_fails_no_request_and_a_withdrawn_key_no_longer_counts() {
    let audit = TempFile::new("rotation");
    let server = start(&audit).await;
    let before = server.token("notes:read").sign();
    assert_eq!(send(request(&server, "tools/list", None), Some(&before)).await.status(), 200);
    server.issuer.rotate(Retire::DropPrevious).unwrap();
    let after = server.token("notes:read").sign();
    assert_eq!(send(request(&server, "tools/list", None), Some(&after)).await.status(), 200);
    // The set that brought the new key no longer holds the old one.
    assert_eq!(send(request(&server, "tools/list", None), Some(&before)).await.status(), 401);
}

#[tokio::test]
async fn every_request_is_on_record_and_no_token_is() {
    let audit = TempFile::new("records");
    let server = start(&audit).await;
    let token = server.token("notes:read").claim("act", json!({ "sub": "robot" })).sign();
    call(&server, &token, "whoami").await.text().await.unwrap();
    call(&server, &token, "delete_all_notes").await.text().await.unwrap();
    send(request(&server, "tools/list", None), None).await.text().await.unwrap();
    let text = audit.lines(3).await;
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [called, refused, unknown] = records.as_slice() else { panic!("{text}") };
    assert_eq!(called["outcome"], "answered");
    assert_eq!(called["principal"]["subject"], "alice");
    assert_eq!(
        called["principal"]["actors"][0]["subject"], "robot",
        "on whose behalf, and by whom"
    );
    assert_eq!(called["operation"]["name"], "tools/call");
    assert_eq!(called["operation"]["target"], "whoami");
    assert_eq!(called["client"], "127.0.0.1");
    assert_eq!((&refused["outcome"], &refused["status"]), (&"denied".into(), &403.into()));
    assert_eq!(refused["stage"], "scope-policy");
    assert_eq!(refused["required_scopes"], json!(["notes:admin", "notes:write"]));
    assert_eq!(
        (&unknown["stage"], &unknown["reason"]),
        (&"token-verify".into(), &"token_missing".into())
    );
    assert!(!text.contains("eyJ"), "no part of a token is on record");
}

#[tokio::test]
async fn behind_a_proxy_clients_are_told_the_url_that_they_call() {
    const PUBLIC: &str = "https://notes.example.com/tenant/mcp";
    let audit = TempFile::new("proxy");
    let file = audit.0.to_str().unwrap();
    let args = ["--audit", file, "--behind-proxy", "--public-url", PUBLIC];
    let server = Server::start(env!("CARGO_BIN_EXE_mcp_server"), &args).await;
    let token = server.token("notes:read").audience(PUBLIC).sign();
    let proxied = |request: RequestBuilder| {
        request.header("host", "notes.example.com").header("x-forwarded-for", "198.51.100.7")
    };
    let over = |scheme: &str| {
        proxied(request(&server, "tools/list", None)).header("x-forwarded-proto", scheme)
    };
    assert_eq!(send(over("https"), Some(&token)).await.status(), 200);
    assert_eq!(send(over("http"), Some(&token)).await.status(), 403);
    let url = "https://notes.example.com/.well-known/oauth-protected-resource/tenant/mcp";
    assert!(challenge(&send(over("https"), None).await).contains(url));
    // Whether or not the proxy takes the prefix out of that as well.
    for path in ["tenant/mcp", "mcp"] {
        let path = format!("/.well-known/oauth-protected-resource/{path}");
        let answer = proxied(server.http.get(server.at(&path))).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap()["resource"], PUBLIC, "{path}");
    }
}

#[tokio::test]
async fn a_browser_on_an_allowed_page_can_read_refusals() {
    const PAGE: &str = "http://localhost:6274";
    let audit = TempFile::new("cors");
    let file = audit.0.to_str().unwrap();
    let program = env!("CARGO_BIN_EXE_mcp_server");
    let server = Server::start(program, &["--audit", file, "--allow-origin", PAGE]).await;

    let preflight = server
        .http
        .request(reqwest::Method::OPTIONS, &server.url)
        .header("origin", PAGE)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,mcp-protocol-version")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), 200, "before any token");
    assert_eq!(preflight.headers()["access-control-allow-origin"], PAGE);

    let refused = send(request(&server, "tools/list", None).header("origin", PAGE), None).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], PAGE);
    let exposed = refused.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("www-authenticate"), "{exposed}");
}
