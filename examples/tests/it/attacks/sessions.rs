//! Sessions of older revisions, and callers side by side.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Row, Target, raw::Raw};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "MCP-14",
        attack: "a session without a token, with bad and poorer tokens, made up, and another caller's: to call, to listen, to end it",
        answers: &[
            "200",
            "202",
            "400",
            "401 audience_mismatch",
            "401 token_expired",
            "401 token_missing",
            "403 scope_missing",
            "404",
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

    pub(super) async fn open_session(&mut self, token: &str) -> String {
        let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        } });
        let request = self.old().body(initialize.to_string()).token(token);
        let answer = self.lets_pass("initialize", request).await;
        let session = answer.header("mcp-session-id").unwrap().to_owned();
        let body = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let request = self.old().body(body).header("mcp-session-id", &session).token(token);
        assert_eq!(self.ask(request).await.status, 202);
        session
    }
}

#[tokio::test]
async fn mcp_14_sessions_are_no_credentials() {
    let mut target = Target::start("MCP-14").await;
    let alice = target.good().subject("alice").scope("notes:write").sign();
    let session = target.open_session(&alice).await;
    let none = json!({});
    let own = target.old_call(Some(&session), "whoami", &none);
    let answer = target.lets_pass("her own", own.clone().token(&alice)).await;
    assert!(answer.body.contains("alice of"), "{answer:?}");

    let stream = own.clone().line("GET /mcp HTTP/1.1").body("");
    let end = own.clone().line("DELETE /mcp HTTP/1.1").body("");
    let expired = target.good().subject("alice").expires_at(target.issuer.now() - 3600).sign();
    let for_others = target.good().subject("alice").audience("https://other.example").sign();
    let poor = target.good().subject("alice").scope("other").sign();
    for request in [own.clone(), stream.clone(), end.clone()] {
        target.attack("no token", request.clone()).await;
        for token in [&expired, &for_others, &poor] {
            target.attack("a worse token", request.clone().token(token)).await;
        }
    }
    let delete = target.old_call(Some(&session), "delete_all_notes", &none);
    target.attack("a call beyond her scopes", delete.clone().token(&alice)).await;
    target.attack("no session", target.old_call(None, "whoami", &none).token(&alice)).await;
    for made_up in ["x", "00000000-0000-0000-0000-000000000000", "../", &session.to_uppercase()] {
        let call = target.old_call(Some(made_up), "whoami", &none);
        target.attack(made_up, call.token(&alice)).await;
        let listen = stream.clone().replace("mcp-session-id", made_up);
        target.attack(made_up, listen.token(&alice)).await;
    }

    // Open: the server does not ask whose session it is. Whoever learns its id calls in it, though only ever in
    // the caller's own name and with the caller's own scopes; listens to it; and ends it.
    let mallory = target.good().sign();
    target.attack("not with her scopes", delete.token(&mallory)).await;
    let add = target.old_call(Some(&session), "add_note", &json!({ "text": "x" }));
    target.attack("not with her scopes", add.token(&mallory)).await;
    let answer = target.still_passes("another's session", own.clone().token(&mallory)).await;
    assert!(answer.body.contains("mallory of") && !answer.body.contains("alice"), "{answer:?}");
    let (answer, _) = target.open(&stream.token(&mallory)).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"), "{answer:?}");
    target.answers.insert(answer.summary());
    let answer = target.ask(end.token(&mallory)).await;
    target.answers.insert(answer.summary());
    target.attack("her session is gone", own.token(&alice)).await;
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
