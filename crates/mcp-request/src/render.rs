//! Refusals as JSON-RPC errors, or as results of tools.

mod tool_result;

use std::{error::Error, fmt};

use bytes::Bytes;
use http::{HeaderValue, Response, header::CONTENT_TYPE, request::Parts};
use palisade_core::{
    Denial, DenialKind, FromBytes, MakeBody, RefusedInBody, RenderDenial, ScopeToken,
};
use serde::Serialize;

use self::tool_result::ToolResult;
use crate::{HeaderMismatchError, InvalidMessageError, McpCall, RequestId};

const INVALID_REQUEST: i32 = -32600;

/// Gives refusals a JSON-RPC error as body, so that a client that looks at nothing else can act.
///
/// Made for the layers of MCP services, all of them: a 400 without such a body is taken by clients for
/// an old server, to which they then speak an old protocol.
///
/// ```json
/// {"jsonrpc":"2.0","id":7,"error":{"code":403,"message":"…","data":{"reason":"…",
///  "kind":"insufficient_scope","requiredScopes":["files:write"]}}}
/// ```
///
/// | refused with | `code` |
/// |---|---|
/// | 400, the body is not JSON | -32700 |
/// | 400, the parameters do not fit the method | -32602 |
/// | 400, a header does not say what the message says | -32020 |
/// | 400, anything else | -32600 |
/// | any other status | the status, such as 401, 403 or 429 |
///
/// MCP names no code for a refused access and asks that new ones be "allocated outside the JSON-RPC
/// reserved range"; the status is, and needs no table.
///
/// `id` is left out where it is unknown, as MCP has it (JSON-RPC alone would say `null`). In `data`,
/// `reason` is [`Reason::code`](palisade_core::Reason::code), `kind` is
/// [`DenialKind::as_str`](palisade_core::DenialKind::as_str); `requiredScopes` and `retryAfterSeconds` are
/// there if they are known.
///
/// Nobody speaks gRPC to an MCP service, so a request that says it does gets the same: a refusal that HTTP
/// calls 200 would be taken for a success by everything in between.
#[derive(Clone, Copy, Default)]
pub struct JsonRpcRenderer<M = FromBytes> {
    make_body: M,
    challenges: Challenges,
}

/// Where a client finds the challenge.
#[derive(Clone, Copy, Default)]
enum Challenges {
    #[default]
    InHeader,
    InToolResultsToo,
}

impl JsonRpcRenderer {
    /// A renderer for bodies that convert from [`Bytes`].
    #[must_use]
    pub const fn new() -> Self {
        Self { make_body: FromBytes::new(), challenges: Challenges::InHeader }
    }
}

impl<M> JsonRpcRenderer<M> {
    /// Makes bodies another way, such as `|bytes| Full::new(bytes).boxed()`.
    #[must_use]
    pub fn with_body<M2>(self, make_body: M2) -> JsonRpcRenderer<M2> {
        JsonRpcRenderer { make_body, challenges: self.challenges }
    }

    /// Answers `tools/call` with a tool result where another credential would help, for ChatGPT: it looks for
    /// challenges in `_meta["mcp/www_authenticate"]` of a result with status 200, and takes an HTTP status for
    /// a broken tool.
    ///
    /// ```json
    /// {"jsonrpc":"2.0","id":7,"result":{"resultType":"complete",
    ///  "content":[{"type":"text","text":"…"}],"isError":true,
    ///  "_meta":{"mcp/www_authenticate":["Bearer error=\"insufficient_scope\", …"]}}}
    /// ```
    ///
    /// The texts are those of the `WWW-Authenticate` field, which is sent as well. It is the answer to
    /// refusals inside [`McpRequestLayer`](crate::McpRequestLayer), of requests whose call is known, and only of
    /// kinds that [have a challenge](DenialKind::has_challenge): in the usual order, missing scopes. All others
    /// stay what they are, those of the layers that verify tokens too, which do not know the call.
    ///
    /// # What you give up
    ///
    /// MCP demands: "Servers MUST return appropriate HTTP status codes for authorization errors". Clients that
    /// follow it do not ask for more scopes when they get a 200; they show the text, and the user is stuck. Use it
    /// for an endpoint that only ChatGPT talks to, and not for one that all clients share. Records and this
    /// crate's callers still see a refusal; proxies and dashboards see a success. Never use it where a proxy
    /// asks this service whether a call may pass, and sends its body along: there, a 200 is a yes.
    #[must_use]
    pub fn with_challenges_in_tool_results(mut self) -> Self {
        self.challenges = Challenges::InToolResultsToo;
        self
    }
}

impl<B, M: MakeBody<B>> RenderDenial<B> for JsonRpcRenderer<M> {
    fn render(&self, denial: &Denial, request: &Parts) -> Response<B> {
        let result = match self.challenges {
            Challenges::InHeader => None,
            Challenges::InToolResultsToo => ToolResult::of(denial, request),
        };
        let text = match &result {
            Some(result) => serde_json::to_vec(result),
            None => serde_json::to_vec(&Message::of(denial, request)),
        };
        let body = self.make_body.make_body(Bytes::from(text.unwrap_or_default()));
        let mut response = Response::new(body);
        if result.is_some() {
            response.extensions_mut().insert(RefusedInBody::new());
        } else {
            *response.status_mut() = denial.kind().status();
        }
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

impl<M> fmt::Debug for JsonRpcRenderer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonRpcRenderer").finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Message<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Id<'a>>,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Id<'a> {
    Number(i64),
    Text(&'a str),
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: i32,
    message: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    reason: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required_scopes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
}

impl<'a> Message<'a> {
    fn of(denial: &'a Denial, request: &'a Parts) -> Self {
        let invalid = source::<InvalidMessageError>(denial);
        let id = match McpCall::of(request) {
            Some(call) => call.id(),
            None => invalid.and_then(InvalidMessageError::id),
        };
        let reason = denial.reason();
        Self {
            jsonrpc: "2.0",
            id: id.map(Id::of),
            error: ErrorObject {
                code: code(denial, invalid),
                message: reason.text(),
                data: Data {
                    reason: reason.code(),
                    kind: denial.kind().as_str(),
                    required_scopes: denial
                        .required_scopes()
                        .iter()
                        .map(ScopeToken::as_str)
                        .collect(),
                    retry_after_seconds: denial.retry_after_seconds(),
                },
            },
        }
    }
}

impl<'a> Id<'a> {
    fn of(id: &'a RequestId) -> Self {
        match id {
            RequestId::Number(number) => Self::Number(*number),
            RequestId::Text(text) => Self::Text(text),
        }
    }
}

/// The code of a denial, by the table at [`JsonRpcRenderer`].
fn code(denial: &Denial, invalid: Option<&InvalidMessageError>) -> i32 {
    if source::<HeaderMismatchError>(denial).is_some() {
        return HeaderMismatchError::JSON_RPC_CODE;
    }
    let kind = denial.kind();
    match invalid {
        Some(error) => error.json_rpc_code(),
        None if matches!(kind, DenialKind::BadRequest | DenialKind::InvalidCredentials) => {
            INVALID_REQUEST
        }
        None => i32::from(kind.status().as_u16()),
    }
}

fn source<E: Error + 'static>(denial: &Denial) -> Option<&E> {
    denial.source().and_then(|error| error.downcast_ref())
}

#[cfg(test)]
mod tests;
