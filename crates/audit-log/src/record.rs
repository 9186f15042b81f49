//! What is known about a request once it has ended.

use std::time::{Duration, SystemTime};

use http::{Method, StatusCode, Version};
use palisade_core::{ClientAddr, Denial, Operation, Principal, Withheld};

use crate::{TraceContext, json};

/// One request, after its end: who asked for what, on whose behalf, and what became of it.
///
/// There is no field for a token, a header or a query string, so none can leak from here. What is here
/// is *not* escaped: take [`to_json`](Self::to_json), or [`escape`](crate::escape()) each text before it
/// goes into a line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditRecord {
    /// When the request arrived, by the wall clock.
    pub at: SystemTime,
    /// How long it took until its end, by a clock that nobody can set.
    pub elapsed: Duration,
    /// What became of it.
    pub outcome: Outcome,
    /// The status that was sent, if there was a response. For gRPC it says little.
    pub status: Option<StatusCode>,
    /// `grpc-status` of the response's headers or trailers.
    pub grpc_status: Option<u16>,
    /// Who asked, in the latest state that a layer left. None if nobody was verified.
    pub principal: Option<Principal>,
    /// What was asked for: what a protocol layer found, else method and path.
    pub operation: Operation,
    /// Where the request came from, if something established that.
    pub client: Option<ClientAddr>,
    /// The HTTP method.
    pub method: Method,
    /// The raw path, without the query, which may hold an `access_token`.
    pub path: String,
    /// The HTTP version of the request.
    pub version: Version,
    /// What the client says it is.
    pub user_agent: Option<String>,
    /// Bytes of the request's body that were read, whoever read them.
    pub bytes_in: u64,
    /// Bytes of the response's body that were handed to the server.
    pub bytes_out: u64,
    /// The trace that the caller says this belongs to.
    pub trace: Option<TraceContext>,
    /// Credentials of the request that were on their way to another service, and did not go.
    pub withheld: Withheld,
}

impl AuditRecord {
    /// The record as one JSON object in one line, without the line break: escaped, and not longer than
    /// [`MAX_RECORD_BYTES`](crate::MAX_RECORD_BYTES).
    ///
    /// The members are in the table of the [crate docs](crate#the-record).
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(self)
    }
}

/// What became of a request. Exactly one of these, for every request.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever accounts for requests must account for all")]
pub enum Outcome {
    /// The client went away, or something outside gave up: the response, or what was left of it, was
    /// dropped. If the record has a status, the response had begun.
    Abandoned,
    /// The response was handed over to its last byte.
    Answered(StatusCode),
    /// The response began, and its body failed.
    BodyFailed(StatusCode),
    /// A layer refused the request. This wins over all other outcomes: it was decided first.
    Denied(Denial),
    /// The service inside returned an error instead of a response.
    Failed,
    /// The service inside, or its body, panicked.
    Panicked,
}

impl Outcome {
    /// The stable name of the outcome, for records and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Answered(_) => "answered",
            Self::BodyFailed(_) => "body_failed",
            Self::Denied(_) => "denied",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
        }
    }

    /// The refusal, if it was one.
    #[must_use]
    pub const fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied(denial) => Some(denial),
            Self::Abandoned
            | Self::Answered(_)
            | Self::BodyFailed(_)
            | Self::Failed
            | Self::Panicked => None,
        }
    }
}
