use std::{convert::Infallible, fmt, num::NonZeroU32, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::AuditLogLayer;
use palisade_core::{Operation, ScopeSet};
use palisade_cors::CorsLayer;
use palisade_mcp_request::McpRequestLayer;
use palisade_passthrough_guard::PassthroughGuard;
use palisade_rate_limit::{PerClientAddr, PerPrincipal, Quota, RateLimitLayer};
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::TokenVerifyLayer;
use tower::{
    BoxError, Layer, Service, ServiceExt,
    util::{BoxCloneService, MapRequest},
};

use crate::{CaptureSink, RESOURCE, SCOPE, TestBody, World};

/// What is inside a layer: a service of some response body.
pub type Inner<B> = BoxCloneService<Request<TestBody>, Response<B>, Infallible>;

/// What comes out of it.
pub type Layered = BoxCloneService<Request<TestBody>, Response<TestBody>, Infallible>;

/// A layer with its name, whatever its types.
pub struct Named<B> {
    name: &'static str,
    wrap: Arc<dyn Fn(Inner<B>) -> Layered + Send + Sync>,
}

impl<B> Named<B> {
    /// The layer's stage; limiters add what they count by.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Puts the layer around a service.
    #[must_use]
    pub fn around(&self, inner: Inner<B>) -> Layered {
        (self.wrap)(inner)
    }
}

impl<B> fmt::Debug for Named<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Whatever body the layer hands to its inner service, that one gets a [`TestBody`].
type Adapted<B, In> = MapRequest<Inner<B>, fn(Request<In>) -> Request<TestBody>>;

/// Hides the types of a layer, and asks for what every layer promises on the way: it is
/// `Clone + Send + Sync + 'static`, so is its service but for `Sync`, and its future is `Send`.
fn named<B, In, L>(name: &'static str, layer: L) -> Named<B>
where
    B: Send + 'static,
    In: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    L: Layer<Adapted<B, In>> + Clone + Send + Sync + 'static,
    L::Service: Erase,
{
    let adapt: fn(Request<In>) -> Request<TestBody> =
        |request| request.map(|body| body.map_err(Into::into).boxed_unsync());
    Named {
        name,
        wrap: Arc::new(move |inner| layer.clone().layer(inner.map_request(adapt)).erase()),
    }
}

/// A service whose response body can be hidden.
trait Erase {
    fn erase(self) -> Layered;
}

impl<S, Out> Erase for S
where
    S: Service<Request<TestBody>, Response = Response<Out>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    Out: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    fn erase(self) -> Layered {
        BoxCloneService::new(
            self.map_response(|response| {
                response.map(|body| body.map_err(Into::into).boxed_unsync())
            }),
        )
    }
}

/// Every layer of the family, set up so that a request without defect passes.
///
/// `make` makes bodies for the layers that speak.
///
/// # Errors
///
/// If a layer refuses its configuration.
pub fn all_layers<B>(
    world: &World,
    sink: &CaptureSink,
    make: fn(Bytes) -> B,
) -> Result<Vec<Named<B>>, BoxError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Default + Send + 'static,
{
    let policy = ScopePolicy::deny_all()
        .allow(Operation::http("POST", "/mcp"), SCOPE)?
        .allow(Operation::new("mcp", "tools/call").with_target("tool"), SCOPE)?
        .build()?;
    let metadata = Metadata::new(World::resource()?)
        .add_authorization_server(world.issuer())?
        .scopes_supported(ScopeSet::parse(SCOPE)?)?;
    let quota = || Quota::per_second(NonZeroU32::MAX);
    Ok(vec![
        named::<B, _, _>("audit-log", AuditLogLayer::new(sink.clone())),
        named::<B, TestBody, _>(
            "resource-metadata",
            ResourceMetadataLayer::new(metadata)?.with_body(make),
        ),
        named::<B, TestBody, _>("cors", CorsLayer::new()),
        named::<B, TestBody, _>(
            "rate-limit by address",
            RateLimitLayer::new(quota(), PerClientAddr::new()),
        ),
        named::<B, TestBody, _>("passthrough-guard", PassthroughGuard::new()?.inbound_layer()),
        named::<B, TestBody, _>("token-verify", TokenVerifyLayer::new(world.verifier()?)),
        named::<B, TestBody, _>("audience-guard", AudienceGuardLayer::new(RESOURCE.parse()?)),
        named::<B, TestBody, _>(
            "rate-limit by principal",
            RateLimitLayer::new(quota(), PerPrincipal::new()),
        ),
        named::<B, _, _>("mcp-request", McpRequestLayer::new("/mcp")),
        named::<B, TestBody, _>("scope-policy", ScopePolicyLayer::new(policy)),
    ])
}
