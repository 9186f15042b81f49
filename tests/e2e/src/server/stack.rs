//! All layers around all endpoints, as `examples/mcp_server.rs` has them around one.

use std::num::NonZeroU32;

use axum::{Router, body::Body};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::AuditLogLayer;
use palisade_core::{AccessStack, Operation, Resource, ScopeSet};
use palisade_cors::CorsLayer;
use palisade_integration::CaptureSink;
use palisade_mcp_request::{JsonRpcRenderer, McpRequestLayer, cors};
use palisade_passthrough_guard::PassthroughGuard;
use palisade_rate_limit::{PerClientAddr, PerPrincipal, Quota, RateLimitLayer};
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::{
    Issuer, JwtVerifier, TokenVerifyLayer,
    dpop::{DpopProofs, ServerNonces},
    keys::RemoteKeys,
};
use tower::{BoxError, Layer, ServiceBuilder};

use super::{Proof, Protected, READ, ServerClock, WRITE, forward::Upstream, tools};

pub(super) struct Parts<'a> {
    /// One for each endpoint. Never none.
    pub(super) resources: &'a [Resource],
    pub(super) issuers: &'a [(Issuer, RemoteKeys)],
    pub(super) proof: Proof,
    pub(super) origins: &'a [String],
    pub(super) records: &'a CaptureSink,
    pub(super) clock: &'a ServerClock,
    /// Whether handlers find the token of their caller.
    pub(super) keeps_tokens: bool,
}

/// One text for both authenticators, whose types differ.
macro_rules! protected {
    ($parts:expr, $authenticator:expr) => {{
        let parts = $parts;
        let json_rpc = JsonRpcRenderer::new();
        let guard = PassthroughGuard::new()?;
        let access = AccessStack::new()
            .audit(AuditLogLayer::new(parts.records.clone()))
            .metadata(parts.metadata()?)
            .cors(parts.cors()?)
            .limit_by_address(
                RateLimitLayer::new(Quota::per_second(NonZeroU32::MAX), PerClientAddr::new())
                    .with_renderer(json_rpc),
            )
            .passthrough(guard.inbound_layer().with_renderer(json_rpc))
            .authenticate($authenticator.with_renderer(json_rpc))
            .audience(
                AudienceGuardLayer::per_endpoint(
                    parts.resources.iter().cloned().map(AudienceGuardLayer::new),
                )?
                .with_renderer(json_rpc),
            )
            .limit_by_principal(
                RateLimitLayer::new(Quota::per_second(NonZeroU32::MAX), PerPrincipal::new())
                    .with_renderer(json_rpc),
            )
            .protocol(parts.protocol()?.with_renderer(json_rpc))
            .authorize(ScopePolicyLayer::new(parts.policy()?).with_renderer(json_rpc))
            .build();
        let service = ServiceBuilder::new()
            .map_response(|response: http::Response<_>| response.map(Body::new))
            .service(access.layer(parts.router(&guard)?));
        Ok(Protected::new(service))
    }};
}

impl Parts<'_> {
    pub(super) fn protected(&self) -> Result<Protected, BoxError> {
        let mut authenticator = TokenVerifyLayer::new(self.verifier()?);
        if self.keeps_tokens {
            authenticator = authenticator.insecure_keep_authorization_header();
        }
        match self.proof {
            Proof::NotAsked => protected!(self, authenticator),
            Proof::Required => protected!(self, authenticator.with_dpop(self.proofs()?)),
            Proof::RequiredWithNonce => {
                let proofs = self.proofs()?.require_nonces(ServerNonces::generate()?);
                protected!(self, authenticator.with_dpop(proofs))
            }
        }
    }

    fn proofs(&self) -> Result<DpopProofs, BoxError> {
        let proofs =
            DpopProofs::per_endpoint(self.resources.iter().cloned())?.refuse_bearer_tokens();
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

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(Resource::path)
    }

    fn router(&self, guard: &PassthroughGuard) -> Result<Router, BoxError> {
        let [(issuer, _), ..] = self.issuers else { return Err("no issuer".into()) };
        let upstream = Upstream::new(guard, issuer.as_str());
        Ok(self.paths().fold(Router::new(), |router, path| {
            router.route_service(path, tools::service(upstream.clone()))
        }))
    }

    fn protocol(&self) -> Result<McpRequestLayer, BoxError> {
        let mut paths = self.paths();
        let first = McpRequestLayer::new(paths.next().ok_or("no resource")?);
        let layer = paths.fold(first, McpRequestLayer::add_endpoint);
        self.origins.iter().try_fold(layer, |layer, origin| Ok(layer.allow_origin(origin)?))
    }

    /// Lets pages of other origins call, and read refusals.
    fn cors(&self) -> Result<CorsLayer, BoxError> {
        let layer = CorsLayer::new()
            .allow_headers(cors::REQUEST_HEADERS)
            .allow_headers_with_prefix(cors::REQUEST_HEADER_PREFIX)?
            .expose_headers(cors::RESPONSE_HEADERS);
        self.origins.iter().try_fold(layer, |layer, origin| Ok(layer.allow_origin(origin)?))
    }

    fn metadata(&self) -> Result<ResourceMetadataLayer, BoxError> {
        let documents = self.resources.iter().map(|resource| self.document(resource));
        let layer = ResourceMetadataLayer::per_endpoint(documents.collect::<Result<Vec<_>, _>>()?)?;
        // A resource that is at the root has its document there anyway.
        match self.resources {
            [first, ..] if self.paths().all(|path| path != "/") => {
                Ok(layer.with_root_document_of(first)?)
            }
            _ => Ok(layer),
        }
    }

    fn document(&self, resource: &Resource) -> Result<Metadata, BoxError> {
        let mut metadata = Metadata::new(resource.clone());
        for (issuer, _) in self.issuers {
            metadata = metadata.add_authorization_server(issuer.as_str())?;
        }
        if self.proof != Proof::NotAsked {
            metadata = metadata
                .dpop_bound_access_tokens_required()
                .dpop_signing_alg_values_supported(self.proofs()?.algorithm_names())?;
        }
        // What a client needs first. It learns what more there is when it needs it.
        Ok(metadata.scopes_supported(ScopeSet::parse(READ)?)?)
    }

    /// Which scopes which operation needs. What is not listed is refused.
    fn policy(&self) -> Result<ScopePolicy, BoxError> {
        let mcp = |method: &'static str| Operation::new("mcp", method);
        let tool = |name: &'static str| mcp("tools/call").with_target(name);
        let mut policy = ScopePolicy::deny_all();
        for method in
            ["server/discover", "initialize", "notifications/initialized", "ping", "tools/list"]
        {
            policy = policy.allow(mcp(method), READ)?;
        }
        // Clients of older revisions ask for a stream and end their session.
        for path in self.paths() {
            policy = policy
                .allow(Operation::http("GET", path), READ)?
                .allow(Operation::http("DELETE", path), READ)?;
        }
        Ok(policy
            .allow(tool("add"), READ)?
            .allow(tool("whoami"), READ)?
            .allow(tool("forward"), READ)?
            .allow(tool("delete_everything"), WRITE)?
            .build()?)
    }
}
