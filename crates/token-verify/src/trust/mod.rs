//! What is believed of whom: the rules that the tokens of one issuer are held to.
//!
//! A [`TrustedIssuer`] is a value. It says, for exactly one issuer,
//!
//! - what its access tokens look like: algorithms, `typ`, required and forbidden claims, times;
//! - where they say what we need: subject, client, scopes, roles;
//! - what the issuer may say at all: which actors, which claims, and about whom.
//!
//! [`TrustedIssuer::new`] is RFC 9068. Whatever an issuer does differently is one call each, and shows in the
//! [digest](TrustedIssuer::digest). Every principal carries the digest of the rules that let it in, of all issuers
//! together ([`Trust::digest`]) for a JWT and of its own for an opaque token, and every audit record repeats it.
//!
//! For widely used identity providers, [`profile`] knows what is different and which tokens are easily taken for
//! access tokens. With the feature `toml`, a file can say all of it, see `Trust::from_toml`.
//!
//! # Order
//!
//! The claims of a token are looked at in this order, whatever the order of the calls was:
//!
//! 1. [Limits](TrustedIssuer::limit_claim) take out what the issuer may not say. No rule sees it, but those
//!    that require its absence: they are judged by what the issuer said.
//! 2. Times, subject, scopes, audience, client, roles, actors: of several places the first that is there counts,
//!    for roles all of them. A place that is there and malformed refuses the token; it is never passed over.
//! 3. [Required claims](TrustedIssuer::require_claim), in the order in which they were required.

mod actor;
mod claim;
mod digest;
mod error;
mod explain;
#[cfg(feature = "toml")]
pub mod file;
mod issuer;
mod lifetime;
mod limit;
mod places;
mod principal;
pub mod profile;
mod require;
mod sender_constraint;
#[cfg(test)]
mod tests;
#[expect(clippy::module_inception, reason = "the type that the module is named after")]
mod trust;
mod types;

pub use self::{
    actor::ActorRule,
    claim::ClaimSource,
    error::TrustError,
    explain::{Explanation, Finding, Outcome, Rule, Verdict},
    issuer::TrustedIssuer,
    limit::ClaimLimit,
    profile::Profile,
    require::ClaimRule,
    sender_constraint::SenderConstraint,
    trust::{InvalidTrustError, KeyLocation, Trust},
};
pub(crate) use self::{
    principal::{Claimed, Origin, issuer_of},
    types::{is_accepted_type, same_media_type},
};
