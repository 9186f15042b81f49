use std::fmt;

use palisade_core::{Guard, GuardLayer, PlainRenderer, Resource, stack::roles::ChecksAudience};
use tower_layer::Layer;

use crate::{
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
}

impl<R> AudienceGuardLayer<R> {
    /// Accepts tokens for another resource of yours as well.
    ///
    /// For one endpoint with two names, say while it moves. Two endpoints need two guards: behind a
    /// shared one, a token for either opens both.
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
        Ok(self.edit(|check| check.add_alias(audience)))
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
