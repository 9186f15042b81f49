#![doc = include_str!("../README.md")]

// The layer: a request in, a principal or a refusal out.
mod bearer;
pub mod future;
mod https;
mod layer;
mod proof_fault;
pub mod refusals;
mod rejection;
mod service;

// What the layer asks about each principal, whoever verified it.
pub mod deny_list;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub mod dpop;
mod mutual_tls;
pub mod sender;

// Who turns a token into a principal.
pub mod api_key;
mod by_form;
#[cfg(all(feature = "introspection", any(feature = "aws-lc-rs", feature = "rust-crypto")))]
pub mod introspection;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub mod jwt;
mod verify;

// Whom they believe, and by which keys.
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod issuer;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub mod keys;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub mod trust;

// What several of them need.
mod address_policy;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod confirmation;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod crypto;
#[cfg(all(
    any(feature = "http-source", feature = "introspection"),
    any(feature = "aws-lc-rs", feature = "rust-crypto")
))]
mod http_client;
mod json;
pub mod record_file;
#[cfg(test)]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod testing;

#[cfg(fuzzing)]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(all(
    any(feature = "http-source", feature = "introspection"),
    any(feature = "aws-lc-rs", feature = "rust-crypto")
))]
pub use self::http_client::RefusedAddressError;
pub use self::{
    address_policy::AddressPolicy,
    bearer::{BearerToken, InvalidBearerTokenError},
    by_form::{ByTokenForm, ByTokenFormError, ByTokenFormFuture, NoVerifier},
    https::{Https, TransportSecurity},
    layer::TokenVerifyLayer,
    mutual_tls::{ClientCertificate, MutualTls},
    proof_fault::ProofFault,
    rejection::Rejection,
    service::TokenVerify,
    verify::VerifyToken,
};
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub use self::{
    crypto::SignatureAlgorithm,
    issuer::{InvalidIssuerError, Issuer},
    jwt::{Claims, JwtVerifier},
};

/// The name of this layer in refusals and records.
pub const STAGE: &str = "token-verify";
