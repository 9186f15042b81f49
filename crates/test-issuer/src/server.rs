use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::endpoints::{self, MAX_BODY_BYTES, Reply};
use crate::error::TestIssuerError;
use crate::issuer::State;

/// More connections than this wait in the backlog.
const MAX_CONNECTIONS: usize = 512;
/// After an error of `accept`, such as too many open files, which does not go away by asking again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The running server: dropping it stops the task.
pub(crate) struct ServerHandle {
    /// The task holds the one receiver. Anything sent, or this sender gone, tells it to stop; the
    /// receiver gone tells everyone that it has.
    stop: watch::Sender<()>,
}

impl ServerHandle {
    pub(crate) async fn stop(&self) {
        self.stop.send_replace(());
        self.stop.closed().await;
    }
}

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, TestIssuerError> {
    Handle::try_current().map_err(|_| TestIssuerError::NoRuntime)?;
    TcpListener::bind(address).await.map_err(TestIssuerError::Bind)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server is a task; this one ends with its handle and owns its connections"
)]
pub(crate) fn spawn(listener: TcpListener, state: Arc<State>) -> ServerHandle {
    let (stop, stopped) = watch::channel(());
    tokio::spawn(accept_until(stopped, listener, state));
    ServerHandle { stop }
}

async fn accept_until(mut stopped: watch::Receiver<()>, listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // An error means that the sender is gone, which is the other way to say stop.
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&state)));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
    // `stopped` is dropped last: the port is free and no connection is left.
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    // Without it, a client that keeps the connection waits for delayed ACKs: 40 ms each time.
    // Failing to set it only costs that time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(respond(&state, request).await) }
    });
    // A connection that breaks is the client's business.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(state: &Arc<State>, request: Request<Incoming>) -> Response<Payload> {
    let (head, body) = request.into_parts();
    let reply = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => endpoints::answer(state, Request::from_parts(head, body.to_bytes())).await,
        Err(error) if error.is::<LengthLimitError>() => {
            Reply::Whole(endpoints::refuse(StatusCode::PAYLOAD_TOO_LARGE))
        }
        Err(_) => Reply::Whole(endpoints::refuse(StatusCode::BAD_REQUEST)),
    };
    match reply {
        Reply::Whole(response) => response.map(|bytes| Payload { bytes, more: None }),
        Reply::Endless(response) => {
            response.map(|bytes| Payload { bytes, more: Some(Bytes::from_static(&BLANKS)) })
        }
    }
}

static BLANKS: [u8; 16 * 1024] = [b' '; 16 * 1024];

/// Some bytes, and perhaps the same others behind them again and again.
struct Payload {
    bytes: Bytes,
    more: Option<Bytes>,
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match (self.bytes.is_empty(), &self.more) {
            (false, _) => std::mem::take(&mut self.bytes),
            (true, Some(more)) => more.clone(),
            (true, None) => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(Frame::data(next))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.more.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.more {
            None => SizeHint::with_exact(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)),
            Some(_) => SizeHint::default(),
        }
    }
}
