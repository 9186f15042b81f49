//! What a challenge says about the resource.

use std::sync::Arc;

use http::request::Parts;

use crate::ScopeSet;

/// Where the metadata of the protected resource is published (RFC 9728), and which scopes a client
/// should ask for first.
///
/// Left by the layer that publishes the metadata; every challenge is completed with it.
#[derive(Clone, Debug)]
pub struct ProtectedResource(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    metadata_url: Box<str>,
    challenge_scope: ScopeSet,
}

impl ProtectedResource {
    /// A resource whose metadata is at `metadata_url`, an absolute URL.
    pub fn new(metadata_url: impl Into<Box<str>>) -> Self {
        Self(Arc::new(Inner {
            metadata_url: metadata_url.into(),
            challenge_scope: ScopeSet::empty(),
        }))
    }

    /// The scopes to name in challenges of refusals that do not know better.
    #[must_use]
    pub fn challenge_scope(self, scopes: ScopeSet) -> Self {
        Self(Arc::new(Inner { metadata_url: self.0.metadata_url.clone(), challenge_scope: scopes }))
    }

    /// The URL of the metadata document.
    #[must_use]
    pub fn metadata_url(&self) -> &str {
        &self.0.metadata_url
    }

    /// The scopes that a client should ask for first.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.0.challenge_scope
    }

    /// Leaves the fact for the layers inside.
    pub fn leave_in(self, request: &mut Parts) {
        request.extensions.insert(self);
    }
}
