//! JWT access tokens (RFC 9068), verified without asking anybody.
//!
//! See [`JwtVerifier`] for what is checked.

mod act;
mod candidate;
mod claims;
mod compact;
mod future;
mod header;
mod issuer;
mod rules;
#[cfg(test)]
mod tests;
mod time;
mod verifier;

pub use self::{
    claims::Claims,
    future::JwtFuture,
    issuer::{InvalidIssuerError, Issuer},
    rules::ScopeClaim,
    verifier::{JwtVerifier, JwtVerifierError},
};
