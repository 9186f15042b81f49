//! What the example servers share and what is not about protection: arguments, logging, the peer's address.

use std::{
    error::Error,
    io::{self, IsTerminal, Read},
    net::SocketAddr,
};

use axum::extract::ConnectInfo;
use palisade_core::ClientAddr;
use tokio::net::TcpListener;

/// What any of the examples may fail with.
pub type AnyError = Box<dyn Error + Send + Sync>;

/// The arguments of an example server, `--name value` each.
#[derive(Debug)]
pub struct Args(Vec<String>);

impl Args {
    /// The arguments of this process.
    #[must_use]
    pub fn from_env() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// The value behind `--name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|arg| arg.strip_prefix("--") == Some(name))?;
        self.0.get(at.checked_add(1)?).map(String::as_str)
    }

    /// The value behind `--name`, without which the server cannot start.
    ///
    /// # Errors
    ///
    /// If it is not there.
    pub fn require(&self, name: &str) -> Result<&str, AnyError> {
        self.get(name).ok_or_else(|| format!("missing argument: --{name} VALUE").into())
    }

    /// Whether the flag `--name` is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|arg| arg.strip_prefix("--") == Some(name))
    }

    /// Listens at `--listen`, by default on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub async fn listen(&self) -> Result<(TcpListener, SocketAddr), AnyError> {
        let listener = TcpListener::bind(self.get("listen").unwrap_or("127.0.0.1:0")).await?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    }
}

/// Logs to standard error, filtered by `RUST_LOG`; standard output belongs to [`announce`].
pub fn init_logging() {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()),
        )
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}

/// With `--end-with-stdin`, ends this process when its standard input is closed: when whoever started it is
/// gone, however that came about. For tests and the demo.
#[expect(clippy::exit, reason = "there is nobody left to tell")]
pub fn end_with_parent(args: &Args) {
    if args.has("end-with-stdin") {
        // A thread, because reading standard input blocks and cannot be cancelled.
        std::thread::spawn(|| {
            let mut ignored = [0; 64];
            while matches!(io::stdin().read(&mut ignored), Ok(1..)) {}
            std::process::exit(0);
        });
    }
}

/// The span of a request in the log, for tower-http's trace layer. Its own has the query, and some clients put
/// tokens there.
pub fn span<B>(request: &http::Request<B>) -> tracing::Span {
    tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
}

/// Tells whoever started the server where it listens.
#[expect(clippy::print_stdout, reason = "this is the server's answer to the one who started it")]
pub fn announce(url: &str) {
    println!("listening on {url}");
}

/// Leaves the address of the peer, which axum knows. For servers that clients connect to directly.
pub fn leave_peer<B>(request: http::Request<B>) -> http::Request<B> {
    let (mut parts, body) = request.into_parts();
    if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>().copied() {
        ClientAddr::peer(peer).leave_in(&mut parts);
    }
    http::Request::from_parts(parts, body)
}
