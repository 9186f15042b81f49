//! What a tool must not do: call another service with the token of its caller.

use axum::body::Body;
use http::{HeaderValue, Request, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use palisade_passthrough_guard::{PassthroughError, PassthroughGuard, outbound::Outbound};
use tower::{Layer, ServiceExt};

/// The authorization server's userinfo endpoint, which takes the tokens of callers, and the client that asks it.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    client: Outbound<Client<HttpConnector, Body>>,
    url: String,
}

impl Upstream {
    pub(super) fn new(guard: &PassthroughGuard, issuer: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client: guard.outbound_layer().layer(client), url: format!("{issuer}/me") }
    }

    /// Asks in the name of the caller, whose credential this is.
    pub(super) async fn ask(&self, credential: &HeaderValue) -> Result<String, String> {
        let request = Request::get(&self.url).header(header::AUTHORIZATION, credential);
        let request = request.body(Body::empty()).map_err(|error| error.to_string())?;
        match self.client.clone().oneshot(request).await {
            Ok(answer) => Ok(format!("answered {}", answer.status())),
            Err(error) if error.is::<PassthroughError>() => Err(error.to_string()),
            Err(error) => Err(format!("not sent for another reason: {error}")),
        }
    }
}
