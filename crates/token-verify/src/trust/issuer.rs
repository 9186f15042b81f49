use std::{collections::BTreeMap, time::Duration};

use palisade_core::ScopeToken;

use super::{
    ActorRule, ClaimLimit, ClaimRule, ClaimSource, KeyLocation, SenderConstraint, TrustError,
    places::at_least_one, types::TypeRules,
};
use crate::{
    AddressPolicy, Issuer,
    crypto::{SignatureAlgorithm, UnsoundAlgorithms},
};

const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// What verification itself depends on. An issuer that may not say these cannot be trusted at all.
const OF_THE_PROTOCOL: [&str; 10] =
    ["act", "active", "aud", "cnf", "exp", "iat", "iss", "jti", "nbf", "sub"];

/// The rules that the access tokens of one issuer are held to.
///
/// [`new`](Self::new) is RFC 9068 with nothing added. Each method changes one rule, and says what is given
/// up if that makes it weaker.
///
/// ```
/// use palisade_token_verify::{Issuer, trust::{ClaimLimit, ClaimRule, ClaimSource, TrustedIssuer}};
///
/// let partner = TrustedIssuer::new(Issuer::parse("https://login.partner.example")?)
///     .accept_type("JWT")?
///     .require_claim(ClaimSource::parse("tenant")?, ClaimRule::equals("us"))
///     .clients_from([ClaimSource::parse("client_id")?, ClaimSource::parse("azp")?])?
///     .limit_claim("email", ClaimLimit::EmailDomains(vec!["partner.example".into()]))?
///     .limit_claim("groups", ClaimLimit::Nothing)?;
/// # let _ = partner;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "rules do nothing until a verifier follows them"]
pub struct TrustedIssuer {
    pub(super) issuer: Issuer,
    pub(super) keys: KeyLocation,
    pub(super) algorithms: Vec<SignatureAlgorithm>,
    pub(super) types: TypeRules,
    pub(super) requirements: Vec<(ClaimSource, ClaimRule)>,
    /// Of each list, at least one is there.
    pub(super) alternatives: Vec<Vec<ClaimSource>>,
    pub(crate) leeway: Duration,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) max_age: Option<Duration>,
    pub(super) audiences: Vec<ClaimSource>,
    pub(super) subjects: Vec<ClaimSource>,
    pub(super) clients: Vec<ClaimSource>,
    pub(super) client_rule: ClientRule,
    pub(super) scopes: Vec<ClaimSource>,
    pub(super) roles: Vec<ClaimSource>,
    pub(super) scope_prefix: Option<Box<str>>,
    /// From the form in the token to the form in requests.
    pub(super) scope_map: BTreeMap<Box<str>, ScopeToken>,
    pub(super) actors: ActorRule,
    pub(super) sender_constraint: SenderConstraint,
    pub(super) addresses: AddressPolicy,
    pub(super) limits: Vec<(Box<str>, ClaimLimit)>,
}

/// Whether a token must name its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientRule {
    Optional,
    Required,
}

impl From<Issuer> for TrustedIssuer {
    fn from(issuer: Issuer) -> Self {
        Self::new(issuer)
    }
}

impl TrustedIssuer {
    /// An issuer whose tokens follow RFC 9068, with any algorithm of
    /// [`SignatureAlgorithm::ALL`] and 30 seconds of leeway.
    ///
    /// `client_id`, `jti` and `iat`, which RFC 9068 §2.2 requires as well, are not insisted on: widely
    /// used servers leave one or another out, and nothing here grants anything by them. See
    /// [`require_rfc9068`](Self::require_rfc9068).
    pub fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            keys: KeyLocation::Discovery,
            algorithms: SignatureAlgorithm::ALL.to_vec(),
            types: TypeRules::rfc9068(),
            requirements: Vec::new(),
            alternatives: Vec::new(),
            leeway: Duration::from_secs(30),
            max_lifetime: None,
            max_age: None,
            audiences: vec![ClaimSource::claim("aud")],
            subjects: vec![ClaimSource::claim("sub")],
            clients: vec![ClaimSource::claim("client_id")],
            client_rule: ClientRule::Optional,
            scopes: vec![ClaimSource::text("scope")],
            roles: Vec::new(),
            scope_prefix: None,
            scope_map: BTreeMap::new(),
            actors: ActorRule::any(),
            sender_constraint: SenderConstraint::Optional,
            addresses: AddressPolicy::default(),
            limits: Vec::new(),
        }
    }

    /// The issuer.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Where the keys are, for verifiers that are made from a [`Trust`](super::Trust).
    /// [`KeyLocation::Discovery`] if not set.
    pub fn keys_at(mut self, keys: KeyLocation) -> Self {
        self.keys = keys;
        self
    }

    /// Where the keys are.
    #[must_use]
    pub const fn key_location(&self) -> &KeyLocation {
        &self.keys
    }

    /// Where keys may be fetched from; [`AddressPolicy::PublicOnly`] if not set. An issuer in a private network
    /// needs [`AddressPolicy::AllowPrivate`].
    pub const fn addresses(mut self, policy: AddressPolicy) -> Self {
        self.addresses = policy;
        self
    }

    #[cfg(feature = "http-source")]
    pub(crate) const fn allowed_addresses(&self) -> AddressPolicy {
        self.addresses
    }

    /// Accepts these algorithms only. Without this call, all of [`SignatureAlgorithm::ALL`].
    ///
    /// # Errors
    ///
    /// [`TrustError::NoAlgorithm`] if there is none, [`TrustError::MixedAlgorithms`] if some are HMAC and others
    /// are not.
    pub fn algorithms(
        mut self,
        algorithms: impl IntoIterator<Item = SignatureAlgorithm>,
    ) -> Result<Self, TrustError> {
        self.algorithms = algorithms.into_iter().collect();
        SignatureAlgorithm::check_list(&self.algorithms).map_err(|unsound| match unsound {
            UnsoundAlgorithms::Empty => TrustError::NoAlgorithm,
            UnsoundAlgorithms::Mixed => TrustError::MixedAlgorithms,
        })?;
        Ok(self)
    }

    /// Whether the issuer's keys must be secrets.
    pub(crate) fn is_symmetric(&self) -> bool {
        self.algorithms.iter().any(|algorithm| algorithm.is_symmetric())
    }

    pub(crate) fn accepts_algorithm(&self, algorithm: SignatureAlgorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Accepts one more `typ`, for issuers that do not follow RFC 9068.
    ///
    /// # What you give up
    ///
    /// `at+jwt` is what tells an access token from everything else that the issuer signs with the same
    /// keys. With `JWT`, an ID token looks just like one; only its audience, the client, is another. So
    /// check the audience, make sure that no client has the name of this service, and require a claim
    /// that only access tokens have, or the [absence](ClaimRule::Absent) of `nonce` and `at_hash`.
    ///
    /// # Errors
    ///
    /// [`TrustError::NotAnAccessTokenType`] for what is no media type, and for types that are known to
    /// be something else, such as `dpop+jwt`.
    pub fn accept_type(mut self, typ: &str) -> Result<Self, TrustError> {
        self.types.accept(typ)?;
        Ok(self)
    }

    /// Accepts tokens without `typ`, for issuers that do not follow RFC 9068.
    ///
    /// # What you give up
    ///
    /// The same as with [`accept_type`](Self::accept_type).
    pub fn accept_missing_type(mut self) -> Self {
        self.types.missing = true;
        self
    }

    /// Holds the tokens to one more rule.
    pub fn require_claim(mut self, claim: ClaimSource, rule: ClaimRule) -> Self {
        self.requirements.push((claim, rule));
        self
    }

    /// Requires one of these claims at least, whichever, and not empty.
    ///
    /// Entra ID gives every application of a tenant a token for every other, without scopes and without
    /// roles: only that it has one of them says that somebody granted something.
    ///
    /// # Errors
    ///
    /// [`TrustError::EmptyList`].
    pub fn require_any_claim(
        mut self,
        places: impl IntoIterator<Item = ClaimSource>,
    ) -> Result<Self, TrustError> {
        self.alternatives.push(at_least_one(places)?);
        Ok(self)
    }

    /// Requires all claims that RFC 9068 §2.2 requires: a client, `iat` and `jti` as well.
    pub fn require_rfc9068(mut self) -> Self {
        self.client_rule = ClientRule::Required;
        self.require_claim(ClaimSource::claim("iat"), ClaimRule::Present)
            .require_claim(ClaimSource::claim("jti"), ClaimRule::Present)
    }

    /// How far the issuer's clock and ours may differ; 30 seconds if not set.
    ///
    /// # Errors
    ///
    /// [`TrustError::LeewayTooLong`] above 300 seconds. RFC 9068 §4 allows "usually no more than a few
    /// minutes"; every second of it is a second that an expired token lives on.
    pub fn leeway(mut self, leeway: Duration) -> Result<Self, TrustError> {
        if leeway > MAX_LEEWAY {
            return Err(TrustError::LeewayTooLong);
        }
        self.leeway = leeway;
        Ok(self)
    }

    /// Refuses tokens that live longer than this from `iat` to `exp`, and those without `iat`.
    ///
    /// A token cannot be called back before it expires. This is your limit to how long that may take.
    pub const fn max_lifetime(mut self, max: Duration) -> Self {
        self.max_lifetime = Some(max);
        self
    }

    /// Refuses tokens that were issued longer ago than this, and those without `iat`, whatever their
    /// `exp` says.
    pub const fn max_age(mut self, max: Duration) -> Self {
        self.max_age = Some(max);
        self
    }

    /// Says that clients ask for `requested` and tokens then say `in_token`.
    ///
    /// Policies and challenges speak of what clients ask for, so tokens are translated. A token that itself says
    /// `requested` says something else, and that scope is left out.
    ///
    /// # Errors
    ///
    /// [`TrustError::NotAScope`]; [`TrustError::ScopeMappedTwice`] if either is mapped already.
    pub fn map_scope(mut self, requested: &str, in_token: &str) -> Result<Self, TrustError> {
        let requested = ScopeToken::parse(requested).map_err(|_| TrustError::NotAScope)?;
        ScopeToken::parse(in_token).map_err(|_| TrustError::NotAScope)?;
        if self.scope_map.values().any(|known| *known == requested)
            || self.scope_map.insert(in_token.into(), requested).is_some()
        {
            return Err(TrustError::ScopeMappedTwice);
        }
        Ok(self)
    }

    /// Says that clients ask for `prefix` followed by what tokens then say, as with Entra ID, where
    /// `api://orders/read` becomes `read`. Scopes that [`map_scope`](Self::map_scope) knows stay out of it.
    ///
    /// # Errors
    ///
    /// [`TrustError::NotAScope`].
    pub fn scope_prefix(mut self, prefix: &str) -> Result<Self, TrustError> {
        ScopeToken::parse(prefix).map_err(|_| TrustError::NotAScope)?;
        self.scope_prefix = Some(prefix.into());
        Ok(self)
    }

    /// Which actors may use the tokens; any, in chains of up to eight, if not set.
    ///
    /// # Errors
    ///
    /// [`TrustError::NumberOfActors`], [`TrustError::EmptyList`].
    pub fn actors(mut self, rule: ActorRule) -> Result<Self, TrustError> {
        rule.validate()?;
        self.actors = rule;
        Ok(self)
    }

    /// Whether tokens must be bound to a key; [`SenderConstraint::Optional`] if not set.
    pub const fn sender_constraint(mut self, rule: SenderConstraint) -> Self {
        self.sender_constraint = rule;
        self
    }

    /// Limits what the issuer may say in a claim. See [`ClaimLimit`].
    ///
    /// # Errors
    ///
    /// [`TrustError::ClaimOfTheProtocol`] for claims that verification needs, [`TrustError::LimitInsideClaim`] for a
    /// JSON pointer.
    pub fn limit_claim(
        mut self,
        claim: impl Into<Box<str>>,
        limit: ClaimLimit,
    ) -> Result<Self, TrustError> {
        let claim = claim.into();
        if OF_THE_PROTOCOL.contains(&&*claim) {
            return Err(TrustError::ClaimOfTheProtocol);
        }
        // By a pointer, as roles are found, nothing would be limited.
        if claim.is_empty() || claim.starts_with('/') {
            return Err(TrustError::LimitInsideClaim);
        }
        limit.validate()?;
        self.limits.push((claim, limit));
        Ok(self)
    }
}
