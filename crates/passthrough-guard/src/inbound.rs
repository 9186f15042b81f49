//! The layer for the server, which sees what comes in.

pub mod future;
mod service;

use std::{fmt, sync::Arc};

use palisade_core::{PlainRenderer, stack::roles::WatchesCredentials};
use tower_layer::Layer;

pub use self::service::Inbound;
use crate::watched::Watched;

/// Remembers the credentials of requests. See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct InboundLayer<R = PlainRenderer> {
    watched: Arc<Watched>,
    renderer: R,
}

impl InboundLayer {
    pub(crate) const fn new(watched: Arc<Watched>) -> Self {
        Self { watched, renderer: PlainRenderer::new() }
    }
}

impl<R> InboundLayer<R> {
    /// Changes how refusals look.
    pub fn with_renderer<R2>(self, renderer: R2) -> InboundLayer<R2> {
        InboundLayer { watched: self.watched, renderer }
    }
}

impl<R> WatchesCredentials for InboundLayer<R> {}

impl<S, R: Clone> Layer<S> for InboundLayer<R> {
    type Service = Inbound<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Inbound::new(inner, Arc::clone(&self.watched), self.renderer.clone())
    }
}

impl<R> fmt::Debug for InboundLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundLayer").finish_non_exhaustive()
    }
}
