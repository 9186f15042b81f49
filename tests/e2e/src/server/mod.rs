//! The protected MCP server: rmcp behind all layers, over a real socket.

mod clock;
mod forward;
mod stack;
mod tools;
mod withheld;

use std::{convert::Infallible, fmt, net::SocketAddr};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    middleware::from_fn,
    response::Response,
    serve::ListenerExt,
};
use palisade_audit_log::AuditRecord;
use palisade_core::{ClientAddr, Resource};
use palisade_integration::CaptureSink;
use palisade_token_verify::{
    Issuer,
    keys::{HttpSource, RemoteKeys},
};
use tokio::net::TcpListener;
use tower::{BoxError, util::BoxCloneSyncService};

pub use self::{
    clock::ServerClock,
    withheld::{Answers, Part, Withheld},
};
use crate::{
    issuer::Running,
    wire::{Party, Wire, record},
};

/// What all but one operation need.
pub const READ: &str = "tools:read";
/// What the tool `delete_everything` needs.
pub const WRITE: &str = "tools:write";

/// Everything between the socket and the tools.
type Protected = BoxCloneSyncService<Request, Response, Infallible>;

/// A protected server, which ends with this value.
pub struct Server {
    origin: String,
    urls: Vec<String>,
    records: CaptureSink,
    clock: ServerClock,
    _task: Running,
}

/// Sets one up.
#[derive(Debug)]
#[must_use = "it runs when it is started"]
pub struct Builder {
    wire: Wire,
    issuers: Vec<String>,
    paths: Vec<String>,
    proof: Proof,
    origins: Vec<String>,
    withheld: Withheld,
    keeps_tokens: bool,
}

/// Whether clients prove that a token is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    NotAsked,
    Required,
    RequiredWithNonce,
}

impl Server {
    /// A server that trusts `issuer`, at `/mcp`.
    pub fn builder(wire: &Wire, issuer: &str) -> Builder {
        Builder {
            wire: wire.clone(),
            issuers: vec![issuer.to_owned()],
            paths: Vec::new(),
            proof: Proof::NotAsked,
            origins: Vec::new(),
            withheld: Withheld::default(),
            keeps_tokens: false,
        }
    }

    /// The URL of the first endpoint, which is its resource, and all that a client is told.
    #[must_use]
    pub fn url(&self) -> &str {
        self.urls.first().map_or("", String::as_str)
    }

    /// The URLs of all endpoints, in the order of [`Builder::at`].
    #[must_use]
    pub fn urls(&self) -> Vec<&str> {
        self.urls.iter().map(String::as_str).collect()
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Takes the audit records.
    #[must_use]
    pub fn records(&self) -> Vec<AuditRecord> {
        self.records.take()
    }

    /// By which it tells whether a token expired.
    #[must_use]
    pub const fn clock(&self) -> &ServerClock {
        &self.clock
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl Builder {
    /// Adds an endpoint. The first call replaces `/mcp`.
    pub fn at(mut self, path: &str) -> Self {
        self.paths.push(path.to_owned());
        self
    }

    /// Trusts one more authorization server.
    pub fn add_issuer(mut self, issuer: &str) -> Self {
        self.issuers.push(issuer.to_owned());
        self
    }

    /// Refuses tokens whose key is not proven (DPoP, RFC 9449).
    pub const fn require_dpop(mut self) -> Self {
        self.proof = Proof::Required;
        self
    }

    /// As [`require_dpop`](Self::require_dpop), with nonces of ours in the proofs.
    pub const fn require_dpop_nonces(mut self) -> Self {
        self.proof = Proof::RequiredWithNonce;
        self
    }

    /// Leaves tokens where handlers find them, against the rule.
    pub const fn keep_tokens(mut self) -> Self {
        self.keeps_tokens = true;
        self
    }

    /// Lets pages of this origin call.
    pub fn cors(mut self, origin: &str) -> Self {
        self.origins.push(origin.to_owned());
        self
    }

    /// Answers without what `withheld` says.
    pub fn withholding(mut self, withheld: &Withheld) -> Self {
        self.withheld = withheld.clone();
        self
    }

    /// Starts it, when it has the keys of its issuers. What that took is not in the log.
    ///
    /// # Errors
    ///
    /// If anything of it is not accepted, or there is no free port.
    pub async fn start(self) -> Result<Server, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let paths =
            if self.paths.is_empty() { vec!["/mcp".to_owned()] } else { self.paths.clone() };
        let urls: Vec<String> = paths.iter().map(|path| format!("{origin}{path}")).collect();

        let before = self.wire.take();
        let mut issuers = Vec::new();
        for issuer in &self.issuers {
            let issuer = Issuer::parse(issuer)?;
            let keys = RemoteKeys::spawn(HttpSource::discover(&issuer)?)?;
            let _ = keys.ready().await;
            issuers.push((issuer, keys));
        }
        self.wire.replace(before);

        let (records, clock) = (CaptureSink::default(), ServerClock::default());
        let resources: Vec<Resource> =
            urls.iter().map(|url| Resource::parse(url)).collect::<Result<_, _>>()?;
        let parts = stack::Parts {
            resources: &resources,
            issuers: &issuers,
            proof: self.proof,
            origins: &self.origins,
            records: &records,
            clock: &clock,
            keeps_tokens: self.keeps_tokens,
        };
        let protected = parts.protected()?;

        let (wire, withheld) = (self.wire.clone(), self.withheld.clone());
        let app = Router::new()
            .fallback_service(protected)
            .layer(axum::middleware::map_request(located))
            .layer(from_fn(move |request, next| withheld.clone().take(request, next)))
            .layer(from_fn(move |request, next| {
                record(wire.clone(), Party::Server, request, next)
            }));
        // Without TCP_NODELAY every streamed answer waits 40 ms for the peer's delayed ACK.
        let listener = listener.tap_io(|io| drop(io.set_nodelay(true)));
        let task = Running::start(async move {
            let app = app.into_make_service_with_connect_info::<SocketAddr>();
            let _ = axum::serve(listener, app).await;
        });
        Ok(Server { origin, urls, records, clock, _task: task })
    }
}

/// Clients connect directly, so the peer is the client.
async fn located(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>().copied() {
        ClientAddr::peer(peer).leave_in(&mut parts);
    }
    Request::from_parts(parts, body)
}
