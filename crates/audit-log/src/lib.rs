#![doc = include_str!("../README.md")]

pub mod body;
mod entry;
mod escape;
pub mod future;
mod json;
mod layer;
mod record;
mod service;
mod sink;
mod timestamp;
mod trace_context;

pub use self::{
    escape::escape,
    json::MAX_RECORD_BYTES,
    layer::AuditLogLayer,
    record::{AuditRecord, Outcome},
    service::AuditLog,
    sink::{AuditSink, JsonLinesSink, TracingSink},
    trace_context::TraceContext,
};

#[cfg(test)]
mod tests;
