//! A refusal, from the check that found it to the wire and to the record.

mod kind;
mod reason;
mod respond;

use std::{error::Error, fmt, sync::Arc, time::Duration};

use http::{HeaderValue, Response, request::Parts};

pub use self::{kind::DenialKind, reason::Reason};
use crate::{Challenge, RenderDenial, ScopeSet};

/// A refusal: a value first, bytes later.
///
/// A denial has two audiences. The client gets the status, the challenge and the text of its
/// [`Reason`], all of them constants. The operator gets, through the record, the layer that refused, the
/// reason's code and the [`source`](Error::source), which may hold details and is never sent.
///
/// There is one way to the wire, [`into_response`](Self::into_response), so that no renderer and no
/// layer can lose what RFC 6750 and the record need.
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Denial(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    stage: &'static str,
    kind: DenialKind,
    reason: Reason,
    error_code: Option<&'static str>,
    required_scopes: ScopeSet,
    further_challenges: Vec<Challenge>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Denial {
    /// A refusal by the layer `stage`, which is the layer's crate without prefix, such as
    /// `audience-guard`.
    #[must_use]
    pub fn new(stage: &'static str, kind: DenialKind, reason: Reason) -> Self {
        Self(Arc::new(Inner {
            stage,
            kind,
            reason,
            error_code: None,
            required_scopes: ScopeSet::empty(),
            further_challenges: Vec::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// The scopes that the operation needs: *all* of them, so that the client has to ask once.
    #[must_use]
    pub fn with_required_scopes(self, scopes: ScopeSet) -> Self {
        self.edit(|inner| inner.required_scopes = scopes)
    }

    /// An error code that an extension defines, in place of the one that the kind has in challenges, such
    /// as `use_dpop_nonce` (RFC 9449 §9). Kinds without an error in their challenge stay without.
    #[must_use]
    pub fn with_error_code(self, code: &'static str) -> Self {
        self.edit(|inner| inner.error_code = Some(code))
    }

    /// A challenge beside those that the kind brings along, for schemes that no layer
    /// [offers](crate::OfferedSchemes). Of two challenges of one scheme, the first is sent.
    #[must_use]
    pub fn add_challenge(self, challenge: Challenge) -> Self {
        self.edit(|inner| inner.further_challenges.push(challenge))
    }

    /// How long the client should wait. Sent in whole seconds, rounded up, at least one.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        self.edit(|inner| inner.retry_after = Some(wait))
    }

    /// What went wrong in detail. For the record, never for the client.
    #[must_use]
    pub fn with_source(self, error: impl Error + Send + Sync + 'static) -> Self {
        self.edit(|inner| inner.source = Some(Arc::new(error)))
    }

    fn edit(mut self, f: impl FnOnce(&mut Inner)) -> Self {
        f(Arc::make_mut(&mut self.0));
        self
    }

    /// What kind of refusal this is. It decides status, gRPC code and challenge.
    #[must_use]
    pub fn kind(&self) -> DenialKind {
        self.0.kind
    }

    /// The layer that refused.
    #[must_use]
    pub fn stage(&self) -> &'static str {
        self.0.stage
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// The scopes that the operation needs, if the refusal is about scopes.
    #[must_use]
    pub fn required_scopes(&self) -> &ScopeSet {
        &self.0.required_scopes
    }

    /// How long the client should wait, if that helps.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The same in whole seconds, rounded up, at least one: what `Retry-After` says. A client told to come
    /// back too early, or at once, comes back for nothing.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        let wait = self.0.retry_after?;
        Some(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1))
    }

    /// The values of `WWW-Authenticate` with which this refusal answers the request, Bearer first; none if
    /// no credential would help. For renderers that repeat them in a body.
    pub fn challenges(&self, request: &Parts) -> impl Iterator<Item = HeaderValue> + use<> {
        respond::challenges(self, request)
    }

    /// Answers the request.
    ///
    /// Whatever `renderer` makes of it, the response has the challenges and the `Retry-After` that the
    /// kind demands, is not cacheable, is not a success, is noted in the [`Trail`](crate::Trail) of the
    /// request, and has this denial in its extensions, where surrounding layers find it. The one way to
    /// another status is [`RefusedInBody`](crate::RefusedInBody).
    pub fn into_response<B, R: RenderDenial<B>>(
        self,
        renderer: &R,
        request: &Parts,
    ) -> Response<B> {
        respond::respond(self, renderer, request)
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refused the request: {}", self.stage(), self.reason())
    }
}

impl Error for Denial {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|error| error as _)
    }
}

#[cfg(test)]
mod tests;
