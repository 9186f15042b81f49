//! A service that calls another one, and cannot do it with the token of its caller.
//!
//! ```text
//! cargo run --bin outbound -- --issuer https://as.example.com --upstream http://localhost:8000/today --upstream-token SECRET
//! ```
//!
//! `GET /own` asks the upstream as ourselves. `GET /naive` sends on whatever came in, as a proxy would: the verifier has
//! taken the token out, so it is not among it; and where it is, because something in front of us made a copy in
//! `X-Forwarded-Access-Token`, the client does not send the request. `--audit FILE` has the attempt on record.
//!
//! Its client speaks plain http only, for an upstream on the same machine.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, body::Body, extract::State, routing::get, serve::ListenerExt};
use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::{AuditLogLayer, JsonLinesSink};
use palisade_core::{AccessStack, Operation, Resource};
use palisade_examples::{AnyError, Args, announce, end_with_parent, init_logging, leave_peer};
use palisade_passthrough_guard::{PassthroughError, PassthroughGuard, outbound::Outbound};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::{
    Issuer, JwtVerifier, TokenVerifyLayer,
    keys::{HttpSource, RemoteKeys},
};
use tower::{Layer, ServiceBuilder, ServiceExt};

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
    let policy = ScopePolicy::deny_all()
        .allow(Operation::http("GET", "/own"), "weather")?
        .allow(Operation::http("GET", "/naive"), "weather")?
        .build()?;
    let audit = JsonLinesSink::append(args.get("audit").unwrap_or("audit.jsonl"))?;

    // One guard, two layers: what comes in at the one does not go out at the other.
    let guard = PassthroughGuard::builder().cookies().build()?;

    let access = AccessStack::new()
        .audit(AuditLogLayer::new(audit))
        .passthrough(guard.inbound_layer())
        .authenticate(TokenVerifyLayer::new(JwtVerifier::new(issuer, keys)?))
        .audience(AudienceGuardLayer::new(resource))
        .authorize(ScopePolicyLayer::new(policy))
        .build();

    // Every client that handlers have is made here, and has the layer.
    let client = Client::builder(TokioExecutor::new()).build_http();
    let upstream = Arc::new(Upstream {
        client: guard.outbound_layer().layer(client),
        uri: args.require("upstream")?.parse()?,
        token: args.require("upstream-token")?.to_owned(),
    });
    let routes =
        Router::new().route("/own", get(own)).route("/naive", get(naive)).with_state(upstream);

    let app = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .map_request(leave_peer)
        .service(access.layer(routes));

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

/// The other service, and how we ask it.
struct Upstream {
    client: Outbound<Client<HttpConnector, Body>>,
    uri: Uri,
    token: String,
}

impl Upstream {
    async fn ask(&self, headers: HeaderMap) -> (StatusCode, String) {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        match self.client.clone().oneshot(request).await {
            Ok(response) => (StatusCode::OK, format!("upstream says {}", response.status())),
            // Our mistake, not the caller's.
            Err(error) if error.is::<PassthroughError>() => {
                (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
            Err(error) => {
                tracing::warn!(error, "no answer from upstream");
                (StatusCode::BAD_GATEWAY, "no answer from upstream".to_owned())
            }
        }
    }
}

async fn own(State(upstream): State<Arc<Upstream>>) -> Result<(StatusCode, String), StatusCode> {
    let token = format!("Bearer {}", upstream.token).parse();
    let token = token.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(upstream.ask(HeaderMap::from_iter([(header::AUTHORIZATION, token)])).await)
}

async fn naive(State(upstream): State<Arc<Upstream>>, headers: HeaderMap) -> (StatusCode, String) {
    let mut headers = headers;
    headers.remove(header::HOST);
    upstream.ask(headers).await
}
