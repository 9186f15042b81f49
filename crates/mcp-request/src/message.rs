//! Reads one MCP message strictly, in one pass, and keeps only what a decision needs.

use std::{borrow::Cow, sync::Arc};

use crate::{
    call::{Inner, McpCall, MessageKind, RequestId},
    error::{InvalidMessageError, Problem},
    json::{RawString, Scanner, Value},
    target::Target,
};

/// Where a message says which revision of the protocol it follows (2026-07-28 and later).
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

const MAX_ID_BYTES: usize = 256;
const MAX_METHOD_BYTES: usize = 256;
const MAX_TARGET_BYTES: usize = 2048;

/// A message whose text is well-formed. What it means is not judged yet.
#[derive(Debug, Default)]
pub(crate) struct Message<'a> {
    jsonrpc: Option<Value<'a>>,
    id: Option<Value<'a>>,
    method: Option<Value<'a>>,
    params: Params<'a>,
    has_result: bool,
    has_error: bool,
}

/// The parameters that some method uses to say what it is about.
#[derive(Debug, Default)]
struct Params<'a> {
    is_no_object: bool,
    name: Option<Value<'a>>,
    uri: Option<Value<'a>>,
    task_id: Option<Value<'a>>,
    reference: Option<Reference<'a>>,
    meta_version: Option<Value<'a>>,
}

/// Kind, method and target of a message.
type Judgement<'a> = (MessageKind, Cow<'a, str>, Option<Arc<str>>);

/// What `completion/complete` completes.
#[derive(Debug, Default)]
struct Reference<'a> {
    kind: Option<Value<'a>>,
    name: Option<Value<'a>>,
    uri: Option<Value<'a>>,
}

impl<'a> Message<'a> {
    /// Reads the text of a message.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Problem> {
        let text = str::from_utf8(body).map_err(|_| Problem::NotUtf8)?;
        if text.starts_with('\u{FEFF}') {
            return Err(Problem::ByteOrderMark);
        }
        let mut scanner = Scanner::new(text);
        match scanner.peek() {
            Some(b'{') => {}
            // Whoever wants to hide a call behind another one sends them together. Batches are refused
            // in every revision, also in the one that had them.
            Some(b'[') => return Err(Problem::Batch),
            _ => {
                scanner.value()?;
                scanner.end()?;
                return Err(Problem::NotAnObject);
            }
        }
        let mut message = Self::default();
        const RESERVED: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];
        read_reserved(&mut scanner, RESERVED, |scanner, name| {
            match name {
                "jsonrpc" => message.jsonrpc = Some(scanner.value()?),
                "id" => message.id = Some(scanner.value()?),
                "method" => message.method = Some(scanner.value()?),
                "params" => message.params = Params::read(scanner)?,
                "result" | "error" => {
                    scanner.value()?;
                    message.has_result |= name == "result";
                    message.has_error |= name == "error";
                }
                _ => drop(scanner.value()?),
            }
            Ok(())
        })?;
        scanner.end()?;
        Ok(message)
    }

    /// Judges what the message means. `header_version` is the revision that the headers name.
    pub(crate) fn call(
        &self,
        header_version: Option<&str>,
    ) -> Result<McpCall, InvalidMessageError> {
        let id = self.id()?;
        match self.judge(id.is_some()) {
            Ok((kind, method, target)) => Ok(McpCall::new(Inner {
                kind,
                method: method.into(),
                target,
                id,
                protocol_version: self.meta_version().as_deref().or(header_version).map(Box::from),
            })),
            Err(problem) => Err(InvalidMessageError { problem, id }),
        }
    }

    /// What `Mcp-Name` may mirror: the target, and for methods that we do not know the parameters that
    /// MCP mirrors.
    pub(crate) fn is_named(&self, name: &str, call: &McpCall) -> bool {
        if Target::of(call.method()).is_some() {
            return call.target() == Some(name);
        }
        [self.params.name, self.params.uri, self.params.task_id]
            .into_iter()
            .any(|value| matches!(value, Some(Value::String(raw)) if raw.decode() == name))
    }

    /// The revision that the message itself names.
    pub(crate) fn meta_version(&self) -> Option<Cow<'a, str>> {
        string(self.params.meta_version)
    }

    fn id(&self) -> Result<Option<RequestId>, Problem> {
        match self.id {
            None => Ok(None),
            Some(Value::String(raw)) => match raw.decode() {
                text if text.len() <= MAX_ID_BYTES => Ok(Some(RequestId::Text(text.into()))),
                _ => Err(Problem::Id),
            },
            // A fraction or an exponent does not parse: one service would round it, another refuse it.
            Some(Value::Number(digits)) => match digits.parse() {
                Ok(number) => Ok(Some(RequestId::Number(number))),
                Err(_) => Err(Problem::Id),
            },
            Some(Value::Null | Value::Other) => Err(Problem::Id),
        }
    }

    fn judge(&self, has_id: bool) -> Result<Judgement<'a>, Problem> {
        if string(self.jsonrpc).as_deref() != Some("2.0") {
            return Err(Problem::Version);
        }
        let (kind, method) = match (self.method, self.has_result, self.has_error) {
            (Some(method), false, false) => {
                let method = method_name(method)?;
                (kind_of_call(&method, has_id)?, method)
            }
            (None, true, false) | (None, false, true) if has_id => {
                (MessageKind::Response, Cow::Borrowed(McpCall::RESPONSE))
            }
            // A message that is two things at once is one thing to one reader and another to the next.
            _ => return Err(Problem::Kind),
        };
        if self.params.is_no_object {
            return Err(Problem::Params);
        }
        if self.params.meta_version.is_some() && self.meta_version().is_none() {
            return Err(Problem::MetaVersion);
        }
        let target = match Target::of(&method) {
            Some(target) => Some(self.target(target)?),
            None => None,
        };
        Ok((kind, method, target))
    }

    fn target(&self, target: Target) -> Result<Arc<str>, Problem> {
        let value = match target {
            Target::Name => self.params.name,
            Target::Uri => self.params.uri,
            Target::TaskId => self.params.task_id,
            Target::Reference => {
                self.params.reference.as_ref().ok_or(Problem::Reference)?.target()?
            }
        };
        let text = string(value).ok_or(Problem::Target)?;
        if text.is_empty() || text.len() > MAX_TARGET_BYTES || text.contains(char::is_control) {
            return Err(Problem::TargetText);
        }
        Ok(text.into())
    }
}

impl<'a> Params<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Result<Self, Problem> {
        let mut params = Self::default();
        if scanner.peek() != Some(b'{') {
            scanner.value()?;
            params.is_no_object = true;
            return Ok(params);
        }
        const RESERVED: &[&str] = &["_meta", "arguments", "name", "ref", "taskId", "uri"];
        read_reserved(scanner, RESERVED, |scanner, name| {
            match name {
                "name" => params.name = Some(scanner.value()?),
                "uri" => params.uri = Some(scanner.value()?),
                "taskId" => params.task_id = Some(scanner.value()?),
                "ref" if scanner.peek() == Some(b'{') => {
                    params.reference = Some(Reference::read(scanner)?);
                }
                "_meta" if scanner.peek() == Some(b'{') => {
                    read_reserved(scanner, &[META_VERSION], |scanner, name| {
                        let value = scanner.value()?;
                        if name == META_VERSION {
                            params.meta_version = Some(value);
                        }
                        Ok(())
                    })?;
                }
                _ => drop(scanner.value()?),
            }
            Ok(())
        })?;
        Ok(params)
    }
}

impl<'a> Reference<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Result<Self, Problem> {
        let mut reference = Self::default();
        read_reserved(scanner, &["name", "type", "uri"], |scanner, name| {
            let value = scanner.value()?;
            match name {
                "name" => reference.name = Some(value),
                "type" => reference.kind = Some(value),
                "uri" => reference.uri = Some(value),
                _ => {}
            }
            Ok(())
        })?;
        Ok(reference)
    }

    fn target(&self) -> Result<Option<Value<'a>>, Problem> {
        match (string(self.kind).as_deref(), self.name, self.uri) {
            (Some("ref/prompt"), name @ Some(_), None) => Ok(name),
            (Some("ref/resource"), None, uri @ Some(_)) => Ok(uri),
            // With both, it is anybody's guess which one the service looks at.
            _ => Err(Problem::Reference),
        }
    }
}

/// Reads an object in which names have a meaning to MCP.
///
/// Names that a careless parser takes for another name are refused: other case (CVE-2026-27896), `NUL`
/// or invisible characters, full-width letters. All names that MCP gives in these places are printable
/// ASCII.
fn read_reserved<'a>(
    scanner: &mut Scanner<'a>,
    reserved: &[&str],
    mut member: impl FnMut(&mut Scanner<'a>, &str) -> Result<(), Problem>,
) -> Result<(), Problem> {
    scanner.object(|scanner, name| {
        check_name(name, reserved)?;
        member(scanner, name)
    })
}

fn check_name(name: &str, reserved: &[&str]) -> Result<(), Problem> {
    if !name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(Problem::UnprintableName);
    }
    if reserved.iter().any(|known| *known != name && known.eq_ignore_ascii_case(name)) {
        return Err(Problem::CaseVariant);
    }
    Ok(())
}

/// MCP calls all its notifications `notifications/…`. A call that has a target is never one: sent without
/// an id it would be exempt from the headers that calls need, and might still be run.
fn kind_of_call(method: &str, has_id: bool) -> Result<MessageKind, Problem> {
    let is_notification = method.starts_with("notifications/");
    match (has_id, is_notification, Target::of(method)) {
        (true, false, _) => Ok(MessageKind::Request),
        (false, _, None) => Ok(MessageKind::Notification),
        (true, true, _) | (false, _, Some(_)) => Err(Problem::IdAndMethod),
    }
}

fn method_name(value: Value<'_>) -> Result<Cow<'_, str>, Problem> {
    let method = string(Some(value)).ok_or(Problem::Method)?;
    let is_good = matches!(method.len(), 1..=MAX_METHOD_BYTES)
        && method.bytes().all(|byte| byte.is_ascii_graphic())
        // Names with `$` in front are ours, see `McpCall::RESPONSE`.
        && !method.starts_with('$');
    if is_good { Ok(method) } else { Err(Problem::Method) }
}

fn string(value: Option<Value<'_>>) -> Option<Cow<'_, str>> {
    match value {
        Some(Value::String(raw)) => Some(RawString::decode(raw)),
        Some(Value::Null | Value::Number(_) | Value::Other) | None => None,
    }
}

#[cfg(test)]
mod tests;
