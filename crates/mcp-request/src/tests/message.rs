//! Messages: what is left for the layers inside, and what is refused.

use palisade_core::{Operation, Trail};
use proptest::prelude::*;

use super::*;
use crate::{HeaderMismatchError, McpCall, MessageKind, RequestId};

pub(super) const TOOL_CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"danger","arguments":{"secret":"hunter2"}}}"#;

#[tokio::test]
async fn the_operation_and_the_call_are_left() {
    let request = post().header("mcp-protocol-version", "2025-11-25");
    let (_, seen) = send(request.body(Frames::from(TOOL_CALL)).unwrap()).await;
    let parts = seen.unwrap().parts;
    let expected = Operation::new("mcp", "tools/call").with_target("danger");
    assert_eq!(*Operation::of(&parts), expected);
    let call = McpCall::of(&parts).unwrap();
    assert_eq!(call.kind(), MessageKind::Request);
    assert_eq!(call.id(), Some(&RequestId::Number(7)));
    assert_eq!(call.protocol_version(), Some("2025-11-25"));
    assert!(!format!("{call:?}").contains("hunter2"));
}

#[tokio::test]
async fn mcp_06_the_message_decides_and_the_header_only_agrees() {
    for version in [None, Some("2025-03-26"), Some("2025-11-25"), Some("2026-07-28")] {
        let mut request = post().header("mcp-method", "tools/call").header("mcp-name", "safe");
        if let Some(version) = version {
            request = request.header("mcp-protocol-version", version);
        }
        let trail = Trail::new();
        request = request.extension(trail.clone());
        let (response, seen) = send(request.body(Frames::from(TOOL_CALL)).unwrap()).await;
        assert!(seen.is_none(), "{version:?}");
        assert_eq!(response.status(), 400, "{version:?}");
        assert_eq!(
            response.body(),
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32020,"message":"a header does not say what the message says","data":{"reason":"header_mismatch","kind":"bad_request"}}}"#
        );
        let notes = trail.notes();
        assert_eq!(notes.operation.unwrap().target(), Some("danger"), "the record has the truth");
        let denial = notes.denial.unwrap();
        let error: &HeaderMismatchError =
            std::error::Error::source(&denial).unwrap().downcast_ref().unwrap();
        assert_eq!(error.to_string(), "header `mcp-name` differs from the message");
    }
}

#[tokio::test]
async fn invalid_messages_are_answered_by_what_is_wrong_with_them() {
    for (body, reason, code, id) in [
        ("{", "message_not_json", -32700, ""),
        ("[]", "message_invalid", -32600, ""),
        (r#"{"jsonrpc":"2.0","id":1,"id":1}"#, "message_invalid", -32600, ""),
        (r#"{"jsonrpc":"2.0","id":1}"#, "message_invalid", -32600, r#""id":1,"#),
        (
            r#"{"jsonrpc":"2.0","id":"x","method":"tools/call"}"#,
            "params_invalid",
            -32602,
            r#""id":"x","#,
        ),
    ] {
        let (response, seen) = send(post().body(Frames::from(body)).unwrap()).await;
        assert!(seen.is_none(), "{body}");
        assert_eq!(response.status(), 400, "{body}");
        assert_eq!(
            response.extensions().get::<Denial>().unwrap().reason().code(),
            reason,
            "{body}"
        );
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        let start = format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":{code},"#);
        assert!(text.starts_with(&start), "{body}: {text}");
    }
}

#[tokio::test]
async fn mcp_09_responses_are_named_and_since_2026_07_28_refused() {
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let request = |version| post().header("mcp-protocol-version", version).body(response.into());
    let (_, seen) = send(request("2025-11-25").unwrap()).await;
    assert_eq!(*Operation::of(&seen.unwrap().parts), Operation::new("mcp", McpCall::RESPONSE));
    assert_eq!(refusal(request("2026-07-28").unwrap()).await, (400, "message_invalid"));
}

#[tokio::test]
async fn facts_of_another_layer_do_not_survive() {
    let forged = Operation::new("mcp", "ping");
    let request = post().extension(forged).body(Frames::from(TOOL_CALL)).unwrap();
    let parts = send(request).await.1.unwrap().parts;
    assert_eq!(Operation::of(&parts).name(), "tools/call");
}

proptest! {
    /// Whatever arrives, in whatever pieces: either the service gets these bytes, or nothing.
    #[test]
    fn mcp_07_nothing_but_the_bytes_that_came_reaches_the_service(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "\"jsonrpc\":\"2.0\"", ",", "\"id\":1", "\"method\":\"ping\"", " ", "\\",
            ]),
            0..9,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let sent = pieces.concat();
        let request = post().body(Frames::of(pieces.clone())).unwrap();
        let (response, seen) = runtime.block_on(send(request));
        prop_assert_eq!(response.status() == 200, seen.is_some());
        if let Some(seen) = seen {
            prop_assert_eq!(seen.body, sent);
        }
    }
}
