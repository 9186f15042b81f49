//! A tool that calls another service with the token of its caller. rmcp runs tools in tasks of its own.

use std::time::Duration;

use palisade_audit_log::AuditRecord;
use palisade_e2e::{Builder, Exchange, Flow, Issuer, Party, Server, Wire};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    play::Start,
    rows::{NEW, OLD, python, rmcp, ts_v2},
};

const CLIENTS: &[(&str, Start)] = &[
    ("TypeScript SDK, requests", ts_v2),
    ("TypeScript SDK, sessions", |url, _, flow, calls| ts_v2(url, OLD, flow, calls)),
    ("Python SDK", python),
    ("rmcp", rmcp),
];

/// A busy machine may take its time.
const PATIENCE: Duration = Duration::from_secs(60);

struct Called {
    step: Value,
    record: AuditRecord,
    issuer: String,
    at_userinfo: Vec<Exchange>,
}

/// The client calls `forward`, which asks the userinfo endpoint of the issuer.
async fn call(start: Start, server: fn(Builder) -> Builder) -> Called {
    let wire = Wire::new();
    let mut issuer = Issuer::start(&wire).await.unwrap();
    let server = server(Server::builder(&wire, issuer.url())).start().await.unwrap();
    issuer.serve(&[server.url()]).await.unwrap();
    let client = start(server.url(), NEW, Flow::Known, "forward").start().unwrap();
    let steps = client.end().await.unwrap();
    let step = steps.into_iter().find(|step| step["tool"] == "forward").unwrap();
    let at_userinfo = wire.take().into_iter();
    Called {
        step,
        at_userinfo: at_userinfo
            .filter(|it| it.to == Party::Issuer && it.path() == "/me")
            .collect(),
        record: timeout(PATIENCE, record(&server)).await.unwrap(),
        issuer: issuer.url().to_owned(),
    }
}

/// Of the call. It is written when the server is through with the answer, which may be after the client is.
async fn record(server: &Server) -> AuditRecord {
    loop {
        let mut records = server.records().into_iter();
        if let Some(record) = records.find(|it| it.operation.target() == Some("forward")) {
            return record;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn aud_10_a_tool_that_forwards_the_token_of_its_caller_gets_an_error_and_a_record() {
    for (name, start) in CLIENTS {
        let called = call(*start, Builder::keep_tokens).await;
        assert!(called.at_userinfo.is_empty(), "{name}: it arrived: {:?}", called.at_userinfo);
        // A result that is an error: SDKs differ in whether they throw it.
        let said = called.step.to_string();
        assert!(said.contains("credential"), "{name}: {said}");
        let record = called.record;
        assert_eq!(record.withheld.count, 1, "{name}");
        assert_eq!(record.withheld.destinations, [called.issuer], "{name}");
        assert_eq!(record.principal.as_ref().map(|who| who.subject()), Some("alice"), "{name}");
    }
}

#[tokio::test]
async fn aud_10_a_tool_finds_no_token_of_its_caller_to_forward() {
    for (name, start) in CLIENTS {
        let called = call(*start, |server| server).await;
        assert_eq!(called.step["text"], "there is no token to forward", "{name}");
        assert_eq!(called.record.withheld.count, 0, "{name}");
    }
}
