//! The decision: from the head of a request, then from its message.

use http::{
    HeaderMap, HeaderValue, Method, Response,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use http_body_util::LengthLimitError;
use palisade_core::{Denial, DenialKind, Operation, Reason, RenderDenial};

use crate::{
    STAGE,
    call::{McpCall, MessageKind},
    error::{Class, HeaderMismatchError, InvalidMessageError, Problem, UnreadableBodyError},
    headers::{self, Mirrored},
    layer::Settings,
    message::Message,
    origin::Misdirected,
};

const BODY_TOO_LARGE: Reason = Reason::new("body_too_large", "the body is too large");
const BODY_UNREADABLE: Reason = Reason::new("body_unreadable", "the body could not be read");
const CONTENT_ENCODING_UNSUPPORTED: Reason =
    Reason::new("content_encoding_unsupported", "send the body without content coding");
const CONTENT_TYPE_UNSUPPORTED: Reason =
    Reason::new("content_type_unsupported", "the body must be application/json in UTF-8");
const HEADER_MISMATCH: Reason =
    Reason::new("header_mismatch", "a header does not say what the message says");
const HOST_MALFORMED: Reason = Reason::new("host_malformed", "the request must name one host");
const HOST_NOT_ALLOWED: Reason =
    Reason::new("host_not_allowed", "the host is not one of this server");
const MESSAGE_INVALID: Reason =
    Reason::new("message_invalid", "the body must be one valid MCP message");
const MESSAGE_NOT_JSON: Reason = Reason::new("message_not_json", "the body must be JSON");
const ORIGIN_NOT_ALLOWED: Reason =
    Reason::new("origin_not_allowed", "pages of this origin may not call this server");
const PARAMS_INVALID: Reason =
    Reason::new("params_invalid", "the parameters do not fit the method");
const VERSION_MALFORMED: Reason =
    Reason::new("version_malformed", "the protocol version is malformed");

/// What the head of a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// The body is a message: read it.
    Message,
    /// There is nothing to read: let the request pass as it is.
    Other,
}

/// Checks all that can be checked before the body is read. `at_least` is how long the body is known to
/// be.
pub(crate) fn check_head(
    request: &Parts,
    at_least: u64,
    settings: &Settings,
) -> Result<Head, Denial> {
    settings.addressees.check(request).map_err(misdirected)?;
    if !settings.endpoints.iter().any(|endpoint| **endpoint == *request.uri.path()) {
        return Ok(Head::Other);
    }
    if request.method != Method::POST {
        headers::version(&request.headers)
            .map_err(|error| bad_request(VERSION_MALFORMED).with_source(error))?;
        return Ok(Head::Other);
    }
    if !is_json(&request.headers) {
        return Err(unsupported(CONTENT_TYPE_UNSUPPORTED));
    }
    // What is compressed here and expanded behind us is not what we checked.
    if request.headers.get_all(CONTENT_ENCODING).iter().any(|line| !is(line, "identity")) {
        return Err(unsupported(CONTENT_ENCODING_UNSUPPORTED));
    }
    let limit = u64::try_from(settings.max_body_bytes).unwrap_or(u64::MAX);
    if at_least > limit || content_length(&request.headers).is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    Ok(Head::Message)
}

/// Checks the message, and leaves what it asks for.
///
/// The facts are left as soon as they are known, also if the headers contradict them: they come from the
/// body, and the refusal and the record want them.
pub(crate) fn check_message(request: &mut Parts, body: &[u8]) -> Result<(), Denial> {
    let (call, verdict) = {
        let message = Message::read(body).map_err(|problem| invalid(problem.into()))?;
        let mirrored = Mirrored::read(&request.headers);
        let header_version = mirrored.as_ref().ok().and_then(Mirrored::version);
        let call = message.call(header_version).map_err(invalid)?;
        let verdict = mirrored
            .and_then(|mirrored| mirrored.compare(&message, &call).map(|()| mirrored))
            .map_err(mismatch)
            .and_then(|mirrored| check_kind(&mirrored, &call));
        (call, verdict)
    };
    operation(&call).leave_in(request);
    request.extensions.insert(call);
    verdict
}

/// "The client MUST NOT send JSON-RPC responses" since 2026-07-28.
fn check_kind(mirrored: &Mirrored<'_>, call: &McpCall) -> Result<(), Denial> {
    match call.kind() {
        MessageKind::Response if mirrored.is_modern() => {
            Err(invalid(InvalidMessageError { problem: Problem::Response, id: call.id().cloned() }))
        }
        MessageKind::Notification | MessageKind::Request | MessageKind::Response => Ok(()),
    }
}

fn operation(call: &McpCall) -> Operation {
    let operation = Operation::new(crate::PROTOCOL, call.method().to_owned());
    match call.shared_target() {
        Some(target) => operation.with_target(target),
        None => operation,
    }
}

/// Refuses a body that is longer than the limit.
pub(crate) fn too_large() -> Denial {
    Denial::new(STAGE, DenialKind::PayloadTooLarge, BODY_TOO_LARGE)
}

/// Refuses a body that ended in an error.
pub(crate) fn unreadable(error: Box<dyn std::error::Error + Send + Sync>) -> Denial {
    let error = UnreadableBodyError(error);
    // A limit around this layer says "too large" by such an error.
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return too_large();
        }
        cause = error.source();
    }
    bad_request(BODY_UNREADABLE).with_source(error)
}

/// Makes the response of a denial, with the header that only this crate knows about.
pub(crate) fn refuse<B, R: RenderDenial<B>>(
    denial: Denial,
    renderer: &R,
    request: &Parts,
) -> Response<B> {
    let reason = denial.reason();
    let mut response = denial.into_response(renderer, request);
    if reason == CONTENT_ENCODING_UNSUPPORTED {
        // RFC 9110 §12.5.3: how a 415 says that the coding, and not the type, is the trouble.
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    response
}

fn misdirected(found: Misdirected) -> Denial {
    let forbidden = |reason| Denial::new(STAGE, DenialKind::Forbidden, reason);
    match found {
        Misdirected::HostMalformed => bad_request(HOST_MALFORMED),
        Misdirected::HostNotAllowed => forbidden(HOST_NOT_ALLOWED),
        Misdirected::OriginNotAllowed => forbidden(ORIGIN_NOT_ALLOWED),
    }
}

fn invalid(error: InvalidMessageError) -> Denial {
    let reason = match error.problem.class() {
        Class::Json => MESSAGE_NOT_JSON,
        Class::Message => MESSAGE_INVALID,
        Class::Params => PARAMS_INVALID,
    };
    bad_request(reason).with_source(error)
}

fn mismatch(error: HeaderMismatchError) -> Denial {
    bad_request(HEADER_MISMATCH).with_source(error)
}

fn bad_request(reason: Reason) -> Denial {
    Denial::new(STAGE, DenialKind::BadRequest, reason)
}

fn unsupported(reason: Reason) -> Denial {
    Denial::new(STAGE, DenialKind::UnsupportedMediaType, reason)
}

/// `application/json`, with no parameter but `charset=utf-8`.
///
/// A service that believes `charset=utf-16` reads another message in the same bytes.
fn is_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let Ok(value) = line.to_str() else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim_ascii);
    let is_essence_json =
        parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    is_essence_json
        && parts.all(|parameter| {
            ["", "charset=utf-8", "charset=\"utf-8\""]
                .iter()
                .any(|known| parameter.eq_ignore_ascii_case(known))
        })
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is(line: &HeaderValue, word: &str) -> bool {
    line.as_bytes().trim_ascii().eq_ignore_ascii_case(word.as_bytes())
}
