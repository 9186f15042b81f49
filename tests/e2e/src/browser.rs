//! The page in `clients/browser`, at an origin of its own.

use std::{process::Stdio, sync::Arc};

use axum::{
    Router,
    response::{Html, IntoResponse},
    routing::get,
};
use http::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::{net::TcpListener, process::Command};
use tower::BoxError;

use crate::{Client, Running, node24, places};

/// A web page that is an MCP client, served until this is dropped. Nothing is recorded of what it loads from here.
#[derive(Debug)]
pub struct Page {
    origin: String,
    _task: Running,
}

impl Page {
    /// Bundles it and serves it, at `localhost` while the parties are at `127.0.0.1`: another host, another port.
    ///
    /// # Errors
    ///
    /// If its packages are not installed, or there is no free port.
    pub async fn serve() -> Result<Self, BoxError> {
        let folder = places::here().join("clients/browser");
        let esbuild = folder.join("node_modules/esbuild/bin/esbuild");
        let esbuild = places::installed(esbuild, "what bundles the page")?;
        let bundled = Command::new(node24()?)
            .args([esbuild.as_path(), &folder.join("app/page.mjs")])
            .args(["--bundle", "--format=esm", "--target=es2022", "--log-level=warning"])
            .stdin(Stdio::null())
            .output()
            .await?;
        if !bundled.status.success() {
            return Err(String::from_utf8_lossy(&bundled.stderr).into());
        }
        let script: Arc<str> = String::from_utf8(bundled.stdout)?.into();
        let html = tokio::fs::read_to_string(folder.join("app/index.html")).await?;

        let script = async move || {
            let script = script.to_string();
            ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response()
        };
        let router =
            Router::new().route("/page.js", get(script)).fallback(async move || Html(html));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://localhost:{}", listener.local_addr()?.port());
        let task = Running::start(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { origin, _task: task })
    }

    /// Where it is.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

/// A script in `clients/browser`, which drives Chromium.
///
/// # Errors
///
/// If its packages, or Chromium, are not installed.
pub fn driver(script: &str, settings: &Value) -> Result<Client, BoxError> {
    let folder = places::here().join("clients/browser");
    places::installed(folder.join("node_modules"), "what drives the browser")?;
    places::installed("/usr/bin/chromium".into(), "Chromium")?;
    Client::program(node24()?).arg(folder.join(script)).arg(settings.to_string()).start()
}
