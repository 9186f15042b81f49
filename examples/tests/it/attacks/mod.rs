//! Known attacks on resource servers, carried out on the running `mcp_server`. What it answers is listed in
//! `docs/attacks.md`, by the same ids.
//!
//! A row is one test: it starts a server with an issuer of its own, sends every variant of the attack over a
//! socket, byte by byte, and ends with [`Target::finish`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test that panics has failed, which is what it is for"
)]

mod algorithms;
mod audiences;
mod bodies;
mod calls;
mod canned;
mod claims;
mod document;
mod encoding;
mod endpoint;
mod exchange;
mod flow;
mod framing;
mod header;
mod json;
mod key_fetching;
mod key_references;
mod key_rotation;
mod key_sets;
mod messages;
mod methods;
mod paths;
mod plain_http;
mod raw;
mod rest;
mod rsa;
mod scopes;
mod sessions;
mod signatures;
mod transport;

use std::{collections::BTreeSet, net::SocketAddr, process::Stdio, time::Duration};

use palisade_test_issuer::{TestIssuer, TestIssuerBuilder, TokenBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{sleep, timeout},
};

use self::raw::{Answer, Raw};
use crate::support::TempFile;

/// Longer than any of this takes, shorter than a hanging test.
const PATIENCE: Duration = Duration::from_secs(30);

/// Put this where an attacker chooses the text: no answer may repeat it.
const MARKER: &str = "zzmarkerzz";

/// All rows, by section.
const SECTIONS: &[&[Row]] = &[
    algorithms::ROWS,
    signatures::ROWS,
    key_references::ROWS,
    header::ROWS,
    encoding::ROWS,
    json::ROWS,
    claims::ROWS,
    audiences::ROWS,
    key_sets::ROWS,
    key_fetching::ROWS,
    key_rotation::ROWS,
    transport::ROWS,
    plain_http::ROWS,
    exchange::ROWS,
    framing::ROWS,
    scopes::ROWS,
    messages::ROWS,
    calls::ROWS,
    endpoint::ROWS,
    sessions::ROWS,
    paths::ROWS,
    methods::ROWS,
    bodies::ROWS,
];

/// One row of `docs/attacks.md` that a running server can show.
struct Row {
    id: &'static str,
    /// What is sent, in one line.
    attack: &'static str,
    /// All answers that occur, sorted: the status, and `error.data.reason` where there is one.
    answers: &'static [&'static str],
    /// The name of the test.
    test: &'static str,
}

/// Who talks to the server.
#[derive(Clone, Copy)]
enum Front {
    Clients,
    /// One that ends TLS.
    Proxy,
}

impl Front {
    const fn args(self) -> &'static [&'static str] {
        match self {
            Self::Clients => &[],
            Self::Proxy => &["--behind-proxy"],
        }
    }

    /// What a proxy adds to each request.
    fn pass_on(self, request: Raw) -> Raw {
        match self {
            Self::Clients => request,
            Self::Proxy => {
                request.header("x-forwarded-for", "192.0.2.66").header("x-forwarded-proto", "https")
            }
        }
    }
}

/// A server under attack, for one row.
struct Target {
    row: &'static Row,
    front: Front,
    url: String,
    addr: SocketAddr,
    issuer: TestIssuer,
    answers: BTreeSet<String>,
    on_record: usize,
    audit: TempFile,
    stderr: TempFile,
    _process: Child,
}

impl Target {
    /// A server that was seen to let a good token pass.
    async fn start(id: &str) -> Self {
        Self::start_with(id, TestIssuer::builder()).await
    }

    async fn start_with(id: &str, issuer: TestIssuerBuilder) -> Self {
        let mut target = Self::start_cold(id, issuer.start().await.unwrap()).await;
        let good = target.good().sign();
        target.lets_pass("what the attack departs from", target.whoami().token(&good)).await;
        target
    }

    /// A server that nobody has talked to.
    async fn start_cold(id: &str, issuer: TestIssuer) -> Self {
        Self::spawn(id, issuer, Front::Clients).await
    }

    /// The same row on a server that is told of a proxy in front, which is us.
    async fn next_behind_proxy(mut self) -> Self {
        self.check_traces().await;
        let (id, answers) = (self.row.id, std::mem::take(&mut self.answers));
        drop(self);
        let issuer = TestIssuer::builder().start().await.unwrap();
        Self { answers, ..Self::spawn(id, issuer, Front::Proxy).await }
    }

    async fn spawn(id: &str, issuer: TestIssuer, front: Front) -> Self {
        let row = SECTIONS.iter().copied().flatten().find(|row| row.id == id).unwrap();
        let [audit, stderr] =
            ["audit", "stderr"].map(|name| TempFile::new(&format!("{id}-{name}")));
        let mut process = Command::new(env!("CARGO_BIN_EXE_mcp_server"))
            .args(["--issuer", issuer.issuer(), "--audit", audit.0.to_str().unwrap()])
            .args(front.args())
            .env("RUST_LOG", "debug")
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&stderr.0).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        let url = line.strip_prefix("listening on ").unwrap().to_owned();
        let addr = url.strip_prefix("http://").unwrap().trim_end_matches("/mcp").parse().unwrap();
        let answers = BTreeSet::new();
        let on_record = 0;
        Self { row, front, url, addr, issuer, answers, on_record, audit, stderr, _process: process }
    }

    /// A token that is good until you spoil it.
    fn good(&self) -> TokenBuilder {
        self.issuer.mint().subject("mallory").audience(&self.url).scope("notes:read")
    }

    /// The claims of a good token, by another issuer's key.
    fn claims_of(&self, attacker: TokenBuilder) -> TokenBuilder {
        attacker
            .claim("iss", self.issuer.issuer())
            .subject("mallory")
            .audience(&self.url)
            .scope("notes:read notes:write notes:admin")
    }

    /// A request that a token with `notes:read` may make, without a token.
    fn whoami(&self) -> Raw {
        self.call("tools/call", json!({ "name": "whoami", "arguments": {} }))
            .header("mcp-name", "whoami")
    }

    /// A request of revision 2026-07-28, without a token.
    fn call(&self, method: &str, mut params: Value) -> Raw {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = Raw::new("POST /mcp HTTP/1.1")
            .header("host", self.addr.to_string())
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method)
            .body(body.to_string());
        self.front.pass_on(request)
    }

    /// One variant of the attack. Whatever it is refused with, it must be refused.
    async fn attack(&mut self, variant: &str, request: Raw) -> Answer {
        self.on_record += 1;
        self.attack_below(variant, request).await
    }

    /// One variant that the HTTP library refuses before any layer, so that it is not on record.
    async fn attack_below(&mut self, variant: &str, request: Raw) -> Answer {
        let answer = self.send(&request).await;
        self.is_refused(variant, &answer);
        answer
    }

    /// Checks an answer to the attack.
    fn is_refused(&mut self, variant: &str, answer: &Answer) {
        let summary = answer.summary();
        assert!(answer.status >= 400, "{}, {variant}: let through\n{answer:?}", self.row.id);
        assert!(
            self.row.answers.contains(&summary.as_str()),
            "{}, {variant}: {answer:?}",
            self.row.id
        );
        let resource_metadata =
            format!("http://{}/.well-known/oauth-protected-resource/mcp", self.addr);
        answer.check_challenge(&resource_metadata);
        for leaked in [MARKER, "eyJ"] {
            assert!(!answer.text.contains(leaked), "{}, {variant}: {answer:?}", self.row.id);
        }
        self.answers.insert(summary);
    }

    /// The token builder's token in an otherwise good request.
    async fn attack_with(&mut self, variant: &str, token: impl AsRef<str>) -> Answer {
        self.attack(variant, self.whoami().token(token)).await
    }

    /// Something close to the attack that is no attack.
    async fn lets_pass(&mut self, variant: &str, request: Raw) -> Answer {
        self.on_record += 1;
        let answer = self.send(&request).await;
        assert_eq!(answer.status, 200, "{}, {variant}: {answer:?}", self.row.id);
        answer
    }

    /// Sends something whose answer is the test's own business, and which is on record.
    async fn ask(&mut self, request: Raw) -> Answer {
        self.on_record += 1;
        self.send(&request).await
    }

    async fn send(&self, request: &Raw) -> Answer {
        timeout(PATIENCE, request.send(self.addr)).await.unwrap()
    }

    /// All answers were seen, the server is alive, each request is on record, and no token is in the log.
    async fn finish(mut self) {
        self.check_traces().await;
        let seen: Vec<_> = self.answers.iter().map(String::as_str).collect();
        assert_eq!(seen, self.row.answers, "{}", self.row.id);
    }

    /// Goes on with the same row on another server, for which this issuer is responsible.
    async fn next(mut self, issuer: TestIssuer) -> Self {
        self.check_traces().await;
        let (id, answers) = (self.row.id, std::mem::take(&mut self.answers));
        drop(self);
        Self { answers, ..Self::start_cold(id, issuer).await }
    }

    async fn check_traces(&mut self) {
        let answer = self.ask(self.whoami()).await;
        assert_eq!(answer.summary(), "401 token_missing", "{}: still alive", self.row.id);
        let mut text = String::new();
        // The last record is written when the answer is through, which is about when we see it.
        for _ in 0..500 {
            text = std::fs::read_to_string(&self.audit.0).unwrap();
            if text.lines().count() >= self.on_record {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(text.lines().count(), self.on_record, "{}: records\n{text}", self.row.id);
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            assert!(record["outcome"].is_string(), "{line}");
            if record["stage"] == "token-verify" && !record["principal"].is_null() {
                // The token was good, and came without the proof that it needs beside it.
                assert_eq!(record["reason"], "token_bound", "nobody was verified: {line}");
                assert!(record["principal"]["bound_to"].is_array(), "{line}");
            }
        }
        assert!(!text.contains("eyJ"), "{}: part of a token is on record\n{text}", self.row.id);
        let log = std::fs::read_to_string(&self.stderr.0).unwrap();
        assert!(!log.contains("panicked"), "{}: {log}", self.row.id);
        assert!(!log.contains("eyJ"), "{}: part of a token is in the log\n{log}", self.row.id);
    }
}
