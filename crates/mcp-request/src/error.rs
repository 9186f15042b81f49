//! What can be wrong with a configuration, a message and its headers.

use crate::{call::RequestId, json::JsonError};

/// A body limit of zero bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a limit of 0 bytes refuses every message; give the size of the largest message to accept")]
#[non_exhaustive]
pub struct InvalidBodyLimitError;

/// A host that no `Host` header can name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host; write it as `mcp.example.com`, `mcp.example.com:8443` or `[::1]:*`")]
pub struct InvalidHostError(pub(crate) Box<str>);

/// A body that is not one well-formed MCP message.
///
/// The [`source`](std::error::Error::source) of the [`Denial`](palisade_core::Denial). It never holds a
/// value that the client sent, except the id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct InvalidMessageError {
    pub(crate) problem: Problem,
    pub(crate) id: Option<RequestId>,
}

impl InvalidMessageError {
    /// The code of the error as JSON-RPC counts them.
    #[must_use]
    pub const fn json_rpc_code(&self) -> i32 {
        match self.problem.class() {
            Class::Json => -32700,
            Class::Message => -32600,
            Class::Params => -32602,
        }
    }

    /// The id of the message, if it could be read.
    #[must_use]
    pub const fn id(&self) -> Option<&RequestId> {
        self.id.as_ref()
    }
}

impl From<Problem> for InvalidMessageError {
    fn from(problem: Problem) -> Self {
        Self { problem, id: None }
    }
}

/// Everything that can be wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the body starts with a byte order mark")]
    ByteOrderMark,
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error(transparent)]
    Json(#[from] JsonError),

    #[error("the body is an array; each message needs a request of its own")]
    Batch,
    #[error("the message is not an object")]
    NotAnObject,
    #[error("a name in a reserved place differs from a reserved name in case only")]
    CaseVariant,
    #[error("a name in a reserved place has characters outside printable ASCII")]
    UnprintableName,
    #[error("`jsonrpc` is not \"2.0\"")]
    Version,
    #[error("`id` is neither a short string nor a 64-bit integer")]
    Id,
    #[error("`method` is not 1 to 256 visible ASCII characters without `$` in front")]
    Method,
    #[error("the message is neither a request nor a notification nor a response")]
    Kind,
    #[error("a notification has an `id`, or a request has none")]
    IdAndMethod,
    #[error("responses are not sent to servers in this revision of the protocol")]
    Response,

    #[error("`params` is not an object")]
    Params,
    #[error("`params.ref` does not name a prompt or a resource")]
    Reference,
    #[error("the parameter that names the target is missing or not a string")]
    Target,
    #[error("the target is empty, longer than 2048 bytes or has control characters")]
    TargetText,
    #[error("the protocol version in `params._meta` is not a string")]
    MetaVersion,
}

/// What a client is told about a [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Json,
    Message,
    Params,
}

impl Problem {
    pub(crate) const fn class(self) -> Class {
        match self {
            Self::ByteOrderMark | Self::NotUtf8 | Self::Json(JsonError::Syntax) => Class::Json,
            Self::Json(
                JsonError::DuplicateName
                | JsonError::PrivateName
                | JsonError::TooDeep
                | JsonError::TooManyNames,
            )
            | Self::Batch
            | Self::NotAnObject
            | Self::CaseVariant
            | Self::UnprintableName
            | Self::Version
            | Self::Id
            | Self::Method
            | Self::Kind
            | Self::IdAndMethod
            | Self::Response => Class::Message,
            Self::Params
            | Self::Reference
            | Self::Target
            | Self::TargetText
            | Self::MetaVersion => Class::Params,
        }
    }
}

/// A header that does not say what the message says.
///
/// The [`source`](std::error::Error::source) of the [`Denial`](palisade_core::Denial); MCP calls it
/// `HeaderMismatch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("header `{header}` {}", .mismatch.as_str())]
pub struct HeaderMismatchError {
    pub(crate) header: &'static str,
    pub(crate) mismatch: Mismatch,
}

impl HeaderMismatchError {
    /// The code that MCP assigns to `HeaderMismatch`.
    pub const JSON_RPC_CODE: i32 = -32020;

    /// The name of the header.
    #[must_use]
    pub const fn header(&self) -> &'static str {
        self.header
    }
}

/// In which way a header does not say what the message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    Differs,
    Duplicate,
    InvalidEncoding,
    Missing,
}

impl Mismatch {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Differs => "differs from the message",
            Self::Duplicate => "is there more than once",
            Self::InvalidEncoding => "has characters or an encoding that are not allowed",
            Self::Missing => "is missing",
        }
    }
}

/// A body that ended in an error.
#[derive(Debug, thiserror::Error)]
#[error("the body could not be read")]
pub(crate) struct UnreadableBodyError(
    #[source] pub(crate) Box<dyn std::error::Error + Send + Sync>,
);
