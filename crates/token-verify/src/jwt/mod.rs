//! JWT access tokens (RFC 9068), verified without asking anybody.
//!
//! See [`JwtVerifier`] for what is checked.

mod cache;
mod candidate;
mod claims;
pub(crate) mod compact;
mod future;
pub(crate) mod header;
mod issuers;
#[cfg(test)]
mod tests;
mod verifier;

pub use self::{
    claims::Claims,
    future::JwtFuture,
    verifier::{JwtVerifier, JwtVerifierError},
};
