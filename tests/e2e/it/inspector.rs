//! The MCP Inspector: its command line with a token of somebody else's and without one, and its page.

use std::{process::Stdio, time::Duration};

use palisade_e2e::{Client, Issuer, READ, Server, WRITE, Wire, artifacts, driver, node24};
use serde_json::{Value, json};
use tokio::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/inspector");
const ERAS: [(&str, &str); 2] = [("modern", "2026-07-28"), ("legacy", "2025-11-25")];

async fn servers(wire: &Wire) -> (Issuer, Server) {
    let mut issuer = Issuer::start(wire).await.unwrap();
    let server = Server::builder(wire, issuer.url()).start().await.unwrap();
    issuer.serve(&[server.url()]).await.unwrap();
    (issuer, server)
}

/// An end of the Inspector's command line: its exit code, and what it said.
struct Ended {
    code: Option<i32>,
    out: Value,
    error: Value,
}

async fn cli(server: &Server, home: &str, arguments: &[&str]) -> Ended {
    let launcher = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";
    let output = Command::new(node24().unwrap())
        .arg(launcher)
        .args(["--cli", server.url(), "--transport", "http", "--format", "json", "--quiet"])
        .args(arguments)
        .current_dir(FOLDER)
        .env_clear()
        .env("HOME", home)
        .env("MCP_INSPECTOR_SECRET_STORE", "memory")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await.unwrap().unwrap();
    // Beside JSON there are remarks.
    let json = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let found = text.lines().find_map(|line| serde_json::from_str(line).ok());
        found.unwrap_or(Value::String(text))
    };
    Ended { code: output.status.code(), out: json(&output.stdout), error: json(&output.stderr) }
}

async fn token(issuer: &Issuer, server: &Server) -> String {
    let form = [("grant_type", "client_credentials"), ("resource", server.url()), ("scope", READ)];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let answer = reqwest::Client::new()
        .post(format!("{}/token", issuer.url()))
        .basic_auth("app", Some("app-secret"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn its_command_line_lists_and_calls_with_a_token_that_it_is_given() {
    let wire = Wire::new();
    let (issuer, server) = servers(&wire).await;
    let header = format!("Authorization: Bearer {}", token(&issuer, &server).await);
    let home = artifacts("inspector-token").unwrap();
    for (era, protocol) in ERAS {
        let with = ["--header", &header, "--protocol-era", era, "--method"];
        let home = home.to_str().unwrap();
        let listed = cli(&server, home, &[&with[..], &["tools/list"]].concat()).await;
        assert_eq!(listed.code, Some(0), "{era}: {}", listed.error);
        let tools = listed.out.pointer("/result/tools").and_then(Value::as_array).unwrap();
        assert_eq!(tools.len(), 3, "{era}: {}", listed.out);

        let call = ["tools/call", "--tool-name", "whoami"];
        let called = cli(&server, home, &[&with[..], &call].concat()).await;
        assert_eq!(
            called.out.pointer("/result/content/0/text"),
            Some(&"app, with tools:read".into()),
            "{era}: {} {}",
            called.out,
            called.error
        );
        let versions = wire
            .take()
            .into_iter()
            .filter_map(|exchange| exchange.header("mcp-protocol-version").map(ToOwned::to_owned));
        assert!(versions.into_iter().all(|version| version == protocol), "{era}");
    }
}

#[tokio::test]
async fn its_command_line_says_auth_required_when_it_may_not_ask_anybody() {
    let wire = Wire::new();
    let (_issuer, server) = servers(&wire).await;
    let home = artifacts("inspector-nobody").unwrap();
    for (era, _) in ERAS {
        let arguments = ["--stored-auth-only", "--protocol-era", era, "--method", "tools/list"];
        let ended = cli(&server, home.to_str().unwrap(), &arguments).await;
        assert_eq!(ended.code, Some(3), "{era}: {}", ended.error);
        assert_eq!(ended.error.pointer("/error/code"), Some(&"auth_required".into()), "{era}");
    }
}

#[tokio::test]
async fn its_command_line_signs_in_through_a_browser() {
    let wire = Wire::new();
    let (_issuer, server) = servers(&wire).await;
    for (_, protocol) in ERAS {
        let client = Client::program(node24().unwrap())
            .args(&[&format!("{FOLDER}/cli.mjs"), server.url(), "--protocol", protocol])
            .args(&["--client-id", "desktop"]);
        let steps = client.start().unwrap().end().await.unwrap();
        assert_eq!(
            steps,
            [
                json!({ "step": "called", "tool": "whoami", "text": "alice, with tools:read" }),
                json!({ "step": "called", "tool": "delete_everything", "text": "deleted" }),
                json!({ "step": "done" }),
            ],
            "{protocol}"
        );
    }
}

/// Registers a client that may ask for more than the challenge says, at the address where the page will be.
async fn registered(issuer: &Issuer, redirect: &str) -> String {
    let body = json!({
        "redirect_uris": [redirect],
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": format!("{READ} {WRITE} offline_access"),
    });
    let answer = reqwest::Client::new()
        .post(format!("{}/reg", issuer.url()))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    answer["client_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn its_page_signs_in_calls_a_tool_and_steps_up() {
    let wire = Wire::new();
    let (mut issuer, server) = servers(&wire).await;
    issuer.authorization_server().ask_people(true).await.unwrap();
    let shots = artifacts("inspector-page").unwrap();
    for (era, protocol) in ERAS {
        // It wants to be told a port, and that it is free.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let redirect = format!("http://127.0.0.1:{port}/oauth/callback");
        let client = registered(&issuer, &redirect).await;
        let home = artifacts(&format!("inspector-page-{era}")).unwrap();
        let settings = json!({
            "server": server.url(), "era": era, "port": port, "client": client, "home": home, "shots": shots,
        });
        let driver = driver("inspector.mjs", &settings).unwrap();
        let steps = driver.end().await.unwrap();
        let steps: Vec<Value> =
            steps.into_iter().filter(|step| step["step"] != "refused").collect();
        assert_eq!(
            steps,
            [
                json!({ "step": "connected", "protocol": protocol }),
                json!({ "step": "called", "tool": "whoami", "text": "alice, with tools:read" }),
                json!({ "step": "called", "tool": "delete_everything", "text": "deleted" }),
                json!({ "step": "done" }),
            ],
            "{era}"
        );
    }
}
