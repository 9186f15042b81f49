//! The call that a message makes.

use std::{fmt, sync::Arc};

use http::request::Parts;

/// The MCP message of a request, as the layers inside and the handler may rely on it: it was read from
/// the very bytes that they get, and every mirrored header agrees with it.
///
/// Left in the request's extensions. Cheap to clone. Parameters other than the target are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpCall(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Inner {
    pub(crate) kind: MessageKind,
    pub(crate) method: Box<str>,
    pub(crate) target: Option<Arc<str>>,
    pub(crate) id: Option<RequestId>,
    pub(crate) protocol_version: Option<Box<str>>,
}

impl McpCall {
    /// The [`method`](Self::method) of a message that answers a request of the server.
    ///
    /// No client can send this method: the layer refuses methods that begin with `$`.
    pub const RESPONSE: &'static str = "$response";

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The message of a request, if the layer read one.
    #[must_use]
    pub fn of(request: &Parts) -> Option<&Self> {
        request.extensions.get()
    }

    /// Whether the message asks, tells or answers.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.0.kind
    }

    /// The method, such as `tools/call`; of a response [`RESPONSE`](Self::RESPONSE).
    #[must_use]
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// The tool, prompt, resource or task that the method is about, for methods that have such a target.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.0.target.as_deref()
    }

    pub(crate) fn shared_target(&self) -> Option<Arc<str>> {
        self.0.target.clone()
    }

    /// The id of the message. Notifications have none.
    #[must_use]
    pub fn id(&self) -> Option<&RequestId> {
        self.0.id.as_ref()
    }

    /// The revision of the protocol that header and message agree on, such as `2026-07-28`.
    ///
    /// `None` if neither names one. MCP has servers assume `2025-03-26` then.
    #[must_use]
    pub fn protocol_version(&self) -> Option<&str> {
        self.0.protocol_version.as_deref()
    }
}

/// What a message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// Tells the server something and expects no answer.
    Notification,
    /// Asks the server and expects an answer.
    Request,
    /// Answers a request of the server. Revisions before 2026-07-28 only.
    Response,
}

/// The id of a message: a string or an integer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestId {
    /// An integer.
    Number(i64),
    /// A string of at most 256 bytes.
    Text(Arc<str>),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}
