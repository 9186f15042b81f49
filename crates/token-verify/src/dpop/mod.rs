//! DPoP (RFC 9449): tokens that are worth nothing without a key.
//!
//! See [`DpopProofs`] for what is checked. Decided in the layer and not in a verifier, so that every kind of
//! token is held to it, also where an answer comes from a cache.

mod error;
mod future;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod memory;
mod nonce;
mod proof;
mod replay;
mod target;
#[cfg(test)]
pub(crate) mod tests;
mod thumbprint;

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderValue, request::Parts};
use palisade_core::{
    AuthScheme, Challenge, Clock, OfferedSchemes, Principal, Resource, SystemClock,
};
use subtle::ConstantTimeEq;

pub use self::{
    error::DpopProofsError,
    memory::MemoryReplays,
    nonce::{ServerNonces, ServerNoncesError},
    replay::{ProofUse, ReplayStore, ReplayStoreError, UsedProof},
};
use self::{
    future::Remembering,
    nonce::Standing,
    proof::{Expected, Presented, Proof},
    target::Targets,
};
use crate::{
    BearerToken, ProofFault, Rejection,
    crypto::{SignatureAlgorithm, passes_self_test},
    sender::{
        Dpop,
        sealed::{self, Taken, Used},
    },
};

const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60);
const DEFAULT_MAX_LEAD: Duration = Duration::from_secs(10);
const MAX_WINDOW: Duration = Duration::from_secs(300);
/// How much longer a proof is remembered than it is accepted: for stores that take a while to answer, and for
/// a wall clock that is set back.
const MEMORY_MARGIN: Duration = Duration::from_secs(30);

/// Checks DPoP proofs: [`TokenVerifyLayer::with_dpop`](crate::TokenVerifyLayer::with_dpop).
///
/// A request with `Authorization: DPoP …` passes only if all of this holds, in this order:
///
/// 1. There is exactly one `DPoP` header, of at most 8 KiB: a JWT in strict base64url, without duplicate
///    names, `crit`, `b64`, `zip` and `cty`.
/// 2. `typ` is `dpop+jwt`, `alg` one of the accepted [`SignatureAlgorithm`]s, all of them asymmetric, and
///    `jwk` a public key.
/// 3. `htm` is the method. `htu` is the URI of the request: the configured origin and the path, equivalent by
///    RFC 3986 §6.2.2 and §6.2.3. What `Host` and `X-Forwarded-…` say does not matter. An `htu` with a query
///    or a fragment is refused, as RFC 9449 §4.2 defines it without; the query of the request is not looked at.
/// 4. `ath` is the hash of the token.
/// 5. `jti` is a text of 1 to 256 bytes.
/// 6. If nonces are required, `nonce` is a recent one of ours.
/// 7. The verifier accepts the token, and the token is bound to the key in `jwk`: `cnf.jkt` is its thumbprint.
/// 8. `iat` is at most [a minute](Self::max_age) ago and at most [ten seconds](Self::max_lead) ahead.
/// 9. The key is good enough for the key set of an issuer, see [`keys`](crate::keys), and the signature is
///    that of the key.
/// 10. The proof was not used before.
///
/// No result is kept: each request is checked in full.
///
/// # What it does not protect against
///
/// A proof covers method, URI without query, and token: not the query, not other headers, not the body (RFC 9449
/// §11.7). Who can change a request on its way, or run code where the key is, is not stopped.
///
/// Used proofs are remembered until half a minute after the wall clock would refuse them. If that clock is set back
/// by more, they can be used again.
///
/// # Paths that are rewritten
///
/// `htu` is what the client wrote. If a proxy in front changes the path, say so on the resource
/// ([`Resource::served_at`]), of several [resources](Self::per_endpoint) on each: the path is compared as the client
/// sent it ([`Endpoints::public_path`](palisade_core::Endpoints::public_path)), and no proof is good for a request
/// that none of them covers. A final slash that the proxy took off is not known here; the identifier has it or not.
///
/// A router that takes a prefix away must be inside of this layer. Of one outside, nobody here knows: no honest proof
/// matches, and one that was made for `/x` does for `/api/x`.
#[derive(Clone)]
#[must_use = "proofs are checked by the layer that is given them"]
pub struct DpopProofs<S = MemoryReplays> {
    rules: Arc<Rules>,
    replays: S,
}

#[derive(Clone)]
struct Rules {
    targets: Targets,
    algorithms: Vec<SignatureAlgorithm>,
    taken: Taken,
    max_age: Duration,
    max_lead: Duration,
    nonces: Option<ServerNonces>,
    clock: Arc<dyn Clock + Send + Sync>,
    offers: Offers,
}

/// What refusals offer, made once.
#[derive(Clone)]
struct Offers {
    /// If no usable credential came.
    nobody: OfferedSchemes,
    /// To who used DPoP.
    dpop: OfferedSchemes,
}

impl DpopProofs {
    /// Checks of proofs for requests to the origin of `resource`, as clients see it.
    ///
    /// # Errors
    ///
    /// [`DpopProofsError::BrokenBackend`] if the cryptographic library does not work,
    /// [`DpopProofsError::NoOrigin`] for a resource whose origin no proof can name.
    pub fn new(resource: &Resource) -> Result<Self, DpopProofsError> {
        Self::with_targets(Targets::of(resource)?)
    }

    /// Checks of proofs for several resources on one origin. Only if one of them is
    /// [served at](Resource::served_at) another path than its own, it makes a difference to [`new`](Self::new) with
    /// any of them.
    ///
    /// ```
    /// use palisade_core::Resource;
    /// use palisade_token_verify::dpop::DpopProofs;
    ///
    /// let files = Resource::parse("https://h/tenant/files")?.served_at("/files")?;
    /// let mail = Resource::parse("https://h/mail")?;
    /// let proofs = DpopProofs::per_endpoint([files, mail.clone()])?;
    /// # let _ = proofs;
    /// assert!(DpopProofs::per_endpoint([mail.clone(), mail]).is_err(), "which of the two?");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`DpopProofsError::Endpoints`] if there are none, if they are not on one origin, or
    /// if no path tells them apart.
    pub fn per_endpoint(
        resources: impl IntoIterator<Item = Resource>,
    ) -> Result<Self, DpopProofsError> {
        Self::with_targets(Targets::per_endpoint(resources)?)
    }

    fn with_targets(targets: Targets) -> Result<Self, DpopProofsError> {
        if !passes_self_test() {
            return Err(DpopProofsError::BrokenBackend);
        }
        let (algorithms, taken) = (SignatureAlgorithm::ALL.to_vec(), Taken::Both);
        let rules = Rules {
            targets,
            offers: Offers::new(&algorithms, taken),
            algorithms,
            taken,
            max_age: DEFAULT_MAX_AGE,
            max_lead: DEFAULT_MAX_LEAD,
            nonces: None,
            clock: Arc::new(SystemClock::new()),
        };
        Ok(Self { rules: Arc::new(rules), replays: MemoryReplays::new() })
    }
}

impl<S> DpopProofs<S> {
    /// Accepts these algorithms only. Without this call, all of [`SignatureAlgorithm::ALL`].
    ///
    /// # Errors
    ///
    /// [`DpopProofsError::NoAlgorithm`] if there is none, [`DpopProofsError::SymmetricAlgorithm`] if one is HMAC
    /// (RFC 9449 §4.3: "indicates a registered asymmetric digital signature algorithm").
    pub fn algorithms(
        self,
        algorithms: impl IntoIterator<Item = SignatureAlgorithm>,
    ) -> Result<Self, DpopProofsError> {
        let algorithms: Vec<_> = algorithms.into_iter().collect();
        if algorithms.is_empty() {
            return Err(DpopProofsError::NoAlgorithm);
        }
        if algorithms.iter().any(|algorithm| algorithm.is_symmetric()) {
            return Err(DpopProofsError::SymmetricAlgorithm);
        }
        Ok(self.with_rules(|rules| rules.algorithms = algorithms))
    }

    /// How old a proof may be; one minute if not set.
    ///
    /// # Errors
    ///
    /// [`DpopProofsError::WindowTooLong`] above 300 seconds.
    pub fn max_age(self, age: Duration) -> Result<Self, DpopProofsError> {
        bounded(age).map(|age| self.with_rules(|rules| rules.max_age = age))
    }

    /// How far a client's clock may be ahead of ours; ten seconds if not set. What is accepted here can be made
    /// beforehand by so much.
    ///
    /// # Errors
    ///
    /// [`DpopProofsError::WindowTooLong`] above 300 seconds.
    pub fn max_lead(self, lead: Duration) -> Result<Self, DpopProofsError> {
        bounded(lead).map(|lead| self.with_rules(|rules| rules.max_lead = lead))
    }

    /// Refuses bearer tokens, and offers DPoP only. Without this call, a token that is not bound to a key may
    /// come as a bearer token; one that is bound never may.
    pub fn refuse_bearer_tokens(self) -> Self {
        self.with_rules(|rules| rules.taken = Taken::DpopOnly)
    }

    /// Requires nonces in all proofs (RFC 9449 §9): nobody who has the key for a moment can make proofs for
    /// later. Clients learn the nonce by a refusal, once, and later by good answers.
    pub fn require_nonces(self, nonces: ServerNonces) -> Self {
        self.with_rules(|rules| rules.nonces = Some(nonces))
    }

    /// Changes where used proofs are remembered; in the [memory](MemoryReplays) of this process if not set.
    pub fn with_replay_store<S2>(self, replays: S2) -> DpopProofs<S2> {
        DpopProofs { rules: self.rules, replays }
    }

    /// Changes where the time comes from.
    pub fn with_clock(self, clock: impl Clock + Send + Sync + 'static) -> Self {
        self.with_rules(|rules| rules.clock = Arc::new(clock))
    }

    /// The names of the algorithms that are accepted, as challenges have them in `algs`: what belongs into
    /// `dpop_signing_alg_values_supported` of the resource's metadata (RFC 9728 §2).
    pub fn algorithm_names(&self) -> impl Iterator<Item = &'static str> {
        names(&self.rules.algorithms)
    }

    fn with_rules(mut self, edit: impl FnOnce(&mut Rules)) -> Self {
        let rules = Arc::make_mut(&mut self.rules);
        edit(rules);
        rules.offers = Offers::new(&rules.algorithms, rules.taken);
        self
    }
}

/// Of the two names of Ed25519, clients know the older one (RFC 9864).
fn names(algorithms: &[SignatureAlgorithm]) -> impl Iterator<Item = &'static str> {
    algorithms
        .iter()
        .flat_map(|algorithm| match algorithm.as_str() {
            "Ed25519" => [Some("EdDSA"), Some("Ed25519")],
            name => [Some(name), None],
        })
        .flatten()
}

fn bounded(window: Duration) -> Result<Duration, DpopProofsError> {
    if window > MAX_WINDOW { Err(DpopProofsError::WindowTooLong) } else { Ok(window) }
}

impl Rules {
    fn read(
        &self,
        request: &Parts,
        token: &BearerToken,
    ) -> (Result<Presented, Rejection>, Option<HeaderValue>) {
        let target = self.targets.target(request.uri.path());
        let expected = Expected {
            method: &request.method,
            target: target.as_deref(),
            token,
            algorithms: &self.algorithms,
        };
        let proof = match Proof::read(&request.headers, &expected) {
            Ok(proof) => Box::new(proof),
            Err(fault) => return (Err(Rejection::InvalidProof { fault }), None),
        };
        let presented = Presented { proof, target: target.unwrap_or_default() };
        let Some(nonces) = &self.nonces else { return (Ok(presented), None) };
        let now = self.clock.now();
        let standing = match presented.proof.nonce() {
            Some(nonce) => nonces.judge(nonce, self.targets.origin(), now),
            None => Standing::Refused,
        };
        let next = || HeaderValue::try_from(nonces.current(self.targets.origin(), now)?).ok();
        match standing {
            Standing::Current => (Ok(presented), None),
            Standing::Aging => (Ok(presented), next()),
            Standing::Refused => (Err(Rejection::NonceRequired), next()),
        }
    }

    /// What must be remembered of a proof that is good.
    fn check(
        &self,
        Presented { proof, target }: &Presented,
        principal: &Principal,
        bound_to: &[u8; 32],
    ) -> Result<UsedProof, Rejection> {
        if !bool::from(proof.thumbprint().ct_eq(bound_to)) {
            return Err(Rejection::WrongProofKey);
        }
        // The time is read here and not before the wait for a verdict.
        let time_left = self.time_left(proof.issued_at())?;
        proof.verify().map_err(|fault| Rejection::InvalidProof { fault })?;
        Ok(UsedProof::new(
            [bound_to, target.as_bytes(), proof.jti().as_bytes()],
            [principal.issuer(), principal.subject()],
            time_left.saturating_add(MEMORY_MARGIN),
        ))
    }

    /// For how long a proof would still be accepted.
    fn time_left(&self, issued_at: u64) -> Result<Duration, Rejection> {
        let now = self.clock.now().duration_since(std::time::SystemTime::UNIX_EPOCH);
        // A clock before 1970 is wrong; at 1970, every proof is from the future.
        let now = now.unwrap_or_default();
        let issued_at = Duration::from_secs(issued_at);
        if issued_at > now.saturating_add(self.max_lead) {
            return Err(Rejection::InvalidProof { fault: ProofFault::Time });
        }
        issued_at
            .saturating_add(self.max_age)
            .checked_sub(now)
            .ok_or(Rejection::InvalidProof { fault: ProofFault::Time })
    }
}

impl Offers {
    /// RFC 9449 §7.1: `algs` is "a space-delimited list of supported JWS algorithm names".
    fn new(algorithms: &[SignatureAlgorithm], taken: Taken) -> Self {
        let names: Vec<_> = names(algorithms).collect();
        let dpop = Challenge::new(AuthScheme::DPoP).param("algs", names.join(" "));
        let dpop_only = OfferedSchemes::new(dpop.clone());
        let nobody = match taken {
            Taken::DpopOnly => dpop_only.clone(),
            Taken::BearerOnly | Taken::Both => {
                OfferedSchemes::new(Challenge::new(AuthScheme::Bearer)).or(dpop)
            }
        };
        Self { nobody, dpop: dpop_only }
    }
}

impl<S: ReplayStore + Clone> Dpop for DpopProofs<S> {}

impl<S: ReplayStore + Clone> sealed::Dpop for DpopProofs<S> {
    type Proof = Presented;
    type Remembering = Remembering<S::Remembering>;

    fn taken(&self) -> Taken {
        self.rules.taken
    }

    fn offer(&self, used: Used) -> Option<OfferedSchemes> {
        match used {
            Used::Bearer => None,
            Used::Dpop => Some(self.rules.offers.dpop.clone()),
            Used::Nothing => Some(self.rules.offers.nobody.clone()),
        }
    }

    fn read(
        &self,
        request: &Parts,
        token: &BearerToken,
    ) -> (Result<Self::Proof, Rejection>, Option<HeaderValue>) {
        self.rules.read(request, token)
    }

    fn check(
        &self,
        presented: Self::Proof,
        principal: &Principal,
        bound_to: &[u8; 32],
    ) -> Result<Self::Remembering, Rejection> {
        let used = self.rules.check(&presented, principal, bound_to)?;
        Ok(Remembering::new(self.replays.remember(used)))
    }
}

impl<S> fmt::Debug for DpopProofs<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = &self.rules;
        f.debug_struct("DpopProofs")
            .field("origin", &rules.targets.origin())
            .field("algorithms", &rules.algorithms)
            .field("taken", &rules.taken)
            .field("max_age", &rules.max_age)
            .field("max_lead", &rules.max_lead)
            .field("nonces", &rules.nonces)
            .finish_non_exhaustive()
    }
}
