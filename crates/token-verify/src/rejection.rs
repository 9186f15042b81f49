//! Why a token was rejected, and the one table from there to what a client sees.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use palisade_core::{Denial, DenialKind, Reason};

use crate::{ProofFault, STAGE};

/// Why a [`VerifyToken`](crate::VerifyToken) rejects a token.
///
/// Of tokens, the client is told only what it can act on: that this one expired, that we cannot judge it
/// now, or that it is invalid. The rest is for the record: each variant has a stable reason code, and the
/// rejection itself is the [`source`](std::error::Error::source) of the [`Denial`]. [`refusals`](crate::refusals)
/// has what is sent and recorded for each. No variant carries anything that a client sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The deny list has the address that the request came from.
    #[error("the deny list has the address{}", LabelText(.label))]
    AddressDenied {
        /// Why, in the words of the entry. For the record.
        label: Option<Arc<str>>,
    },
    /// The deny list has addresses, and nothing outside says where the request came from.
    #[error(
        "the deny list has addresses and the request has none; put what leaves a `ClientAddr` outside this layer"
    )]
    AddressMissing,
    /// The signature is not the key's.
    #[error("the signature does not match the key")]
    BadSignature,
    /// The token says that its holder must prove possession of a key (`cnf`), and nobody did, or nobody here can
    /// check it. To take it as a plain bearer token would undo the binding (RFC 9449 §7.2).
    #[error("the token is bound to a key that nothing here proved")]
    BoundToKey,
    /// The token is bound to a client certificate, and none came that we can read and trust.
    #[error("the token is bound to a client certificate, and none came along")]
    CertificateMissing,
    /// A part of the deny list was not refreshed for longer than allowed. The token was not judged.
    #[error("the deny list is out of date")]
    DenyListStale {
        /// When it makes sense to ask again.
        retry_after: Option<Duration>,
    },
    /// The one who acts on behalf of the subject may not, or the chain of actors is too long.
    #[error("the actor is not accepted from this issuer")]
    DisallowedActor,
    /// The algorithm is missing, unknown, symmetric, or not accepted from this issuer.
    #[error("the signature algorithm is not accepted")]
    DisallowedAlgorithm,
    /// The `typ` is not that of an access token: an ID token, a logout token, a proof.
    #[error("the token is not of an accepted type")]
    DisallowedType,
    /// The lifetime is over.
    #[error("the token expired")]
    Expired,
    /// A trusted proxy has to say over which scheme the request came, and what it says cannot be read or is no scheme
    /// of the web.
    #[error("what the trusted proxy wrote about the scheme cannot be used")]
    ForwardedSchemeInvalid,
    /// A trusted proxy has to say over which scheme the request came, and does not.
    #[error("no trusted proxy wrote over which scheme the request came")]
    ForwardedSchemeMissing,
    /// The issuer does not vouch for the token (any more): it is unknown or revoked.
    #[error("the issuer does not vouch for the token")]
    Inactive,
    /// The authorization server cannot be asked about the token, or its answer cannot be used. The token was not
    /// judged.
    #[error("the authorization server cannot be asked about the token")]
    IntrospectionUnavailable {
        /// When it makes sense to ask again.
        retry_after: Option<Duration>,
    },
    /// A claim is of the wrong type, out of range, or contradicts another.
    #[error("the claim `{claim}` cannot be used")]
    InvalidClaim {
        /// Where it is.
        claim: Cow<'static, str>,
    },
    /// The DPoP proof is no good.
    #[error("{fault}")]
    InvalidProof {
        /// What is wrong with it.
        fault: ProofFault,
    },
    /// The key is not among those we know, and the issuer may not be asked again yet, so that a flood of invented
    /// names does not reach it. The token was not judged.
    #[error("the key is not known, and the issuer was asked for keys only just now")]
    KeyNotYetKnown {
        /// When it makes sense to ask again.
        retry_after: Duration,
    },
    /// Nobody can be asked for the keys. The token was not judged.
    #[error("the keys of the issuer are unavailable")]
    KeysUnavailable {
        /// When it makes sense to ask again.
        retry_after: Option<Duration>,
    },
    /// The lifetime is longer than we accept.
    #[error("the token lives longer than accepted")]
    LivesTooLong,
    /// The token is not a token of the form we read.
    #[error("the token is malformed: {what}")]
    Malformed {
        /// What is wrong, in words of ours.
        what: &'static str,
    },
    /// A claim that we need is not there.
    #[error("the claim `{claim}` is missing")]
    MissingClaim {
        /// Where it is.
        claim: Cow<'static, str>,
    },
    /// The DPoP proof has no nonce, or one that is not, or no longer, ours.
    #[error("the DPoP proof has no recent nonce of ours")]
    NonceRequired,
    /// The token is not bound to a key, and must be: because its issuer's tokens are, or because of how or
    /// where it came.
    #[error("the token is not bound to a key")]
    NotBound,
    /// The lifetime has not begun, or the token comes from the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The request came over plain http.
    #[error("the request came over plain http")]
    PlainHttp,
    /// Nobody knows whether the DPoP proof was used before.
    #[error("the replay store cannot tell whether the proof was used before")]
    ReplayStoreUnavailable {
        /// When it makes sense to ask again.
        retry_after: Option<Duration>,
    },
    /// The deny list has the token, or whom it speaks for.
    #[error("the deny list has the {what}{}", LabelText(.label))]
    Revoked {
        /// What of the token it has.
        what: &'static str,
        /// Why, in the words of the entry. For the record.
        label: Option<Arc<str>>,
    },
    /// The token was issued longer ago than we accept.
    #[error("the token was issued too long ago")]
    TooOld,
    /// Nothing says whether the request came over https.
    #[error(
        "nothing says whether the request came over https; leave a `TransportSecurity` or a loopback `ClientAddr` outside this layer, or name the proxy that ends TLS by `with_https`"
    )]
    TransportUnknown,
    /// The issuer has no key of that name for that algorithm.
    #[error("the issuer has no such key")]
    UnknownKey,
    /// The request is from this machine, and says that it was passed on for somebody else.
    #[error("a proxy on this machine passed the request on; name it by `with_https`")]
    UnnamedProxy,
    /// The header asks for something that changes what a signature means, and that we do not do.
    #[error("the header parameter `{parameter}` is not supported")]
    UnsupportedHeader {
        /// Its name.
        parameter: &'static str,
    },
    /// The token is bound to another client certificate than the sender's.
    #[error("the token is bound to another client certificate")]
    WrongCertificate,
    /// A claim does not have the value that it must have, or is there and must not be.
    #[error("the claim `{claim}` does not have a value that is accepted")]
    WrongClaim {
        /// Where it is.
        claim: Cow<'static, str>,
    },
    /// The token is somebody else's.
    #[error("the token was issued by somebody else")]
    WrongIssuer,
    /// The token is bound to another key than the one that made the proof.
    #[error("the token is bound to another key")]
    WrongProofKey,
}

impl Rejection {
    #[cfg(any(test, feature = "aws-lc-rs", feature = "rust-crypto"))]
    pub(crate) const fn invalid(claim: &'static str) -> Self {
        Self::InvalidClaim { claim: Cow::Borrowed(claim) }
    }

    #[cfg(any(test, feature = "aws-lc-rs", feature = "rust-crypto"))]
    pub(crate) const fn missing(claim: &'static str) -> Self {
        Self::MissingClaim { claim: Cow::Borrowed(claim) }
    }

    /// The stable code of the record.
    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    pub(crate) const fn code(&self) -> &'static str {
        self.kind_and_reason().1.code()
    }

    pub(crate) const fn kind(&self) -> DenialKind {
        self.kind_and_reason().0
    }

    pub(crate) fn into_denial(self) -> Denial {
        let (kind, reason) = self.kind_and_reason();
        let denial = Denial::new(STAGE, kind, reason);
        let denial = match self.retry_after() {
            Some(wait) => denial.with_retry_after(wait),
            None => denial,
        };
        let denial = match self.error_code() {
            Some(code) => denial.with_error_code(code),
            None => denial,
        };
        denial.with_source(self)
    }

    const fn retry_after(&self) -> Option<Duration> {
        if let Self::KeyNotYetKnown { retry_after } = self {
            Some(*retry_after)
        } else if let Self::DenyListStale { retry_after }
        | Self::IntrospectionUnavailable { retry_after }
        | Self::KeysUnavailable { retry_after }
        | Self::ReplayStoreUnavailable { retry_after } = self
        {
            *retry_after
        } else {
            None
        }
    }

    /// What RFC 9449 §7.1 and §9 have in place of `invalid_token`.
    const fn error_code(&self) -> Option<&'static str> {
        if let Self::InvalidProof { .. } = self {
            Some("invalid_dpop_proof")
        } else if let Self::NonceRequired = self {
            Some("use_dpop_nonce")
        } else {
            None
        }
    }

    /// The stable code is for records; the text, for clients, tells no two forgeries apart.
    const fn kind_and_reason(&self) -> (DenialKind, Reason) {
        const fn invalid(code: &'static str) -> (DenialKind, Reason) {
            (DenialKind::InvalidToken, Reason::new(code, "the access token is invalid"))
        }

        const fn unavailable(code: &'static str) -> (DenialKind, Reason) {
            let text = "the access token cannot be verified at the moment";
            (DenialKind::Unavailable, Reason::new(code, text))
        }

        /// What of the three it was is for the operator.
        const fn not_https(code: &'static str) -> (DenialKind, Reason) {
            (DenialKind::Forbidden, Reason::new(code, "requests are accepted over https only"))
        }

        const fn maybe_https(code: &'static str) -> (DenialKind, Reason) {
            let text = "it is not known whether the request came over https";
            (DenialKind::Misconfigured, Reason::new(code, text))
        }

        match self {
            Self::AddressDenied { .. } => (
                DenialKind::Forbidden,
                Reason::new("address_denied", "requests from this address are not allowed"),
            ),
            Self::AddressMissing => (
                DenialKind::Misconfigured,
                Reason::new("client_address_missing", "nothing says where the request came from"),
            ),
            Self::BadSignature => invalid("signature_bad"),
            Self::BoundToKey => invalid("token_bound"),
            Self::CertificateMissing => invalid("certificate_missing"),
            Self::DenyListStale { .. } => unavailable("deny_list_stale"),
            Self::DisallowedActor => invalid("actor_disallowed"),
            Self::DisallowedAlgorithm => invalid("algorithm_disallowed"),
            Self::DisallowedType => invalid("type_disallowed"),
            Self::Expired => {
                (DenialKind::InvalidToken, Reason::new("token_expired", "the access token expired"))
            }
            Self::ForwardedSchemeInvalid => not_https("forwarded_scheme_invalid"),
            Self::ForwardedSchemeMissing => not_https("forwarded_scheme_missing"),
            Self::Inactive => invalid("token_inactive"),
            Self::IntrospectionUnavailable { .. } => unavailable("introspection_unavailable"),
            Self::InvalidClaim { .. } => invalid("claim_invalid"),
            Self::InvalidProof { fault } => (DenialKind::InvalidToken, fault.reason()),
            Self::KeyNotYetKnown { .. } => unavailable("key_not_yet_known"),
            Self::KeysUnavailable { .. } => unavailable("keys_unavailable"),
            Self::LivesTooLong => invalid("lifetime_too_long"),
            Self::Malformed { .. } => invalid("token_malformed"),
            Self::MissingClaim { .. } => invalid("claim_missing"),
            Self::NonceRequired => (
                DenialKind::InvalidToken,
                Reason::new("proof_nonce_required", "the DPoP proof needs a recent nonce"),
            ),
            Self::NotBound => invalid("token_not_bound"),
            Self::NotYetValid => invalid("token_not_yet_valid"),
            Self::PlainHttp => not_https("plain_http"),
            Self::ReplayStoreUnavailable { .. } => unavailable("replay_store_unavailable"),
            Self::Revoked { .. } => invalid("token_revoked"),
            Self::TooOld => invalid("token_too_old"),
            Self::TransportUnknown => maybe_https("transport_unknown"),
            Self::UnknownKey => invalid("key_unknown"),
            Self::UnnamedProxy => maybe_https("proxy_unnamed"),
            Self::UnsupportedHeader { .. } => invalid("header_unsupported"),
            Self::WrongCertificate => invalid("certificate_wrong"),
            Self::WrongClaim { .. } => invalid("claim_wrong"),
            Self::WrongIssuer => invalid("issuer_wrong"),
            Self::WrongProofKey => invalid("proof_key_wrong"),
        }
    }
}

/// The words of an operator, after our own.
struct LabelText<'a>(&'a Option<Arc<str>>);

impl fmt::Display for LabelText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_deref().map_or(Ok(()), |label| write!(f, ": {label}"))
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
