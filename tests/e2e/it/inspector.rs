//! The MCP Inspector: its command line with a token of somebody else's and without one, and its page.

use std::{process::Stdio, time::Duration};

use palisade_e2e::{
    Client, Flow, Issuer, READ, Row, Server, Story, Wire, artifacts, driver, node24,
};
use serde_json::{Value, json};
use tokio::{process::Command, sync::OnceCell};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/inspector");
pub(crate) const CLI: &str = "MCP Inspector 2.12.0, CLI";
pub(crate) const PAGE: &str = "MCP Inspector 2.12.0, page";
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

async fn cli(url: &str, home: &str, arguments: &[&str]) -> Ended {
    let launcher = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";
    let output = Command::new(node24().unwrap())
        .arg(launcher)
        .args(["--cli", url, "--transport", "http", "--format", "json", "--quiet"])
        .args(arguments)
        .current_dir(FOLDER)
        .env_clear()
        .env("HOME", home)
        .env("MCP_INSPECTOR_SECRET_STORE", "memory")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(90), output).await.unwrap().unwrap();
    // Beside JSON there are remarks.
    let json = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let found = text.lines().find_map(|line| serde_json::from_str(line).ok());
        found.unwrap_or(Value::String(text))
    };
    Ended { code: output.status.code(), out: json(&output.stdout), error: json(&output.stderr) }
}

#[tokio::test]
async fn its_command_line_lists_and_calls_with_a_token_that_it_is_given() {
    let wire = Wire::new();
    let (mut issuer, server) = servers(&wire).await;
    let token = issuer.authorization_server().token(server.url(), READ).await.unwrap();
    let header = format!("Authorization: Bearer {token}");
    let home = artifacts("inspector-token").unwrap();
    for (era, protocol) in ERAS {
        let with = ["--header", &header, "--protocol-era", era, "--method"];
        let home = home.to_str().unwrap();
        let listed = cli(server.url(), home, &[&with[..], &["tools/list"]].concat()).await;
        assert_eq!(listed.code, Some(0), "{era}: {}", listed.error);
        let tools = listed.out.pointer("/result/tools").and_then(Value::as_array).unwrap();
        assert_eq!(tools.len(), 4, "{era}: {}", listed.out);

        let call = ["tools/call", "--tool-name", "whoami"];
        let called = cli(server.url(), home, &[&with[..], &call].concat()).await;
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

/// Attack of a server on its neighbour, by way of a client that was given the wrong token.
#[tokio::test]
async fn its_command_line_with_a_token_of_the_neighbour_is_refused() {
    let wire = Wire::new();
    let mut issuer = Issuer::start(&wire).await.unwrap();
    let server = Server::builder(&wire, issuer.url()).at("/notes/mcp").at("/mail/mcp");
    let server = server.start().await.unwrap();
    issuer.serve(&server.urls()).await.unwrap();
    let [notes, mail] = server.urls()[..] else { panic!("two endpoints") };
    let token = issuer.authorization_server().token(notes, READ).await.unwrap();
    let header = format!("Authorization: Bearer {token}");
    let home = artifacts("inspector-neighbour").unwrap();
    for (era, _) in ERAS {
        let with = ["--header", &header, "--protocol-era", era, "--method", "tools/list"];
        let home = home.to_str().unwrap();
        let own = cli(notes, home, &with).await;
        assert_eq!(own.code, Some(0), "{era}: {}", own.error);
        drop(server.records());
        // Else it would ask a person for a token of the right kind.
        let refused = cli(mail, home, &[&with[..], &["--stored-auth-only"]].concat()).await;
        assert_ne!(refused.code, Some(0), "{era}: {}", refused.out);
        let records = server.records();
        let denials = records.iter().filter_map(|record| record.outcome.denial());
        let reasons: Vec<_> = denials.map(|denial| denial.reason().code()).collect();
        assert_eq!(reasons.first(), Some(&"audience_mismatch"), "{era}: {reasons:?}");
        assert_eq!(reasons.len(), records.len(), "{era}: nothing is let through");
    }
}

#[tokio::test]
async fn its_command_line_says_auth_required_when_it_may_not_ask_anybody() {
    let wire = Wire::new();
    let (_issuer, server) = servers(&wire).await;
    let home = artifacts("inspector-nobody").unwrap();
    for (era, _) in ERAS {
        let arguments = ["--stored-auth-only", "--protocol-era", era, "--method", "tools/list"];
        let ended = cli(server.url(), home.to_str().unwrap(), &arguments).await;
        assert_eq!(ended.code, Some(3), "{era}: {}", ended.error);
        assert_eq!(ended.error.pointer("/error/code"), Some(&"auth_required".into()), "{era}");
    }
}

async fn cli_row(protocol: &'static str, flow: Flow) -> Row {
    let wire = Wire::new();
    let (issuer, server) = servers(&wire).await;
    let client = Client::program(node24().unwrap())
        .args(&[&format!("{FOLDER}/cli.mjs"), server.url(), "--protocol", protocol, "--home"])
        .arg(artifacts(&format!("inspector-cli-{protocol}-{flow:?}").to_lowercase()).unwrap())
        .args(if flow == Flow::Known { &["--client-id", "desktop"] } else { &[] });
    let steps = client.start().unwrap().end().await.unwrap();
    assert_eq!(steps[0]["text"], "alice, with tools:read", "{protocol}: {steps:?}");
    let deleted = steps[1].get("text").is_some_and(|text| text == "deleted");
    assert_eq!(deleted, flow == Flow::Known, "{protocol}: {steps:?}");
    let story = Story::new(wire.take(), server.origin(), issuer.url());
    Row { client: CLI, protocol, flow, note: CLI_NOTE, story }
}

const CLI_NOTE: &str =
    "Each call is a process of its own, and remembers no token of the one before.";

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
        let client = is_known.then_some("desktop");
        let settings = json!({
            "server": server.url(), "era": era, "client": client, "home": home, "shots": folder,
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
        Row { client: PAGE, protocol, flow, note: PAGE_NOTE, story }
    }
}

const PAGE_NOTE: &str =
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
