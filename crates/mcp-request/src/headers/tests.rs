use http::{HeaderName, HeaderValue};

use super::*;

const NEW: &str = "2026-07-28";
const OLD: &str = "2025-11-25";

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::try_from(*name).unwrap(), value)
        })
        .collect()
}

/// Compares `lines` with a call of `method`.
fn compare(lines: &[(&str, &str)], body: &str) -> Result<(), HeaderMismatchError> {
    let headers = headers(lines);
    let message = Message::read(body.as_bytes()).unwrap();
    let mirrored = Mirrored::read(&headers)?;
    let call = message.call(mirrored.version()).unwrap();
    mirrored.compare(&message, &call)
}

fn call(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// Parameters with these members and a version in `_meta`.
fn params_of(version: &str, members: &str) -> String {
    format!(r#"{{{members}"_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}"}}}}"#)
}

fn tool_call() -> String {
    call("tools/call", &params_of(NEW, r#""name":"danger","#))
}

fn base64(text: impl AsRef<[u8]>) -> String {
    format!("=?base64?{}?=", STANDARD.encode(text))
}

#[test]
fn mcp_06_headers_agree_with_the_message() {
    let encoded = base64("danger");
    for (name, lines) in [
        ("plain", vec![(VERSION, NEW), (METHOD, "tools/call"), (NAME, "danger")]),
        ("encoded", vec![(VERSION, NEW), (METHOD, "tools/call"), (NAME, &encoded)]),
        (
            "space around",
            vec![(VERSION, " 2026-07-28\t"), (METHOD, " tools/call"), (NAME, "danger ")],
        ),
        (
            "parameters are left to the service",
            vec![
                (VERSION, NEW),
                (METHOD, "tools/call"),
                (NAME, "danger"),
                ("mcp-param-region", "x"),
            ],
        ),
    ] {
        assert_eq!(compare(&lines, &tool_call()), Ok(()), "{name}");
    }
}

#[test]
fn mcp_06_headers_that_contradict_the_message_are_refused() {
    use Mismatch::{Differs, Duplicate, InvalidEncoding, Missing};

    let nested = base64(base64("danger"));
    let of_another = base64("safe");
    let not_utf8 = base64([0xFF]);
    let complete = [(VERSION, NEW), (METHOD, "tools/call"), (NAME, "danger")];
    for (name, header, value, expected) in [
        ("another tool", NAME, "safe", Differs),
        ("another case", NAME, "Danger", Differs),
        ("another tool, encoded", NAME, &*of_another, Differs),
        ("encoded twice", NAME, &*nested, Differs),
        ("marker in capitals", NAME, "=?BASE64?ZGFuZ2Vy?=", Differs),
        ("half a marker", NAME, "=?base64?ZGFuZ2Vy", Differs),
        ("no padding", NAME, "=?base64?ZGFuZ2VyMQ?=", InvalidEncoding),
        ("bits left over", NAME, "=?base64?ZGFuZ2VyMR==?=", InvalidEncoding),
        ("URL alphabet", NAME, "=?base64?_-_-?=", InvalidEncoding),
        ("white space inside", NAME, "=?base64?ZGFu Z2Vy?=", InvalidEncoding),
        ("not UTF-8", NAME, &*not_utf8, InvalidEncoding),
        ("not ASCII", NAME, "dangér", InvalidEncoding),
        ("tab inside", NAME, "dan\tger", InvalidEncoding),
        ("empty", NAME, "", Differs),
        ("another method", METHOD, "tools/list", Differs),
        ("another case of the method", METHOD, "Tools/Call", Differs),
        ("encoded method", METHOD, "=?base64?dG9vbHMvY2FsbA==?=", Differs),
        ("empty method", METHOD, "", Differs),
        ("another version", VERSION, "2025-11-25", Differs),
        ("a later version", VERSION, "2027-01-01", Differs),
        ("no version", VERSION, "", InvalidEncoding),
        ("a version with space", VERSION, "2026-07-28 x", InvalidEncoding),
    ] {
        let mut lines = complete;
        for line in &mut lines {
            if line.0 == header {
                line.1 = value;
            }
        }
        let refused = HeaderMismatchError { header, mismatch: expected };
        assert_eq!(compare(&lines, &tool_call()), Err(refused), "{name}");
    }
    for (header, value) in complete {
        let refused = |mismatch| Err(HeaderMismatchError { header, mismatch });
        let mut twice = complete.to_vec();
        twice.push((header, value));
        assert_eq!(compare(&twice, &tool_call()), refused(Duplicate), "{header} twice");
        let without: Vec<_> = complete.into_iter().filter(|line| line.0 != header).collect();
        assert_eq!(compare(&without, &tool_call()), refused(Missing), "without {header}");
    }
}

#[test]
fn headers_are_compared_in_every_revision_and_demanded_in_new_ones() {
    let old_call = call("tools/call", r#"{"name":"danger"}"#);
    let differs = |header| Err(HeaderMismatchError { header, mismatch: Mismatch::Differs });
    let missing = |header| Err(HeaderMismatchError { header, mismatch: Mismatch::Missing });
    for (name, lines, expected) in [
        ("no header at all", vec![], Ok(())),
        ("old", vec![(VERSION, OLD)], Ok(())),
        ("old, other tool", vec![(VERSION, OLD), (NAME, "safe")], differs(NAME)),
        ("old, other method", vec![(VERSION, OLD), (METHOD, "ping")], differs(METHOD)),
        ("no version, other tool", vec![(NAME, "safe")], differs(NAME)),
        ("no version, same tool", vec![(NAME, "danger")], Ok(())),
        ("new, nothing else", vec![(VERSION, NEW)], missing(METHOD)),
        ("new, no name", vec![(VERSION, NEW), (METHOD, "tools/call")], missing(NAME)),
        ("newer than we know", vec![(VERSION, "2031-01-01")], missing(METHOD)),
        ("a draft", vec![(VERSION, "DRAFT-2026-v1")], missing(METHOD)),
        // Without a version in `_meta` the service has an error of its own for that.
        ("new", vec![(VERSION, NEW), (METHOD, "tools/call"), (NAME, "danger")], Ok(())),
    ] {
        assert_eq!(compare(&lines, &old_call), expected, "{name}");
    }
    let downgraded = call("tools/call", &params_of(OLD, r#""name":"danger","#));
    assert_eq!(compare(&[], &downgraded), missing(VERSION));
    assert_eq!(compare(&[(VERSION, OLD)], &downgraded), Ok(()));
}

#[test]
fn each_method_has_its_headers() {
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#;
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let missing = Err(HeaderMismatchError { header: NAME, mismatch: Mismatch::Missing });
    let differs = |header| Err(HeaderMismatchError { header, mismatch: Mismatch::Differs });
    for (name, body, method, target, expected) in [
        ("no target", call("tools/list", "{}"), Some("tools/list"), None, Ok(())),
        (
            "a name for nothing",
            call("tools/list", "{}"),
            Some("tools/list"),
            Some("x"),
            differs(NAME),
        ),
        (
            "uri",
            call("resources/read", r#"{"uri":"a:b"}"#),
            Some("resources/read"),
            Some("a:b"),
            Ok(()),
        ),
        (
            "no uri",
            call("resources/read", r#"{"uri":"a:b"}"#),
            Some("resources/read"),
            None,
            missing,
        ),
        (
            "the uri, not the name",
            call("resources/read", r#"{"uri":"a:b","name":"n"}"#),
            Some("resources/read"),
            Some("n"),
            differs(NAME),
        ),
        ("task", call("tasks/get", r#"{"taskId":"k"}"#), Some("tasks/get"), Some("k"), Ok(())),
        ("no task", call("tasks/cancel", r#"{"taskId":"k"}"#), Some("tasks/cancel"), None, missing),
        (
            "not demanded",
            call("resources/subscribe", r#"{"uri":"u"}"#),
            Some("resources/subscribe"),
            None,
            Ok(()),
        ),
        ("unknown method", call("x/y", r#"{"name":"n"}"#), Some("x/y"), Some("n"), Ok(())),
        (
            "unknown method, other name",
            call("x/y", r#"{"name":"n"}"#),
            Some("x/y"),
            Some("m"),
            differs(NAME),
        ),
        ("handshake", call("initialize", "{}"), None, None, Ok(())),
        ("handshake, other method", call("initialize", "{}"), Some("ping"), None, differs(METHOD)),
        ("notification", notification.to_owned(), None, None, Ok(())),
        (
            "notification, other method",
            notification.to_owned(),
            Some("ping"),
            None,
            differs(METHOD),
        ),
        ("response", response.to_owned(), None, None, Ok(())),
        ("response with a method", response.to_owned(), Some("tools/list"), None, differs(METHOD)),
    ] {
        let mut lines = vec![(VERSION, NEW)];
        lines.extend(method.map(|method| (METHOD, method)));
        lines.extend(target.map(|target| (NAME, target)));
        assert_eq!(compare(&lines, &body), expected, "{name}");
    }
}

#[test]
fn a_name_that_looks_encoded_is_sent_encoded() {
    let body = call("tools/call", r#"{"name":"=?base64?YQ==?="}"#);
    let encoded = base64("=?base64?YQ==?=");
    assert_eq!(compare(&[(NAME, &encoded)], &body), Ok(()));
    compare(&[(NAME, "=?base64?YQ==?=")], &body).unwrap_err();
}

#[test]
fn versions_are_short_tokens() {
    for (value, is_good) in [
        ("2025-06-18", true),
        ("DRAFT-2026.1", true),
        ("", false),
        ("2025/06/18", false),
        ("2025-06-18, 2026-07-28", false),
        (&"9".repeat(64), true),
        (&"9".repeat(65), false),
    ] {
        assert_eq!(version(&headers(&[(VERSION, value)])).is_ok(), is_good, "{value}");
    }
    assert_eq!(version(&headers(&[])), Ok(None));
    version(&headers(&[(VERSION, OLD), (VERSION, OLD)])).unwrap_err();
}
