use std::{path::PathBuf, process::Stdio, time::Duration};

use palisade_test_issuer::{TestIssuer, TokenBuilder};
use reqwest::{RequestBuilder, Response};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Longer than any of this takes, shorter than a hanging test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An example server, stopped when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) issuer: TestIssuer,
    pub(crate) http: reqwest::Client,
    _process: Child,
}

impl Server {
    /// Starts `program` with an issuer of its own.
    pub(crate) async fn start(program: &str, args: &[&str]) -> Self {
        let issuer = TestIssuer::builder().client("app", "secret", "none").start().await.unwrap();
        let jwks = issuer.jwks_uri();
        let args: Vec<_> = args.iter().map(|arg| arg.replace("JWKS", &jwks)).collect();
        let mut process = Command::new(program)
            .args(["--end-with-stdin", "--issuer", issuer.issuer()])
            .stdin(Stdio::piped())
            .args(args)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        let url = line.strip_prefix("listening on ").unwrap().to_owned();
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self { url, issuer, http, _process: process }
    }

    /// A token for this server, to be spoilt as you like.
    pub(crate) fn token(&self, scope: &str) -> TokenBuilder {
        self.issuer.mint().subject("alice").audience(&self.url).scope(scope)
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches("/mcp"))
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Response {
        send(self.http.get(self.at(path)), token).await
    }
}

pub(crate) async fn send(request: RequestBuilder, token: Option<&str>) -> Response {
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.unwrap()
}

pub(crate) fn challenge(response: &Response) -> &str {
    response.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap())
}

/// A file that no other test uses, gone when dropped.
pub(crate) struct TempFile(pub(crate) PathBuf);

impl TempFile {
    pub(crate) fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("palisade-{name}-{}", std::process::id())))
    }
}

impl TempFile {
    /// The file, as soon as it has so many lines: a record is written when the server is through with an
    /// answer, which may be after the client is.
    pub(crate) async fn lines(&self, count: usize) -> String {
        let read = async {
            loop {
                let text = std::fs::read_to_string(&self.0).unwrap_or_default();
                if text.lines().count() >= count {
                    return text;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, read).await.unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
