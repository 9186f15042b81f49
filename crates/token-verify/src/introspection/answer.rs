//! What an answer says: yes, no, or nothing (RFC 7662 §2.2).

use serde_json::{Map, Value};

use super::{IntrospectionResponse, failure::Failure};
use crate::json::{Bounds, read_object};

/// Far above any real answer. `IntrospectionEndpoint` stops reading at the same size.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;
pub(super) const BOUNDS: Bounds = Bounds { depth: 32, values: 4096 };

pub(super) const JSON: &str = "application/json";
pub(super) const SIGNED: &str = "application/token-introspection+jwt";

/// A verdict of the server. Its own rules still come after a yes.
#[derive(Debug)]
pub(super) enum Answer {
    /// The token lives, and this is what the server says of it.
    Active(Map<String, Value>),
    /// The server does not vouch for the token.
    Inactive,
    /// `active` is there, and is neither `true` nor `false`. No yes; and no clear no that is worth remembering.
    NotActive,
}

/// In which form the answer came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    Json(Vec<u8>),
    Signed(Vec<u8>),
}

/// Nothing but 200 is an answer: of a redirect, of an error page, of a status that means something to somebody else,
/// nothing is read.
pub(super) fn body(response: IntrospectionResponse) -> Result<Body, Failure> {
    match response.status {
        200 => {}
        status @ (401 | 403) => return Err(Failure::Credentials { status }),
        status @ (429 | 502 | 503 | 504) => {
            return Err(Failure::Overloaded { status, retry_after: response.retry_after });
        }
        status => return Err(Failure::Status { status }),
    }
    if response.body.len() > MAX_ANSWER_BYTES {
        return Err(unreadable("it is larger than 64 KiB"));
    }
    let content_type = response.content_type.as_deref().unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(JSON) {
        Ok(Body::Json(response.body))
    } else if media_type.eq_ignore_ascii_case(SIGNED) {
        Ok(Body::Signed(response.body))
    } else {
        Err(unreadable("its content type is that of something else"))
    }
}

pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    read_object(body, BOUNDS)
        .ok_or_else(|| unreadable("it is not one JSON object without duplicate names"))
}

/// RFC 7662 §2.2: `active` is a "Boolean indicator". `"true"`, `1` and their like are no `true`.
pub(super) fn verdict(members: Map<String, Value>) -> Answer {
    match members.get("active") {
        Some(Value::Bool(true)) => Answer::Active(members),
        Some(Value::Bool(false)) => Answer::Inactive,
        _ => {
            tracing::warn!(
                "the introspection answer has no boolean `active`: is this the right endpoint?"
            );
            Answer::NotActive
        }
    }
}

pub(super) const fn unreadable(what: &'static str) -> Failure {
    Failure::Unreadable { what }
}
