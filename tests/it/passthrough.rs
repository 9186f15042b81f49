//! A handler, real layers around it, a real client in it, and an upstream that writes down what it gets.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request::Parts};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use palisade_audience_guard::AudienceGuardLayer;
use palisade_audit_log::{AuditLogLayer, AuditRecord, Outcome};
use palisade_core::{AccessStack, Operation};
use palisade_integration::{CaptureSink, World};
use palisade_passthrough_guard::{PassthroughError, PassthroughGuard, outbound::Outbound};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};
use palisade_token_verify::{JwtVerifier, TokenVerifyLayer};
use tokio::sync::{mpsc, oneshot};
use tower::{BoxError, Layer, ServiceExt, service_fn};

use crate::servers::{listener, serve, spawn};

mod clients;

type Plain = Client<HttpConnector, Full<Bytes>>;
type Body = UnsyncBoxBody<Bytes, Infallible>;

fn plain() -> Plain {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Answers everything, and keeps the heads.
#[derive(Clone)]
struct Upstream {
    addr: SocketAddr,
    heads: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Upstream {
    async fn start() -> Self {
        let (listener, addr) = listener().await;
        let heads = Arc::<Mutex<Vec<HeaderMap>>>::default();
        let upstream = Self { addr, heads };
        let heads = Arc::clone(&upstream.heads);
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            heads.lock().unwrap().push(request.headers().clone());
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello")))) }
        });
        spawn(serve(listener, service));
        upstream
    }

    fn url(&self) -> String {
        format!("http://{}/resource", self.addr)
    }

    fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    fn heads(&self) -> Vec<HeaderMap> {
        std::mem::take(&mut *self.heads.lock().unwrap())
    }

    /// What a naive handler does: all that came in goes out.
    fn forward(&self, head: &Parts) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.url().parse().unwrap();
        *request.headers_mut() = head.headers.clone();
        request.headers_mut().remove("host");
        request
    }
}

/// All layers that are required, the guard among them, around a handler. Gives the address.
async fn protect<S, F>(
    world: &World,
    sink: &CaptureSink,
    guard: &PassthroughGuard,
    adapt: impl FnOnce(TokenVerifyLayer<JwtVerifier>) -> TokenVerifyLayer<JwtVerifier>,
    handler: S,
) -> SocketAddr
where
    S: Fn(Parts) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let policy =
        ScopePolicy::deny_all().allow(Operation::http("GET", "/mcp"), "use").unwrap().build();
    let access = AccessStack::new()
        .audit(AuditLogLayer::new(sink.clone()))
        .passthrough(guard.inbound_layer())
        .authenticate(adapt(TokenVerifyLayer::new(world.verifier().unwrap())))
        .audience(AudienceGuardLayer::new(World::resource().unwrap()))
        .authorize(ScopePolicyLayer::new(policy.unwrap()))
        .build();
    let service = service_fn(
        move |request: Request<palisade_audit_log::body::RequestBody<hyper::body::Incoming>>| {
            let answer = handler(request.into_parts().0);
            async { Ok::<_, Infallible>(answer.await) }
        },
    );
    let (listener, addr) = listener().await;
    spawn(serve(listener, access.layer(service)));
    addr
}

fn text(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(Full::new(text.into()).boxed_unsync())
}

/// What the handler says about an attempt.
fn told<T>(sent: Result<T, BoxError>) -> Response<Body> {
    match sent {
        Ok(_) => text("sent"),
        Err(error) if error.is::<PassthroughError>() => text("refused"),
        Err(error) => text(format!("failed: {error}")),
    }
}

async fn ask(addr: SocketAddr, token: &str, copy: Option<&str>) -> (u16, String) {
    let mut request = Request::get(format!("http://{addr}/mcp"))
        .header("authorization", format!("Bearer {token}"));
    if let Some(copy) = copy {
        request = request.header(copy, token);
    }
    let response = plain().request(request.body(Full::default()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// The record is written when the server is through with the answer, which may be after the client is.
async fn record(sink: &CaptureSink) -> AuditRecord {
    loop {
        if let Some(record) = sink.take().pop() {
            return record;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn aud_10_a_handler_that_forwards_the_token_gets_an_error_and_a_record() {
    let (world, sink) = (World::new().unwrap(), CaptureSink::default());
    let (upstream, guard) = (Upstream::start().await, PassthroughGuard::new().unwrap());
    let token = world.token().sign();
    type Adapt = fn(TokenVerifyLayer<JwtVerifier>) -> TokenVerifyLayer<JwtVerifier>;
    let cases: [(&str, Adapt, Option<&str>); 2] = [
        ("the service asked to keep it", |it| it.insecure_keep_authorization_header(), None),
        ("a proxy made a copy", |it| it, Some("x-forwarded-access-token")),
    ];
    for (name, adapt, copy) in cases {
        let client = guard.outbound_layer().layer(plain());
        let to = upstream.clone();
        let handler = move |head: Parts| {
            let (client, request): (Outbound<Plain>, _) = (client.clone(), to.forward(&head));
            async move { told(client.oneshot(request).await) }
        };
        let addr = protect(&world, &sink, &guard, adapt, handler).await;
        assert_eq!(ask(addr, &token, copy).await, (200, "refused".to_owned()), "{name}");
        assert!(upstream.heads().is_empty(), "{name}: nothing arrived");

        let record = record(&sink).await;
        assert!(matches!(record.outcome, Outcome::Answered(_)), "{name}: {:?}", record.outcome);
        assert_eq!(record.principal.as_ref().map(|who| who.subject()), Some("alice"), "{name}");
        let json: serde_json::Value = serde_json::from_str(&record.to_json()).unwrap();
        let expected = serde_json::json!({ "count": 1, "destinations": [upstream.origin()] });
        assert_eq!(json["withheld"], expected, "{name}");
        for part in token.split('.') {
            assert!(!record.to_json().contains(part), "{name}");
        }
    }
}

#[tokio::test]
async fn aud_10_without_the_guard_a_handler_finds_no_token_to_forward() {
    let (world, sink) = (World::new().unwrap(), CaptureSink::default());
    let (upstream, guard) = (Upstream::start().await, PassthroughGuard::new().unwrap());
    let to = upstream.clone();
    let handler = move |head: Parts| {
        let request = to.forward(&head);
        async move { told(plain().oneshot(request).await.map_err(Into::into)) }
    };
    let addr = protect(&world, &sink, &guard, |it| it, handler).await;
    let token = world.token().sign();
    assert_eq!(ask(addr, &token, None).await, (200, "sent".to_owned()));
    let heads = upstream.heads();
    let [head] = heads.as_slice() else { panic!("{}", heads.len()) };
    assert!(!head.contains_key("authorization"));
    assert!(!head.values().any(|value| value.as_bytes() == token.as_bytes()));
    assert!(!record(&sink).await.to_json().contains("withheld"), "there was nothing to withhold");
}

#[tokio::test]
async fn a_request_with_a_token_of_our_own_goes_out() {
    let (world, sink) = (World::new().unwrap(), CaptureSink::default());
    let (upstream, guard) = (Upstream::start().await, PassthroughGuard::new().unwrap());
    let client = guard.outbound_layer().layer(plain());
    let ours = format!("Bearer {}", world.token().audience("https://up.example").sign());
    let (to, header) = (upstream.url(), ours.clone());
    let handler = move |_: Parts| {
        let request = Request::get(&to).header("authorization", &header).body(Full::default());
        let client = client.clone();
        async move { told(client.oneshot(request.unwrap()).await) }
    };
    let addr = protect(&world, &sink, &guard, |it| it, handler).await;
    assert_eq!(ask(addr, &world.token().sign(), None).await, (200, "sent".to_owned()));
    assert_eq!(upstream.heads()[0]["authorization"], ours);
}

/// A body that says something each time it is told to.
struct Told(mpsc::Receiver<&'static str>);

impl http_body::Body for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|text| text.map(|text| Ok(http_body::Frame::data(text.into()))))
    }
}

#[tokio::test]
async fn a_task_that_a_handler_leaves_behind_is_refused_and_on_record_until_the_body_ends() {
    let (world, sink) = (World::new().unwrap(), CaptureSink::default());
    let (upstream, guard) = (Upstream::start().await, PassthroughGuard::new().unwrap());
    let client = guard.outbound_layer().layer(plain());
    let (go_on, gone) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
    let (to, left_behind, last) = (upstream.clone(), Arc::clone(&go_on), Arc::clone(&gone));
    let handler = move |head: Parts| {
        let (say, body) = mpsc::channel(1);
        let (client, to) = (client.clone(), to.clone());
        let (resume, resumed) = oneshot::channel::<()>();
        let (finish, finished) = oneshot::channel();
        *left_behind.lock().unwrap() = Some(resume);
        *last.lock().unwrap() = Some(finished);
        spawn(async move {
            let request = || to.forward(&head);
            let first = client.clone().oneshot(request()).await.unwrap_err();
            say.send(if first.is::<PassthroughError>() { "refused" } else { "?" }).await.unwrap();
            drop(say);
            // Now the body ends, and nothing of the head is kept that keeps the request in the works.
            let (request, _) = (request(), drop(head));
            resumed.await.unwrap();
            let second = client.oneshot(request).await.unwrap_err();
            finish.send(second.is::<PassthroughError>()).unwrap();
        });
        async move { Response::new(Told(body).boxed_unsync()) }
    };
    let adapt = |it: TokenVerifyLayer<_>| it.insecure_keep_authorization_header();
    let addr = protect(&world, &sink, &guard, adapt, handler).await;
    assert_eq!(ask(addr, &world.token().sign(), None).await, (200, "refused".to_owned()));
    assert_eq!(record(&sink).await.withheld.count, 1, "while the body was being sent");
    go_on.lock().unwrap().take().unwrap().send(()).unwrap();
    let finished = gone.lock().unwrap().take().unwrap();
    assert!(finished.await.unwrap(), "and after the end of the request");
    assert!(upstream.heads().is_empty());
    assert!(sink.take().is_empty(), "one request, one record");
}

#[tokio::test]
async fn the_layer_fits_around_a_tonic_channel() {
    const fn takes<T: tonic::client::GrpcService<tonic::body::Body>>(_: &T) {}
    let (world, guard) = (World::new().unwrap(), PassthroughGuard::new().unwrap());
    let (sink, token) = (CaptureSink::default(), world.token().sign());
    let (layer, stolen) = (guard.outbound_layer(), format!("Bearer {token}"));
    let handler = move |_: Parts| {
        let nowhere = tonic::transport::Endpoint::from_static("http://127.0.0.1:1");
        let channel = layer.layer(nowhere.connect_lazy());
        takes(&channel);
        let request = Request::post("/a.B/C").header("authorization", &stolen);
        let request = request.body(tonic::body::Body::empty()).unwrap();
        async move {
            let status = tonic::Status::from_error(channel.oneshot(request).await.unwrap_err());
            let source = std::error::Error::source(&status);
            text(if source.is_some_and(|it| it.is::<PassthroughError>()) { "refused" } else { "?" })
        }
    };
    let addr = protect(&world, &sink, &guard, |it| it, handler).await;
    assert_eq!(ask(addr, &token, None).await, (200, "refused".to_owned()));
    let withheld = record(&sink).await.withheld;
    assert_eq!((withheld.count, withheld.destinations.len()), (1, 0), "it does not say where to");
}
