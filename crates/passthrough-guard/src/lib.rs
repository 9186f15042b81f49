#![doc = include_str!("../README.md")]

mod credentials;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
pub mod inbound;
mod key;
pub mod outbound;
mod search;
mod watched;

pub use self::{
    guard::{NoRandomnessError, PassthroughGuard, PassthroughGuardBuilder},
    inbound::InboundLayer,
    outbound::{InvalidOriginError, OutboundLayer, PassthroughError},
};

/// The name of the inbound layer in denials and records.
pub const STAGE: &str = "passthrough-guard";

#[cfg(test)]
mod tests;
