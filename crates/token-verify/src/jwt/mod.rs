//! JWT access tokens (RFC 9068), verified without asking anybody.
//!
//! See [`JwtVerifier`] for what is checked.

mod cache;
mod candidate;
mod claims;
pub(crate) mod compact;
mod dry_run;
mod future;
pub(crate) mod header;
mod issuers;
#[cfg(test)]
mod tests;
mod verifier;

#[cfg(fuzzing)]
pub(crate) use self::compact::decode;
pub use self::{
    claims::Claims,
    future::JwtFuture,
    verifier::{JwtVerifier, JwtVerifierError},
};
pub(crate) use self::{
    claims::UnverifiedClaims,
    compact::{Compact, decode_object, signed_bytes},
    dry_run::{DryRun, dry_run},
    header::Header,
    verifier::DEFAULT_MAX_TOKEN_BYTES,
};
