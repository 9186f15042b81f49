use std::borrow::Cow;

use ::tracing::{Level, enabled, info};

use super::AuditSink;
use crate::{AuditRecord, escape, json::causes};

/// How long a text may be. Shorter than in JSON lines: these go to people and to collectors that cut.
const TEXT_LIMIT: usize = 256;

/// Makes every record an event of `tracing`: target `palisade::audit`, level `INFO`, message
/// `request ended`. All of them have the one level, refusals too: a record is not louder because a
/// stranger wants it to be.
///
/// An event is a digest. Lists other than scopes are left out, and what the subscriber does with the event,
/// such as dropping it by its filter, is beyond this crate: for evidence, use
/// [`JsonLinesSink`](super::JsonLinesSink) as well.
///
/// Texts from outside are escaped and given as strings, which the formats of `tracing-subscriber` put in
/// quotes, so that none of them can pose as another field.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TracingSink;

impl TracingSink {
    /// A sink that makes events.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl AuditSink for TracingSink {
    fn record(&self, record: &AuditRecord) {
        if !enabled!(target: "palisade::audit", Level::INFO) {
            return;
        }
        let who = record.principal.as_ref();
        let denial = record.outcome.denial();
        let required = denial.map(|denial| denial.required_scopes().to_string());
        let cause = denial.and_then(causes);
        let scopes = who.map(|who| who.scopes().to_string());
        info!(
            target: "palisade::audit",
            outcome = record.outcome.as_str(),
            status = record.status.map(|status| status.as_u16()),
            grpc_status = record.grpc_status,
            stage = denial.map(|denial| denial.stage()),
            kind = denial.map(|denial| denial.kind().as_str()),
            reason = denial.map(|denial| denial.reason().code()),
            required_scopes = required.as_deref().filter(|it| !it.is_empty()).map(text).as_deref(),
            cause = cause.as_deref().map(text).as_deref(),
            issuer = who.map(|who| text(who.issuer())).as_deref(),
            subject = who.map(|who| text(who.subject())).as_deref(),
            client_id = who.and_then(|who| who.client_id()).map(text).as_deref(),
            token_id = who.and_then(|who| who.token_id()).map(text).as_deref(),
            actor = who.and_then(|who| who.actors().first()).map(|it| text(it.subject())).as_deref(),
            scopes = scopes.as_deref().map(text).as_deref(),
            audience = who
                .and_then(|who| who.checked_audience())
                .map(|resource| text(resource.as_str()))
                .as_deref(),
            protocol = record.operation.protocol(),
            operation = &*text(record.operation.name()),
            operation_target = record.operation.target().map(text).as_deref(),
            client = record.client.map(|client| client.to_string()).as_deref(),
            method = &*text(record.method.as_str()),
            path = &*text(&record.path),
            user_agent = record.user_agent.as_deref().map(text).as_deref(),
            bytes_in = record.bytes_in,
            bytes_out = record.bytes_out,
            duration_us = u64::try_from(record.elapsed.as_micros()).unwrap_or(u64::MAX),
            trace_id = record.trace.map(|trace| trace.to_string()).as_deref(),
            withheld = (record.withheld.count > 0).then_some(record.withheld.count),
            "request ended"
        );
    }
}

fn text(text: &str) -> Cow<'_, str> {
    escape(text, TEXT_LIMIT)
}

#[cfg(test)]
mod tests;
