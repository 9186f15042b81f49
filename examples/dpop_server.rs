//! A server that takes only tokens which are worth nothing without a key (DPoP, RFC 9449).
//!
//! ```text
//! cargo run --bin dpop_server -- --issuer https://as.example.com --audience https://api.example.com
//! ```
//!
//! `--audience` is the URL that clients use, and what proofs must be for. Nonces are made with a secret of this
//! process; give several processes behind one address one secret, and one store of used proofs.

use std::net::SocketAddr;

use axum::{Extension, Router, body::Body, routing::get, serve::ListenerExt};
use http::{Request, Response};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_core::{Principal, Resource};
use palisade_examples::{AnyError, Args, announce, end_with_parent, init_logging, leave_peer};
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_token_verify::{
    Issuer, JwtVerifier, TokenVerifyLayer,
    dpop::{DpopProofs, ServerNonces},
    keys::{HttpSource, RemoteKeys},
};
use tower::ServiceBuilder;

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
    let proofs = DpopProofs::new(&resource)?
        .refuse_bearer_tokens()
        .require_nonces(ServerNonces::generate()?);
    // A client that reads this gets a token that is bound to its key at once.
    let metadata = Metadata::new(resource.clone())
        .add_authorization_server(issuer.as_str())?
        .dpop_bound_access_tokens_required()
        .dpop_signing_alg_values_supported(proofs.algorithm_names())?;

    let app = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .map_request(leave_peer)
        .layer(ResourceMetadataLayer::new(metadata)?)
        .layer(TokenVerifyLayer::new(JwtVerifier::new(issuer, keys)?).with_dpop(proofs))
        .layer(AudienceGuardLayer::new(resource))
        .service(Router::new().route("/hello", get(hello)));

    announce(&url);
    let listener = listener.tap_io(|io| {
        if let Err(error) = io.set_nodelay(true) {
            tracing::warn!(%error, "no TCP_NODELAY");
        }
    });
    let app =
        axum::ServiceExt::<Request<Body>>::into_make_service_with_connect_info::<SocketAddr>(app);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn hello(Extension(caller): Extension<Principal>) -> String {
    format!("hello {}", caller.subject())
}
