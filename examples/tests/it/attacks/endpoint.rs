//! What an MCP endpoint takes, how much of it, and from where.

use serde_json::json;

use super::{Row, Target, raw::Raw};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "MCP-10",
        attack: "other content types and charsets, two of them, none; UTF-16, a byte order mark; refusals for gRPC; other `Accept`",
        answers: &[
            "400 message_not_json",
            "401 token_malformed",
            "401 token_missing",
            "406",
            "415 content_type_unsupported",
        ],
        test: "mcp_10_content_types",
    },
    Row {
        id: "MCP-11",
        attack: "bodies over 4 MiB, 10 001 names, 100 000 levels; a flood of sessions",
        answers: &["400 message_invalid", "405", "413 body_too_large", "429 rate_limited"],
        test: "mcp_11_floods",
    },
    Row {
        id: "MCP-12",
        attack: "foreign, look-alike, malformed, repeated and missing `Host` and `Origin`, with every method",
        answers: &["400 host_malformed", "403 host_not_allowed", "403 origin_not_allowed"],
        test: "mcp_12_dns_rebinding",
    },
    Row {
        id: "MCP-13",
        attack: "opaque tokens: is there a way in for what is no JWT?",
        answers: &["401 token_malformed"],
        test: "mcp_13_opaque_tokens",
    },
];

#[tokio::test]
async fn mcp_10_content_types() {
    let mut target = Target::start("MCP-10").await;
    for content_type in [
        "text/plain",
        "text/json",
        "text/html",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/mixed; boundary=x",
        "application/octet-stream",
        "application/jsonp",
        "application/x-json",
        "application/json-seq",
        "application/problem+json",
        "application/json, text/plain",
        "text/plain, application/json",
        "text/plain; application/json",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset",
        "application/json; boundary=x",
        "application /json",
        "application/json\u{A0}",
        "*/*",
        "",
    ] {
        let request = target.whoami().replace("content-type", content_type);
        target.attack(content_type, request.token(target.fresh())).await;
    }
    let bare = target.whoami().without("content-type");
    target.attack("none", bare.clone().token(target.fresh())).await;
    for (first, last) in [
        ("application/json", "application/json"),
        ("application/json", "text/plain"),
        ("text/plain", "application/json"),
    ] {
        let two = bare.clone().header("content-type", first).header("Content-Type", last);
        target.attack("two", two.token(target.fresh())).await;
    }

    let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let wide = |to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    };
    for body in [
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
        [b"\xFF\xFE".to_vec(), wide(u16::to_le_bytes)].concat(),
        b"+AHs-\"jsonrpc\":\"2.0\"+AH0-".to_vec(),
        text.replace("2.0", "2\u{E9}0").chars().map(|one| u8::try_from(one).unwrap()).collect(),
        format!("--x\r\ncontent-type: application/json\r\n\r\n{text}\r\n--x--").into_bytes(),
        format!("data: {text}\n\n").into_bytes(),
        format!("{text}{text}").into_bytes(),
        format!("{text}\0").into_bytes(),
        format!(")]}}',\n{text}").into_bytes(),
        Vec::new(),
    ] {
        target.attack("body", target.whoami().body(body).token(target.fresh())).await;
    }
    for accept in [
        "*/*",
        "application/json",
        "text/event-stream",
        "",
        "application/json;q=0, text/event-stream",
    ] {
        let request = target.whoami().replace("accept", accept);
        target.attack(accept, request.token(target.fresh())).await;
    }
    for (name, value) in [
        ("content-type", "APPLICATION/JSON"),
        ("content-type", "application/json;charset=\"UTF-8\""),
        ("content-type", "application/json ; charset=utf-8 ;"),
        ("accept", "Text/Event-Stream, application/json;q=0.001"),
    ] {
        let request = target.whoami().replace(name, value).token(target.fresh());
        target.lets_pass(value, request).await;
    }

    // Whoever says that it is a gRPC call does not get a 200 with a gRPC status: nobody speaks gRPC here.
    for content_type in ["application/grpc", "application/grpc+json", "application/grpc;x"] {
        for request in [target.whoami(), target.whoami().line("GET /mcp HTTP/1.1")] {
            let request = request.replace("content-type", content_type);
            for request in [request.clone(), request.token("bad")] {
                let answer = target.attack(content_type, request).await;
                assert_eq!(answer.header("grpc-status"), None);
            }
        }
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_11_floods() {
    const LIMIT: usize = 4 * 1024 * 1024;

    let mut target = Target::start("MCP-11").await;
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let padded = |bytes: usize| format!("{text}{}", " ".repeat(bytes - text.len()));
    target
        .attack("a byte too many", target.whoami().body(padded(LIMIT + 1)).token(target.fresh()))
        .await;
    let names: Vec<_> = (0..10_001).map(|number| format!("\"{number}\":1")).collect();
    for arguments in [
        format!("{{{}}}", names.join(",")),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)),
        format!("{}1{}", "[".repeat(64), "]".repeat(64)),
    ] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"whoami","arguments":{{"a":{arguments}}}}}}}"#
        );
        target.attack("too much", target.whoami().body(body).token(target.fresh())).await;
    }

    // A session would be a task and memory for minutes. Nobody gets one.
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": { "name": "flood", "version": "1" },
    } });
    let token = target.good().subject("flood").sign();
    let flood = target.old().body(initialize.to_string()).token(token);
    let (mut passed, mut refused) = (0, 0);
    while refused < 10 {
        let answer = target.ask(flood.clone()).await;
        if answer.status == 200 {
            assert_eq!(answer.header("mcp-session-id"), None, "{answer:?}");
            passed += 1;
        } else {
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            target.is_refused("a flood", &answer);
            refused += 1;
        }
        assert!(passed < 100, "more than the quota");
    }
    assert!(passed >= 40, "less than the quota");

    // Nor a stream to hold open.
    let listen = target.old().line("GET /mcp HTTP/1.1").body("");
    let answer = target.attack("listen", listen.token(target.fresh())).await;
    assert_eq!(answer.status, 405);
    target.finish().await;
}

#[tokio::test]
async fn mcp_12_dns_rebinding() {
    let mut target = Target::start("MCP-12").await;
    let (addr, port) = (target.addr, target.addr.port());
    let mut number = 0;
    // For every method, so also for the streams and for the end of a session.
    let all_methods = |target: &Target| -> [Raw; 3] {
        let get = target.whoami().line("GET /mcp HTTP/1.1");
        [target.whoami(), get.clone(), get.line("DELETE /mcp HTTP/1.1")]
    };
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("127.0.0.1.:{port}"),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f.1:{port}"),
        format!("0.0.0.0:{port}"),
        "127.0.0.1".to_owned(),
        "127.0.0.1:80".to_owned(),
        format!("127.0.0.1:{}", port ^ 1),
        String::new(),
        format!("{addr}, evil.example"),
        format!("{addr} evil.example"),
        format!("{addr}/"),
        format!("{addr}#"),
        format!("{addr}:"),
        format!("evil.example@{addr}"),
        format!("127.0.0.1:+{port}"),
        "127.0.0.1:99999".to_owned(),
        "127.0.0.1:".to_owned() + &"0".repeat(9_000),
        format!("１２７.0.0.1:{port}"),
        format!("127。0。0。1:{port}"),
    ] {
        for request in all_methods(&target) {
            number += 1;
            let token = target.good().subject(format!("host-{}", number / 20)).sign();
            target.attack(&host, request.replace("host", &host).token(token)).await;
        }
    }
    for origin in [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        "NULL".to_owned(),
        String::new(),
        "http://localhost.evil.example".to_owned(),
        "http://evil.example/http://localhost".to_owned(),
        format!("http://evil.example:{port}"),
        format!("http://{addr}@evil.example"),
        format!("http://evil.example#{addr}"),
        format!("http://{addr}/"),
        format!("http://{addr} http://evil.example"),
        format!("http://{addr}, http://evil.example"),
        "http://localhost:x".to_owned(),
        "//localhost".to_owned(),
        "localhost".to_owned(),
        "file://".to_owned(),
        "chrome-extension://localhost".to_owned(),
        "http://127.0.0.2".to_owned(),
        "http://0.0.0.0".to_owned(),
        "http://localhoſt".to_owned(),
    ] {
        for request in all_methods(&target) {
            number += 1;
            let token = target.good().subject(format!("host-{}", number / 20)).sign();
            target.attack(&origin, request.header("origin", &origin).token(token)).await;
        }
    }
    let good = target.whoami().token(target.good().subject("twice").sign());
    let own = addr.to_string();
    target.attack("two hosts", good.clone().header("Host", &own)).await;
    target.attack("another host", good.clone().header("host", "evil.example")).await;
    target.attack("no host", good.clone().without("host")).await;
    target.attack("no host", good.clone().without("host").line("POST /mcp HTTP/1.0")).await;
    let two =
        good.clone().header("origin", "http://localhost").header("origin", "http://localhost");
    target.attack("two origins", two).await;
    // Pages on this machine are trusted until the server is told which pages may call it.
    for origin in ["http://localhost:3000", "https://localhost", "http://[::1]:8080"] {
        target.lets_pass(origin, good.clone().header("origin", origin)).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn mcp_13_opaque_tokens() {
    let mut target = Target::start("MCP-13").await;
    let good = target.good().sign();
    let (head, _) = good.rsplit_once('.').unwrap();
    for token in [
        "opaque",
        "null",
        "undefined",
        "anonymous",
        "0",
        "mallory",
        "00000000-0000-0000-0000-000000000000",
        "gho_16C7e42F292c6912E7710c838347Ae178B4a",
        "sk-live-0123456789abcdef",
        "ya29.a0AfH6SMB",
        "v2.local.AAAA",
        "v4.public.AAAA",
        "bWFsbG9yeTphZG1pbg==",
        "MHg=",
        "...",
        head,
    ] {
        target.attack_with(token, token).await;
    }
    target.finish().await;
}
