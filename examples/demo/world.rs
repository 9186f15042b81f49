//! The parts on the stage: an authorization server, the protected server, an HTTP client.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use palisade_examples::AnyError;
use palisade_test_issuer::TestIssuer;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// A resource that is not ours: tokens for it must be refused.
pub(crate) const OTHER_RESOURCE: &str = "https://calendar.example.com/mcp";

/// A client of the authorization server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientOf {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) scopes: &'static str,
}

/// Reads notes.
pub(crate) const READER: ClientOf =
    ClientOf { id: "reader-app", secret: "reader-secret", scopes: "notes:read" };
/// May do everything.
pub(crate) const ADMIN: ClientOf = ClientOf {
    id: "admin-app",
    secret: "admin-secret",
    scopes: "notes:read notes:write notes:admin",
};
/// Calls too often.
pub(crate) const EAGER: ClientOf =
    ClientOf { id: "eager-app", secret: "eager-secret", scopes: "notes:read" };

pub(crate) struct World {
    issuer: TestIssuer,
    url: String,
    audit: PathBuf,
    http: reqwest::Client,
    // Killed when dropped.
    _server: Child,
}

impl World {
    pub(crate) async fn start() -> Result<Self, AnyError> {
        let mut issuer = TestIssuer::builder()
            .resource(OTHER_RESOURCE)
            .token_lifetime(Duration::from_secs(3600));
        for client in [READER, ADMIN, EAGER] {
            issuer = issuer.client(client.id, client.secret, client.scopes);
        }
        let issuer = issuer.start().await?;
        let audit =
            std::env::temp_dir().join(format!("palisade-demo-{}.jsonl", std::process::id()));
        let (server, url) = start_server(issuer.issuer(), &audit).await?;
        issuer.add_resource(&url);
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { issuer, url, audit, http, _server: server })
    }

    /// The MCP endpoint, which is also the resource.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The same host, another path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches("/mcp"))
    }

    pub(crate) fn issuer(&self) -> &TestIssuer {
        &self.issuer
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn audit_file(&self) -> &Path {
        &self.audit
    }
}

/// Starts the server as a stranger would: the program beside this one, with arguments.
async fn start_server(issuer: &str, audit: &Path) -> Result<(Child, String), AnyError> {
    let program = std::env::current_exe()?.with_file_name("mcp_server");
    let mut server = Command::new(&program)
        .args(["--end-with-stdin", "--issuer", issuer, "--audit"])
        .arg(audit)
        // Open as long as this process lives.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let stdout = server.stdout.take().ok_or("the server has no standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    let line = timeout(Duration::from_secs(10), lines.next_line()).await??;
    let url = line.as_deref().and_then(|line| line.strip_prefix("listening on "));
    Ok((server, url.ok_or("the server did not say where it listens")?.to_owned()))
}
