//! One of each: for tests that must not miss a variant.

use std::borrow::Cow;

use super::{Duration, ProofFault, Rejection};

const WAIT: Duration = Duration::from_secs(7);

/// A pattern and a value of it in each row. A variant without a row does not compile.
macro_rules! samples {
    ($($pattern:pat => $sample:expr,)+) => {
        pub(crate) fn samples() -> Vec<Rejection> {
            let samples = vec![$($sample),+];
            for sample in &samples {
                match sample { $($pattern => {})+ }
            }
            samples
        }
    };
}

samples! {
    Rejection::AddressDenied { .. } => Rejection::AddressDenied { label: None },
    Rejection::AddressMissing => Rejection::AddressMissing,
    Rejection::BadSignature => Rejection::BadSignature,
    Rejection::BoundToKey => Rejection::BoundToKey,
    Rejection::CertificateMissing => Rejection::CertificateMissing,
    Rejection::DenyListStale { .. } => Rejection::DenyListStale { retry_after: Some(WAIT) },
    Rejection::DisallowedActor => Rejection::DisallowedActor,
    Rejection::DisallowedAlgorithm => Rejection::DisallowedAlgorithm,
    Rejection::DisallowedType => Rejection::DisallowedType,
    Rejection::Expired => Rejection::Expired,
    Rejection::ForwardedSchemeInvalid => Rejection::ForwardedSchemeInvalid,
    Rejection::ForwardedSchemeMissing => Rejection::ForwardedSchemeMissing,
    Rejection::Inactive => Rejection::Inactive,
    Rejection::IntrospectionUnavailable { .. } =>
        Rejection::IntrospectionUnavailable { retry_after: Some(WAIT) },
    Rejection::InvalidClaim { .. } => Rejection::invalid("aud"),
    Rejection::InvalidProof { fault: ProofFault::Algorithm } => proof(ProofFault::Algorithm),
    Rejection::InvalidProof { fault: ProofFault::Key } => proof(ProofFault::Key),
    Rejection::InvalidProof { fault: ProofFault::Malformed } => proof(ProofFault::Malformed),
    Rejection::InvalidProof { fault: ProofFault::Method } => proof(ProofFault::Method),
    Rejection::InvalidProof { fault: ProofFault::Missing } => proof(ProofFault::Missing),
    Rejection::InvalidProof { fault: ProofFault::Repeated } => proof(ProofFault::Repeated),
    Rejection::InvalidProof { fault: ProofFault::Replayed } => proof(ProofFault::Replayed),
    Rejection::InvalidProof { fault: ProofFault::Signature } => proof(ProofFault::Signature),
    Rejection::InvalidProof { fault: ProofFault::Target } => proof(ProofFault::Target),
    Rejection::InvalidProof { fault: ProofFault::Time } => proof(ProofFault::Time),
    Rejection::InvalidProof { fault: ProofFault::TokenHash } => proof(ProofFault::TokenHash),
    Rejection::InvalidProof { fault: ProofFault::Type } => proof(ProofFault::Type),
    Rejection::KeyNotYetKnown { .. } => Rejection::KeyNotYetKnown { retry_after: WAIT },
    Rejection::KeysUnavailable { .. } => Rejection::KeysUnavailable { retry_after: Some(WAIT) },
    Rejection::LivesTooLong => Rejection::LivesTooLong,
    Rejection::Malformed { .. } => Rejection::Malformed { what: "it has not three parts" },
    Rejection::MissingClaim { .. } => Rejection::missing("sub"),
    Rejection::NonceRequired => Rejection::NonceRequired,
    Rejection::NotBound => Rejection::NotBound,
    Rejection::NotYetValid => Rejection::NotYetValid,
    Rejection::PlainHttp => Rejection::PlainHttp,
    Rejection::ReplayStoreUnavailable { .. } =>
        Rejection::ReplayStoreUnavailable { retry_after: Some(WAIT) },
    Rejection::Revoked { .. } => Rejection::Revoked { what: "subject", label: None },
    Rejection::TooOld => Rejection::TooOld,
    Rejection::TransportUnknown => Rejection::TransportUnknown,
    Rejection::UnknownKey => Rejection::UnknownKey,
    Rejection::UnnamedProxy => Rejection::UnnamedProxy,
    Rejection::UnsupportedHeader { .. } => Rejection::UnsupportedHeader { parameter: "crit" },
    Rejection::WrongCertificate => Rejection::WrongCertificate,
    Rejection::WrongClaim { .. } => Rejection::WrongClaim { claim: Cow::Borrowed("token_use") },
    Rejection::WrongIssuer => Rejection::WrongIssuer,
    Rejection::WrongProofKey => Rejection::WrongProofKey,
}

const fn proof(fault: ProofFault) -> Rejection {
    Rejection::InvalidProof { fault }
}
