//! An MCP server behind the stack: rmcp's streamable HTTP transport in axum.
//!
//! ```text
//! cargo run --bin mcp_server -- --issuer https://as.example.com --public-url https://notes.example.com/mcp
//! ```
//!
//! | argument | meaning |
//! |---|---|
//! | `--issuer URL` | the authorization server whose tokens are accepted |
//! | `--listen ADDR` | where to listen; by default a free port on loopback |
//! | `--public-url URL` | what clients type; by default `http://ADDR/mcp`. Whatever its path, requests arrive at `/mcp` |
//! | `--audit FILE` | where audit records go, beside the log |
//! | `--allow-origin URL` | a web page that may call us, such as `http://localhost:6274` |
//! | `--behind-proxy` | one proxy is in front, ends TLS, and writes `X-Forwarded-For` and `X-Forwarded-Proto` |
//!
//! Without `--behind-proxy`, tokens are taken from loopback only, since there is no TLS here.

use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, serve::ListenerExt};
use http::{Request, Response, StatusCode, header};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::{AuditLogLayer, JsonLinesSink, TracingSink};
use palisade_core::{AccessStack, ClientAddr, Operation, Principal, Resource, ScopeSet};
use palisade_cors::CorsLayer;
use palisade_examples::{
    AnyError, Args, announce, end_with_parent, init_logging, leave_peer, span,
};
use palisade_mcp_request::{JsonRpcRenderer, McpRequestLayer, cors as mcp_cors};
use palisade_rate_limit::{Cost, CostTable, PerClientAddr, PerPrincipal, Quota, RateLimitLayer};
use palisade_resource_metadata::{Metadata, ResourceMetadataLayer};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::{
    Https, Issuer, JwtVerifier, TokenVerifyLayer,
    keys::{HttpSource, RemoteKeys},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    handler::server::wrapper::Parameters,
    model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig},
    schemars,
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use tower::{Layer, ServiceBuilder};
use tower_http::{
    sensitive_headers::SetSensitiveRequestHeadersLayer,
    timeout::{RequestBodyDeadlineLayer, TimeoutLayer},
    trace::TraceLayer,
};

/// Where requests for the MCP server arrive.
const ENDPOINT: &str = "/mcp";

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    init_logging();
    let args = Args::from_env();
    end_with_parent(&args);
    let (listener, addr) = args.listen().await?;
    let local_url = format!("http://{addr}{ENDPOINT}");
    // What clients call, and where it arrives: a proxy may take a prefix away.
    let resource =
        Resource::parse(args.get("public-url").unwrap_or(&local_url))?.served_at(ENDPOINT)?;

    // Whose tokens we accept. The keys are fetched now, kept fresh, and survive an outage.
    let issuer = Issuer::parse(args.require("issuer")?)?;
    let keys = RemoteKeys::spawn(HttpSource::discover(&issuer)?)?;

    // What clients learn about us, before they have a token.
    let metadata = Metadata::new(resource.clone())
        .resource_name("Notes")
        .add_authorization_server(issuer.as_str())?
        .scopes_supported(ScopeSet::parse("notes:read")?)?;

    // Requests for other hosts, or from other web pages, are DNS rebinding until we say otherwise.
    let host = resource.origin().split_once("://").map_or("", |(_, host)| host).to_owned();
    let mut protocol = McpRequestLayer::new(ENDPOINT).allow_host(&host)?;
    // Clients that run in a browser must be able to read our refusals.
    let mut cors = CorsLayer::new()
        .allow_headers(mcp_cors::REQUEST_HEADERS)
        .allow_headers_with_prefix(mcp_cors::REQUEST_HEADER_PREFIX)?
        .expose_headers(mcp_cors::RESPONSE_HEADERS);
    if let Some(origin) = args.get("allow-origin") {
        protocol = protocol.allow_origin(origin)?;
        cors = cors.allow_origin(origin)?;
    }

    // Who ends TLS, and so who knows of each request where it came from and how.
    let behind_proxy = args.has("behind-proxy");
    let https = if behind_proxy {
        Https::from_rightmost_x_forwarded_proto(NonZeroUsize::MIN)
    } else {
        Https::from_connection()
    };

    // MCP clients understand refusals as JSON-RPC errors.
    let json_rpc = JsonRpcRenderer::new();
    let audit = JsonLinesSink::append(args.get("audit").unwrap_or("audit.jsonl"))?;

    // The tools ask no other service. If yours do, fill the place `passthrough` as well: see `outbound.rs`.
    let access = AccessStack::new()
        .audit(AuditLogLayer::new((TracingSink::new(), audit)))
        .metadata(ResourceMetadataLayer::new(metadata)?)
        .cors(cors)
        .limit_by_address(
            RateLimitLayer::new(
                Quota::per_second(nonzero(50)).burst(nonzero(200)).named("address")?,
                PerClientAddr::new(),
            )
            .with_renderer(json_rpc),
        )
        .authenticate(
            TokenVerifyLayer::new(JwtVerifier::new(issuer, keys)?)
                .with_https(https)
                .also_remove_headers([header::COOKIE, header::PROXY_AUTHORIZATION])
                .with_renderer(json_rpc),
        )
        .audience(AudienceGuardLayer::new(resource).with_renderer(json_rpc))
        .limit_by_principal(
            RateLimitLayer::new(
                Quota::per_second(nonzero(5)).burst(nonzero(40)).named("caller")?,
                PerPrincipal::new(),
            )
            .with_renderer(json_rpc),
        )
        .protocol(protocol.with_renderer(json_rpc))
        .authorize(ScopePolicyLayer::new(policy()?).with_renderer(json_rpc))
        .limit_by_operation(
            RateLimitLayer::new(
                Quota::per_minute(nonzero(60)).burst(nonzero(60)).named("cost")?,
                PerPrincipal::new(),
            )
            .with_cost_table(CostTable::new().operation(tool("delete_all_notes"), Cost::new(20)))?
            .with_renderer(json_rpc),
        )
        .build();

    let notes = Notes::default();
    let mcp = StreamableHttpService::new(
        move || Ok(notes.clone()),
        Arc::new(LocalSessionManager::default()),
        // rmcp does not tie a session to its caller, so none are kept.
        StreamableHttpServerConfig::default()
            .with_allowed_hosts([host])
            .with_legacy_session_mode(false),
    );

    // One layer around the finished router: no route can be forgotten.
    let protected = access.layer(Router::new().route_service(ENDPOINT, mcp));

    // What is not about access stays outside, the client's address first of all.
    let app = ServiceBuilder::new()
        // axum serves bodies of its own type only.
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(SetSensitiveRequestHeadersLayer::new([header::AUTHORIZATION]))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(30)))
        .layer(RequestBodyDeadlineLayer::new(Duration::from_secs(10)))
        .map_request(
            move |request: Request<_>| {
                if behind_proxy { leave_forwarded_for(request) } else { leave_peer(request) }
            },
        )
        .service(protected);

    announce(&local_url);
    // Without TCP_NODELAY every streamed answer waits 40 ms for the peer's delayed ACK.
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

/// Which scopes which operation needs. What is not listed is refused.
fn policy() -> Result<ScopePolicy, AnyError> {
    let mcp = |method: &'static str| Operation::new("mcp", method);
    let mut policy = ScopePolicy::deny_all()
        .implies("notes:admin", "notes:write")?
        .implies("notes:write", "notes:read")?;
    for method in
        ["server/discover", "initialize", "notifications/initialized", "ping", "tools/list"]
    {
        policy = policy.allow(mcp(method), "notes:read")?;
    }
    Ok(policy
        // Clients of older revisions ask for a stream and end a session. The server has neither and says 405,
        // which they understand; a 403 they would not.
        .allow(Operation::http("GET", ENDPOINT), "notes:read")?
        .allow(Operation::http("DELETE", ENDPOINT), "notes:read")?
        .allow(tool("whoami"), "notes:read")?
        .allow(tool("list_notes"), "notes:read")?
        .allow(tool("add_note"), "notes:write")?
        .allow(tool("delete_all_notes"), "notes:write notes:admin")?
        .build()?)
}

fn tool(name: &'static str) -> Operation {
    Operation::new("mcp", "tools/call").with_target(name)
}

/// The peer is our one proxy, and the client is whom it wrote down last. A request without that did not come through
/// the proxy: it stays without an address, and the limit by address refuses it.
fn leave_forwarded_for<B>(request: Request<B>) -> Request<B> {
    let (mut parts, body) = request.into_parts();
    let client = ClientAddr::from_rightmost_x_forwarded_for(&parts.headers, NonZeroUsize::MIN);
    if let Ok(client) = client {
        client.leave_in(&mut parts);
    }
    Request::from_parts(parts, body)
}

/// The service itself: notes, kept per caller.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Note>>>);

struct Note {
    owner: (String, String),
    text: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct AddNote {
    /// What to remember.
    text: String,
}

#[tool_router]
impl Notes {
    #[tool(description = "Says on whose authority you are here")]
    async fn whoami(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let principal = principal(&context)?;
        text(format!(
            "{} of {}, with {}",
            principal.subject(),
            principal.issuer(),
            principal.scopes()
        ))
    }

    #[tool(description = "Lists your notes")]
    async fn list_notes(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let owner = owner(principal(&context)?);
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine: Vec<_> = notes
            .iter()
            .filter(|note| note.owner == owner)
            .map(|note| note.text.as_str())
            .collect();
        text(if mine.is_empty() { "no notes".to_owned() } else { mine.join("\n") })
    }

    #[tool(description = "Adds a note")]
    async fn add_note(
        &self,
        Parameters(AddNote { text: note }): Parameters<AddNote>,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let owner = owner(principal(&context)?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Note { owner, text: note });
        text("noted".to_owned())
    }

    #[tool(description = "Deletes the notes of everybody")]
    async fn delete_all_notes(&self) -> Result<CallToolResult, ErrorData> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = notes.len();
        notes.clear();
        text(format!("deleted {count}"))
    }
}

#[tool_handler]
impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("palisade-notes", env!("CARGO_PKG_VERSION")))
    }
}

/// Who calls. rmcp hands each call the head of its HTTP request, and our facts are in there.
fn principal(context: &RequestContext<RoleServer>) -> Result<&Principal, ErrorData> {
    context
        .extensions
        .get::<http::request::Parts>()
        .and_then(|parts| parts.extensions.get::<Principal>())
        .ok_or_else(|| ErrorData::internal_error("this server is not protected", None))
}

/// Subjects are unique within one issuer only.
fn owner(principal: &Principal) -> (String, String) {
    (principal.issuer().to_owned(), principal.subject().to_owned())
}

fn text(text: String) -> Result<CallToolResult, ErrorData> {
    Ok(CallToolResult::success(vec![ContentBlock::text(text)]))
}

fn nonzero(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}
