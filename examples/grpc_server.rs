//! A gRPC service in tonic behind the same layers. Refusals are gRPC statuses: no token is
//! `UNAUTHENTICATED`, a scope too few is `PERMISSION_DENIED`, a call too many is `RESOURCE_EXHAUSTED`.
//!
//! ```text
//! cargo run --bin grpc_server -- --issuer https://as.example.com --audience https://greeter.example.com
//! ```

use std::num::NonZeroU32;

use http::Request as HttpRequest;
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::{AuditLogLayer, TracingSink};
use palisade_core::{AccessStack, ClientAddr, Operation, Principal, Resource};
use palisade_examples::{AnyError, Args, announce, end_with_parent, init_logging};
use palisade_rate_limit::{PerPrincipal, Quota, RateLimitLayer};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::{
    Issuer, JwtVerifier, TokenVerifyLayer,
    keys::{HttpSource, RemoteKeys},
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpConnectInfo},
};
use tower::util::MapRequestLayer;

use self::greeter::{
    HelloReply, HelloRequest,
    greeter_server::{Greeter, GreeterServer},
};

#[expect(
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod greeter {
    tonic::include_proto!("palisade.examples");
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    init_logging();
    let args = Args::from_env();
    end_with_parent(&args);
    let (listener, addr) = args.listen().await?;
    let url = format!("http://{addr}");

    let issuer = Issuer::parse(args.require("issuer")?)?;
    let keys = RemoteKeys::spawn(HttpSource::discover(&issuer)?)?;
    let resource = Resource::parse(args.get("audience").unwrap_or(&url))?;

    // A gRPC call is an HTTP request: its path is the method.
    let call =
        |method: &str| Operation::http("POST", format!("/palisade.examples.Greeter/{method}"));
    let policy = ScopePolicy::deny_all()
        .allow(call("SayHello"), "greeter:hello")?
        .allow(call("Shout"), "greeter:hello greeter:shout")?
        .build()?;
    let quota = Quota::per_second(NonZeroU32::MIN).burst(NonZeroU32::new(20).ok_or("not zero")?);

    let access = AccessStack::new()
        .audit(AuditLogLayer::new(TracingSink::new()))
        .authenticate(TokenVerifyLayer::new(JwtVerifier::new(issuer, keys)?))
        .audience(AudienceGuardLayer::new(resource))
        .limit_by_principal(RateLimitLayer::new(quota, PerPrincipal::new()))
        .authorize(ScopePolicyLayer::new(policy))
        .build();

    announce(&url);
    Server::builder()
        .tcp_nodelay(true)
        .layer(MapRequestLayer::new(client_addr))
        .layer(access)
        .add_service(GreeterServer::new(Polite))
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await?;
    Ok(())
}

/// tonic knows the peer of each connection.
fn client_addr<B>(request: HttpRequest<B>) -> HttpRequest<B> {
    let (mut parts, body) = request.into_parts();
    if let Some(peer) =
        parts.extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr)
    {
        ClientAddr::peer(peer).leave_in(&mut parts);
    }
    HttpRequest::from_parts(parts, body)
}

#[derive(Debug)]
struct Polite;

#[tonic::async_trait]
impl Greeter for Polite {
    async fn say_hello(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<HelloReply>, Status> {
        let caller = caller(&request)?;
        let message = format!("{} {caller}", request.into_inner().greeting);
        Ok(Response::new(HelloReply { message }))
    }

    async fn shout(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let caller = caller(&request)?;
        let message = format!("{} {caller}!", request.into_inner().greeting).to_uppercase();
        Ok(Response::new(HelloReply { message }))
    }
}

/// What the layers left is in the request's extensions.
fn caller<T>(request: &Request<T>) -> Result<String, Status> {
    match request.extensions().get::<Principal>() {
        Some(principal) => Ok(principal.subject().to_owned()),
        None => Err(Status::internal("this service is not protected")),
    }
}
