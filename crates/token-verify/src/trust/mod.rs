//! What is believed of whom: the rules that the tokens of one issuer are held to.
//!
//! A [`TrustedIssuer`] is a value. It says, for exactly one issuer,
//!
//! - what its access tokens look like: algorithms, `typ`, required and forbidden claims, times;
//! - where they say what we need: subject, client, scopes, roles;
//! - what the issuer may say at all: which actors, which claims, and about whom.
//!
//! [`TrustedIssuer::new`] is RFC 9068. Whatever an issuer does differently is one call each, and shows in the
//! [digest](TrustedIssuer::digest), which every principal carries and every audit record repeats.

mod actor;
mod claim;
mod digest;
mod error;
#[cfg(feature = "toml")]
pub mod file;
mod issuer;
mod lifetime;
mod limit;
mod principal;
pub mod profile;
mod require;
#[cfg(test)]
mod tests;
#[expect(clippy::module_inception, reason = "the type that the module is named after")]
mod trust;
mod types;

pub use self::{
    actor::ActorRule,
    claim::ClaimSource,
    error::TrustError,
    issuer::{SenderConstraint, TrustedIssuer},
    limit::ClaimLimit,
    profile::Profile,
    require::ClaimRule,
    trust::{InvalidTrustError, KeyLocation, Trust},
};
pub(crate) use self::{
    principal::{Claimed, Origin, issuer_of},
    types::is_accepted_type,
};
