//! The same stack under axum, plain hyper, tonic and rmcp, over real sockets: allowed and refused.

use std::{convert::Infallible, net::SocketAddr, num::NonZeroU32};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::{AuditLogLayer, Outcome};
use palisade_core::{AccessStack, ClientAddr, Operation, Principal, ScopeSet};
use palisade_cors::CorsLayer;
use palisade_integration::{CaptureSink, Defect, World};
use palisade_mcp_request::McpRequestLayer;
use palisade_rate_limit::{PerClientAddr, Quota, RateLimitLayer};
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::TokenVerifyLayer;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt};

const PAGE: &str = "http://localhost:6274";

type Boxed = BoxBody<Bytes, Infallible>;

/// One text for all servers: its type depends on the service, its meaning does not.
macro_rules! stack {
    ($world:expr, $sink:expr, $make:expr) => {{
        let metadata = Metadata::new(World::resource().unwrap())
            .add_authorization_server($world.issuer())
            .unwrap()
            .scopes_supported(ScopeSet::parse("use").unwrap())
            .unwrap();
        let policy = ScopePolicy::deny_all()
            .allow(Operation::http("POST", "/mcp"), "use")
            .unwrap()
            .allow(Operation::http("POST", "/test.Service/Method"), "use")
            .unwrap()
            .allow(Operation::new("mcp", "tools/list"), "use")
            .unwrap()
            .build()
            .unwrap();
        AccessStack::new()
            .audit(AuditLogLayer::new($sink.clone()))
            .metadata(ResourceMetadataLayer::new(metadata).unwrap().with_body($make))
            .cors(CorsLayer::new().allow_origin(PAGE).unwrap())
            .limit_by_address(RateLimitLayer::new(
                Quota::per_second(NonZeroU32::MAX),
                PerClientAddr::new(),
            ))
            .authenticate(TokenVerifyLayer::new($world.verifier().unwrap()))
            .audience(AudienceGuardLayer::new(World::resource().unwrap()))
            .authorize(ScopePolicyLayer::new(policy))
    }};
}

/// How a server is asked, and how it says yes.
struct Dialect {
    path: &'static str,
    content_type: &'static str,
    message: &'static str,
    /// gRPC says no in `grpc-status`, the others in the HTTP status.
    is_grpc: bool,
}

const HTTP: Dialect =
    Dialect { path: "/mcp", content_type: "application/json", message: "{}", is_grpc: false };
const GRPC: Dialect = Dialect {
    path: "/test.Service/Method",
    content_type: "application/grpc",
    message: "",
    is_grpc: true,
};
const MCP: Dialect = Dialect {
    path: "/mcp",
    content_type: "application/json",
    message: r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    is_grpc: false,
};

/// Asks a running server everything, and looks at the answers and at the records.
async fn interrogate(addr: SocketAddr, dialect: Dialect, world: &World, sink: &CaptureSink) {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    for (defect, status, grpc_status, code) in [
        (Defect::None, 200, 0, ""),
        (Defect::NoToken, 401, 16, "token_missing"),
        (Defect::ForgedToken, 401, 16, "signature_bad"),
        (Defect::OtherAudience, 401, 16, "audience_mismatch"),
        (Defect::NoScopes, 403, 7, "scope_missing"),
        (Defect::UnknownOperation, 403, 7, "operation_not_allowed"),
    ] {
        // The credential is that of the defect; everything else is the server's dialect.
        let spoilt = defect.request(world, palisade_integration::Facts::OfTheServer);
        let path = if defect == Defect::UnknownOperation { "/unheard-of" } else { dialect.path };
        let method =
            if defect == Defect::UnknownOperation { "tools/unheard-of" } else { "tools/list" };
        let message = dialect.message.replace("tools/list", method);
        let mut request = Request::post(format!("http://{addr}{path}"))
            .header(header::CONTENT_TYPE, dialect.content_type)
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(header::ORIGIN, PAGE)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method)
            .body(Full::new(Bytes::from(message)))
            .unwrap();
        if let Some(credential) = spoilt.headers().get(header::AUTHORIZATION) {
            request.headers_mut().insert(header::AUTHORIZATION, credential.clone());
        }
        let response = client.request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        assert_eq!(head.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], PAGE, "{defect:?}");
        if dialect.is_grpc {
            assert_eq!(head.status, 200, "{defect:?}");
            let trailers = body.trailers().cloned().unwrap_or_default();
            let found =
                head.headers.get("grpc-status").or_else(|| trailers.get("grpc-status")).unwrap();
            assert_eq!(found, &grpc_status.to_string(), "{defect:?}");
        } else {
            assert_eq!(head.status, status, "{defect:?}");
        }
        let is_challenged = head.headers.contains_key(header::WWW_AUTHENTICATE);
        assert_eq!(
            is_challenged,
            matches!(
                code,
                "token_missing" | "signature_bad" | "audience_mismatch" | "scope_missing"
            ),
            "{defect:?}"
        );

        let records = sink.take();
        let [record] = records.as_slice() else { panic!("{defect:?}: {} records", records.len()) };
        let reason = record.outcome.denial().map_or("", |denial| denial.reason().code());
        assert_eq!(reason, code, "{defect:?}");
        let is_answered = matches!(record.outcome, Outcome::Answered(_));
        assert_eq!(is_answered, defect == Defect::None, "{defect:?}: {:?}", record.outcome);
        assert_eq!(record.client.map(|addr| addr.to_string()).as_deref(), Some("127.0.0.1"));
        let is_known = !matches!(defect, Defect::NoToken | Defect::ForgedToken);
        assert_eq!(record.principal.is_some(), is_known, "{defect:?}");
    }
    let preflight = Request::options(format!("http://{addr}{}", dialect.path))
        .header(header::ORIGIN, PAGE)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .body(Full::default())
        .unwrap();
    let response = client.request(preflight).await.unwrap();
    assert_eq!(response.status(), 200, "a preflight needs no token");
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], PAGE);
    let document = format!("http://{addr}/.well-known/oauth-protected-resource/mcp");
    let response = client.get(document.parse().unwrap()).await.unwrap();
    assert_eq!(response.status(), 200, "the metadata needs no token");
}

/// What each accept loop does.
fn located<B>(peer: SocketAddr) -> impl Fn(Request<B>) -> Request<B> + Clone {
    move |request| {
        let (mut parts, body) = request.into_parts();
        ClientAddr::peer(peer).leave_in(&mut parts);
        Request::from_parts(parts, body)
    }
}

fn boxed(bytes: Bytes) -> Boxed {
    Full::new(bytes).boxed()
}

pub(crate) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

#[expect(clippy::disallowed_methods, reason = "a server has a task per connection")]
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}

/// Serves without a framework.
pub(crate) async fn serve<S, B>(listener: TcpListener, service: S)
where
    S: Service<Request<hyper::body::Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<tower::BoxError>,
{
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let service = service.clone().map_request(located(peer));
        spawn(async move {
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
                .await;
        });
    }
}

/// The principal that reached the service.
fn caller(request: &http::request::Parts) -> String {
    request
        .extensions
        .get::<Principal>()
        .map_or("nobody", |principal| principal.subject())
        .to_owned()
}

#[tokio::test]
async fn under_axum() {
    let (world, sink) = (World::new().unwrap(), CaptureSink::default());
    let router = axum::Router::new().route(
        "/mcp",
        axum::routing::post(async |request: Request<axum::body::Body>| {
            caller(&request.into_parts().0)
        }),
    );
    let app = stack!(world, sink, axum::body::Body::from).build().layer(router);
    let app = app.map_request(|request: Request<axum::body::Body>| {
        let info = request.extensions().get::<axum::extract::ConnectInfo<SocketAddr>>();
        let peer = info.map(|info| info.0).unwrap();
        located(peer)(request)
    });
    let app = app.map_response(|response: Response<_>| response.map(axum::body::Body::new));
    let (listener, addr) = listener().await;
    let app = axum::ServiceExt::<Request<axum::body::Body>>::into_make_service_with_connect_info::<
        SocketAddr,
    >(app);
    spawn(async move { axum::serve(listener, app).await.unwrap() });
    interrogate(addr, HTTP, &world, &sink).await;
}

#[tokio::test]
async fn under_plain_hyper() {
    let (world, sink) = (World::new().unwrap(), CaptureSink::default());
    let service = tower::service_fn(async |request: Request<_>| {
        let (parts, _body): (_, palisade_audit_log::body::RequestBody<hyper::body::Incoming>) =
            request.into_parts();
        Ok::<_, Infallible>(Response::new(boxed(caller(&parts).into())))
    });
    let app = stack!(world, sink, boxed).build().layer(service);
    let (listener, addr) = listener().await;
    spawn(serve(listener, app));
    interrogate(addr, HTTP, &world, &sink).await;
}

#[tokio::test]
async fn under_tonic() {
    /// A unary method that answers with an empty message. tonic's transport and router are real.
    #[derive(Clone)]
    struct Unary;

    impl tonic::server::NamedService for Unary {
        const NAME: &'static str = "test.Service";
    }

    impl Service<Request<tonic::body::Body>> for Unary {
        type Response = Response<tonic::body::Body>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Infallible>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
            let ok = match caller(&request.into_parts().0).as_str() {
                "alice" => tonic::Status::ok("").into_http(),
                _ => tonic::Status::internal("nobody").into_http(),
            };
            std::future::ready(Ok(ok))
        }
    }

    let (world, sink) = (World::new().unwrap(), CaptureSink::default());
    let make = |bytes: Bytes| tonic::body::Body::new(Full::new(bytes));
    let access = stack!(world, sink, make).build();
    let (listener, addr) = listener().await;
    let server = tonic::transport::Server::builder()
        .accept_http1(true)
        .layer(tower::util::MapRequestLayer::new(|request: Request<tonic::body::Body>| {
            let info = request.extensions().get::<tonic::transport::server::TcpConnectInfo>();
            let peer = info.and_then(|info| info.remote_addr()).unwrap();
            located(peer)(request)
        }))
        .layer(access)
        .add_service(Unary);
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    spawn(async move { server.serve_with_incoming(incoming).await.unwrap() });
    interrogate(addr, GRPC, &world, &sink).await;
}

#[tokio::test]
async fn under_rmcp() {
    #[derive(Clone)]
    struct Handler;

    impl rmcp::ServerHandler for Handler {}

    let (world, sink) = (World::new().unwrap(), CaptureSink::default());
    let mcp: StreamableHttpService<Handler, LocalSessionManager> = StreamableHttpService::new(
        || Ok(Handler),
        LocalSessionManager::default().into(),
        StreamableHttpServerConfig::default(),
    );
    let app = stack!(world, sink, boxed).protocol(McpRequestLayer::new("/mcp")).build().layer(mcp);
    let (listener, addr) = listener().await;
    spawn(serve(listener, app));
    interrogate(addr, MCP, &world, &sink).await;
}
