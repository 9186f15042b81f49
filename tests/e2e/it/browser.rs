//! A page of another origin, in Chromium: only there CORS is really met.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use palisade_e2e::{
    Answers, Client, Credential, Exchange, Flow, Issuer, Page, Part, Party, Row, Server, Story,
    Wire, Withheld, artifacts, driver,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// Everything around the page.
struct Scene {
    wire: Wire,
    page: Page,
    issuer: Issuer,
    server: Server,
    withheld: Withheld,
}

impl Scene {
    async fn set() -> Self {
        let (wire, withheld) = (Wire::new(), Withheld::default());
        let page = Page::serve().await.unwrap();
        let mut issuer = Issuer::start(&wire).await.unwrap();
        issuer.authorization_server().ask_people(true).await.unwrap();
        let server =
            Server::builder(&wire, issuer.url()).cors(page.origin()).withholding(&withheld);
        let server = server.start().await.unwrap();
        issuer.serve(&[server.url()]).await.unwrap();
        Self { wire, page, issuer, server, withheld }
    }

    fn driver(&self, mode: &str, client: Option<&str>, more: &Value) -> Client {
        let mut settings =
            json!({ "page": self.page.origin(), "server": self.server.url(), "mode": mode });
        let settings_map = settings.as_object_mut().unwrap();
        settings_map.extend(more.as_object().unwrap().clone());
        if let Some(client) = client {
            settings_map.insert("client".to_owned(), client.into());
        }
        driver("page.mjs", &settings).unwrap()
    }
}

async fn run(driver: &mut Client) -> Value {
    driver.step("waiting").await.unwrap();
    driver.go_on().await.unwrap();
    driver.step("ran").await.unwrap()
}

pub(crate) const CLIENT: &str = "TypeScript SDK 2.4.0 in a page, Chromium";

const NOTE: &str = "\
    Its origin is not the server's, and every answer passed the browser's checks. Preflights are left out: a browser \
    remembers what was allowed, for a while.";

async fn row(protocol: &'static str, flow: Flow) -> Row {
    let scene = Scene::set().await;
    let mode = if protocol == "2026-07-28" { protocol } else { "legacy" };
    let is_known = flow == Flow::Known;
    let name = format!("page-{mode}-{}", if is_known { "known" } else { "registers" });
    let shots = artifacts(&name).unwrap();
    let client = is_known.then_some("desktop");
    let mut driver = scene.driver(mode, client, &json!({ "shots": shots }));
    let ran = run(&mut driver).await;
    driver.end().await.unwrap();
    // The authorization server gives no more to those who registered themselves.
    assert_eq!(ran["reached"], if is_known { "left" } else { "called" }, "{protocol}: {ran}");

    let challenge = |status: u16| {
        let seen = ran["seen"].as_array().unwrap().iter().find(|seen| seen[0] == status);
        seen.and_then(|seen| seen[2].as_str()).unwrap_or_default()
    };
    let metadata = format!("resource_metadata=\"{}/.well-known/", scene.server.origin());
    assert!(challenge(401).contains(&metadata), "the page reads it: {ran}");
    assert!(challenge(403).contains("error=\"insufficient_scope\""), "and that: {ran}");

    let exchanges = scene.wire.take().into_iter();
    let exchanges = exchanges.filter(|exchange| exchange.method != Method::OPTIONS).collect();
    let story = Story::new(exchanges, scene.server.origin(), scene.issuer.url());
    Row { client: CLIENT, protocol, flow, note: NOTE, story }
}

/// For the matrix.
pub(crate) async fn rows() -> Vec<&'static Row> {
    static ROWS: OnceCell<Vec<Row>> = OnceCell::const_new();
    let run = async || {
        vec![
            row("2026-07-28", Flow::Registered).await,
            row("2026-07-28", Flow::Known).await,
            row("2025-11-25", Flow::Known).await,
        ]
    };
    ROWS.get_or_init(run).await.iter().collect()
}

#[tokio::test]
async fn a_page_of_another_origin_signs_in_calls_a_tool_and_steps_up() {
    for row in rows().await {
        let last = row.story.calls("delete_everything").last().unwrap();
        assert_eq!(last.is_success(), row.flow == Flow::Known, "{}", row.story.transcript());
    }
}

const ORIGIN: &str = "access-control-allow-origin";
const HEADERS: &str = "access-control-allow-headers";
const METHODS: &str = "access-control-allow-methods";
const EXPOSED: &str = "access-control-expose-headers";

/// What the SDK sends beside what is always allowed, and how far the page comes when that is not.
const SENT: &[(&str, &str, &str)] = &[
    ("2026-07-28", "authorization", "opened"),
    ("2026-07-28", "content-type", "opened"),
    ("2026-07-28", "mcp-method", "opened"),
    // Connecting takes no tool's name.
    ("2026-07-28", "mcp-name", "connected"),
    ("2026-07-28", "mcp-protocol-version", "opened"),
    ("legacy", "authorization", "opened"),
    ("legacy", "content-type", "opened"),
    ("legacy", "mcp-protocol-version", "opened"),
    ("legacy", "mcp-session-id", "opened"),
];

/// What else is needed of CORS: the protocol, what is withheld, and how far the page comes.
const NEEDED: &[(&str, Answers, &str, Option<&str>, &str)] = &[
    ("2026-07-28", Answers::Preflights, ORIGIN, None, "opened"),
    ("2026-07-28", Answers::Preflights, HEADERS, None, "opened"),
    ("2026-07-28", Answers::Metadata, ORIGIN, None, "opened"),
    ("2026-07-28", Answers::Of(StatusCode::UNAUTHORIZED), ORIGIN, None, "opened"),
    ("2026-07-28", Answers::Of(StatusCode::OK), ORIGIN, None, "opened"),
    ("2026-07-28", Answers::Of(StatusCode::FORBIDDEN), ORIGIN, None, "called"),
    ("2026-07-28", Answers::Calls, EXPOSED, None, "called"),
    ("2026-07-28", Answers::Calls, EXPOSED, Some("www-authenticate"), "called"),
    // POST is always allowed, and so is GET. Sessions end with a DELETE.
    ("legacy", Answers::Preflights, METHODS, None, "stepped up"),
    ("legacy", Answers::Preflights, METHODS, Some("delete"), "stepped up"),
    ("legacy", Answers::Calls, EXPOSED, Some("mcp-session-id"), "opened"),
    ("legacy", Answers::Of(StatusCode::ACCEPTED), ORIGIN, None, "opened"),
    // The SDK asks for the document once more, without its own header, which needs no preflight.
    ("2026-07-28", Answers::MetadataPreflights, ORIGIN, None, "left"),
    ("2026-07-28", Answers::MetadataPreflights, HEADERS, None, "left"),
    ("2026-07-28", Answers::MetadataPreflights, METHODS, None, "left"),
];

#[tokio::test]
async fn without_any_one_part_of_cors_the_page_fails() {
    let scene = Scene::set().await;
    for mode in ["2026-07-28", "legacy"] {
        let sent = SENT.iter().filter(|row| row.0 == mode).map(|&(_, item, reached)| {
            (Part { of: Answers::Preflights, header: HEADERS, item: Some(item) }, reached)
        });
        let needed = NEEDED.iter().filter(|row| row.0 == mode);
        let needed =
            needed.map(|&(_, of, header, item, reached)| (Part { of, header, item }, reached));
        let rows: Vec<_> = sent.chain(needed).collect();

        let _ = scene.wire.take();
        let mut driver = scene.driver(mode, Some("desktop"), &json!({ "runs": rows.len() + 1 }));
        let whole = run(&mut driver).await;
        assert_eq!(whole["reached"], "left", "{mode}, nothing withheld: {whole}");
        let listed = SENT.iter().filter(|row| row.0 == mode).map(|row| row.1.to_owned()).collect();
        let exchanges = scene.wire.take();
        for (of, header) in of_cors(&exchanges) {
            let needed = NEEDED.iter().any(|row| answers(row.1) == of && row.2 == header);
            assert!(
                needed || DISPENSABLE.contains(&header),
                "{mode}: no row for {header} of {of:?}"
            );
        }
        assert_eq!(
            set_by_the_script(&exchanges),
            listed,
            "{mode}: each header that the SDK sends has a row"
        );

        let mut wrong = Vec::new();
        for (part, reached) in rows {
            scene.withheld.set(Some(part));
            let ran = run(&mut driver).await;
            scene.withheld.set(None);
            if ran["reached"] != reached {
                wrong.push(format!("without {part:?}: {ran}"));
            }
        }
        assert!(wrong.is_empty(), "{mode}\n{}", wrong.join("\n"));
        driver.end().await.unwrap();
    }
}

/// That browsers may remember answers to preflights makes fewer of them.
const DISPENSABLE: &[&str] = &["access-control-max-age"];

/// Whose answers: to preflights or not, and of the endpoint or of the document.
fn answers(answers: Answers) -> (bool, bool) {
    match answers {
        Answers::Preflights => (true, false),
        Answers::MetadataPreflights => (true, true),
        Answers::Metadata => (false, true),
        Answers::Of(_) | Answers::Calls => (false, false),
    }
}

/// The headers of CORS that the server sent, and in which answers.
fn of_cors(exchanges: &[Exchange]) -> BTreeSet<((bool, bool), &str)> {
    let at_server = exchanges.iter().filter(|exchange| exchange.to == Party::Server);
    let headers = at_server.flat_map(|exchange| {
        let is_metadata = exchange.path().starts_with("/.well-known/");
        let of = (exchange.method == Method::OPTIONS, is_metadata);
        exchange.answer_headers.keys().map(move |name| (of, name.as_str()))
    });
    headers.filter(|(_, name)| name.starts_with("access-control-")).collect()
}

/// The headers that the page's script set, which a server has to allow (Fetch, "CORS-safelisted request-header"). They
/// are not all in preflights, because a browser remembers what was allowed.
fn set_by_the_script(exchanges: &[Exchange]) -> BTreeSet<String> {
    let by_the_browser = |name: &str| {
        let names =
            ["accept", "accept-encoding", "accept-language", "connection", "content-length"];
        let more = ["host", "origin", "referer", "user-agent"];
        names.contains(&name) || more.contains(&name) || name.starts_with("sec-")
    };
    let mut names = BTreeSet::new();
    for call in
        exchanges.iter().filter(|call| call.to == Party::Server && call.method != Method::OPTIONS)
    {
        let headers = call.headers.keys().map(|name| name.as_str().to_owned());
        names.extend(headers.filter(|name| !by_the_browser(name)));
        if call.credential != Credential::None {
            names.insert("authorization".to_owned());
        }
    }
    names
}
