use std::{fmt, sync::Arc, time::Duration};

use palisade_core::{FromBytes, Resource, stack::roles::PublishesMetadata};
use tower_layer::Layer;

use crate::{Metadata, MetadataError, ResourceMetadata, published::Published};

/// Publishes metadata and lets challenges point to it. See the [crate docs](crate).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ResourceMetadataLayer<M = FromBytes> {
    published: Arc<Published>,
    make: M,
}

impl ResourceMetadataLayer {
    /// A layer that publishes `metadata`, of the one resource behind it: every challenge points to this
    /// document, whatever the path of the request.
    ///
    /// # Errors
    ///
    /// If it names no authorization server, or has a member that says nothing; if it is too large, cannot be
    /// signed, or cannot stand in a challenge.
    // By value: what is published does not change any more.
    #[expect(clippy::needless_pass_by_value, reason = "metadata is used up by publishing it")]
    pub fn new(metadata: Metadata) -> Result<Self, MetadataError> {
        Ok(Self { published: Arc::new(Published::one(&metadata)?), make: FromBytes::new() })
    }

    /// A layer that publishes the metadata of several resources on one host. A challenge points to the document
    /// of the resource with the longest path above that of the request
    /// ([`Endpoints`](palisade_core::Endpoints)), and to none if there is no such resource or if the path can be
    /// read in two ways.
    ///
    /// The root of the host is nobody's, unless one of the resources is there or is named by
    /// [`with_root_document_of`](Self::with_root_document_of).
    ///
    /// ```
    /// use palisade_core::Resource;
    /// use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
    ///
    /// let metadata = |uri: &str| {
    ///     Metadata::new(Resource::parse(uri).unwrap()).add_authorization_server("https://as.h")
    /// };
    /// let layer = ResourceMetadataLayer::per_endpoint([
    ///     metadata("https://h/files")?,
    ///     metadata("https://h/mail")?,
    /// ])?;
    /// let urls: Vec<_> = layer.metadata_urls().collect();
    /// assert_eq!(urls, [
    ///     "https://h/.well-known/oauth-protected-resource/files",
    ///     "https://h/.well-known/oauth-protected-resource/mail",
    /// ]);
    /// let twice = [metadata("https://h")?, metadata("https://h/")?];
    /// assert!(ResourceMetadataLayer::per_endpoint(twice).is_err(), "one resource, spelled twice");
    /// # Ok::<_, palisade_resource_metadata::MetadataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`MetadataError::Endpoints`] if no path tells the resources apart.
    pub fn per_endpoint(
        documents: impl IntoIterator<Item = Metadata>,
    ) -> Result<Self, MetadataError> {
        let documents: Vec<_> = documents.into_iter().collect();
        Ok(Self { published: Arc::new(Published::several(&documents)?), make: FromBytes::new() })
    }
}

impl<M> ResourceMetadataLayer<M> {
    /// Changes how bodies are made, for services whose body type does not convert from
    /// [`Bytes`](bytes::Bytes).
    pub fn with_body<M2>(self, make: M2) -> ResourceMetadataLayer<M2> {
        ResourceMetadataLayer { published: self.published, make }
    }

    /// How long caches may keep a document. By default an hour, which is then also how long a change of
    /// authorization servers takes to arrive. Rounded down to seconds.
    pub fn max_age(mut self, age: Duration) -> Self {
        Arc::make_mut(&mut self.published).max_age(age);
        self
    }

    /// Publishes documents only at the URLs that belong to their resources, not one of them at the root of the
    /// host as well. A resource that is at the root keeps its document there.
    pub fn without_root_document(mut self) -> Self {
        Arc::make_mut(&mut self.published).without_root();
        self
    }

    /// Publishes the document of `owner` at the root of the host as well, for clients that look there only. They
    /// will take it for the only resource of the host.
    ///
    /// # Errors
    ///
    /// If `owner` is not published here, or if another resource is at the root.
    pub fn with_root_document_of(mut self, owner: &Resource) -> Result<Self, MetadataError> {
        Arc::make_mut(&mut self.published).set_root(owner)?;
        Ok(self)
    }

    /// Lets the service answer at `/.well-known/oauth-authorization-server`, `/.well-known/openid-configuration`
    /// and below. For hosts that are an authorization server as well, or repeat the metadata of one. Whether the
    /// service can answer without a token is up to the layers inside.
    ///
    /// Without this call, the layer answers 404 there. Clients ask for them when they look for an authorization
    /// server on the host of the resource, and take a 401 for an invitation to begin anew.
    pub fn leave_authorization_server_metadata_to_service(mut self) -> Self {
        Arc::make_mut(&mut self.published).leave_authorization_servers_to_service();
        self
    }

    /// The URLs that challenges point to, one for each resource, in the order in which they were given.
    #[must_use]
    pub fn metadata_urls(&self) -> impl ExactSizeIterator<Item = &str> {
        self.published.urls()
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
