//! Several endpoints, each guarded for itself.

use std::{error::Error, fmt, sync::Arc};

use http::request::Parts;
use palisade_core::{
    Check, Denial, DenialKind, Endpoints, EndpointsError, Guard, GuardLayer, PlainRenderer,
    Principal, Reason, Resource, is_unambiguous_path, stack::roles::ChecksAudience,
};
use tower_layer::Layer;

use crate::{
    STAGE,
    check::{AudienceCheck, TEXT, refusal},
};

const AMBIGUOUS: Reason =
    Reason::new("path_ambiguous", "the path can be read in more than one way");
const UNKNOWN: Reason = Reason::new("resource_unknown", TEXT);

/// Refuses tokens that are meant for another endpoint than the one that is called, from
/// [`AudienceGuardLayer::per_endpoint`](crate::AudienceGuardLayer::per_endpoint). See the [crate docs](crate).
///
/// Its service is a [`Guard`].
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct EndpointGuardsLayer<R = PlainRenderer> {
    check: EndpointAudienceCheck,
    renderer: R,
}

impl EndpointGuardsLayer {
    pub(crate) fn new(
        checks: impl IntoIterator<Item = AudienceCheck>,
    ) -> Result<Self, EndpointGuardsError> {
        let check = EndpointAudienceCheck::new(checks)?;
        Ok(Self { check, renderer: PlainRenderer::new() })
    }
}

impl<R> EndpointGuardsLayer<R> {
    /// Changes how refusals look.
    pub fn with_renderer<R2>(self, renderer: R2) -> EndpointGuardsLayer<R2> {
        EndpointGuardsLayer { check: self.check, renderer }
    }

    /// The check alone, for a [`GuardLayer`] or for code without services.
    #[must_use]
    pub fn into_check(self) -> EndpointAudienceCheck {
        self.check
    }
}

impl<S, R: Clone> Layer<S> for EndpointGuardsLayer<R> {
    type Service = Guard<S, EndpointAudienceCheck, R>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardLayer::new(self.check.clone()).with_renderer(self.renderer.clone()).layer(inner)
    }
}

impl<R> ChecksAudience for EndpointGuardsLayer<R> {}

impl<R> fmt::Debug for EndpointGuardsLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointGuardsLayer").field("check", &self.check).finish_non_exhaustive()
    }
}

/// The check of [`EndpointGuardsLayer`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EndpointAudienceCheck(Arc<Endpoints<AudienceCheck>>);

impl EndpointAudienceCheck {
    fn new(checks: impl IntoIterator<Item = AudienceCheck>) -> Result<Self, EndpointGuardsError> {
        let checks = checks.into_iter().map(|check| (check.primary().clone(), check));
        let endpoints =
            Endpoints::new(checks).map_err(|source| EndpointGuardsError::Endpoints { source })?;
        for (one, check) in endpoints.iter() {
            for (other, theirs) in endpoints.iter().filter(|(other, _)| *other != one) {
                if let Some(audience) = check.shared_with(theirs) {
                    return Err(EndpointGuardsError::SharedAudience {
                        audience: audience.into(),
                        one: one.clone(),
                        other: other.clone(),
                    });
                }
            }
        }
        Ok(Self(Arc::new(endpoints)))
    }
}

impl Check for EndpointAudienceCheck {
    /// The path chooses the guard, among those that were configured, as it chooses the handler behind. It
    /// chooses no audience.
    fn check(&self, request: &mut Parts) -> Result<(), Denial> {
        Principal::require(request, STAGE)?;
        let path = request.uri.path();
        match self.0.find(path) {
            Some(check) => check.check_principal(request),
            // Not 401: with a new token it would be just as ambiguous.
            None if !is_unambiguous_path(path) => {
                Err(Denial::new(STAGE, DenialKind::BadRequest, AMBIGUOUS))
            }
            None => Err(refusal(UNKNOWN)),
        }
    }
}

impl ChecksAudience for EndpointAudienceCheck {}

/// Guards cannot be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointGuardsError {
    /// By the path of a request.
    Endpoints {
        /// What is wrong with the resources.
        source: EndpointsError,
    },
    /// By the audience of a token: two of them accept this one.
    SharedAudience {
        /// What both accept.
        audience: Box<str>,
        /// The resource of one of the two.
        one: Resource,
        /// The resource of the other.
        other: Resource,
    },
}

impl fmt::Display for EndpointGuardsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoints { .. } => f.write_str(
                "the endpoints cannot be told apart: give each guard a resource with a path of its own",
            ),
            Self::SharedAudience { audience, one, other } => write!(
                f,
                "a token for `{audience}` would open both `{one}` and `{other}`: give each an audience of \
                 its own, or, if that is what you want, put one guard around both"
            ),
        }
    }
}

impl Error for EndpointGuardsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Endpoints { source } => Some(source),
            Self::SharedAudience { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
