//! A refusal as the result of a tool, as OpenAI's Apps SDK has it.

use http::{HeaderValue, request::Parts};
use palisade_core::Denial;
use serde::Serialize;

use super::Id;
use crate::{McpCall, MessageKind, headers};

#[derive(Serialize)]
pub(super) struct ToolResult<'a> {
    jsonrpc: &'static str,
    id: Id<'a>,
    result: CallToolResult,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallToolResult {
    /// Since 2026-07-28, and unknown before.
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    content: [Content; 1],
    is_error: bool,
    #[serde(rename = "_meta")]
    meta: Meta,
}

#[derive(Serialize)]
struct Content {
    r#type: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct Meta {
    #[serde(rename = "mcp/www_authenticate")]
    challenges: Vec<String>,
}

impl<'a> ToolResult<'a> {
    /// The result, if the request is a call of a tool and another credential would help.
    pub(super) fn of(denial: &Denial, request: &'a Parts) -> Option<Self> {
        let call = McpCall::of(request)?;
        if call.method() != "tools/call"
            || call.kind() != MessageKind::Request
            || !denial.kind().has_challenge()
        {
            return None;
        }
        let text = |value: HeaderValue| value.to_str().map(str::to_owned).ok();
        let is_modern = call.protocol_version().is_some_and(headers::is_modern);
        Some(Self {
            jsonrpc: "2.0",
            id: Id::of(call.id()?),
            result: CallToolResult {
                result_type: is_modern.then_some("complete"),
                content: [Content { r#type: "text", text: denial.reason().text() }],
                is_error: true,
                meta: Meta { challenges: denial.challenges(request).filter_map(text).collect() },
            },
        })
    }
}
