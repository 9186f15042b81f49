//! The MCP Inspector: its command line with a token of somebody else's and without one, and its page.

use std::{process::Stdio, time::Duration};

use palisade_e2e::{
    Client, Flow, Issuer, READ, Row, Server, Story, Wire, artifacts, driver, node24,
};
use serde_json::{Value, json};
use tokio::{process::Command, sync::OnceCell};

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

async fn cli_row(protocol: &'static str, flow: Flow) -> Row {
    let wire = Wire::new();
    let (issuer, server) = servers(&wire).await;
    let client = Client::program(node24().unwrap())
        .args(&[&format!("{FOLDER}/cli.mjs"), server.url(), "--protocol", protocol])
        .args(if flow == Flow::Known { &["--client-id", "desktop"] } else { &[] });
    let steps = client.start().unwrap().end().await.unwrap();
    assert_eq!(steps[0]["text"], "alice, with tools:read", "{protocol}: {steps:?}");
    let deleted = steps[1].get("text").is_some_and(|text| text == "deleted");
    assert_eq!(deleted, flow == Flow::Known, "{protocol}: {steps:?}");
    let story = Story::new(wire.take(), server.origin(), issuer.url());
    Row { client: "MCP Inspector 2.12.0, CLI", protocol, flow, note: CLI, story }
}

const CLI: &str = "Each call is a process of its own, and remembers no token of the one before.";

async fn cli_rows() -> &'static [Row] {
    static ROWS: OnceCell<Vec<Row>> = OnceCell::const_new();
    let run = async || {
        vec![
            cli_row("2026-07-28", Flow::Registered).await,
            cli_row("2026-07-28", Flow::Known).await,
            cli_row("2025-11-25", Flow::Known).await,
        ]
    };
    ROWS.get_or_init(run).await
}

#[tokio::test]
async fn its_command_line_signs_in_through_a_browser_and_steps_up() {
    for row in cli_rows().await {
        assert!(row.story.calls("whoami").any(palisade_e2e::Exchange::is_success));
    }
}

/// Its page with one revision of the protocol, as one client of the authorization server.
struct PageRun {
    era: &'static str,
    protocol: &'static str,
    flow: Flow,
}

impl PageRun {
    async fn row(&self) -> Row {
        let Self { era, protocol, flow } = *self;
        let wire = Wire::new();
        let (mut issuer, server) = servers(&wire).await;
        issuer.authorization_server().ask_people(true).await.unwrap();
        let is_known = flow == Flow::Known;
        let name = format!("inspector-page-{era}-{}", if is_known { "known" } else { "registers" });
        let folder = artifacts(&name).unwrap();
        let home = folder.join("home");
        std::fs::create_dir(&home).unwrap();
        // It wants to be told a port, and that it is free.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let client = is_known.then_some("desktop");
        let settings = json!({
            "server": server.url(), "era": era, "port": port, "client": client, "home": home, "shots": folder,
        });
        let mut driver = driver("inspector.mjs", &settings).unwrap();
        assert_eq!(driver.step("connected").await.unwrap()["protocol"], protocol);
        assert_eq!(driver.step("called").await.unwrap()["text"], "alice, with tools:read");
        driver.step("refused").await.unwrap();
        if is_known {
            assert_eq!(driver.step("called").await.unwrap()["text"], "deleted");
        }
        driver.end().await.unwrap();
        let story = Story::new(wire.take(), server.origin(), issuer.url());
        Row { client: "MCP Inspector 2.12.0, page", protocol, flow, note: PAGE, story }
    }
}

const PAGE: &str =
    "Driven in headless Chromium. The page talks to the MCP server through a backend of its own.";

async fn page_rows() -> &'static [Row] {
    static ROWS: OnceCell<Vec<Row>> = OnceCell::const_new();
    const RUNS: [PageRun; 3] = [
        PageRun { era: "modern", protocol: "2026-07-28", flow: Flow::Registered },
        PageRun { era: "modern", protocol: "2026-07-28", flow: Flow::Known },
        PageRun { era: "legacy", protocol: "2025-11-25", flow: Flow::Known },
    ];
    let run = async || {
        let mut rows = Vec::new();
        for run in RUNS {
            rows.push(run.row().await);
        }
        rows
    };
    ROWS.get_or_init(run).await
}

#[tokio::test]
async fn its_page_signs_in_calls_a_tool_and_steps_up() {
    for row in page_rows().await {
        let last = row.story.calls("delete_everything").last().unwrap();
        assert_eq!(last.is_success(), row.flow == Flow::Known, "{}", row.story.transcript());
    }
}

/// For the matrix.
pub(crate) async fn rows() -> Vec<&'static Row> {
    cli_rows().await.iter().chain(page_rows().await).collect()
}
