use std::fmt;

use palisade_core::{Guard, GuardLayer, PlainRenderer, stack::roles::Authorizes};
use tower_layer::Layer;

use crate::check::ScopeCheck;

/// Refuses operations that the principal's scopes do not cover. See the [crate docs](crate).
///
/// Its service is a [`Guard`].
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ScopePolicyLayer<P, R = PlainRenderer> {
    check: ScopeCheck<P>,
    renderer: R,
}

impl<P> ScopePolicyLayer<P> {
    /// A layer that asks `policy`: a [`ScopePolicy`](crate::ScopePolicy), or anything else that
    /// [knows which scopes an operation needs](crate::RequireScopes).
    pub fn new(policy: P) -> Self {
        Self { check: ScopeCheck::new(policy), renderer: PlainRenderer::new() }
    }
}

impl<P, R> ScopePolicyLayer<P, R> {
    /// Also judges principals of which no layer has checked the audience.
    ///
    /// # What you give up
    ///
    /// A token that a user gave to any other service of the same issuer is as good here as one for this
    /// service, with all its scopes. Use it only if whatever verified the credential can have accepted
    /// none that was meant for others, such as a client certificate.
    pub fn insecure_accept_unchecked_audience(self) -> Self {
        Self { check: self.check.insecure_accept_unchecked_audience(), renderer: self.renderer }
    }

    /// Changes how refusals look.
    pub fn with_renderer<R2>(self, renderer: R2) -> ScopePolicyLayer<P, R2> {
        ScopePolicyLayer { check: self.check, renderer }
    }

    /// The check alone, for a [`GuardLayer`] or for code without services.
    #[must_use]
    pub fn into_check(self) -> ScopeCheck<P> {
        self.check
    }
}

impl<S, P, R: Clone> Layer<S> for ScopePolicyLayer<P, R> {
    type Service = Guard<S, ScopeCheck<P>, R>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardLayer::new(self.check.clone()).with_renderer(self.renderer.clone()).layer(inner)
    }
}

impl<P, R> Authorizes for ScopePolicyLayer<P, R> {}

impl<P, R: Clone> Clone for ScopePolicyLayer<P, R> {
    fn clone(&self) -> Self {
        Self { check: self.check.clone(), renderer: self.renderer.clone() }
    }
}

impl<P, R> fmt::Debug for ScopePolicyLayer<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopePolicyLayer").field("check", &self.check).finish_non_exhaustive()
    }
}
