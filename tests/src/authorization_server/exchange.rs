use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;
use tower::BoxError;
use url::form_urlencoded;

use super::PATIENCE;

const MAX_BYTES: usize = 1 << 20;

/// What the server answered, whatever it was.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body of an answer that must be a success.
    ///
    /// # Errors
    ///
    /// If the answer is none, or no JSON.
    pub fn into_json(self) -> Result<Value, BoxError> {
        if !self.status.is_success() {
            return Err(format!("{}: {}", self.status, String::from_utf8_lossy(&self.body)).into());
        }
        Ok(serde_json::from_slice(&self.body)?)
    }
}

pub(super) struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    pub(super) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    /// Sends a form as a client that authenticates by `client_secret_basic` (RFC 6749 §2.3.1).
    pub(super) async fn post(
        &self,
        url: &str,
        client: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Answer, BoxError> {
        let basic = STANDARD.encode(format!("{client}:{client}-secret"));
        let mut request = Request::post(url)
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(request.body(Full::from(form))?).await
    }

    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, BoxError> {
        let exchange = async {
            let (head, body) = self.0.request(request).await?.into_parts();
            let body = Limited::new(body, MAX_BYTES).collect().await?.to_bytes();
            Ok(Answer { status: head.status, headers: head.headers, body })
        };
        timeout(PATIENCE, exchange).await?
    }
}
