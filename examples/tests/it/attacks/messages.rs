//! MCP messages that could be read in two ways.

use super::{Row, Target};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "MCP-01",
        attack: "batches: of one, with a forbidden call behind an allowed one, nested, empty, of 50 000; in every revision",
        answers: &["400 message_invalid"],
        test: "mcp_01_batches",
    },
    Row {
        id: "MCP-02",
        attack: "`method`, `params`, `name` and others twice, in either order, at any depth, spelled with escapes",
        answers: &["400 message_invalid"],
        test: "mcp_02_names_used_twice",
    },
    Row {
        id: "MCP-03",
        attack: "`Method`, `PARAMS`, `Name`, `_META` beside the right name and instead of it",
        answers: &["400 message_invalid"],
        test: "mcp_03_names_in_other_case",
    },
    Row {
        id: "MCP-04",
        attack: "names with NUL, zero-width, full-width, combining and private characters, raw and escaped",
        answers: &["400 message_invalid", "400 message_not_json"],
        test: "mcp_04_names_with_invisible_characters",
    },
    Row {
        id: "MCP-09",
        attack: "responses, notifications and requests that are two of them at once; calls without `id`; other ids and versions",
        answers: &["400 message_invalid", "403 operation_not_allowed"],
        test: "mcp_09_kinds_of_messages",
    },
];

pub(super) const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

impl Target {
    /// A token that was not used often.
    pub(super) fn fresh(&self) -> String {
        self.good().subject(format!("mallory-{}", self.on_record / 20)).sign()
    }

    /// This body, under the headers of each revision of the protocol.
    pub(super) async fn attack_with_body(&mut self, body: impl AsRef<[u8]>) {
        let variant = String::from_utf8_lossy(body.as_ref()).chars().take(200).collect::<String>();
        let old = self.whoami().without("mcp-name").without("mcp-method");
        let none = old.clone().without("mcp-protocol-version");
        for request in [
            self.whoami(),
            old.clone().replace("mcp-protocol-version", "2025-06-18"),
            old.replace("mcp-protocol-version", "2025-03-26"),
            none,
        ] {
            self.attack(&variant, request.body(body.as_ref()).token(self.fresh())).await;
        }
    }
}

/// A message whose pieces are as they are given.
pub(super) fn message(members: &str, params: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call"{members},"params":{{{META}{params}}}}}"#
    )
}

#[tokio::test]
async fn mcp_01_batches() {
    let mut target = Target::start("MCP-01").await;
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let good = message("", r#","name":"whoami""#);
    let bad = message("", r#","name":"delete_all_notes""#);
    for body in [
        "[]".to_owned(),
        "[[]]".to_owned(),
        format!("[{list}]"),
        format!("[{list},{bad}]"),
        format!("[{good},{bad}]"),
        format!("[{bad},{good}]"),
        format!("[[{good}],[{bad}]]"),
        format!(" \n\t[{bad}]"),
        format!("[{}]", vec![list; 50_000].join(",")),
        format!("[1,\"x\",null,{bad}]"),
    ] {
        target.attack_with_body(body).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_02_names_used_twice() {
    let mut target = Target::start("MCP-02").await;
    let (good, bad) = (r#","name":"whoami""#, r#","name":"delete_all_notes""#);
    for body in [
        message("", &format!("{good}{bad}")),
        message("", &format!("{bad}{good}")),
        message("", &format!("{good}{good}")),
        message("", &format!("{good}{}", bad.replace("name\":", "n\\u0061me\":"))),
        message(
            "",
            &format!("{}{good}", bad.replace("name\":", "\\u006E\\u0061\\u006d\\u0065\":")),
        ),
        message(r#","method":"tools/list""#, good),
        message(r#","m\u0065thod":"tools/list""#, good),
        message(r#","params":{"name":"delete_all_notes"}"#, good),
        message(r#","p\u0061rams":{"name":"delete_all_notes"}"#, good),
        message(r#","id":2"#, good),
        message(r#","jsonrpc":"1.0""#, good),
        message(r#","jsonrpc":"2.0""#, good),
        message("", &format!(r#"{good},"arguments":{{"a":1,"a":2}}"#)),
        message("", &format!(r#"{good},"arguments":{{"a":[{{"b":{{"c":1,"\u0063":2}}}}]}}"#)),
        message("", &format!(r#"{good},"arguments":{{}},"arguments":{{}}"#)),
        message("", &format!("{good},{META}")),
        message("", &format!(r#"{good},"x":{{"y":1,"y":1}}"#)),
        message(r#","x":{"y":1,"y":1}"#, good),
        message("", good).replace(r#""version":"1""#, r#""version":"1","version":"2""#),
        message("", good).replace(
            r#""_meta":{"#,
            r#""_meta":{"io.modelcontextprotocol\/protocolVersion":"2025-06-18","#,
        ),
    ] {
        target.attack_with_body(body).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_03_names_in_other_case() {
    let mut target = Target::start("MCP-03").await;
    let name = r#","name":"whoami""#;
    for member in
        ["Method", "METHOD", "mEthod", "Params", "PARAMS", "Id", "ID", "JsonRpc", "Result", "ERROR"]
    {
        target.attack_with_body(message(&format!(r#","{member}":"tools/list""#), name)).await;
    }
    for member in
        ["Name", "NAME", "nAme", "Uri", "TaskID", "taskid", "Arguments", "_Meta", "_META", "Ref"]
    {
        let beside = format!(r#"{name},"{member}":"delete_all_notes""#);
        target.attack_with_body(message("", &beside)).await;
    }
    let whole = message("", name);
    for (right, wrong) in [
        ("method", "Method"),
        ("method", "M\\u0065thod"),
        ("params", "Params"),
        ("\"name\":\"whoami", "\"Name\":\"whoami"),
        ("\"id\"", "\"ID\""),
        ("jsonrpc", "jsonRPC"),
        ("io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/protocolversion"),
    ] {
        target.attack_with_body(whole.replace(right, wrong)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_04_names_with_invisible_characters() {
    let mut target = Target::start("MCP-04").await;
    let good = r#","name":"whoami""#;
    for odd in [
        "\\u0000",
        "\\u200b",
        "\\ufeff",
        "\\u2060",
        "\\u00ad",
        "\\u0301",
        "\\u0009",
        "\\u007f",
        "\\u202e",
        "\u{200B}",
        "\u{FEFF}",
        "\u{301}",
        "\u{7F}",
        "\u{A0}",
        "\u{E0001}",
        "\\ud83d\\ude00",
        // These are no JSON at all.
        "\0",
        "\t",
        "\n",
        "\u{1F}",
        "\\x00",
        "\\u00",
        "\\ud800",
        "\\udc00x",
        "\\0",
    ] {
        for name in [format!("name{odd}"), format!("{odd}name"), format!("na{odd}me")] {
            let beside = format!(r#"{good},"{name}":"delete_all_notes""#);
            target
                .attack("beside", target.whoami().body(message("", &beside)).token(target.fresh()))
                .await;
        }
        let beside = format!(r#","method{odd}":"tools/list""#);
        target
            .attack("beside", target.whoami().body(message(&beside, good)).token(target.fresh()))
            .await;
    }
    for look_alike in ["ｎａｍｅ", "nаme", "ｍethod", "ﾠname", "naｍe"] {
        let beside = format!(r#"{good},"{look_alike}":"delete_all_notes""#);
        target.attack_with_body(message("", &beside)).await;
        target
            .attack_with_body(
                message("", good)
                    .replace("\"name\":\"whoami", &format!("\"{look_alike}\":\"whoami")),
            )
            .await;
    }
    for private in [
        "$serde_json::private::Number",
        "$serde_json::private::RawValue",
        "$serde_json::private::x",
    ] {
        target.attack_with_body(message("", &format!(r#"{good},"{private}":"1""#))).await;
        target
            .attack_with_body(message(
                "",
                &format!(r#"{good},"arguments":{{"text":{{"{private}":"1"}}}}"#),
            ))
            .await;
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_09_kinds_of_messages() {
    let mut target = Target::start("MCP-09").await;
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"},"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"},"error":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1e2,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":9223372036854775808,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0\u0000","id":1,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"id":1,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":["tools/call"],"params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call\u0000","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":" tools/call","params":{"name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"$response"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":""}"#,
        "{}",
        "null",
        "1",
        "\"tools/call\"",
    ] {
        target.attack_with_body(body).await;
    }
    // Answers to the server, and telling it to stop what others asked, are not in the policy of this server.
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"method":"tools/call","name":"whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/tools/call","params":{"name":"whoami"}}"#,
    ] {
        let old = target.whoami().without("mcp-name").without("mcp-method").body(body);
        for version in ["2025-06-18", "2025-03-26"] {
            let request = old.clone().replace("mcp-protocol-version", version);
            target.attack(body, request.token(target.fresh())).await;
        }
        if !body.contains("method\":\"n") {
            let modern = old.token(target.fresh());
            target.attack(body, modern).await;
        }
    }
    target.finish().await;
}
