//! What a challenge says about the resource.

use std::sync::Arc;

use http::request::Parts;

use crate::{Challenge, ScopeSet, UnreadableValueError};

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
    ///
    /// # Errors
    ///
    /// As [`Challenge::check_resource_metadata`]: no challenge would name the URL.
    pub fn new(metadata_url: impl Into<Box<str>>) -> Result<Self, UnreadableValueError> {
        let metadata_url = metadata_url.into();
        Challenge::check_resource_metadata(&metadata_url)?;
        Ok(Self(Arc::new(Inner { metadata_url, challenge_scope: ScopeSet::empty() })))
    }

    /// The scopes to name in challenges of refusals that do not know better.
    ///
    /// # Errors
    ///
    /// As [`Challenge::check_scope`]: no challenge would name them.
    pub fn challenge_scope(self, scopes: ScopeSet) -> Result<Self, UnreadableValueError> {
        Challenge::check_scope(&scopes)?;
        let metadata_url = self.0.metadata_url.clone();
        Ok(Self(Arc::new(Inner { metadata_url, challenge_scope: scopes })))
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
