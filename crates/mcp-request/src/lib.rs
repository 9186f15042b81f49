#![doc = include_str!("../README.md")]

mod admit;
mod body;
mod call;
pub mod cors;
mod error;
pub mod future;
mod headers;
mod json;
mod layer;
mod message;
mod origin;
mod render;
mod service;
mod target;

pub use self::{
    body::McpBody,
    call::{McpCall, MessageKind, RequestId},
    error::{HeaderMismatchError, InvalidBodyLimitError, InvalidHostError, InvalidMessageError},
    layer::McpRequestLayer,
    render::JsonRpcRenderer,
    service::McpRequest,
};

/// The name of the layer in denials and records.
pub const STAGE: &str = "mcp-request";

/// The [protocol](palisade_core::Operation::protocol) of the operations that the layer names.
pub const PROTOCOL: &str = "mcp";

#[cfg(test)]
mod tests;
