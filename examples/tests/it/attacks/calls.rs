//! Which call an MCP message makes, and what its headers say about that.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{Row, Target, messages::message, raw::Raw};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "MCP-05",
        attack: "names of tools in other case and composition, full-width, with spaces, paths, control characters, empty, 10 KB",
        answers: &["400 params_invalid", "403 operation_not_allowed"],
        test: "mcp_05_names_of_tools",
    },
    Row {
        id: "MCP-06",
        attack: "`Mcp-Name`, `Mcp-Method` and the version: of another call, twice, in one list, encoded, badly encoded, missing",
        answers: &["400 header_mismatch"],
        test: "mcp_06_mirrored_headers",
    },
    Row {
        id: "MCP-07",
        attack: "decoys that another parser might run: in arguments, `_meta`, unknown members, escapes; is what was checked what runs?",
        answers: &["400 header_mismatch", "403 scope_missing"],
        test: "mcp_07_decoys",
    },
    Row {
        id: "MCP-08",
        attack: "positional and other `params`; names that are no strings; a call in the parameters of another method",
        answers: &["400 params_invalid"],
        test: "mcp_08_parameters",
    },
];

#[tokio::test]
async fn mcp_05_names_of_tools() {
    let mut target = Target::start("MCP-05").await;
    let long = "a".repeat(10_240);
    for tool in [
        "Whoami",
        "WHOAMI",
        "whoami ",
        " whoami",
        "who ami",
        "whoami\u{A0}",
        "ｗhoami",
        "whoamí",
        "whoami\u{301}",
        "who\u{200B}ami",
        "whoami\u{FEFF}",
        "wһoami",
        "../whoami",
        "./whoami",
        "whoami/../delete_all_notes",
        "whoami/",
        "whoami;delete_all_notes",
        "whoami,delete_all_notes",
        "whoami?",
        "whoami#",
        "%77hoami",
        "whoami%00",
        "whoami\\u0000",
        "notes/whoami",
        "\"whoami\"",
        "['whoami']",
        "${whoami}",
        "*",
        "who*",
        "\u{202E}imaohw",
        "whoami\0",
        "whoami\n",
        "whoami\r\n",
        "\u{1B}[31mwhoami",
        "\u{7F}whoami",
        "whoami\u{85}",
        "",
        &long,
    ] {
        let params = json!({ "name": tool, "arguments": {} });
        let encoded = format!("=?base64?{}?=", STANDARD.encode(tool));
        let request = target.call("tools/call", params).token(target.fresh());
        target.attack(tool, request.clone().header("mcp-name", encoded)).await;
        let old = request.without("mcp-method").replace("mcp-protocol-version", "2025-06-18");
        let old = old.body(json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } }).to_string());
        target.attack(tool, old).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_06_mirrored_headers() {
    let mut target = Target::start("MCP-06").await;
    let sentinel = |text: &str| format!("=?base64?{}?=", STANDARD.encode(text));
    let delete = |target: &Target| target.call("tools/call", json!({ "name": "delete_all_notes" }));
    let encoded_twice = sentinel(&sentinel("delete_all_notes"));
    let unpadded = sentinel("delete_all_notes").replace("=?=", "?=").replace("=?=", "?=");
    for name in [
        "whoami",
        "whoami, delete_all_notes",
        "delete_all_notes, whoami",
        "Delete_all_notes",
        "delete_all_notes;x",
        "delete_all_notes2",
        "delete_all",
        "",
        &sentinel("whoami"),
        &encoded_twice,
        &unpadded,
        "=?base64??=",
        "=?base64?!?=",
        "=?base64?/w==?=",
        &sentinel("delete_all_notes").replace("base64", "BASE64"),
        &sentinel("delete_all_notes").replace("base64", "utf-8?B"),
        "\u{a0}delete_all_notes",
    ] {
        let request = delete(&target).header("mcp-name", name).token(target.fresh());
        target.attack(name, request).await;
    }
    for (first, last) in [
        ("whoami", "delete_all_notes"),
        ("delete_all_notes", "whoami"),
        ("delete_all_notes", "delete_all_notes"),
    ] {
        let request = delete(&target).header("mcp-name", first).header("Mcp-Name", last);
        target.attack("two names", request.token(target.fresh())).await;
    }
    target.attack("no name", delete(&target).token(target.fresh())).await;
    for method in ["tools/list", "tools/call, tools/list", "TOOLS/CALL", "tools/call ;", "", "ping"]
    {
        let request = target.whoami().replace("mcp-method", method).token(target.fresh());
        target.attack(method, request).await;
    }
    let twice = target.whoami().header("mcp-method", "tools/call").token(target.fresh());
    target.attack("two methods", twice).await;
    target.attack("no method", target.whoami().without("mcp-method").token(target.fresh())).await;
    for version in [
        "2025-06-18",
        "2026-07-29",
        "DRAFT-1",
        "2026-07-28, 2025-06-18",
        "",
        "é",
        &"9".repeat(65),
        "2026_07_28",
    ] {
        let request = target.whoami().replace("mcp-protocol-version", version);
        target.attack(version, request.token(target.fresh())).await;
    }
    let twice = target.whoami().header("mcp-protocol-version", "2026-07-28");
    target.attack("two versions", twice.token(target.fresh())).await;
    let without = target.whoami().without("mcp-protocol-version");
    target.attack("no version", without.token(target.fresh())).await;
    // Also in revisions that have no mirrored headers: somebody in front may have looked at them.
    let old = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "delete_all_notes" } });
    for version in [Some("2025-06-18"), Some("2025-03-26"), None] {
        let mut request = target.whoami().without("mcp-protocol-version").body(old.to_string());
        if let Some(version) = version {
            request = request.header("mcp-protocol-version", version);
        }
        target.attack("an old revision", request.token(target.fresh())).await;
    }
    // Whatever the headers say, on record is what the message says.
    let text = target.audit.lines(target.on_record).await;
    assert_eq!(text.matches("\"target\":\"delete_all_notes\"").count(), 24, "{text}");

    let token = target.fresh();
    for (name, value) in [("mcp-name", sentinel("whoami")), ("mcp-name", " whoami\t".to_owned())] {
        target
            .lets_pass("another spelling", target.whoami().replace(name, value).token(&token))
            .await;
    }
    for name in ["mcp_name", "x-mcp-name", "mcp-tool-name", "mcp-param-name", "mcp-name-"] {
        let request = target.whoami().header(name, "delete_all_notes").token(&token);
        let answer = target.lets_pass(name, request).await;
        assert!(answer.body.contains("mallory"), "{answer:?}");
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_07_decoys() {
    let mut target = Target::start("MCP-07").await;
    let send = |target: &Target, body: &str, name: &str| -> Raw {
        target.whoami().replace("mcp-name", name).body(body).token(target.fresh())
    };
    // The call is `whoami`, whatever else is written around it.
    let decoy =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_all_notes"}}"#;
    let good = r#","name":"whoami""#;
    let mut harmless = vec![
        message("", good).replace("whoami", "\\u0077hoami"),
        message("", good).replace("tools/call", "tools\\/call"),
        message("", good).replace("\"method\"", "\"\\u006Dethod\""),
        message("", good).replace("\"name\":\"w", "\"n\\u0061me\":\"w"),
        format!(
            " \r\n\t{} \n",
            message("", good).replace(':', " : ").replace("\"2026 : ", "\"2026:")
        ),
        message(r#","":1,"name":"delete_all_notes","tool":"delete_all_notes""#, good),
        message(r#","meth":"tools/list","0":"delete_all_notes""#, good),
    ];
    for place in [
        "arguments",
        "input",
        "tool",
        "request",
        "toolName",
        "tool_name",
        "inputResponses",
        "0",
        "method",
        "params",
    ] {
        harmless.push(message("", &format!(r#"{good},"{place}":{decoy}"#)));
    }
    for place in ["name ", " name", "name_", "call", "batch", "0"] {
        harmless.push(message(&format!(r#","{place}":{decoy}"#), good));
    }
    harmless.push(message("", good).replace(
        r#""_meta":{"#,
        &format!(r#""_meta":{{"name":"delete_all_notes","call":{decoy},"#),
    ));
    for body in harmless {
        let request = send(&target, &body, "whoami");
        let answer = target.ask(request).await;
        // A server may refuse what it does not know. It must not run anything else.
        assert!(!answer.text.contains("deleted"), "{body}\n{answer:?}");
        let is_answer = answer.body.contains("mallory-") || answer.body.contains("\"error\"");
        assert!(is_answer, "{body}\n{answer:?}");
    }
    let text = target.audit.lines(target.on_record).await;
    assert!(!text.contains("delete_all_notes"), "{text}");

    // The call is `delete_all_notes`, however it is written.
    for name in ["delete\\u005fall_notes", "\\u0064elete_all_notes", "delete_all_notes"] {
        let params = format!(r#","arguments":{{"name":"whoami"}},"name":"{name}","tool":"whoami""#);
        let body = message(r#","name":"whoami""#, &params);
        target.attack(name, send(&target, &body, "delete_all_notes")).await;
        target.attack(name, send(&target, &body, "whoami")).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_08_parameters() {
    let mut target = Target::start("MCP-08").await;
    let with_params = |params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#)
    };
    for params in [
        r#"["delete_all_notes",{}]"#,
        r#"[{"name":"delete_all_notes"}]"#,
        r#""{\"name\":\"delete_all_notes\"}""#,
        "null",
        "true",
        "1",
        "[]",
        "{}",
        r#"{"name":null}"#,
        r#"{"name":1}"#,
        r#"{"name":["whoami"]}"#,
        r#"{"name":{"name":"whoami"}}"#,
        r#"{"name":true}"#,
        r#"{"name":""}"#,
        r#"{"uri":"whoami"}"#,
        r#"{"arguments":{"name":"whoami"}}"#,
        r#"{"name":"whoami","_meta":{"io.modelcontextprotocol/protocolVersion":1}}"#,
        r#"{"name":"whoami","_meta":{"io.modelcontextprotocol/protocolVersion":["2026-07-28"]}}"#,
    ] {
        target.attack_with_body(with_params(params)).await;
    }
    target.attack_with_body(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#).await;
    // A list is a list, whatever its parameters look like.
    let hidden = json!({ "name": "delete_all_notes", "arguments": {}, "method": "tools/call" });
    let list = target.call("tools/list", hidden).token(target.fresh());
    let answer = target.lets_pass("a call in a list", list).await;
    assert!(
        answer.body.contains("inputSchema") && !answer.body.contains("deleted 0"),
        "{answer:?}"
    );
    target.finish().await;
}
