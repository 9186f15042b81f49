use std::{fmt, sync::Arc, time::Duration};

use palisade_core::{FromBytes, ScopeSet, stack::roles::PublishesMetadata};
use tower_layer::Layer;

use crate::{
    Metadata, MetadataError, ResourceMetadata, document::without_offline_access,
    published::Published, well_known::Root,
};

/// Publishes metadata and lets challenges point to it. See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ResourceMetadataLayer<M = FromBytes> {
    published: Arc<Published>,
    make: M,
}

impl ResourceMetadataLayer {
    /// A layer that publishes `metadata`.
    ///
    /// # Errors
    ///
    /// If it names no authorization server.
    // By value: what is published does not change any more.
    #[expect(clippy::needless_pass_by_value, reason = "metadata is used up by publishing it")]
    pub fn new(metadata: Metadata) -> Result<Self, MetadataError> {
        Ok(Self { published: Arc::new(Published::new(&metadata)?), make: FromBytes::new() })
    }
}

impl<M> ResourceMetadataLayer<M> {
    /// Changes how bodies are made, for services whose body type does not convert from
    /// [`Bytes`](bytes::Bytes).
    pub fn with_body<M2>(self, make: M2) -> ResourceMetadataLayer<M2> {
        ResourceMetadataLayer { published: self.published, make }
    }

    /// The scopes that challenges name if the refusal does not know better. By default those that the
    /// metadata says are supported.
    ///
    /// # Errors
    ///
    /// If `offline_access` is among them.
    pub fn challenge_scope(mut self, scopes: ScopeSet) -> Result<Self, MetadataError> {
        let scopes = without_offline_access(scopes)?;
        Arc::make_mut(&mut self.published).challenge_scope(scopes);
        Ok(self)
    }

    /// How long caches may keep the document. By default an hour, which is then also how long a change of
    /// authorization servers takes to arrive. Rounded down to seconds.
    pub fn max_age(mut self, age: Duration) -> Self {
        Arc::make_mut(&mut self.published).max_age(age);
        self
    }

    /// Publishes the document only at the URL that belongs to the resource, not also at the root of the
    /// host. For hosts with several resources: only one of them can own the root.
    pub fn without_root_document(mut self) -> Self {
        Arc::make_mut(&mut self.published).paths.root = Root::Unused;
        self
    }

    /// The URL that challenges point to.
    #[must_use]
    pub fn metadata_url(&self) -> &str {
        self.published.fact.metadata_url()
    }
}

impl<M> PublishesMetadata for ResourceMetadataLayer<M> {}

impl<S, M: Clone> Layer<S> for ResourceMetadataLayer<M> {
    type Service = ResourceMetadata<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        ResourceMetadata::new(inner, Arc::clone(&self.published), self.make.clone())
    }
}

impl<M> fmt::Debug for ResourceMetadataLayer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceMetadataLayer")
            .field("published", &self.published)
            .finish_non_exhaustive()
    }
}
