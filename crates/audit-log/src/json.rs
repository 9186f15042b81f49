//! The record as one JSON object. The table in the README is its documentation: change both, and the
//! number in `v` if a reader of the old form would be misled.

use std::{borrow::Cow, error::Error};

use palisade_core::{Actor, Confirmation, Denial, Operation, Principal, ScopeSet, Withheld};
use serde::Serialize;

use crate::{AuditRecord, escape, timestamp::rfc3339};

/// No record is written longer than this many bytes.
pub const MAX_RECORD_BYTES: usize = 16 * 1024;

const VERSION: u8 = 1;
/// How long a text may be. The next is tried if the record as a whole is too long; with the last, the
/// longest record there can be fits.
const TEXT_LIMITS: [usize; 3] = [1024, 256, 64];
const USER_AGENT_LIMIT: usize = 256;
const LIST_LIMIT: usize = 16;
/// How many errors below a refusal are told.
const CAUSE_LIMIT: usize = 8;

pub(crate) fn write(record: &AuditRecord) -> String {
    let mut json = String::new();
    for limit in TEXT_LIMITS {
        // Only maps with odd keys and foreign types can fail, and there are none. Should there ever be
        // one, an empty object still says that there was a request.
        json =
            serde_json::to_string(&Line::of(record, limit)).unwrap_or_else(|_| String::from("{}"));
        if json.len() <= MAX_RECORD_BYTES {
            break;
        }
    }
    json
}

/// What went wrong below a refusal, outermost first.
pub(crate) fn causes(denial: &Denial) -> Option<String> {
    let mut cause = denial.source();
    let mut text = String::new();
    for _ in 0..CAUSE_LIMIT {
        let Some(error) = cause else { break };
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    (!text.is_empty()).then_some(text)
}

type Text<'a> = Cow<'a, str>;

#[derive(Serialize)]
struct Line<'a> {
    v: u8,
    time: String,
    duration_us: u64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc_status: Option<u16>,
    #[serde(flatten)]
    denial: Option<DenialPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<PrincipalPart<'a>>,
    operation: OperationPart<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    method: Text<'a>,
    path: Text<'a>,
    http_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Text<'a>>,
    bytes_in: u64,
    bytes_out: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<WithheldPart<'a>>,
}

#[derive(Serialize)]
struct WithheldPart<'a> {
    count: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    destinations: Vec<Text<'a>>,
}

#[derive(Serialize)]
struct DenialPart<'a> {
    stage: &'static str,
    kind: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required_scopes: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    required_scopes_omitted: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

#[derive(Serialize)]
struct PrincipalPart<'a> {
    issuer: Text<'a>,
    subject: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    scopes_omitted: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audiences: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    audiences_omitted: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_audience: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    roles_omitted: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bound_to: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_digest: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actors: Vec<ActorPart<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    actors_omitted: usize,
}

#[derive(Serialize)]
struct ActorPart<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<Text<'a>>,
    subject: Text<'a>,
}

#[derive(Serialize)]
struct OperationPart<'a> {
    protocol: &'static str,
    name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Text<'a>>,
}

impl<'a> Line<'a> {
    fn of(record: &'a AuditRecord, limit: usize) -> Self {
        Self {
            v: VERSION,
            time: rfc3339(record.at),
            duration_us: u64::try_from(record.elapsed.as_micros()).unwrap_or(u64::MAX),
            outcome: record.outcome.as_str(),
            status: record.status.map(|status| status.as_u16()),
            grpc_status: record.grpc_status,
            denial: record.outcome.denial().map(|denial| DenialPart::of(denial, limit)),
            principal: record.principal.as_ref().map(|who| PrincipalPart::of(who, limit)),
            operation: OperationPart::of(&record.operation, limit),
            client: record.client.map(|client| client.to_string()),
            method: escape(record.method.as_str(), limit),
            path: escape(&record.path, limit),
            http_version: format!("{:?}", record.version),
            user_agent: record
                .user_agent
                .as_deref()
                .map(|agent| escape(agent, limit.min(USER_AGENT_LIMIT))),
            bytes_in: record.bytes_in,
            bytes_out: record.bytes_out,
            trace_id: record.trace.map(|trace| trace.to_string()),
            parent_id: record.trace.map(|trace| format!("{:016x}", trace.parent_id())),
            withheld: WithheldPart::of(&record.withheld, limit),
        }
    }
}

impl<'a> DenialPart<'a> {
    fn of(denial: &'a Denial, limit: usize) -> Self {
        let required = denial.required_scopes();
        Self {
            stage: denial.stage(),
            kind: denial.kind().as_str(),
            reason: denial.reason().code(),
            required_scopes: scopes(required, limit),
            required_scopes_omitted: omitted(required.len()),
            cause: causes(denial).map(|text| escape(&text, limit).into_owned()),
        }
    }
}

impl<'a> PrincipalPart<'a> {
    fn of(who: &'a Principal, limit: usize) -> Self {
        let text = |text: &'a str| escape(text, limit);
        Self {
            issuer: text(who.issuer()),
            subject: text(who.subject()),
            client_id: who.client_id().map(text),
            token_id: who.token_id().map(text),
            scopes: scopes(who.scopes(), limit),
            scopes_omitted: omitted(who.scopes().len()),
            audiences: who.audiences().take(LIST_LIMIT).map(text).collect(),
            audiences_omitted: omitted(who.audiences().len()),
            checked_audience: who.checked_audience().map(|resource| text(resource.as_str())),
            roles: who.roles().take(LIST_LIMIT).map(text).collect(),
            roles_omitted: omitted(who.roles().len()),
            bound_to: bound_to(who),
            trust_digest: who.trust_digest().map(text),
            issued_at: who.issued_at().map(rfc3339),
            expires_at: who.expires_at().map(rfc3339),
            actors: who
                .actors()
                .iter()
                .take(LIST_LIMIT)
                .map(|actor: &Actor| ActorPart {
                    issuer: actor.issuer().map(text),
                    subject: text(actor.subject()),
                })
                .collect(),
            actors_omitted: omitted(who.actors().len()),
        }
    }
}

impl<'a> WithheldPart<'a> {
    fn of(withheld: &'a Withheld, limit: usize) -> Option<Self> {
        let destinations = withheld.destinations.iter().take(LIST_LIMIT);
        let destinations = destinations.map(|origin| escape(origin, limit)).collect();
        (withheld.count > 0).then_some(Self { count: withheld.count, destinations })
    }
}

impl<'a> OperationPart<'a> {
    fn of(operation: &'a Operation, limit: usize) -> Self {
        Self {
            protocol: operation.protocol(),
            name: escape(operation.name(), limit),
            target: operation.target().map(|target| escape(target, limit)),
        }
    }
}

/// In the words of `cnf` (RFC 7800, RFC 9449, RFC 8705).
fn bound_to(who: &Principal) -> Vec<&'static str> {
    let key = who.confirmation().and_then(Confirmation::jwk_thumbprint).map(|_| "jkt");
    let certificate =
        who.confirmation().and_then(Confirmation::certificate_thumbprint).map(|_| "x5t#S256");
    key.into_iter().chain(certificate).collect()
}

fn scopes(scopes: &ScopeSet, limit: usize) -> Vec<Text<'_>> {
    scopes.iter().take(LIST_LIMIT).map(|scope| escape(scope.as_str(), limit)).collect()
}

const fn omitted(length: usize) -> usize {
    length.saturating_sub(LIST_LIMIT)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
pub(crate) mod tests;
