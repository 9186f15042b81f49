//! Who is asking.

use std::{any::Any, fmt, sync::Arc, time::SystemTime};

use http::request::Parts;

use crate::{Confirmation, Denial, DenialKind, Reason, Resource, ScopeSet, Trail};

const MISSING: Reason =
    Reason::new("principal_missing", "no layer outside this one verified a credential");

/// Who is asking, as established by a layer that verified a credential.
///
/// Found in the request's extensions by handlers and by the layers inside the verifying one. Cheap to
/// clone.
///
/// A principal is what was *verified*, not what is *allowed*: its audience has been checked only if
/// [`checked_audience`](Self::checked_audience) says so, and its scopes mean something only to a policy.
///
/// Subjects are unique within one issuer only (RFC 9068 §5): key your data by
/// [`issuer`](Self::issuer) *and* [`subject`](Self::subject).
#[derive(Clone)]
pub struct Principal {
    verified: Arc<Verified>,
    // Beside the `Arc`, so that the audience guard does not copy what the verifier built.
    checked_audience: Option<Resource>,
}

struct Verified {
    issuer: Arc<str>,
    subject: Arc<str>,
    client_id: Option<Arc<str>>,
    token_id: Option<Arc<str>>,
    audiences: Vec<Arc<str>>,
    scopes: ScopeSet,
    roles: Vec<Arc<str>>,
    actors: Vec<Actor>,
    confirmation: Option<Confirmation>,
    trust_digest: Option<Arc<str>>,
    issued_at: Option<SystemTime>,
    expires_at: Option<SystemTime>,
    claims: Option<Arc<dyn Any + Send + Sync>>,
}

impl Principal {
    /// States: *I have verified a credential that this issuer gave to this subject.*
    ///
    /// For authenticators. A handler has no business calling this.
    pub fn assert_verified(
        issuer: impl Into<Arc<str>>,
        subject: impl Into<Arc<str>>,
    ) -> PrincipalBuilder {
        PrincipalBuilder(Verified {
            issuer: issuer.into(),
            subject: subject.into(),
            client_id: None,
            token_id: None,
            audiences: Vec::new(),
            scopes: ScopeSet::empty(),
            roles: Vec::new(),
            actors: Vec::new(),
            confirmation: None,
            trust_digest: None,
            issued_at: None,
            expires_at: None,
            claims: None,
        })
    }

    /// Who vouched for the credential, byte for byte.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.verified.issuer
    }

    /// Whom the credential is about, unique within the issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.verified.subject
    }

    /// The OAuth client that presented the credential, if the issuer says.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.verified.client_id.as_deref()
    }

    /// The identifier of the credential (`jti`), for records and revocation. It is not a secret.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.verified.token_id.as_deref()
    }

    /// All audiences that the credential names, ours among them or not.
    #[must_use]
    pub fn audiences(&self) -> impl ExactSizeIterator<Item = &str> {
        self.verified.audiences.iter().map(|audience| &**audience)
    }

    /// What the credential grants.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.verified.scopes
    }

    /// What the subject is, in the issuer's words: roles or groups, if the authenticator was told where they
    /// are. They grant nothing by themselves.
    #[must_use]
    pub fn roles(&self) -> impl ExactSizeIterator<Item = &str> {
        self.verified.roles.iter().map(|role| &**role)
    }

    /// Who acts on behalf of the [subject](Self::subject), the current actor first (RFC 8693 §4.1).
    ///
    /// Only the first may influence a decision; the ones behind it are history.
    #[must_use]
    pub fn actors(&self) -> &[Actor] {
        &self.verified.actors
    }

    /// The keys that the credential is bound to, if it is.
    #[must_use]
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.verified.confirmation.as_ref()
    }

    /// Which set of rules accepted the credential, for an auditor who has the rules at hand: a digest that
    /// changes whenever one of them does.
    #[must_use]
    pub fn trust_digest(&self) -> Option<&str> {
        self.verified.trust_digest.as_deref()
    }

    /// When the credential was issued, if it says.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.verified.issued_at
    }

    /// When the credential ends, if it does.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.verified.expires_at
    }

    /// Further claims, in the type that the authenticator chose.
    #[must_use]
    pub fn claims<C: Any + Send + Sync>(&self) -> Option<&C> {
        self.verified.claims.as_deref()?.downcast_ref()
    }

    /// The resource of ours that the credential was meant for, once a layer has checked that.
    #[must_use]
    pub fn checked_audience(&self) -> Option<&Resource> {
        self.checked_audience.as_ref()
    }

    /// States: *the credential was meant for this resource.* For layers that check audiences.
    #[must_use = "the principal is not changed in place"]
    pub fn with_checked_audience(&self, resource: Resource) -> Self {
        Self { verified: Arc::clone(&self.verified), checked_audience: Some(resource) }
    }

    /// Leaves the principal for the layers inside, and for the record.
    pub fn leave_in(self, request: &mut Parts) {
        if let Some(trail) = Trail::of(request) {
            trail.identify(&self);
        }
        request.extensions.insert(self);
    }

    /// The principal of a request that needs one.
    ///
    /// # Errors
    ///
    /// A denial of kind [`Misconfigured`](DenialKind::Misconfigured) in the name of `stage` if no layer
    /// left one. That is a mistake of the one who put the layers together: answering 401 would send
    /// clients to log in again and again.
    pub fn require<'a>(request: &'a Parts, stage: &'static str) -> Result<&'a Self, Denial> {
        request
            .extensions
            .get()
            .ok_or_else(|| Denial::new(stage, DenialKind::Misconfigured, MISSING))
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .field("checked_audience", &self.checked_audience)
            .finish_non_exhaustive()
    }
}

/// Builds a [`Principal`]. See [`Principal::assert_verified`].
#[must_use = "call `build` to get the principal"]
pub struct PrincipalBuilder(Verified);

impl PrincipalBuilder {
    /// The OAuth client that presented the credential.
    pub fn client_id(mut self, client: impl Into<Arc<str>>) -> Self {
        self.0.client_id = Some(client.into());
        self
    }

    /// The identifier of the credential.
    pub fn token_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.0.token_id = Some(id.into());
        self
    }

    /// One more audience that the credential names.
    pub fn add_audience(mut self, audience: impl Into<Arc<str>>) -> Self {
        self.0.audiences.push(audience.into());
        self
    }

    /// What the credential grants.
    pub fn scopes(mut self, scopes: ScopeSet) -> Self {
        self.0.scopes = scopes;
        self
    }

    /// One more role of the subject.
    pub fn add_role(mut self, role: impl Into<Arc<str>>) -> Self {
        self.0.roles.push(role.into());
        self
    }

    /// The keys that the credential is bound to. The layer that takes the credential refuses it without
    /// proof of all of them.
    pub fn confirmation(mut self, confirmation: Confirmation) -> Self {
        self.0.confirmation = Some(confirmation);
        self
    }

    /// A digest of the rules that the credential was accepted by.
    pub fn trust_digest(mut self, digest: impl Into<Arc<str>>) -> Self {
        self.0.trust_digest = Some(digest.into());
        self
    }

    /// One more actor, behind those already added: the current one comes first.
    pub fn add_actor(mut self, actor: Actor) -> Self {
        self.0.actors.push(actor);
        self
    }

    /// When the credential was issued.
    pub fn issued_at(mut self, at: SystemTime) -> Self {
        self.0.issued_at = Some(at);
        self
    }

    /// When the credential ends.
    pub fn expires_at(mut self, at: SystemTime) -> Self {
        self.0.expires_at = Some(at);
        self
    }

    /// Further claims, for handlers that know the type. They never reach `Debug` or a record.
    pub fn with_claims<C: Any + Send + Sync>(mut self, claims: C) -> Self {
        self.0.claims = Some(Arc::new(claims));
        self
    }

    /// The principal.
    #[must_use]
    pub fn build(self) -> Principal {
        Principal { verified: Arc::new(self.0), checked_audience: None }
    }
}

impl fmt::Debug for PrincipalBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrincipalBuilder")
            .field("issuer", &self.0.issuer)
            .field("subject", &self.0.subject)
            .finish_non_exhaustive()
    }
}

/// Someone who acts on behalf of a subject (RFC 8693 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    issuer: Option<Arc<str>>,
    subject: Arc<str>,
}

impl Actor {
    /// An actor of the credential's own issuer.
    pub fn new(subject: impl Into<Arc<str>>) -> Self {
        Self { issuer: None, subject: subject.into() }
    }

    /// The same actor, known to another issuer.
    #[must_use]
    pub fn of_issuer(mut self, issuer: impl Into<Arc<str>>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The issuer that knows the actor, if it is not the credential's.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The actor, unique within the issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn debug_shows_no_claims_and_no_scopes() {
        let principal = Principal::assert_verified("https://as.example", "alice")
            .with_claims("secret-claim".to_owned())
            .token_id("secret-id")
            .build();
        let shown = format!(
            "{principal:?} {:?}",
            Principal::assert_verified("i", "s").with_claims("secret")
        );
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(principal.claims::<String>().unwrap(), "secret-claim");
        assert!(principal.claims::<u8>().is_none());
    }

    #[test]
    fn a_missing_principal_is_a_wiring_mistake_that_names_the_layer() {
        let (parts, ()) = Request::new(()).into_parts();
        let denial = Principal::require(&parts, "some-layer").unwrap_err();
        assert_eq!((denial.kind(), denial.stage()), (DenialKind::Misconfigured, "some-layer"));
    }
}
