#![doc = include_str!("../README.md")]

mod address_policy;
pub mod api_key;
mod bearer;
mod by_form;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod confirmation;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod crypto;
pub mod deny_list;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub mod dpop;
pub mod future;
#[cfg(fuzzing)]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(all(
    any(feature = "http-source", feature = "introspection"),
    any(feature = "aws-lc-rs", feature = "rust-crypto")
))]
mod http_client;
#[cfg(all(feature = "introspection", any(feature = "aws-lc-rs", feature = "rust-crypto")))]
pub mod introspection;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod issuer;
mod json;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub mod jwt;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub mod keys;
mod layer;
mod mutual_tls;
mod proof_fault;
pub mod record_file;
pub mod refusals;
mod rejection;
pub mod sender;
mod service;
#[cfg(test)]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod testing;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub mod trust;
mod verify;

#[cfg(all(
    any(feature = "http-source", feature = "introspection"),
    any(feature = "aws-lc-rs", feature = "rust-crypto")
))]
pub use self::http_client::RefusedAddressError;
pub use self::{
    address_policy::AddressPolicy,
    bearer::{BearerToken, InvalidBearerTokenError},
    by_form::{ByTokenForm, ByTokenFormError, ByTokenFormFuture, NoVerifier},
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
