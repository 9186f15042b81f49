//! What a verifier would say to a token, at a time and with keys that are given.

use std::{future::Ready, sync::Arc, time::SystemTime};

use super::{
    candidate::Candidate, compact::Compact, issuers::Issuers, verifier::DEFAULT_MAX_TOKEN_BYTES,
};
use crate::{
    BearerToken, Rejection,
    keys::{AnyKeySource, KeyAnswer, KeyHint, KeyLookup, KeySource, StaticKeys},
    trust::{Origin, TrustedIssuer},
};

/// What became of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DryRun {
    Accepted,
    Refused(Rejection),
    /// There was no key. But for the signature, it would be accepted.
    SignatureUnchecked,
}

/// Takes the very path that [`JwtVerifier`](super::JwtVerifier) takes, so that an explanation cannot say
/// anything else. `rules` are all issuers, each with its keys if they are at hand.
pub(crate) fn dry_run(
    token: &str,
    rules: impl IntoIterator<Item = (Arc<TrustedIssuer>, Option<StaticKeys>)>,
    at: SystemTime,
) -> DryRun {
    let with_keys = |(rules, keys): (_, Option<StaticKeys>)| {
        let keys: Arc<dyn AnyKeySource> = match keys {
            Some(keys) => Arc::new(keys),
            None => Arc::new(NotAtHand),
        };
        (rules, keys)
    };
    // The digest ends in a principal that nobody gets.
    let issuers = Issuers::new(rules.into_iter().map(with_keys), &Arc::from(""));
    match try_run(token, &issuers, at) {
        Ok(verdict) => verdict,
        Err(rejection) => DryRun::Refused(rejection),
    }
}

fn try_run(token: &str, issuers: &Issuers, at: SystemTime) -> Result<DryRun, Rejection> {
    // What is no bearer token never reaches a verifier. This is what one would say.
    Compact::split(token, DEFAULT_MAX_TOKEN_BYTES)?;
    let token = BearerToken::parse(token)
        .map_err(|_| Rejection::Malformed { what: "it is not a bearer token" })?;
    let candidate = Candidate::read(token, issuers, DEFAULT_MAX_TOKEN_BYTES)?;
    match candidate.issuer().keys.find(&candidate.key_hint()) {
        KeyLookup::Ready(KeyAnswer::Unavailable { .. }) | KeyLookup::Wait(_) => {
            candidate.judge_unproven(at).map(|()| DryRun::SignatureUnchecked)
        }
        KeyLookup::Ready(answer) => candidate.finish(answer, || at).map(|_| DryRun::Accepted),
    }
}

/// Stands for keys that are somewhere else.
struct NotAtHand;

impl KeySource for NotAtHand {
    type Wait = Ready<KeyAnswer>;

    fn find(&self, _: &KeyHint<'_>) -> KeyLookup<Self::Wait> {
        KeyLookup::Ready(KeyAnswer::Unavailable { retry_after: None })
    }
}

impl Candidate {
    /// What the claims come to if the signature is right. The principal is thrown away: nobody vouched.
    fn judge_unproven(&self, at: SystemTime) -> Result<(), Rejection> {
        let issuer = self.issuer();
        issuer.rules.judge(self.unproven().clone(), Origin::Jwt, &issuer.digest, at).map(drop)
    }
}
