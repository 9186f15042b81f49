use std::{fmt, sync::Arc, time::Duration};

use palisade_core::{Clock, SystemClock};

use super::{
    Issuer, JwtFuture, ScopeClaim,
    candidate::Candidate,
    rules::{Profile, Rules},
};
use crate::{
    BearerToken, VerifyToken,
    crypto::{SignatureAlgorithm, passes_self_test},
    keys::{KeyLookup, KeySource},
};

const MAX_LEEWAY: Duration = Duration::from_secs(300);
const MAX_TYPE_BYTES: usize = 64;

/// Types of JWTs that are proofs, events or answers, and never access (RFC 8725bis §3.12).
const NEVER_ACCESS: [&str; 6] = [
    "dpop+jwt",
    "logout+jwt",
    "oauth-authz-req+jwt",
    "secevent+jwt",
    "statuslist+jwt",
    "token-introspection+jwt",
];

/// Verifies the JWT access tokens of one issuer (RFC 9068).
///
/// A token becomes a [`Principal`](palisade_core::Principal) only if all of this holds, checked in this
/// order, cheap things first:
///
/// 1. It is at most 16 KiB of `A-Z a-z 0-9 - _ .` (RFC 8725bis §3.14) in exactly three parts, each strict
///    base64url: no padding, no bits left over.
/// 2. The header is one JSON object without duplicate names. It has no `crit`, `b64`, `zip` or `cty`;
///    `alg` is one of the accepted [`SignatureAlgorithm`]s, all of them asymmetric; `typ` is `at+jwt`;
///    `kid`, if there, is a string of at most 256 bytes. Keys and addresses of keys in the header are
///    never read.
/// 3. The payload is one JSON object without duplicate names, at any depth, and its `iss` is our
///    issuer's, byte for byte. A token of another issuer causes no look-up and no fetch.
/// 4. The issuer has a key of that `kid` that is bound to that `alg`. Without `kid`, exactly one key
///    must fit.
/// 5. The signature is right. Nothing but `iss` has been read from the payload until here.
/// 6. There is no `cnf`: a token that is bound to a key is no bearer token.
/// 7. `exp` is a date, and has not passed. `nbf` and `iat`, if there, are dates and have. `iat` is not
///    after `exp`. Fractions are rounded against the token; clocks may differ by the
///    [leeway](Self::leeway).
/// 8. `sub` is a non-empty string, and `aud` one, or an array of up to 64. *Which* audience is right is
///    decided by another layer, `palisade-audience-guard`; that there is one is decided here, so that
///    nobody forgets.
/// 9. `scope`, `client_id`, `jti` and `act`, if there, are what RFC 9068 and RFC 8693 say they are.
///    Malformed is refused, never ignored.
///
/// # Why `client_id`, `jti` and `iat` are not required
///
/// RFC 9068 §2.2 requires them, and widely used servers leave one or another out. Nothing in this family
/// grants anything by them, so their absence opens no door. [`require_rfc9068`](Self::require_rfc9068) insists
/// on them.
///
/// # Cost
///
/// Keys are parsed when they arrive. A token whose key is known is verified without waiting and without a
/// boxed future.
#[derive(Clone)]
#[must_use = "a verifier does nothing until a layer asks it"]
pub struct JwtVerifier<K, C = SystemClock> {
    rules: Arc<Rules>,
    keys: K,
    clock: C,
}

/// A [`JwtVerifier`] cannot be made like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtVerifierError {
    /// The cryptographic library that was linked gives wrong answers to known questions.
    #[error("the cryptographic library fails its self-test: do not use this build")]
    BrokenBackend,
    /// More than five minutes.
    #[error("the leeway is longer than 300 seconds: set the clocks instead")]
    LeewayTooLong,
    /// No algorithm.
    #[error("no algorithm is accepted: name at least one")]
    NoAlgorithm,
    /// A type that is no media type, or that of a JWT that never grants access.
    #[error("not a type of access tokens: name the `typ` that the issuer writes, such as `JWT`")]
    NotAnAccessTokenType,
}

impl<K> JwtVerifier<K> {
    /// A verifier for the tokens of `issuer`, which signs with `keys`.
    ///
    /// # Errors
    ///
    /// [`JwtVerifierError::BrokenBackend`] if the cryptographic library does not work.
    pub fn new(issuer: Issuer, keys: K) -> Result<Self, JwtVerifierError> {
        if !passes_self_test() {
            return Err(JwtVerifierError::BrokenBackend);
        }
        Ok(Self { rules: Arc::new(Rules::new(issuer)), keys, clock: SystemClock::new() })
    }
}

impl<K, C> JwtVerifier<K, C> {
    /// Accepts these algorithms only. Without this call, all of [`SignatureAlgorithm::ALL`].
    ///
    /// # Errors
    ///
    /// [`JwtVerifierError::NoAlgorithm`] if there is none.
    pub fn algorithms(
        self,
        algorithms: impl IntoIterator<Item = SignatureAlgorithm>,
    ) -> Result<Self, JwtVerifierError> {
        let algorithms: Vec<_> = algorithms.into_iter().collect();
        if algorithms.is_empty() {
            return Err(JwtVerifierError::NoAlgorithm);
        }
        Ok(self.with_rules(|rules| rules.algorithms = algorithms))
    }

    /// How far the issuer's clock and ours may differ; 30 seconds if not set.
    ///
    /// # Errors
    ///
    /// [`JwtVerifierError::LeewayTooLong`] above 300 seconds. RFC 9068 §4 allows "usually no more than
    /// a few minutes"; every second of it is a second that an expired token lives on.
    pub fn leeway(self, leeway: Duration) -> Result<Self, JwtVerifierError> {
        if leeway > MAX_LEEWAY {
            return Err(JwtVerifierError::LeewayTooLong);
        }
        Ok(self.with_rules(|rules| rules.leeway = leeway))
    }

    /// Refuses tokens that live longer than this from `iat` to `exp`, and those without `iat`.
    ///
    /// A token cannot be called back before it expires. This is your limit to how long that may take.
    pub fn max_lifetime(self, max: Duration) -> Self {
        self.with_rules(|rules| rules.max_lifetime = Some(max))
    }

    /// The largest token that is read; 16 KiB if not set. The layer has a limit of its own.
    pub fn max_token_bytes(self, bytes: usize) -> Self {
        self.with_rules(|rules| rules.max_token_bytes = bytes)
    }

    /// Accepts one more `typ`, for issuers that do not follow RFC 9068.
    ///
    /// # What you give up
    ///
    /// `at+jwt` is what tells an access token from everything else that the issuer signs with the same
    /// keys. With `JWT`, an ID token looks just like one; only its audience, the client, is another. So
    /// check the audience, and make sure that no client has the name of this service.
    ///
    /// # Errors
    ///
    /// [`JwtVerifierError::NotAnAccessTokenType`] for what is no media type, and for types that are
    /// known to be something else, such as `dpop+jwt`.
    pub fn accept_type(self, typ: &str) -> Result<Self, JwtVerifierError> {
        let name = typ.strip_prefix("application/").unwrap_or(typ);
        let is_name = !name.is_empty()
            && name.len() <= MAX_TYPE_BYTES
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte));
        if !is_name || NEVER_ACCESS.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(JwtVerifierError::NotAnAccessTokenType);
        }
        Ok(self.with_rules(|rules| rules.types.names.push(name.into())))
    }

    /// Accepts tokens without `typ`, for issuers that do not follow RFC 9068.
    ///
    /// # What you give up
    ///
    /// The same as with [`accept_type`](Self::accept_type).
    pub fn accept_missing_type(self) -> Self {
        self.with_rules(|rules| rules.types.missing = true)
    }

    /// Requires all claims that RFC 9068 §2.2 requires: `client_id`, `iat` and `jti` as well.
    pub fn require_rfc9068(self) -> Self {
        self.with_rules(|rules| rules.profile = Profile::Rfc9068)
    }

    /// Where the scopes are; [`ScopeClaim::Scope`] if not set.
    pub fn scopes_from(self, claim: ScopeClaim) -> Self {
        self.with_rules(|rules| rules.scope_claim = claim)
    }

    /// The claim that names the client; `client_id` if not set. Some products write `azp` or `cid`.
    pub fn client_id_claim(self, claim: &'static str) -> Self {
        self.with_rules(|rules| rules.client_id_claim = claim)
    }

    /// Changes where the time comes from.
    pub fn with_clock<C2>(self, clock: C2) -> JwtVerifier<K, C2> {
        JwtVerifier { rules: self.rules, keys: self.keys, clock }
    }

    fn with_rules(mut self, edit: impl FnOnce(&mut Rules)) -> Self {
        edit(Arc::make_mut(&mut self.rules));
        self
    }
}

impl<K: KeySource, C: Clock + Clone> VerifyToken for JwtVerifier<K, C> {
    type Future = JwtFuture<K::Wait, C>;

    fn verify(&self, token: BearerToken) -> Self::Future {
        let candidate = match Candidate::read(token, &self.rules) {
            Ok(candidate) => candidate,
            Err(rejection) => return JwtFuture::ready(Err(rejection)),
        };
        match self.keys.find(&candidate.key_hint()) {
            KeyLookup::Ready(answer) => {
                JwtFuture::ready(candidate.finish(answer, &self.rules, &self.clock))
            }
            KeyLookup::Wait(wait) => {
                let (rules, clock) = (Arc::clone(&self.rules), self.clock.clone());
                JwtFuture::waiting(wait, candidate, rules, clock)
            }
        }
    }
}

impl<K: fmt::Debug, C> fmt::Debug for JwtVerifier<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier")
            .field("rules", &self.rules)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
