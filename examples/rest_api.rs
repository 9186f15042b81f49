//! A REST API in axum behind three layers and nothing else: who asks, for whom was the token meant, what
//! may be done.
//!
//! ```text
//! cargo run --bin rest_api -- --issuer https://as.example.com --jwks https://as.example.com/jwks --audience https://api.example.com
//! ```
//!
//! The keys come through `jwks_client_rs`: if you use one of its sources today, keep it.

use std::net::SocketAddr;

use axum::{Extension, Json, Router, body::Body, extract::Path, routing::get, serve::ListenerExt};
use http::{Method, Request, Response};
use jwks_client_rs::source::WebSource;
use palisade_audience_guard::AudienceGuardLayer;
use palisade_core::{Principal, Resource};
use palisade_examples::{
    AnyError, Args, announce, end_with_parent, init_logging, leave_peer, span,
};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::{
    Issuer, JwtVerifier, TokenVerifyLayer,
    keys::{JwksClientSource, RemoteKeys},
};
use tower::ServiceBuilder;
use tower_http::trace::TraceLayer;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    init_logging();
    let args = Args::from_env();
    end_with_parent(&args);
    let (listener, addr) = args.listen().await?;
    let url = format!("http://{addr}");

    let issuer = Issuer::parse(args.require("issuer")?)?;
    let source = WebSource::builder().build(args.require("jwks")?.parse()?)?;
    let keys = RemoteKeys::spawn(JwksClientSource::new(source))?;
    let resource = Resource::parse(args.get("audience").unwrap_or(&url))?;

    // Paths are compared segment by segment; what is not listed is refused.
    let policy = ScopePolicy::deny_all()
        .implies("reports:write", "reports:read")?
        .allow_path(Method::GET, "/reports/{id}", "reports:read")?
        .allow_path(Method::PUT, "/reports/{id}", "reports:write")?
        .build()?;

    let routes = Router::new().route("/reports/{id}", get(read_report).put(write_report));
    let app = ServiceBuilder::new()
        // axum serves bodies of its own type only, and the trace layer wraps them.
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        // From loopback, plain http is good enough. Behind a proxy, name it by `with_https` instead.
        .map_request(leave_peer)
        .layer(TokenVerifyLayer::new(JwtVerifier::new(issuer, keys)?))
        .layer(AudienceGuardLayer::new(resource))
        .layer(ScopePolicyLayer::new(policy))
        .service(routes);

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

/// A report, and who saw or wrote it.
#[derive(serde::Serialize)]
struct Report {
    id: String,
    reader: String,
}

async fn read_report(
    Path(id): Path<String>,
    Extension(caller): Extension<Principal>,
) -> Json<Report> {
    Json(Report { id, reader: caller.subject().to_owned() })
}

async fn write_report(Path(id): Path<String>, Extension(caller): Extension<Principal>) -> String {
    format!("{} wrote {id}", caller.subject())
}
