//! What one issuer's tokens must look like.

use std::time::Duration;

use super::Issuer;
use crate::crypto::SignatureAlgorithm;

#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) issuer: Issuer,
    pub(super) algorithms: Vec<SignatureAlgorithm>,
    pub(super) types: TypeRules,
    pub(super) leeway: Duration,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) max_token_bytes: usize,
    pub(super) profile: Profile,
    pub(super) client_id_claim: &'static str,
    pub(super) scope_claim: ScopeClaim,
}

#[derive(Clone, Debug)]
pub(super) struct TypeRules {
    pub(super) names: Vec<Box<str>>,
    pub(super) missing: bool,
}

/// Which claims must be there beside `iss`, `exp`, `aud` and `sub`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Common,
    Rfc9068,
}

/// Where the scopes of a token are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeClaim {
    /// In `scope`, a string (RFC 9068 §2.2.3). The default.
    Scope,
    /// In `scope`, or in `scp`, a string or an array of strings, as some products write it. If a token
    /// has both, they must say the same.
    ScopeOrScp,
}

impl Rules {
    pub(super) fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            algorithms: SignatureAlgorithm::ALL.to_vec(),
            types: TypeRules { names: vec!["at+jwt".into()], missing: false },
            leeway: Duration::from_secs(30),
            max_lifetime: None,
            max_token_bytes: 16 * 1024,
            profile: Profile::Common,
            client_id_claim: "client_id",
            scope_claim: ScopeClaim::Scope,
        }
    }
}
