use std::{fmt, sync::Arc};

use palisade_core::{Clock, Principal, SystemClock};

use super::{
    JwtFuture,
    cache::{DEFAULT_TOKENS, TokenDigest, Verified, VerifiedTokens},
    candidate::Candidate,
    issuers::Issuers,
};
use crate::{
    BearerToken, VerifyToken,
    crypto::passes_self_test,
    keys::{AnyKeySource, KeyLookup, KeySource, located},
    trust::{InvalidTrustError, KeyLocation, Trust, TrustedIssuer},
};

pub(crate) const DEFAULT_MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Verifies the JWT access tokens of one or several issuers (RFC 9068).
///
/// A token becomes a [`Principal`](palisade_core::Principal) only if all of this holds, checked in this
/// order, cheap things first:
///
/// 1. It is at most 16 KiB of `A-Z a-z 0-9 - _ .` (RFC 8725bis §3.14) in exactly three parts, each strict
///    base64url: no padding, no bits left over.
/// 2. The header is one JSON object without duplicate names. It has no `crit`, `b64`, `zip` or `cty`;
///    `alg` is a [`SignatureAlgorithm`](crate::SignatureAlgorithm); `kid`, if there, is a string of at most
///    256 bytes. Keys and addresses of keys in the header are never read.
/// 3. The payload is one JSON object without duplicate names, at any depth, and its `iss` is an issuer of
///    ours, byte for byte. From here on its rules count, a [`TrustedIssuer`]. A token of anybody else
///    causes no look-up and no fetch.
/// 4. `alg` and `typ` are accepted from this issuer.
/// 5. The issuer has a key of that `kid` that is bound to that `alg`. Without `kid`, exactly one key
///    must fit. Keys of other issuers are out of reach.
/// 6. The signature is right. Nothing but `iss` has been read from the payload until here.
/// 7. What the issuer may not say is taken out ([`TrustedIssuer::limit_claim`]).
/// 8. `cnf`, if there, names keys by `jkt` or `x5t#S256` and by nothing else. The principal has them as its
///    [`confirmation`](palisade_core::Principal::confirmation); that the sender has the keys is checked by
///    the layer.
/// 9. `exp` is a date, and has not passed. `nbf` and `iat`, if there, are dates and have. `iat` is not
///    after `exp`. Fractions are rounded against the token; clocks may differ by the
///    [leeway](TrustedIssuer::leeway).
/// 10. There is a subject, and `aud` is a non-empty string, or an array of up to 64. *Which* audience is
///     right is decided by another layer, `palisade-audience-guard`; that there is one is decided here,
///     so that nobody forgets.
/// 11. Scopes, client, `jti`, roles and `act`, if there, are what RFC 9068 and RFC 8693 say they are.
///     Malformed is refused, never ignored. The current actor is one that may act.
/// 12. Every claim that the issuer's rules require is there and has the value that it must have, and none that
///     must not be there was in the token, limits or not.
///
/// # Cost
///
/// Keys are parsed when they arrive. A token whose key is known is verified without waiting and without a
/// boxed future. A token that was verified before costs a SHA-256 and a look at the key set and the clock, see
/// [`max_cached_tokens`](Self::max_cached_tokens).
#[derive(Clone)]
#[must_use = "a verifier does nothing until a layer asks it"]
pub struct JwtVerifier<C = SystemClock> {
    shared: Arc<Shared>,
    clock: C,
}

#[derive(Clone)]
struct Shared {
    trust: Trust,
    /// In the order of the issuers in `trust`.
    keys: Vec<Arc<dyn AnyKeySource>>,
    issuers: Issuers,
    max_token_bytes: usize,
    /// Belongs to these issuers and rules: whoever changes them begins with an empty one.
    cache: Option<Arc<VerifiedTokens>>,
}

/// Where a verdict is remembered, if it is.
pub(super) struct Memory(Option<(Arc<VerifiedTokens>, TokenDigest)>);

impl Memory {
    pub(super) fn keep(self, verified: Verified) -> Principal {
        let principal = verified.claimed.principal.clone();
        if let Self(Some((cache, digest))) = self {
            cache.insert(digest, verified);
        }
        principal
    }
}

/// A [`JwtVerifier`] cannot be made like this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwtVerifierError {
    /// The cryptographic library that was linked gives wrong answers to known questions.
    #[error("the cryptographic library fails its self-test: do not use this build")]
    BrokenBackend,
    /// The keys of an issuer cannot be had from where they are said to be.
    #[error("there are no keys for `{issuer}`")]
    Keys {
        /// Whose.
        issuer: Box<str>,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The issuers do not go together.
    #[error("the issuers do not go together")]
    Trust(#[source] InvalidTrustError),
}

impl JwtVerifier {
    /// A verifier for the tokens of `issuer`, which signs with `keys`. An [`Issuer`](crate::Issuer) alone
    /// stands for one that follows RFC 9068.
    ///
    /// # Errors
    ///
    /// [`JwtVerifierError::BrokenBackend`] if the cryptographic library does not work;
    /// [`JwtVerifierError::Keys`] if the keys are secrets and the algorithms are not HMAC, or the other way round.
    pub fn new<K>(issuer: impl Into<TrustedIssuer>, keys: K) -> Result<Self, JwtVerifierError>
    where
        K: KeySource<Wait: Send + 'static> + Send + Sync + 'static,
    {
        let trust = Trust::of([issuer.into().keys_at(KeyLocation::Supplied)])
            .map_err(JwtVerifierError::Trust)?;
        Self::with_keys(trust, vec![Arc::new(keys)])
    }

    /// A verifier for all issuers of `trust`, with keys from where it says they are.
    ///
    /// Keys that are fetched are fetched by one task for each issuer, see
    /// [`RemoteKeys`](crate::keys#remote-keys): an issuer that fails does not concern the others.
    ///
    /// # Errors
    ///
    /// [`JwtVerifierError::Keys`] if the keys of an issuer cannot be had: they are
    /// [to be supplied](KeyLocation::Supplied) in the code, or to be fetched and the feature `http-source` is
    /// off, or there is no tokio runtime. [`JwtVerifierError::BrokenBackend`].
    pub fn from_trust(trust: Trust) -> Result<Self, JwtVerifierError> {
        let keys = trust
            .issuers()
            .map(|issuer| {
                let issuer_name = || issuer.issuer().as_str().into();
                located(issuer)
                    .map_err(|source| JwtVerifierError::Keys { issuer: issuer_name(), source })
            })
            .collect::<Result<_, _>>()?;
        Self::with_keys(trust, keys)
    }

    fn with_keys(trust: Trust, keys: Vec<Arc<dyn AnyKeySource>>) -> Result<Self, JwtVerifierError> {
        if !passes_self_test() {
            return Err(JwtVerifierError::BrokenBackend);
        }
        for (issuer, keys) in trust.issuers().zip(&keys) {
            check_kind(issuer, &**keys)?;
        }
        let issuers = issuers(&trust, &keys);
        let shared = Shared {
            trust,
            keys,
            issuers,
            max_token_bytes: DEFAULT_MAX_TOKEN_BYTES,
            cache: VerifiedTokens::new(DEFAULT_TOKENS).map(Arc::new),
        };
        Ok(Self { shared: Arc::new(shared), clock: SystemClock::new() })
    }
}

/// Public keys verify signatures and secrets verify HMAC. Where the two could meet, one is taken for the other.
fn check_kind(issuer: &TrustedIssuer, keys: &dyn AnyKeySource) -> Result<(), JwtVerifierError> {
    let complaint = match (issuer.is_symmetric(), keys.is_symmetric()) {
        (true, true) | (false, false) => return Ok(()),
        (true, false) => {
            "its algorithms are HMAC, which needs the secrets of `keys::danger::HmacKeys`"
        }
        (false, true) => "its keys are secrets: name HMAC with `TrustedIssuer::algorithms`",
    };
    let issuer = issuer.issuer().as_str().into();
    Err(JwtVerifierError::Keys { issuer, source: complaint.into() })
}

fn issuers(trust: &Trust, keys: &[Arc<dyn AnyKeySource>]) -> Issuers {
    let digest: Arc<str> = trust.digest().into();
    Issuers::new(trust.shared().cloned().zip(keys.iter().cloned()), &digest)
}

impl<C> JwtVerifier<C> {
    /// Accepts the tokens of one more issuer, with keys of its own.
    ///
    /// # Errors
    ///
    /// [`JwtVerifierError::Trust`] if it is among the issuers already; [`JwtVerifierError::Keys`] as with
    /// [`new`](Self::new).
    pub fn add_issuer<K>(
        self,
        issuer: impl Into<TrustedIssuer>,
        keys: K,
    ) -> Result<Self, JwtVerifierError>
    where
        K: KeySource<Wait: Send + 'static> + Send + Sync + 'static,
    {
        let mut shared = Arc::unwrap_or_clone(self.shared);
        let added = issuer.into().keys_at(KeyLocation::Supplied);
        shared.trust = Trust::of(shared.trust.issuers().cloned().chain([added.clone()]))
            .map_err(JwtVerifierError::Trust)?;
        check_kind(&added, &keys)?;
        shared.keys.push(Arc::new(keys));
        shared.issuers = issuers(&shared.trust, &shared.keys);
        shared.cache = shared.cache.and_then(|cache| cache.emptied()).map(Arc::new);
        Ok(Self { shared: Arc::new(shared), clock: self.clock })
    }

    /// The largest token that is read; 16 KiB if not set. The layer has a limit of its own.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        Arc::make_mut(&mut self.shared).max_token_bytes = bytes;
        self
    }

    /// How many verified tokens are remembered, so that the same token is not verified again with each
    /// request; 10 000 if not set. With 0, none.
    ///
    /// A token that is remembered is refused like any other once it expired, or once its issuer withdrew the
    /// key that signed it. Tokens of more than 4 KiB are not remembered. An entry takes about three times
    /// the size of its token.
    pub fn max_cached_tokens(mut self, tokens: usize) -> Self {
        Arc::make_mut(&mut self.shared).cache = VerifiedTokens::new(tokens).map(Arc::new);
        self
    }

    /// Forgets remembered tokens by whom they name. Their next use is verified from the start.
    ///
    /// This refuses nobody: a token that is forgotten and still good is good. To refuse one, use a deny
    /// list on the layer, which has the last word over remembered tokens, too.
    pub fn forget(&self, is_forgotten: impl Fn(&Principal) -> bool) {
        if let Some(cache) = &self.shared.cache {
            cache.forget(is_forgotten);
        }
    }

    /// Changes where the time comes from.
    pub fn with_clock<C2>(self, clock: C2) -> JwtVerifier<C2> {
        JwtVerifier { shared: self.shared, clock }
    }

    #[cfg(test)]
    pub(crate) const fn clock(&self) -> &C {
        &self.clock
    }

    /// Whose tokens are accepted, and under which rules.
    pub fn trust(&self) -> &Trust {
        &self.shared.trust
    }
}

impl<C: Clock + Clone> VerifyToken for JwtVerifier<C> {
    type Future = JwtFuture<C>;

    fn verify(&self, token: BearerToken) -> Self::Future {
        let shared = &*self.shared;
        let mut memory = Memory(None);
        if let Some(cache) = &shared.cache
            && let Some(digest) = VerifiedTokens::digest(token.expose())
        {
            if let Some(principal) = cache.get(&digest, &self.clock) {
                return JwtFuture::ready(Ok(principal));
            }
            memory = Memory(Some((Arc::clone(cache), digest)));
        }
        let candidate = match Candidate::read(token, &shared.issuers, shared.max_token_bytes) {
            Ok(candidate) => candidate,
            Err(rejection) => return JwtFuture::ready(Err(rejection)),
        };
        match candidate.issuer().keys.find(&candidate.key_hint()) {
            KeyLookup::Ready(answer) => {
                let verdict = candidate.finish(answer, || self.clock.now());
                JwtFuture::ready(verdict.map(|verified| memory.keep(verified)))
            }
            KeyLookup::Wait(wait) => {
                JwtFuture::waiting(wait, candidate, memory, self.clock.clone())
            }
        }
    }
}

impl<C> fmt::Debug for JwtVerifier<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier").field("issuers", &self.shared.issuers).finish_non_exhaustive()
    }
}
