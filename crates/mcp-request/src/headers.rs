//! Compares the headers that mirror a message with the message (MCP 2026-07-28, *Streamable HTTP*).

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderMap;

use crate::{
    call::{McpCall, MessageKind},
    error::{HeaderMismatchError, Mismatch},
    message::Message,
    target::requires_name_header,
};

const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";
const VERSION: &str = "mcp-protocol-version";

const MAX_VERSION_BYTES: usize = 64;

/// The first revision that mirrors messages in headers.
const MIRRORED_SINCE: &str = "2026-07-28";

/// The headers of a request that mirror its message, each at most once and well-formed.
#[derive(Debug)]
pub(crate) struct Mirrored<'a> {
    method: Option<&'a str>,
    name: Option<Cow<'a, str>>,
    version: Option<&'a str>,
}

impl<'a> Mirrored<'a> {
    pub(crate) fn read(headers: &'a HeaderMap) -> Result<Self, HeaderMismatchError> {
        Ok(Self {
            method: single(headers, METHOD)?,
            name: single(headers, NAME)?.map(decode).transpose()?,
            version: version(headers)?,
        })
    }

    /// The revision that the headers name.
    pub(crate) const fn version(&self) -> Option<&'a str> {
        self.version
    }

    /// Whether the revision is one that mirrors messages, and has no responses to servers.
    pub(crate) fn is_modern(&self) -> bool {
        self.version.is_some_and(is_modern)
    }

    /// Compares each header that is there, whatever the revision: somebody in front of us may have
    /// decided by it. Of the headers that the revision demands, none may be missing.
    pub(crate) fn compare(
        &self,
        message: &Message<'_>,
        call: &McpCall,
    ) -> Result<(), HeaderMismatchError> {
        match (self.version, message.meta_version()) {
            // "The header value MUST match the `io.modelcontextprotocol/protocolVersion` field carried
            // in the request body's `_meta`." A service that goes by the message would follow another
            // revision than one that goes by the header.
            (Some(header), Some(meta)) if header != meta => {
                return Err(mismatch(VERSION, Mismatch::Differs));
            }
            (None, Some(_)) => return Err(mismatch(VERSION, Mismatch::Missing)),
            // A message without a version under a new header lacks a parameter. The service answers
            // that with the code that MCP has for it; nothing is decided by the header here.
            (Some(_) | None, None) | (Some(_), Some(_)) => {}
        }
        // `initialize` opens the revisions before mirrored headers, whatever version it asks for. The
        // headers of notifications "are not defined by this revision".
        let is_required = self.is_modern()
            && call.kind() == MessageKind::Request
            && call.method() != "initialize";
        match self.method {
            Some(method) if method != call.method() => {
                return Err(mismatch(METHOD, Mismatch::Differs));
            }
            None if is_required => return Err(mismatch(METHOD, Mismatch::Missing)),
            Some(_) | None => {}
        }
        match &self.name {
            Some(name) if !message.is_named(name, call) => Err(mismatch(NAME, Mismatch::Differs)),
            None if is_required && requires_name_header(call.method()) => {
                Err(mismatch(NAME, Mismatch::Missing))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a revision is 2026-07-28 or later.
///
/// Revisions are dates, so later ones compare greater. What is no date, such as `DRAFT-1`, compares greater
/// too, and is held to the newest rules that we know.
pub(crate) fn is_modern(version: &str) -> bool {
    version >= MIRRORED_SINCE
}

/// The revision that the headers name: some letters, digits, `-` and `.`, as all revisions are.
pub(crate) fn version(headers: &HeaderMap) -> Result<Option<&str>, HeaderMismatchError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    match single(headers, VERSION)? {
        Some(version)
            if !matches!(version.len(), 1..=MAX_VERSION_BYTES)
                || !version.bytes().all(is_token) =>
        {
            Err(mismatch(VERSION, Mismatch::InvalidEncoding))
        }
        version => Ok(version),
    }
}

/// The value of a header that may be there once.
///
/// Of two lines one reader takes the first and another the last, so two are refused even if they agree.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, HeaderMismatchError> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return Err(mismatch(name, Mismatch::Duplicate));
    }
    // White space around a value is not part of it (RFC 9110 §5.5), and not every server takes it away.
    let value = line.as_bytes().trim_ascii();
    if !value.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(mismatch(name, Mismatch::InvalidEncoding));
    }
    match str::from_utf8(value) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(mismatch(name, Mismatch::InvalidEncoding)),
    }
}

/// Undoes `=?base64?…?=`, once. In other spellings the same characters are an ordinary value.
fn decode(value: &str) -> Result<Cow<'_, str>, HeaderMismatchError> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|value| value.strip_suffix("?="))
    else {
        return Ok(Cow::Borrowed(value));
    };
    // Strict: padding is there, and no bits are left over that two texts could differ in.
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded {
        Some(name) => Ok(Cow::Owned(name)),
        None => Err(mismatch(NAME, Mismatch::InvalidEncoding)),
    }
}

const fn mismatch(header: &'static str, mismatch: Mismatch) -> HeaderMismatchError {
    HeaderMismatchError { header, mismatch }
}

#[cfg(test)]
mod tests;
