//! Tokens that were verified a moment ago, so that the same token costs a digest and not a signature.
//!
//! Remembered is that the signature was right and who the token names; never an audience, a scope decision
//! or a proof of possession. A hit is believed only if
//!
//! - the issuer still has the very key that verified the token, asked anew each time: a withdrawn key
//!   withdraws its tokens, and keys too old to be used make none of their tokens good (CCH-02);
//! - the token has not expired, by the clock of this request (CCH-03).
//!
//! Only good tokens are remembered, so nobody fills the cache with inventions (CCH-04). The key is the
//! SHA-256 of the whole token: no part of a token stays in memory, and no two tokens share an entry (CCH-01).

use std::sync::Arc;

use palisade_core::{Clock, Principal};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::issuers::Trusted;
use crate::{
    SignatureAlgorithm,
    keys::{KeyAnswer, KeyHint, KeyLookup, VerificationKey},
    trust::Claimed,
};

pub(super) const DEFAULT_TOKENS: usize = 10_000;

/// Tokens are about 1 KiB. A larger one is verified each time: it would take the room of several.
const MAX_TOKEN_BYTES: usize = 4 * 1024;

pub(super) type TokenDigest = [u8; 32];

pub(super) struct VerifiedTokens(Cache<TokenDigest, Arc<Verified>>);

/// What was found out about a token.
pub(super) struct Verified {
    pub(super) claimed: Claimed,
    pub(super) issuer: Arc<Trusted>,
    pub(super) kid: Option<Box<str>>,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) key: Arc<VerificationKey>,
}

impl VerifiedTokens {
    /// `None` remembers nothing.
    pub(super) fn new(tokens: usize) -> Option<Self> {
        (tokens > 0).then(|| Self(Cache::new(tokens)))
    }

    /// Another of the same size, empty.
    pub(super) fn emptied(&self) -> Option<Self> {
        Self::new(usize::try_from(self.0.capacity()).unwrap_or(DEFAULT_TOKENS))
    }

    /// The name of a token here, if it may have one.
    pub(super) fn digest(token: &str) -> Option<TokenDigest> {
        (token.len() <= MAX_TOKEN_BYTES).then(|| Sha256::digest(token).into())
    }

    pub(super) fn insert(&self, token: TokenDigest, verified: Verified) {
        self.0.insert(token, Arc::new(verified));
    }

    /// Who the token names, if all that was found out about it still holds.
    pub(super) fn get(&self, token: &TokenDigest, clock: &impl Clock) -> Option<Principal> {
        let verified = self.0.get(token)?;
        if verified.holds(clock) {
            return Some(verified.claimed.principal.clone());
        }
        self.0.remove(token);
        None
    }

    pub(super) fn forget(&self, is_forgotten: impl Fn(&Principal) -> bool) {
        self.0.retain(|_, verified| !is_forgotten(&verified.claimed.principal));
    }
}

impl Verified {
    fn holds(&self, clock: &impl Clock) -> bool {
        let hint = KeyHint { kid: self.kid.as_deref(), algorithm: self.algorithm };
        let has_key = match self.issuer.keys.find(&hint) {
            KeyLookup::Ready(KeyAnswer::Found(key)) => key.is_same(&self.key),
            // Whatever it is, verifying the token anew finds it out and gives the right answer.
            KeyLookup::Ready(
                KeyAnswer::NotYetKnown { .. } | KeyAnswer::Unavailable { .. } | KeyAnswer::Unknown,
            )
            | KeyLookup::Wait(_) => false,
        };
        has_key && self.claimed.lifetime.check(&self.issuer.rules, clock.now()).is_ok()
    }
}
