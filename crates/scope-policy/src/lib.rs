#![doc = include_str!("../README.md")]

mod check;
mod layer;
mod path;
mod policy;
mod reload;
mod requirement;

pub use self::{
    check::ScopeCheck,
    layer::ScopePolicyLayer,
    path::InvalidPathError,
    policy::{InvalidPolicyError, Needs, ScopePolicy, ScopePolicyBuilder},
    reload::ReloadablePolicy,
    requirement::{Decision, RequireScopes, Requirement},
};

/// The name of this layer in denials and records.
pub const STAGE: &str = "scope-policy";
