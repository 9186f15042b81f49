#![doc = include_str!("../README.md")]

mod audience;
mod check;
mod endpoints;
mod layer;

pub use self::{
    audience::InvalidAudienceError,
    check::AudienceCheck,
    endpoints::{EndpointAudienceCheck, EndpointGuardsError, EndpointGuardsLayer},
    layer::AudienceGuardLayer,
};

/// The name of this layer in denials and records.
pub const STAGE: &str = "audience-guard";
