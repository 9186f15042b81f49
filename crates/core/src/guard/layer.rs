use std::fmt;

use tower_layer::Layer;

use super::Guard;
use crate::PlainRenderer;

/// Makes a layer of a [`Check`](super::Check). See the [module docs](super).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct GuardLayer<C, R = PlainRenderer> {
    check: C,
    renderer: R,
}

impl<C> GuardLayer<C> {
    /// A layer that refuses what `check` refuses.
    pub const fn new(check: C) -> Self {
        Self { check, renderer: PlainRenderer::new() }
    }
}

impl<C, R> GuardLayer<C, R> {
    /// Changes how refusals look.
    pub fn with_renderer<R2>(self, renderer: R2) -> GuardLayer<C, R2> {
        GuardLayer { check: self.check, renderer }
    }
}

impl<S, C: Clone, R: Clone> Layer<S> for GuardLayer<C, R> {
    type Service = Guard<S, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Guard::new(inner, self.check.clone(), self.renderer.clone())
    }
}

impl<C: fmt::Debug, R> fmt::Debug for GuardLayer<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardLayer").field("check", &self.check).finish_non_exhaustive()
    }
}
