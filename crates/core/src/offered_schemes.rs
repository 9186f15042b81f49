//! Which authentication schemes a refusal offers.

use std::sync::Arc;

use http::request::Parts;

use crate::{AuthScheme, Challenge};

/// The authentication schemes that the challenges of a request offer: Bearer first, because some clients read
/// only the first challenge, then the others as they were added.
///
/// Left by the layer that takes credentials, if it takes anything but bearer tokens. The refusals of all
/// layers inside follow it, so a client that came with a DPoP token is told about a missing scope in a DPoP
/// challenge (RFC 9449 §7.1). Without this fact, challenges are Bearer ones.
///
/// ```
/// use http::Request;
/// use palisade_core::{AuthScheme, Challenge, OfferedSchemes};
///
/// let (mut request, ()) = Request::new(()).into_parts();
/// OfferedSchemes::new(Challenge::new(AuthScheme::Bearer))
///     .or(Challenge::new(AuthScheme::DPoP).param("algs", "ES256"))
///     .leave_in(&mut request);
/// assert_eq!(OfferedSchemes::of(&request).challenges().count(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct OfferedSchemes(Arc<Vec<Challenge>>);

impl OfferedSchemes {
    /// One scheme: its challenge, with the parameters that it always has. Error, scope and metadata URL
    /// are added by each refusal.
    #[must_use]
    pub fn new(scheme: Challenge) -> Self {
        Self(Arc::new(vec![scheme]))
    }

    /// One more scheme. A scheme that is offered already keeps its first challenge.
    #[must_use]
    pub fn or(mut self, scheme: Challenge) -> Self {
        add(Arc::make_mut(&mut self.0), scheme);
        self
    }

    /// What the challenges of a request offer.
    #[must_use]
    pub fn of(request: &Parts) -> Self {
        let found = request.extensions.get::<Self>();
        found.map_or_else(|| Self::new(Challenge::new(AuthScheme::Bearer)), Self::clone)
    }

    /// The challenges, without what a refusal adds.
    #[must_use]
    pub fn challenges(&self) -> impl ExactSizeIterator<Item = &Challenge> {
        self.0.iter()
    }

    /// Leaves the fact for the layers inside.
    pub fn leave_in(self, request: &mut Parts) {
        request.extensions.insert(self);
    }
}

/// Adds a challenge to others: one for each scheme, and Bearer first. A client may keep only one per scheme, and
/// TypeScript's reads nothing unless the field begins with Bearer.
pub(crate) fn add(challenges: &mut Vec<Challenge>, challenge: Challenge) {
    if challenges.iter().any(|known| known.scheme() == challenge.scheme()) {
        return;
    }
    challenges.push(challenge);
    challenges.sort_by_key(|challenge| challenge.scheme() != AuthScheme::Bearer);
}
