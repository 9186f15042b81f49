//! A server that answers anything at all, in place of an issuer or of what an attacker runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

/// Stops when dropped.
pub(super) struct Canned {
    pub(super) url: String,
    shared: Arc<Shared>,
    _task: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    scripts: Mutex<BTreeMap<String, Script>>,
    asked: Mutex<Vec<String>>,
}

/// What is written, byte for byte.
#[derive(Clone)]
pub(super) struct Script {
    first: Vec<u8>,
    /// Then this, again and again, with a pause before each.
    again: Option<(Vec<u8>, Duration)>,
}

impl Script {
    /// These bytes are the whole response.
    pub(super) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { first: bytes.into(), again: None }
    }

    pub(super) fn json(body: &Value) -> Self {
        Self::body("content-type: application/json", body.to_string())
    }

    /// 200 with these header lines and this body.
    pub(super) fn body(headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 200 OK\r\n{headers}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self::raw([head.as_bytes(), body].concat())
    }

    /// The response goes on with these bytes, for ever.
    pub(super) fn then_again(mut self, bytes: impl Into<Vec<u8>>, pause: Duration) -> Self {
        self.again = Some((bytes.into(), pause));
        self
    }
}

impl Canned {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let mut task = JoinSet::new();
        task.spawn(accept(listener, Arc::clone(&shared)));
        Self { url, shared, _task: task }
    }

    pub(super) fn answer(&self, path: &str, script: Script) {
        self.shared.scripts.lock().unwrap().insert(path.to_owned(), script);
    }

    /// Answers as the issuer of this name would whose keys are at `jwks_uri`.
    pub(super) fn answer_metadata(&self, issuer: &str, jwks_uri: &str) {
        let metadata = Script::json(&json!({ "issuer": issuer, "jwks_uri": jwks_uri }));
        self.answer("/.well-known/oauth-authorization-server", metadata);
    }

    /// The paths that were asked for.
    pub(super) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, Arc::clone(&shared)));
    }
}

/// One answer per connection. What goes wrong is the other side's business.
async fn answer(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let script = shared.scripts.lock().unwrap().get(&path).cloned();
    shared.asked.lock().unwrap().push(path);
    let not_found =
        || Script::raw("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    let script = script.unwrap_or_else(not_found);
    let mut sent = stream.write_all(&script.first).await;
    while let (Ok(()), Some((bytes, pause))) = (&sent, &script.again) {
        sleep(*pause).await;
        sent = stream.write_all(bytes).await;
    }
    let _ = stream.shutdown().await;
}
