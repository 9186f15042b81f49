//! Sessions of older revisions, and callers side by side.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Row, Target, raw::Raw};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "MCP-14",
        attack: "a session without a token, with bad and poorer tokens, made up, and another caller's: to call, to listen, to end it",
        answers: &[
            "401 audience_mismatch",
            "401 token_expired",
            "401 token_missing",
            "403 scope_missing",
            "405",
        ],
        test: "mcp_14_sessions_are_no_credentials",
    },
    Row {
        id: "MCP-15",
        attack: "callers at the same time, on one connection, with names that look alike: does one see or do what is another's?",
        answers: &["403 scope_missing"],
        test: "mcp_15_callers_side_by_side",
    },
];

impl Target {
    /// A call of revision 2025-06-18, in a session or not.
    fn old_call(&self, session: Option<&str>, name: &str, arguments: &Value) -> Raw {
        let params = json!({ "name": name, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
        let call = self.old().body(body.to_string());
        match session {
            Some(session) => call.header("mcp-session-id", session),
            None => call,
        }
    }

    pub(super) fn old(&self) -> Raw {
        self.whoami()
            .without("mcp-name")
            .without("mcp-method")
            .replace("mcp-protocol-version", "2025-06-18")
    }
}

#[tokio::test]
async fn mcp_14_sessions_are_no_credentials() {
    let mut target = Target::start("MCP-14").await;
    let alice = target.good().subject("alice").scope("notes:write").sign();
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" },
    } });
    let request = target.old().body(initialize.to_string()).token(&alice);
    let answer = target.lets_pass("initialize", request).await;
    assert_eq!(answer.header("mcp-session-id"), None, "no session to steal: {answer:?}");

    let none = json!({});
    let expired = target.good().subject("alice").expires_at(target.issuer.now() - 3600).sign();
    let for_others = target.good().subject("alice").audience("https://other.example").sign();
    let poor = target.good().subject("alice").scope("other").sign();
    let mallory = target.good().sign();
    for session in [None, Some("x"), Some("00000000-0000-0000-0000-000000000000"), Some("../")] {
        let call = target.old_call(session, "whoami", &none);
        let stream = call.clone().line("GET /mcp HTTP/1.1").body("");
        let end = call.clone().line("DELETE /mcp HTTP/1.1").body("");
        for request in [call.clone(), stream.clone(), end.clone()] {
            target.attack("no token", request.clone()).await;
            for token in [&expired, &for_others, &poor] {
                target.attack("a worse token", request.clone().token(token)).await;
            }
        }
        for request in [stream, end] {
            target.attack("nothing to listen to or to end", request.token(&alice)).await;
        }
        // Whatever session a call names, it is the call of who sends it.
        for (token, name) in [(&alice, "alice of"), (&mallory, "mallory of")] {
            let answer = target.lets_pass("a call of one's own", call.clone().token(token)).await;
            assert!(answer.body.contains(name), "{answer:?}");
        }
        let delete = target.old_call(session, "delete_all_notes", &none);
        target.attack("a call beyond her scopes", delete.token(&alice)).await;
        let add = target.old_call(session, "add_note", &json!({ "text": "x" }));
        target.attack("a call beyond the own scopes", add.token(&mallory)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_15_callers_side_by_side() {
    let mut target = Target::start("MCP-15").await;
    let names = [
        "alice",
        "Alice",
        "ALICE",
        "alice ",
        " alice",
        "alice\u{200B}",
        "al\u{456}ce",
        "alicé",
        "alice\u{301}",
    ];
    let tokens = names.map(|name| target.good().subject(name).scope("notes:write").sign());

    // Each leaves a note, all at the same time.
    let requests: Vec<_> = names
        .iter()
        .zip(&tokens)
        .map(|(name, token)| {
            let text =
                json!({ "name": "add_note", "arguments": { "text": format!("of <{name}>") } });
            target.call("tools/call", text).header("mcp-name", "add_note").token(token)
        })
        .collect();
    let answers = join(&target, &requests).await;
    assert!(answers.iter().all(|answer| answer.contains("noted")), "{answers:?}");

    // Each sees that one, and is told the right name.
    for tool in ["list_notes", "whoami"] {
        let requests: Vec<_> = tokens
            .iter()
            .map(|token| {
                let call = json!({ "name": tool, "arguments": {} });
                target.call("tools/call", call).header("mcp-name", tool).token(token)
            })
            .collect();
        let answers = join(&target, &requests).await;
        for (name, answer) in names.iter().zip(answers) {
            let expected =
                if tool == "whoami" { format!("\"{name} of ") } else { format!("\"of <{name}>\"") };
            assert!(answer.contains(&expected), "{name}: {answer}");
        }
    }
    target.on_record += 3 * names.len();

    // Requests on one connection are requests of their own.
    let mallory = target.good().sign();
    let add = target
        .call("tools/call", json!({ "name": "add_note", "arguments": { "text": "x" } }))
        .header("mcp-name", "add_note");
    let keep_alive = |request: Raw| {
        String::from_utf8(request.bytes()).unwrap().replace("connection: close\r\n", "")
    };
    let alices = keep_alive(add.clone().token(&tokens[0]));
    let bytes = [alices.as_bytes(), &add.token(&mallory).bytes()].concat();
    let answers = target.converse(&bytes).await;
    target.on_record += 2;
    let [passed, refused] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(passed.status, 200, "{passed:?}");
    target.is_refused("after hers", refused);
    let bytes = [alices.as_bytes(), &target.whoami().bytes()].concat();
    let answers = target.converse(&bytes).await;
    target.on_record += 2;
    assert_eq!(answers[1].summary(), "401 token_missing", "{answers:?}");
    target.finish().await;
}

/// Sends all at once.
async fn join(target: &Target, requests: &[Raw]) -> Vec<String> {
    let addr = target.addr;
    let mut tasks = JoinSet::new();
    for (index, request) in requests.iter().cloned().enumerate() {
        tasks.spawn(async move { (index, request.send(addr).await.body) });
    }
    let mut answers = tasks.join_all().await;
    answers.sort();
    answers.into_iter().map(|(_, answer)| answer).collect()
}
