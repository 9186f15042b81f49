//! What can be wrong with a DPoP proof.

use std::fmt;

use palisade_core::Reason;

/// What is wrong with a DPoP proof (RFC 9449 §4.3).
///
/// Unlike what is wrong with a token, this is told to the client: it made the proof itself, so nothing here
/// is news to a forger, and without it nobody finds out that a clock is wrong or a proxy rewrites paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProofFault {
    /// `alg` is missing, unknown, symmetric, or not accepted here.
    Algorithm,
    /// `jwk` is missing, private, symmetric, unfit for `alg`, or too weak.
    Key,
    /// It is not a JWT of the form that RFC 9449 §4.2 describes, or too large.
    Malformed,
    /// `htm` is not the method of the request.
    Method,
    /// There is no `DPoP` header.
    Missing,
    /// There is more than one `DPoP` header.
    Repeated,
    /// It was used before.
    Replayed,
    /// The signature is not that of the key inside.
    Signature,
    /// `htu` is not the URI of the request.
    Target,
    /// `iat` is too old, in the future, or no date.
    Time,
    /// `ath` is not the hash of the access token.
    TokenHash,
    /// `typ` is not `dpop+jwt`.
    Type,
}

impl ProofFault {
    pub(crate) const fn reason(self) -> Reason {
        match self {
            Self::Algorithm => Reason::new(
                "proof_algorithm_disallowed",
                "the algorithm of the DPoP proof is not accepted",
            ),
            Self::Key => {
                Reason::new("proof_key_unusable", "the key in the DPoP proof cannot be used")
            }
            Self::Malformed => Reason::new("proof_malformed", "the DPoP proof is malformed"),
            Self::Method => {
                Reason::new("proof_method_wrong", "the DPoP proof is for another method")
            }
            Self::Missing => Reason::new("proof_missing", "the DPoP proof is missing"),
            Self::Repeated => Reason::new("proof_repeated", "there is more than one DPoP proof"),
            Self::Replayed => Reason::new("proof_replayed", "the DPoP proof was used before"),
            Self::Signature => Reason::new(
                "proof_signature_bad",
                "the signature of the DPoP proof is not that of the key inside",
            ),
            Self::Target => Reason::new("proof_target_wrong", "the DPoP proof is for another URI"),
            Self::Time => Reason::new(
                "proof_not_fresh",
                "the DPoP proof was not made just now: compare the clocks",
            ),
            Self::TokenHash => {
                Reason::new("proof_token_wrong", "the DPoP proof is for another access token")
            }
            Self::Type => {
                Reason::new("proof_type_wrong", "the DPoP proof is not of the type dpop+jwt")
            }
        }
    }
}

impl fmt::Display for ProofFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason().text())
    }
}
