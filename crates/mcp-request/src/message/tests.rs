use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{error::Class, json::JsonError};

fn call(body: &str) -> Result<McpCall, InvalidMessageError> {
    Message::read(body.as_bytes())?.call(None)
}

fn problem(body: &str) -> Problem {
    call(body).expect_err(body).problem
}

/// A request with these members besides `jsonrpc` and `id`.
fn request(members: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,{members}}}"#)
}

fn tool_call(params: &str) -> String {
    request(&format!(r#""method":"tools/call","params":{params}"#))
}

#[test]
fn says_what_a_message_asks_for() {
    for (name, body, kind, method, target) in [
        (
            "request without parameters",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
            MessageKind::Request,
            "tools/list",
            None,
        ),
        (
            "parameters before the method",
            r#"{"params":{"arguments":{"name":"x"},"name":"echo"},"method":"tools/call","id":"a","jsonrpc":"2.0"}"#,
            MessageKind::Request,
            "tools/call",
            Some("echo"),
        ),
        (
            "escapes",
            r#"{"jsonrpc":"2.0","id":1,"m\u0065thod":"tools\/c\u0061ll","params":{"n\u0061me":"dang\u0065r"}}"#,
            MessageKind::Request,
            "tools/call",
            Some("danger"),
        ),
        (
            "white space",
            " \t\r\n{ \"jsonrpc\" : \"2.0\" , \"id\" : 1 , \"method\" : \"ping\" } \n",
            MessageKind::Request,
            "ping",
            None,
        ),
        (
            "notification",
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            MessageKind::Notification,
            "notifications/initialized",
            None,
        ),
        (
            "result",
            r#"{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}"#,
            MessageKind::Response,
            "$response",
            None,
        ),
        (
            "error",
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#,
            MessageKind::Response,
            "$response",
            None,
        ),
        (
            "members that nobody knows",
            r#"{"jsonrpc":"2.0","id":1,"method":"x/y","params":{"name":7},"extra":[1]}"#,
            MessageKind::Request,
            "x/y",
            None,
        ),
        (
            "a tool that only looks like another one",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"Echo "}}"#,
            MessageKind::Request,
            "tools/call",
            Some("Echo "),
        ),
    ] {
        let call = call(body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((call.kind(), call.method(), call.target()), (kind, method, target), "{name}");
    }
}

#[test]
fn each_method_has_its_target() {
    for (method, params, expected) in [
        ("tools/call", json!({"name": "t", "uri": "u"}), "t"),
        ("prompts/get", json!({"name": "p"}), "p"),
        ("resources/read", json!({"uri": "file:///a", "name": "n"}), "file:///a"),
        ("resources/subscribe", json!({"uri": "u"}), "u"),
        ("resources/unsubscribe", json!({"uri": "u"}), "u"),
        ("resources/directory/read", json!({"uri": "u"}), "u"),
        ("skills/get", json!({"uri": "u"}), "u"),
        ("tasks/get", json!({"taskId": "k"}), "k"),
        ("tasks/update", json!({"taskId": "k"}), "k"),
        ("tasks/cancel", json!({"taskId": "k"}), "k"),
        ("tasks/result", json!({"taskId": "k"}), "k"),
        ("completion/complete", json!({"ref": {"type": "ref/prompt", "name": "p"}}), "p"),
        ("completion/complete", json!({"ref": {"type": "ref/resource", "uri": "u"}}), "u"),
    ] {
        let body = request(&format!(r#""method":"{method}","params":{params}"#));
        assert_eq!(call(&body).unwrap().target(), Some(expected), "{method}");
        let without = request(&format!(r#""method":"{method}","params":{{}}"#));
        assert_eq!(problem(&without).class(), Class::Params, "{method} without its target");
        let without = request(&format!(r#""method":"{method}""#));
        assert_eq!(problem(&without).class(), Class::Params, "{method} without parameters");
        let silent = body.replace(r#""id":1,"#, "");
        assert_eq!(problem(&silent), Problem::IdAndMethod, "{method} as a notification");
    }
    assert_eq!(call(&request(r#""method":"subscriptions/listen""#)).unwrap().target(), None);
}

#[test]
fn mcp_01_batches_are_refused_whatever_is_in_them() {
    let huge = format!("[{}]", [r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#; 1000].join(","));
    for body in ["[]", "[[]]", " [1", r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, &huge] {
        assert_eq!(problem(body), Problem::Batch, "{body:.40}");
    }
}

#[test]
fn mcp_02_no_name_is_used_twice() {
    let duplicate = Problem::Json(JsonError::DuplicateName);
    for body in [
        request(r#""method":"ping","method":"tools/call""#),
        request(r#""method":"ping","m\u0065thod":"tools/call""#),
        request(r#""id":2,"method":"ping""#),
        request(r#""method":"ping","params":{},"params":{}"#),
        tool_call(r#"{"name":"safe","name":"danger"}"#),
        tool_call(r#"{"name":"safe","\u006eame":"danger"}"#),
        tool_call(r#"{"name":"safe","arguments":{"a":{"b":1,"b":2}}}"#),
        tool_call(r#"{"name":"safe","_meta":{"a":1,"a":2}}"#),
        tool_call(r#"{"name":"safe","_meta":{},"_meta":{}}"#),
        request(
            r#""method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"a","name":"b"}}"#,
        ),
        request(r#""x":[{"a":1,"a":1}],"method":"ping""#),
    ] {
        assert_eq!(problem(&body), duplicate, "{body}");
    }
}

#[test]
fn mcp_03_case_variants_of_reserved_names_are_refused() {
    for body in [
        request(r#""Method":"ping""#),
        request(r#""method":"ping","METHOD":"tools/call""#),
        request(r#""method":"ping","\u004dethod":"tools/call""#),
        request(r#""method":"ping","ID":2"#),
        request(r#""method":"ping","JSONRPC":"2.0""#),
        request(r#""method":"ping","PARAMS":{}"#),
        request(r#""method":"ping","Result":{}"#),
        request(r#""method":"ping","Error":{}"#),
        tool_call(r#"{"name":"safe","Name":"danger"}"#),
        tool_call(r#"{"name":"safe","Arguments":{}}"#),
        tool_call(r#"{"name":"safe","_META":{}}"#),
        tool_call(r#"{"name":"safe","URI":""}"#),
        tool_call(r#"{"name":"safe","taskid":""}"#),
        tool_call(r#"{"name":"safe","Ref":{}}"#),
        tool_call(r#"{"name":"safe","ref":{"Type":"ref/prompt"}}"#),
        tool_call(r#"{"name":"safe","_meta":{"io.modelcontextprotocol/ProtocolVersion":"x"}}"#),
    ] {
        assert_eq!(problem(&body), Problem::CaseVariant, "{body}");
    }
    call(&tool_call(r#"{"name":"t","arguments":{"Name":1,"name":2}}"#))
        .expect("arguments are free");
}

#[test]
fn mcp_04_names_that_only_look_reserved_are_refused() {
    for name in [
        "name\\u0000",
        "name\\u200b",
        "na\u{200b}me",
        "ｎame",
        "ſ",
        "tas\u{212a}Id",
        "\u{feff}name",
    ] {
        for body in [
            request(&format!(r#""method":"ping","{name}":1"#)),
            tool_call(&format!(r#"{{"name":"safe","{name}":"danger"}}"#)),
            tool_call(&format!(r#"{{"name":"safe","_meta":{{"{name}":"danger"}}}}"#)),
            tool_call(&format!(r#"{{"name":"safe","ref":{{"{name}":"danger"}}}}"#)),
        ] {
            assert_eq!(problem(&body), Problem::UnprintableName, "{body}");
        }
        call(&tool_call(&format!(r#"{{"name":"t","arguments":{{"{name}":1}}}}"#)))
            .expect("arguments are free");
    }
}

#[test]
fn mcp_05_targets_are_kept_byte_by_byte_and_bounded() {
    for name in ["Echo", "echo ", "../echo", "ｅcho", "e\u{301}cho", "é", &"x".repeat(2048)] {
        let body = tool_call(&json!({"name": name}).to_string());
        assert_eq!(call(&body).unwrap().target(), Some(name));
    }
    for name in ["", "tool\u{0}", "a\nb", "a\u{85}b", &"x".repeat(2049)] {
        let body = tool_call(&json!({"name": name}).to_string());
        assert_eq!(problem(&body), Problem::TargetText, "{body:.80}");
    }
}

#[test]
fn mcp_08_parameters_are_an_object_and_targets_are_strings() {
    for params in ["[]", r#"["danger"]"#, "null", "7", r#""name""#, "true"] {
        assert_eq!(problem(&tool_call(params)), Problem::Params, "{params}");
        assert_eq!(
            problem(&request(&format!(r#""method":"ping","params":{params}"#))),
            Problem::Params,
            "{params}"
        );
    }
    for params in [
        "{}",
        r#"{"name":null}"#,
        r#"{"name":["danger"]}"#,
        r#"{"name":{"name":"danger"}}"#,
        r#"{"name":7}"#,
        r#"{"params":{"name":"danger"}}"#,
        r#"{"_meta":{"name":"danger"}}"#,
    ] {
        assert_eq!(problem(&tool_call(params)), Problem::Target, "{params}");
    }
    for reference in [
        "null",
        r#"["ref/prompt","p"]"#,
        "{}",
        r#"{"type":"ref/prompt"}"#,
        r#"{"type":"ref/prompt","uri":"u"}"#,
        r#"{"type":"ref/resource","name":"p"}"#,
        r#"{"type":"ref/other","name":"p"}"#,
        r#"{"name":"p"}"#,
        r#"{"type":"ref/prompt","name":"p","uri":"u"}"#,
    ] {
        let body = format!(r#""method":"completion/complete","params":{{"ref":{reference}}}"#);
        assert_eq!(problem(&request(&body)), Problem::Reference, "{reference}");
    }
    for version in ["7", "null", "[]", "{}"] {
        let body = format!(r#"{{"name":"t","_meta":{{"{META_VERSION}":{version}}}}}"#);
        assert_eq!(problem(&tool_call(&body)), Problem::MetaVersion, "{version}");
    }
}

#[test]
fn mcp_09_a_message_is_one_thing_only() {
    for (members, expected) in [
        (r#""id":1,"method":"ping","result":{}"#, Problem::Kind),
        (r#""id":1,"method":"ping","error":{}"#, Problem::Kind),
        (r#""method":"notifications/x","result":null"#, Problem::Kind),
        (r#""id":1,"result":{},"error":{}"#, Problem::Kind),
        (r#""id":1"#, Problem::Kind),
        (r#""result":{}"#, Problem::Kind),
        (r#""error":{}"#, Problem::Kind),
        (r#""id":null,"error":{}"#, Problem::Id),
        (r#""id":1,"method":"notifications/initialized""#, Problem::IdAndMethod),
        (r#""method":"tools/call","params":{"name":"danger"}"#, Problem::IdAndMethod),
    ] {
        assert_eq!(problem(&format!(r#"{{"jsonrpc":"2.0",{members}}}"#)), expected, "{members}");
    }
}

#[test]
fn ids_are_short_strings_or_64_bit_integers() {
    let long = "x".repeat(257);
    for (id, expected) in [
        ("0", Some(RequestId::Number(0))),
        ("-9223372036854775808", Some(RequestId::Number(i64::MIN))),
        ("9223372036854775807", Some(RequestId::Number(i64::MAX))),
        (r#""""#, Some(RequestId::Text("".into()))),
        (r#""\u0061b""#, Some(RequestId::Text("ab".into()))),
        ("9223372036854775808", None),
        ("1.0", None),
        ("1e2", None),
        ("1.5", None),
        ("null", None),
        ("true", None),
        ("{}", None),
        ("[1]", None),
        (&format!("\"{long}\""), None),
    ] {
        let result = call(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
        match expected {
            Some(_) => assert_eq!(result.unwrap().id(), expected.as_ref(), "{id}"),
            None => assert_eq!(result.unwrap_err().problem, Problem::Id, "{id}"),
        }
    }
}

#[test]
fn methods_are_short_visible_ascii() {
    for method in [
        json!(""),
        json!("tools/call "),
        json!("tools call"),
        json!("tools/call\u{0}"),
        json!("tööls"),
        json!("$response"),
        json!("x".repeat(257)),
        json!(7),
        json!(null),
        json!(["ping"]),
    ] {
        assert_eq!(problem(&request(&format!("\"method\":{method}"))), Problem::Method, "{method}");
    }
}

#[test]
fn the_version_of_json_rpc_is_2_0() {
    for body in [
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0 ","id":1,"method":"ping"}"#,
    ] {
        assert_eq!(problem(body), Problem::Version, "{body}");
    }
}

#[test]
fn mcp_10_a_body_is_json_in_utf_8_without_a_mark() {
    let ping = request(r#""method":"ping""#);
    let utf_16: Vec<u8> = ping.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, body, expected) in [
        ("byte order mark", format!("\u{feff}{ping}").into_bytes(), Problem::ByteOrderMark),
        ("UTF-16", utf_16, Problem::Json(JsonError::Syntax)),
        ("Latin-1", b"{\"\xe9\":1}".to_vec(), Problem::NotUtf8),
        ("nothing", Vec::new(), Problem::Json(JsonError::Syntax)),
        ("two messages", format!("{ping}{ping}").into_bytes(), Problem::Json(JsonError::Syntax)),
        ("a string", b"\"ping\"".to_vec(), Problem::NotAnObject),
        ("null", b"null".to_vec(), Problem::NotAnObject),
        ("a form", b"method=ping".to_vec(), Problem::Json(JsonError::Syntax)),
    ] {
        assert_eq!(Message::read(&body).unwrap_err(), expected, "{name}");
    }
}

#[test]
fn an_error_keeps_the_id_once_it_is_read() {
    let error = call(&tool_call("{}")).unwrap_err();
    assert_eq!(error.id(), Some(&RequestId::Number(1)));
    assert_eq!(error.json_rpc_code(), -32602);
    assert_eq!(call("{").unwrap_err().id(), None);
}

proptest! {
    /// What is read is what any other reader of the same bytes reads.
    #[test]
    fn agrees_with_serde_json(name in any::<String>(), id in any::<i64>(), other in any::<String>()) {
        let body = json!({
            "jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": {"name": name, "arguments": {"x": other}},
        }).to_string();
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        if let Ok(call) = call(&body) {
            prop_assert_eq!(call.method(), &value["method"]);
            prop_assert_eq!(call.target().unwrap(), &value["params"]["name"]);
            prop_assert_eq!(call.id(), Some(&RequestId::Number(id)));
        } else {
            prop_assert!(name.is_empty() || name.len() > MAX_TARGET_BYTES || name.contains(char::is_control));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(body in any::<Vec<u8>>()) {
        let _ = Message::read(&body).map(|message| message.call(None));
    }
}
