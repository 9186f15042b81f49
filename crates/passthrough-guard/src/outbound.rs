//! The layer for HTTP clients, which sees what goes out.

mod error;
pub mod future;
mod origin;
mod service;

use std::{fmt, sync::Arc};

use http::{HeaderMap, Method, Uri};
use tower_layer::Layer;

use self::origin::Origin;
pub use self::{
    error::{InvalidOriginError, Part, PassthroughError},
    service::Outbound,
};
use crate::{
    search::{Found, Head, TooLarge, search},
    watched::Watched,
};

/// Refuses outgoing requests that carry a credential of an inbound one. See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a client"]
pub struct OutboundLayer {
    watched: Arc<Watched>,
    allowed: Arc<[Origin]>,
}

impl OutboundLayer {
    pub(crate) fn new(watched: Arc<Watched>) -> Self {
        Self { watched, allowed: Arc::new([]) }
    }

    /// Lets requests to this origin carry what they like, unsearched: `https://as.example.com`.
    ///
    /// For the authorization server, where a client puts the token into a header, and for a gateway of your own
    /// in front of the same resource. Scheme, host and port must be the same; a request that does not say where
    /// it goes goes to no origin.
    ///
    /// # What you give up
    ///
    /// Whoever answers there can use the token as its owner can, at this service and at each other service that
    /// takes it. If the client under this layer follows redirects, so can everybody whom that origin redirects
    /// to: turn them off. Nothing is recorded.
    ///
    /// # Errors
    ///
    /// If it is no origin of `http` or `https`, or has anything behind the port.
    pub fn insecure_allow_to(mut self, origin: &str) -> Result<Self, InvalidOriginError> {
        let origin = Origin::parse(origin)?;
        self.allowed = self.allowed.iter().cloned().chain([origin]).collect();
        Ok(self)
    }

    /// Asks about one request what the layer asks about each, and notes and logs a refusal as it does. For clients
    /// that are no `Service` of an `http::Request`; call it last, when nothing changes the request any more.
    ///
    /// # Errors
    ///
    /// If the request must not be sent. This function cannot keep you from it.
    pub fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), PassthroughError> {
        if !self.allowed.is_empty() && Origin::of(uri).is_some_and(|it| self.allowed.contains(&it))
        {
            return Ok(());
        }
        // No lock is held any more: trails may be dropped.
        let (part, trails) = match search(&self.watched, Head { method, uri, headers }) {
            Ok(None) => return Ok(()),
            Err(TooLarge) => {
                tracing::warn!("outgoing request refused: its head is too large to be searched");
                return Err(PassthroughError::TooLarge);
            }
            Ok(Some(Found { part, trails })) => (part, trails),
        };
        let destination = match part {
            // The name of the host is then not for the record.
            Part::Authority => None,
            Part::HeaderName | Part::HeaderValue | Part::Method | Part::Path | Part::Query => {
                Origin::of(uri).map(|origin| origin.to_string())
            }
        };
        for trail in &trails {
            trail.withhold(destination.as_deref());
        }
        let known = destination.as_deref();
        let requests = trails.len();
        tracing::warn!(%part, destination = known, requests, "token passthrough refused");
        Err(PassthroughError::Carries { part, destination })
    }
}

impl<S> Layer<S> for OutboundLayer {
    type Service = Outbound<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Outbound::new(inner, self.clone())
    }
}

impl fmt::Debug for OutboundLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundLayer").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}
