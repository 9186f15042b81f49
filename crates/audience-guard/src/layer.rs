use std::fmt;

use palisade_core::{Guard, GuardLayer, PlainRenderer, Resource, stack::roles::ChecksAudience};
use tower_layer::Layer;

use crate::{
    EndpointGuardsError, EndpointGuardsLayer,
    audience::{Audience, InvalidAudienceError},
    check::AudienceCheck,
};

/// Refuses tokens that are meant for another resource. See the [crate docs](crate).
///
/// Its service is a [`Guard`].
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct AudienceGuardLayer<R = PlainRenderer> {
    check: AudienceCheck,
    renderer: R,
}

impl AudienceGuardLayer {
    /// A layer that accepts tokens for `resource`.
    ///
    /// Give it the very identifier that your metadata document and your clients use.
    pub fn new(resource: Resource) -> Self {
        Self { check: AudienceCheck::new(resource), renderer: PlainRenderer::new() }
    }

    /// A layer that guards several endpoints on one host, each by its own guard: a request is judged by the
    /// guard whose resource, the one given to [`new`](Self::new), has the longest path above that of the
    /// request. A token for one endpoint is refused at the others, at paths of none, and at paths that can be
    /// read in two ways.
    ///
    /// ```
    /// use http::{Request, request::Parts};
    /// use palisade_audience_guard::AudienceGuardLayer;
    /// use palisade_core::{Check, Principal, Resource};
    ///
    /// let layer = AudienceGuardLayer::per_endpoint([
    ///     AudienceGuardLayer::new(Resource::parse("https://h/files")?).add_audience("api://files.h")?,
    ///     AudienceGuardLayer::new(Resource::parse("https://h/mail")?),
    /// ])?;
    /// let check = layer.into_check();
    /// let takes = |path: &str, audience: &str| {
    ///     let (mut request, ()): (Parts, ()) = Request::get(path).body(()).unwrap().into_parts();
    ///     let principal = Principal::assert_verified("https://as.example", "alice");
    ///     principal.add_audience(audience).build().leave_in(&mut request);
    ///     check.check(&mut request).is_ok()
    /// };
    /// assert!(takes("/files/1", "https://h/files") && takes("/files", "api://files.h"));
    /// assert!(takes("/mail", "https://h/mail"));
    /// assert!(!takes("/mail", "https://h/files") && !takes("/mail", "api://files.h"));
    /// assert!(!takes("/", "https://h/files") && !takes("/mail/../files", "https://h/files"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EndpointGuardsError`] if paths do not tell the endpoints apart, or if two guards accept one audience,
    /// so that a token for one endpoint would open the other.
    pub fn per_endpoint(
        guards: impl IntoIterator<Item = Self>,
    ) -> Result<EndpointGuardsLayer, EndpointGuardsError> {
        EndpointGuardsLayer::new(guards.into_iter().map(Self::into_check))
    }
}

impl<R> AudienceGuardLayer<R> {
    /// Accepts tokens for another resource of yours as well.
    ///
    /// For one endpoint with two names, say while it moves. Two endpoints need two guards, see
    /// [`per_endpoint`](AudienceGuardLayer::per_endpoint): behind a shared one, a token for either opens both.
    pub fn add_resource(self, resource: Resource) -> Self {
        self.edit(|check| check.add_resource(resource))
    }

    /// Accepts an audience under which the issuer knows the resource given to [`new`](Self::new), such
    /// as a GUID or `api://files.example`. It is compared byte for byte.
    ///
    /// # Errors
    ///
    /// [`InvalidAudienceError`] if `audience` is empty, too long, not clean text, or a name that other
    /// services go by too, such as `api` or `account`.
    pub fn add_audience(self, audience: &str) -> Result<Self, InvalidAudienceError> {
        let audience = Audience::parse(audience)?;
        Ok(self.edit(|check| check.add_alias(audience.of_any_issuer())))
    }

    /// As [`add_audience`](Self::add_audience), in tokens of this issuer only. With several issuers, prefer
    /// it: what names this service at one of them may be somebody else's name at another, and whoever
    /// registers clients there may choose it.
    ///
    /// `issuer` is compared with [`Principal::issuer`](palisade_core::Principal::issuer) byte for byte.
    ///
    /// # Errors
    ///
    /// As [`add_audience`](Self::add_audience), and [`InvalidAudienceError::Issuer`] if `issuer` is empty, too
    /// long or not clean text.
    pub fn add_audience_of_issuer(
        self,
        issuer: &str,
        audience: &str,
    ) -> Result<Self, InvalidAudienceError> {
        let audience = Audience::parse(audience)?.of_issuer(issuer)?;
        Ok(self.edit(|check| check.add_alias(audience)))
    }

    /// As [`add_audience`](Self::add_audience), even if it is a name that other services go by too.
    ///
    /// # What you give up
    ///
    /// The protection that this layer is for: every token that the issuer writes for any of those other
    /// services opens this one. Use it only while the issuer is being taught an audience of your own.
    ///
    /// # Errors
    ///
    /// [`InvalidAudienceError`] if `audience` is empty, too long or not clean text.
    pub fn insecure_add_generic_audience(
        self,
        audience: &str,
    ) -> Result<Self, InvalidAudienceError> {
        let audience = Audience::parse_generic(audience)?;
        Ok(self.edit(|check| check.add_alias(audience.of_any_issuer())))
    }

    /// Refuses tokens that name any audience beside ours.
    ///
    /// Such a token is meant for several services. Each of them can take it, once it has been sent
    /// there, and present it here.
    pub fn require_sole_audience(self) -> Self {
        self.edit(AudienceCheck::require_sole)
    }

    /// As [`require_sole_audience`](Self::require_sole_audience), except for this audience: issuers add
    /// some of their own, such as `https://tenant.example/userinfo`. Compared byte for byte.
    ///
    /// A token with no other audience than this one stays refused.
    ///
    /// # Errors
    ///
    /// [`InvalidAudienceError`] if `audience` is empty, too long or not clean text. Generic names are
    /// fine here: some issuers add `account` to every token.
    pub fn tolerate_audience(self, audience: &str) -> Result<Self, InvalidAudienceError> {
        let audience = Audience::parse_generic(audience)?;
        Ok(self.edit(|check| check.tolerate(audience.of_any_issuer())))
    }

    /// As [`tolerate_audience`](Self::tolerate_audience), in tokens of this issuer only.
    ///
    /// # Errors
    ///
    /// As [`tolerate_audience`](Self::tolerate_audience), and [`InvalidAudienceError::Issuer`] if `issuer` is
    /// empty, too long or not clean text.
    pub fn tolerate_audience_of_issuer(
        self,
        issuer: &str,
        audience: &str,
    ) -> Result<Self, InvalidAudienceError> {
        let audience = Audience::parse_generic(audience)?.of_issuer(issuer)?;
        Ok(self.edit(|check| check.tolerate(audience)))
    }

    /// Changes how refusals look.
    pub fn with_renderer<R2>(self, renderer: R2) -> AudienceGuardLayer<R2> {
        AudienceGuardLayer { check: self.check, renderer }
    }

    /// The check alone, for a [`GuardLayer`] or for code without services.
    #[must_use]
    pub fn into_check(self) -> AudienceCheck {
        self.check
    }

    fn edit(self, f: impl FnOnce(AudienceCheck) -> AudienceCheck) -> Self {
        Self { check: f(self.check), renderer: self.renderer }
    }
}

impl<S, R: Clone> Layer<S> for AudienceGuardLayer<R> {
    type Service = Guard<S, AudienceCheck, R>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardLayer::new(self.check.clone()).with_renderer(self.renderer.clone()).layer(inner)
    }
}

impl<R> ChecksAudience for AudienceGuardLayer<R> {}

impl<R> fmt::Debug for AudienceGuardLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudienceGuardLayer").field("check", &self.check).finish_non_exhaustive()
    }
}
