//! All layers around one endpoint, as `examples/mcp_server.rs` has them.

use std::num::NonZeroU32;

use axum::{Router, body::Body};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::AuditLogLayer;
use palisade_core::{AccessStack, Operation, Resource, ScopeSet};
use palisade_integration::CaptureSink;
use palisade_mcp_request::{JsonRpcRenderer, McpRequestLayer};
use palisade_rate_limit::{PerClientAddr, PerPrincipal, Quota, RateLimitLayer};
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::{
    Issuer, JwtVerifier, TokenVerifyLayer,
    dpop::{DpopProofs, ServerNonces},
    keys::RemoteKeys,
};
use tower::{BoxError, Layer, ServiceBuilder};

use super::{Endpoint, Proof, READ, ServerClock, WRITE, tools};

pub(super) struct Parts<'a> {
    pub(super) resource: Resource,
    pub(super) path: &'a str,
    pub(super) is_first: bool,
    pub(super) issuers: &'a [(Issuer, RemoteKeys)],
    pub(super) proof: Proof,
    pub(super) origins: &'a [String],
    pub(super) records: &'a CaptureSink,
    pub(super) clock: &'a ServerClock,
}

/// One text for both authenticators, whose types differ.
macro_rules! endpoint {
    ($parts:expr, $authenticator:expr) => {{
        let parts = $parts;
        let json_rpc = JsonRpcRenderer::new();
        let access = AccessStack::new()
            .audit(AuditLogLayer::new(parts.records.clone()))
            .metadata(parts.metadata()?)
            .limit_by_address(
                RateLimitLayer::new(Quota::per_second(NonZeroU32::MAX), PerClientAddr::new())
                    .with_renderer(json_rpc),
            )
            .authenticate($authenticator.with_renderer(json_rpc))
            .audience(AudienceGuardLayer::new(parts.resource.clone()).with_renderer(json_rpc))
            .limit_by_principal(
                RateLimitLayer::new(Quota::per_second(NonZeroU32::MAX), PerPrincipal::new())
                    .with_renderer(json_rpc),
            )
            .protocol(parts.protocol()?.with_renderer(json_rpc))
            .authorize(ScopePolicyLayer::new(policy(parts.path)?).with_renderer(json_rpc))
            .build();
        let service = ServiceBuilder::new()
            .map_response(|response: http::Response<_>| response.map(Body::new))
            .service(access.layer(Router::new().route_service(parts.path, tools::service())));
        Ok(Endpoint::new(service))
    }};
}

impl Parts<'_> {
    pub(super) fn endpoint(&self) -> Result<Endpoint, BoxError> {
        let authenticator = TokenVerifyLayer::new(self.verifier()?);
        match self.proof {
            Proof::NotAsked => endpoint!(self, authenticator),
            Proof::Required => endpoint!(self, authenticator.with_dpop(self.proofs()?)),
            Proof::RequiredWithNonce => {
                let proofs = self.proofs()?.require_nonces(ServerNonces::generate()?);
                endpoint!(self, authenticator.with_dpop(proofs))
            }
        }
    }

    fn proofs(&self) -> Result<DpopProofs, BoxError> {
        let proofs = DpopProofs::new(&self.resource)?.refuse_bearer_tokens();
        Ok(proofs.with_clock(self.clock.clone()))
    }

    fn verifier(&self) -> Result<JwtVerifier<ServerClock>, BoxError> {
        let [(issuer, keys), more @ ..] = self.issuers else { return Err("no issuer".into()) };
        let mut verifier = JwtVerifier::new(issuer.clone(), keys.clone())?;
        for (issuer, keys) in more {
            verifier = verifier.add_issuer(issuer.clone(), keys.clone())?;
        }
        Ok(verifier.with_clock(self.clock.clone()))
    }

    fn protocol(&self) -> Result<McpRequestLayer, BoxError> {
        self.origins.iter().try_fold(McpRequestLayer::new(self.path), |layer, origin| {
            Ok(layer.allow_origin(origin)?)
        })
    }

    fn metadata(&self) -> Result<ResourceMetadataLayer, BoxError> {
        let mut metadata = Metadata::new(self.resource.clone());
        for (issuer, _) in self.issuers {
            metadata = metadata.add_authorization_server(issuer.as_str())?;
        }
        // What a client needs first. It learns what more there is when it needs it.
        let layer = ResourceMetadataLayer::new(metadata.scopes_supported(ScopeSet::parse(READ)?)?)?;
        Ok(if self.is_first { layer } else { layer.without_root_document() })
    }
}

/// Which scopes which operation needs. What is not listed is refused.
fn policy(path: &str) -> Result<ScopePolicy, BoxError> {
    let mcp = |method: &'static str| Operation::new("mcp", method);
    let tool = |name: &'static str| mcp("tools/call").with_target(name);
    let mut policy = ScopePolicy::deny_all();
    for method in
        ["server/discover", "initialize", "notifications/initialized", "ping", "tools/list"]
    {
        policy = policy.allow(mcp(method), READ)?;
    }
    Ok(policy
        // Clients of older revisions ask for a stream and end their session.
        .allow(Operation::http("GET", path), READ)?
        .allow(Operation::http("DELETE", path), READ)?
        .allow(tool("add"), READ)?
        .allow(tool("whoami"), READ)?
        .allow(tool("delete_everything"), WRITE)?
        .build()?)
}
