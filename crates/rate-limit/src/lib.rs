#![doc = include_str!("../README.md")]

pub mod cost;
mod error;
pub mod future;
mod gcra;
mod headers;
pub mod key;
mod layer;
mod limiter;
mod quota;
mod service;
mod store;

pub use self::{
    cost::{Cost, CostTable},
    error::{MissingKeyError, QuotaExceededError, UnpayableCostError},
    key::{
        ExtractKey, Global, KeyScope, PerClient, PerClientAddr, PerOperation, PerPrincipal,
        PerPrincipalAndOperation,
    },
    layer::RateLimitLayer,
    quota::{InvalidPolicyNameError, Quota},
    service::RateLimit,
};

/// The name of this layer in denials and records.
pub const STAGE: &str = "rate-limit";
