//! A server on plain hyper, without a framework: the same layers in a `ServiceBuilder`, boxed bodies.
//!
//! ```text
//! cargo run --bin hyper_server -- --issuer https://as.example.com
//! ```

use std::{convert::Infallible, net::SocketAddr, num::NonZeroU32};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited, combinators::BoxBody};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::{AuditLogLayer, TracingSink};
use palisade_core::{ClientAddr, Operation, Principal, Resource, ScopeSet};
use palisade_examples::{AnyError, Args, announce, end_with_parent, init_logging};
use palisade_rate_limit::{PerClientAddr, Quota, RateLimitLayer};
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::{
    Issuer, JwtVerifier, TokenVerifyLayer,
    keys::{HttpSource, RemoteKeys},
};
use tower::{BoxError, ServiceBuilder, ServiceExt};

type Body = BoxBody<Bytes, Infallible>;

const MAX_BODY_BYTES: usize = 64 * 1024;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    init_logging();
    let args = Args::from_env();
    end_with_parent(&args);
    let (listener, addr) = args.listen().await?;
    let url = format!("http://{addr}");

    let resource = Resource::parse(args.get("audience").unwrap_or(&url))?;
    let issuer = Issuer::parse(args.require("issuer")?)?;
    let keys = RemoteKeys::spawn(HttpSource::discover(&issuer)?)?;
    let metadata = Metadata::new(resource.clone())
        .add_authorization_server(issuer.as_str())?
        .scopes_supported(ScopeSet::parse("hello")?)?;
    let policy = ScopePolicy::deny_all()
        .allow(Operation::http("GET", "/hello"), "hello")?
        .allow(Operation::http("POST", "/echo"), "hello echo")?
        .build()?;
    let per_second = NonZeroU32::new(20).ok_or("the rate is not zero")?;

    // Outside in, as in `palisade_core::stack`. A layer that has something to say needs to be told how
    // this server makes bodies.
    let service = ServiceBuilder::new()
        .layer(AuditLogLayer::new(TracingSink::new()))
        .layer(ResourceMetadataLayer::new(metadata)?.with_body(boxed))
        .layer(RateLimitLayer::new(Quota::per_second(per_second), PerClientAddr::new()))
        .layer(TokenVerifyLayer::new(JwtVerifier::new(issuer, keys)?))
        .layer(AudienceGuardLayer::new(resource))
        .layer(ScopePolicyLayer::new(policy))
        .service_fn(handle);

    announce(&url);
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service.clone().map_request(move |request| from_peer(request, peer));
        let serve = async move {
            let connection = auto::Builder::new(TokioExecutor::new());
            let service = TowerToHyperService::new(service);
            if let Err(error) = connection.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(error, "connection ended");
            }
        };
        #[expect(clippy::disallowed_methods, reason = "a server has a task per connection")]
        tokio::spawn(serve);
    }
}

/// Only the accept loop knows where a request came from.
fn from_peer<B>(request: Request<B>, peer: SocketAddr) -> Request<B> {
    let (mut parts, body) = request.into_parts();
    ClientAddr::peer(peer).leave_in(&mut parts);
    Request::from_parts(parts, body)
}

async fn handle<B>(request: Request<B>) -> Result<Response<Body>, Infallible>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let (parts, body) = request.into_parts();
    let caller = parts.extensions.get::<Principal>().map_or("nobody", Principal::subject);
    let answer = match parts.uri.path() {
        "/hello" => Bytes::from(format!("hello {caller}")),
        // A stranger's body is read up to a limit, here as everywhere.
        _ => match Limited::new(body, MAX_BODY_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => Bytes::from_static(b"that was too much"),
        },
    };
    Ok(Response::new(boxed(answer)))
}

fn boxed(bytes: Bytes) -> Body {
    Full::new(bytes).boxed()
}
