//! The authorization server, behind a proxy that records.

use std::{fmt, net::SocketAddr};

use axum::{Router, body::Body, extract::Request, middleware::from_fn, response::Response};
use http::{StatusCode, Uri, header, uri};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use palisade_integration::AuthorizationServer;
use tokio::{net::TcpListener, task::JoinHandle};
use tower::BoxError;

use crate::{
    server::{READ, WRITE},
    wire::{Party, Wire, record},
};

/// A port in this process, in front of an authorization server in another one. It must be told that this is its
/// address; `Host` reaches it as it came.
#[derive(Debug)]
pub struct Proxy {
    listener: TcpListener,
    url: String,
}

impl Proxy {
    /// Takes a free port on loopback.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub async fn bind() -> Result<Self, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok(Self { listener, url })
    }

    /// What clients call it, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Hands all that comes to `upstream`, and records it. It ends when the returned value is dropped.
    #[must_use]
    pub fn forward(self, wire: &Wire, upstream: SocketAddr) -> Running {
        let client: Client<HttpConnector, Body> =
            Client::builder(TokioExecutor::new()).build_http();
        let wire = wire.clone();
        let router = Router::new()
            .fallback(async move |request: Request| hand_on(client, upstream, request).await)
            .layer(from_fn(move |request, next| {
                record(wire.clone(), Party::Issuer, request, next)
            }));
        Running::start(async move {
            let _ = axum::serve(self.listener, router).await;
        })
    }
}

async fn hand_on(
    client: Client<HttpConnector, Body>,
    upstream: SocketAddr,
    mut request: Request,
) -> Response {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(uri::Scheme::HTTP);
    parts.authority = upstream.to_string().parse().ok();
    parts.path_and_query = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    // The body is whole by now, and has another frame.
    request.headers_mut().remove(header::TRANSFER_ENCODING);
    request.headers_mut().remove(header::CONNECTION);
    match client.request(request).await {
        Ok(mut response) => {
            response.headers_mut().remove(header::TRANSFER_ENCODING);
            response.headers_mut().remove(header::CONNECTION);
            response.map(Body::new)
        }
        Err(error) => {
            let mut response = Response::new(Body::from(error.to_string()));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}

/// A task that ends with this value.
#[derive(Debug)]
pub struct Running(JoinHandle<()>);

impl Running {
    #[expect(clippy::disallowed_methods, reason = "a server of a test runs beside it")]
    pub(crate) fn start(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// npm's `oidc-provider`, recorded.
pub struct Issuer {
    url: String,
    server: AuthorizationServer,
    _proxy: Running,
}

impl Issuer {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub async fn start(wire: &Wire) -> Result<Self, BoxError> {
        let proxy = Proxy::bind().await?;
        let url = proxy.url().to_owned();
        let server = AuthorizationServer::start_as(&url).await?;
        let proxy = proxy.forward(wire, server.address());
        Ok(Self { url, server, _proxy: proxy })
    }

    /// Issues tokens for these resources from now on, with the scopes of the server.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub async fn serve(&mut self, resources: &[&str]) -> Result<(), BoxError> {
        self.server.serve(resources, &[READ, WRITE]).await
    }

    /// Who it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// To steer it.
    pub const fn authorization_server(&mut self) -> &mut AuthorizationServer {
        &mut self.server
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("url", &self.url).finish_non_exhaustive()
    }
}
