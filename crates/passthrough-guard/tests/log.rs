//! What is logged. Alone in its process: an event that somebody else's test met first, without a subscriber, may be
//! lost to this one.
#![cfg(test)]

use std::{
    convert::Infallible,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use http::{Request, Response};
use palisade_core::{Principal, Trail};
use palisade_passthrough_guard::PassthroughGuard;
use tower::{Layer, ServiceExt, service_fn};

const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_attempt_after_the_end_of_the_request_is_in_the_log_without_the_token() {
    let output = Output::default();
    let writer = output.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _log = tracing::subscriber::set_default(subscriber);
    let guard = PassthroughGuard::new().unwrap();

    let verifier = service_fn(async |request: Request<()>| {
        let alice = Principal::assert_verified("https://as.example", "alice").build();
        request.extensions().get::<Trail>().unwrap().identify(&alice);
        Ok::<_, Infallible>(Response::new(()))
    });
    let request = Request::get("/").header("authorization", format!("Bearer {TOKEN}"));
    let server = guard.inbound_layer().layer(verifier);
    server.oneshot(request.body(()).unwrap()).await.unwrap();

    let client = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
    let client = guard.outbound_layer().layer(client);
    let request = Request::get(format!("https://up.example/path?token={TOKEN}"));
    client.oneshot(request.body(()).unwrap()).await.unwrap_err();

    let log = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("WARN") && log.contains("token passthrough refused"), "{log}");
    assert!(log.contains("https://up.example") && log.contains("requests=0"), "{log}");
    assert!(!log.contains(TOKEN) && !log.contains("path?"), "{log}");
}
