//! What records say.

use std::{
    convert::Infallible,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use http::{Method, Request, Response, Version};
use http_body_util::BodyExt;
use palisade_core::{ClientAddr, Operation, Principal, Trail};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::{Records, Scripted, Step, clock, poll_times};
use crate::body::RequestBody;

type Incoming = Request<RequestBody<Scripted>>;

async fn nothing(_: Incoming) -> Result<Response<String>, Infallible> {
    Ok(Response::default())
}

#[tokio::test]
async fn a_record_says_who_what_when_and_how_much() {
    let records = Records::default();
    let clock = clock();
    let layer = records.layer().with_clock(clock.clone());
    let service = layer.layer(service_fn(async |request: Incoming| {
        let (mut parts, body) = request.into_parts();
        ClientAddr::peer(SocketAddr::from(([192, 0, 2, 1], 80))).leave_in(&mut parts);
        Principal::assert_verified("https://as.example", "alice").build().leave_in(&mut parts);
        body.collect().await.unwrap();
        clock.advance(Duration::from_millis(3));
        // Somebody corrects the date; measured time does not care.
        clock.set_wall(SystemTime::UNIX_EPOCH);
        Ok::<_, Infallible>(Response::builder().status(201).body(String::from("hello")).unwrap())
    }));
    let request = Request::put("/files/7?x=1")
        .version(Version::HTTP_2)
        .header("user-agent", "test/1")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .body(Scripted::new(&[Step::Data("12345"), Step::Data("67")]))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    clock.advance(Duration::from_millis(4));
    response.into_body().collect().await.unwrap();

    let record = records.only();
    assert_eq!(record.at, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    assert_eq!(record.elapsed, Duration::from_millis(7));
    assert_eq!(record.outcome.as_str(), "answered");
    assert_eq!(record.status.unwrap(), 201);
    assert_eq!(record.principal.unwrap().subject(), "alice");
    assert_eq!(record.operation, Operation::http("PUT", "/files/7"));
    assert_eq!(record.client.unwrap().to_string(), "192.0.2.1");
    assert_eq!((record.method, record.path.as_str()), (Method::PUT, "/files/7"));
    assert_eq!(record.version, Version::HTTP_2);
    assert_eq!(record.user_agent.as_deref(), Some("test/1"));
    assert_eq!((record.bytes_in, record.bytes_out), (7, 5));
    assert_eq!(record.trace.unwrap().to_string(), "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test]
async fn facts_that_were_left_outside_are_in_the_record() {
    let records = Records::default();
    let service = records.layer().layer(service_fn(nothing));
    let (mut parts, body) = Request::new(Scripted::default()).into_parts();
    ClientAddr::peer(SocketAddr::from(([192, 0, 2, 1], 80))).leave_in(&mut parts);
    Principal::assert_verified("https://as.example", "alice").build().leave_in(&mut parts);
    Operation::new("rpc", "call").leave_in(&mut parts);
    drop(service.oneshot(Request::from_parts(parts, body)).await.unwrap());

    let record = records.only();
    assert_eq!(record.client.unwrap().to_string(), "192.0.2.1");
    assert_eq!(record.principal.unwrap().subject(), "alice");
    assert_eq!(record.operation, Operation::new("rpc", "call"));
}

#[tokio::test]
async fn two_audit_layers_know_the_same() {
    let (outer, inner) = (Records::default(), Records::default());
    let service = ServiceBuilder::new().layer(outer.layer()).layer(inner.layer()).service_fn(
        async |request: Request<RequestBody<RequestBody<Scripted>>>| {
            let (parts, _) = request.into_parts();
            Trail::of(&parts).unwrap().name(&Operation::new("rpc", "call"));
            Ok::<_, Infallible>(Response::new(String::new()))
        },
    );
    drop(service.oneshot(Request::new(Scripted::default())).await.unwrap());
    for records in [outer, inner] {
        assert_eq!(records.only().operation, Operation::new("rpc", "call"));
    }
}

#[tokio::test]
async fn grpc_status_is_found_in_headers_and_in_trailers() {
    for (name, header, trailer, expected) in [
        ("neither", None, None, None),
        ("trailers", None, Some("5"), Some(5)),
        ("headers only", Some("16"), None, Some(16)),
        ("trailers win", Some("0"), Some("13"), Some(13)),
        ("unreadable", Some("no"), None, None),
    ] {
        let records = Records::default();
        let service = records.layer().layer(service_fn(async |_: Incoming| {
            let mut response = Response::builder();
            if let Some(header) = header {
                response = response.header("grpc-status", header);
            }
            let steps: Vec<_> = trailer.into_iter().map(Step::Trailers).collect();
            Ok::<_, Infallible>(response.body(Scripted::new(&steps)).unwrap())
        }));
        let mut response = service.oneshot(Request::new(Scripted::default())).await.unwrap();
        poll_times(response.body_mut(), 9);
        let record = records.only();
        assert_eq!(record.outcome.as_str(), "answered", "{name}");
        assert_eq!(record.grpc_status, expected, "{name}");
    }
}

#[tokio::test]
async fn log_04_no_secret_reaches_the_record() {
    let records = Records::default();
    let service = records.layer().layer(service_fn(nothing));
    let request = Request::post("/call?access_token=secret")
        .header("authorization", "Bearer secret")
        .header("cookie", "session=secret")
        .header("dpop", "secret")
        .header("referer", "https://client.example/?code=secret")
        .body(Scripted::new(&[Step::Data("client_secret=secret")]))
        .unwrap();
    drop(service.oneshot(request).await.unwrap());
    let record = records.only();
    for shown in [record.to_json(), format!("{record:?}")] {
        assert!(shown.contains("/call"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[test]
fn log_02_debug_output_cannot_mislead_either() {
    let mut record = crate::json::tests::record();
    record.user_agent = Some("\x1b[2J\u{9b}\r\n\u{202e}\u{200b}\u{2028}\u{feff}".to_owned());
    let shown = format!("{record:?}");
    assert!(shown.is_ascii() && !shown.contains(['\x1b', '\n']), "{shown:?}");
}
