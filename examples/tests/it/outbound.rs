use std::sync::{Arc, Mutex};

use axum::Router;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::support::{Server, TempFile};

const OURS: &str = "a-secret-between-us-and-the-upstream";

/// A server, the audit file, and the heads that arrived upstream.
struct Setup {
    server: Server,
    audit: TempFile,
    upstream: String,
    heads: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Setup {
    async fn start(name: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::<Mutex<Vec<HeaderMap>>>::default();
        let seen = Arc::clone(&heads);
        let router = Router::new().fallback(async move |headers: HeaderMap| {
            seen.lock().unwrap().push(headers);
        });
        #[expect(clippy::disallowed_methods, reason = "a server runs beside its test")]
        tokio::spawn(async { axum::serve(listener, router).await });
        let audit = TempFile::new(name);
        let to = format!("{upstream}/today");
        let args =
            ["--audit", audit.0.to_str().unwrap(), "--upstream", &to, "--upstream-token", OURS];
        let server = Server::start(env!("CARGO_BIN_EXE_outbound"), &args).await;
        Self { server, audit, upstream, heads }
    }

    /// The status, and the one record that the request left.
    async fn ask(&self, path: &str, token: &str, copy: Option<&str>) -> (u16, Value) {
        let request = self.server.http.get(self.server.at(path)).bearer_auth(token);
        let request = match copy {
            Some(header) => request.header(header, token),
            None => request,
        };
        let status = request.send().await.unwrap().status().as_u16();
        let record: Value = serde_json::from_str(self.audit.lines(1).await.trim()).unwrap();
        (status, record)
    }

    fn heads(&self) -> Vec<HeaderMap> {
        self.heads.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn asks_as_itself() {
    let setup = Setup::start("outbound-own").await;
    let token = setup.server.token("weather").sign();
    let (status, record) = setup.ask("/own", &token, None).await;
    assert_eq!(status, 200);
    assert_eq!(setup.heads()[0]["authorization"], format!("Bearer {OURS}"));
    assert_eq!(record.get("withheld"), None, "our own token may go");
}

#[tokio::test]
async fn a_naive_handler_finds_no_token_to_forward() {
    let setup = Setup::start("outbound-naive").await;
    let token = setup.server.token("weather").sign();
    let (status, record) = setup.ask("/naive", &token, None).await;
    assert_eq!(status, 200);
    let heads = setup.heads();
    assert_eq!(heads.len(), 1);
    assert!(!format!("{heads:?}").contains(&token));
    assert_eq!(record.get("withheld"), None, "there was nothing to withhold");
}

#[tokio::test]
async fn aud_10_a_copy_of_the_token_is_not_forwarded_and_the_attempt_is_on_record() {
    let setup = Setup::start("outbound-copy").await;
    let token = setup.server.token("weather").sign();
    let (status, record) = setup.ask("/naive", &token, Some("x-forwarded-access-token")).await;
    assert_eq!(status, 500);
    assert!(setup.heads().is_empty(), "nothing arrived");
    assert_eq!(record["withheld"], json!({ "count": 1, "destinations": [setup.upstream] }));
    assert_eq!(record["principal"]["subject"], "alice");
    assert!(!record.to_string().contains(&token));
}
