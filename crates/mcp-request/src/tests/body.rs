//! Bodies: how they are read, bounded and replayed.

use std::{pin::pin, task::Waker};

use http::{HeaderMap, HeaderValue, header::CONTENT_LENGTH};
use http_body_util::{Full, Limited};

use super::*;

fn limited(limit: usize) -> McpRequestLayer<JsonRpcRenderer> {
    McpRequestLayer::new("/mcp")
        .max_body_bytes(limit)
        .unwrap()
        .with_renderer(JsonRpcRenderer::new())
}

#[tokio::test]
async fn mcp_07_the_service_gets_the_bytes_that_were_checked() {
    let odd = " {\t\"method\":\"p\\u0069ng\", \"id\" : \"\\u0061\",\r\n\"jsonrpc\":\"2.0\" , \"x\":1.0e0 }\n";
    for message in [PING, odd] {
        let (response, seen) = send(post().body(message.into()).unwrap()).await;
        assert_eq!(response.status(), 200);
        let seen = seen.unwrap();
        assert_eq!(seen.body, message);
        assert_eq!(seen.size_hint.exact(), Some(message.len() as u64));
    }
}

#[tokio::test]
async fn a_body_may_come_in_any_pieces() {
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"😀é"}}"#;
    for at in 0..=message.len() {
        let (first, second) = message.as_bytes().split_at(at);
        let body = Frames::of([first.to_vec(), Vec::new(), second.to_vec()]);
        let (_, seen) = send(post().body(body).unwrap()).await;
        assert_eq!(seen.unwrap().body, message, "split at {at}");
    }
    let bytes = message.bytes().map(|byte| vec![byte]);
    let (_, seen) = send(post().body(Frames::of(bytes)).unwrap()).await;
    assert_eq!(seen.unwrap().body, message, "byte by byte");
}

#[tokio::test]
async fn bdy_01_a_body_has_at_most_as_many_bytes_as_the_limit() {
    for (name, limit, pieces, expected) in [
        ("exactly", PING.len(), vec![PING], 200),
        ("one too many", PING.len() - 1, vec![PING], 413),
        ("exactly, in pieces", PING.len() + 1, vec![PING, " "], 200),
        ("one too many, in pieces", PING.len(), vec![PING, " "], 413),
    ] {
        let request = post().body(Frames::of(pieces)).unwrap();
        let (response, seen) = send_through(limited(limit), request).await;
        assert_eq!(response.status(), expected, "{name}");
        assert_eq!(seen.is_some(), expected == 200, "{name}");
    }
}

#[test]
fn bdy_01_an_endless_body_is_left_at_the_limit() {
    let body = Frames::of(vec![vec![b' '; 1024]; 100]).then_nothing_more();
    let polls = Arc::clone(&body.polls);
    let call = limited(4096).layer(Keeper::default()).call(post().body(body).unwrap());
    let Poll::Ready(Ok(response)) = pin!(call).poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("reads on beyond the limit");
    };
    assert_eq!(response.status(), 413);
    assert_eq!(polls.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn bdy_01_an_announced_excess_is_refused_unread() {
    let mut announced_by_the_body = Frames::from(PING);
    announced_by_the_body.size_hint.set_lower(4097);
    for (length, body) in [("4097", Frames::from(PING)), ("1", announced_by_the_body)] {
        let polls = Arc::clone(&body.polls);
        let request = post().header(CONTENT_LENGTH, length).body(body).unwrap();
        let (response, seen) = send_through(limited(4096), request).await;
        assert_eq!((response.status().as_u16(), seen.is_none()), (413, true));
        assert_eq!(polls.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn mcp_11_the_default_limit_is_4_mib() {
    let padded = |size: usize| PING.to_owned() + &" ".repeat(size - PING.len());
    let accepted = post().body(padded(4 << 20).as_str().into()).unwrap();
    assert_eq!(send(accepted).await.0.status(), 200);
    let refused = post().body(padded((4 << 20) + 1).as_str().into()).unwrap();
    assert_eq!(refusal(refused).await, (413, "body_too_large"));
    McpRequestLayer::new("/mcp").max_body_bytes(0).unwrap_err();
}

#[tokio::test]
async fn a_broken_body_is_refused() {
    let broken = Frames::from(PING).then(Err("connection reset".into()));
    assert_eq!(refusal(post().body(broken).unwrap()).await, (400, "body_unreadable"));
    let too_long = Limited::new(Full::new(Bytes::from_static(b"ab")), 1);
    let limited_outside = Frames::from(PING).then(Err(too_long.collect().await.unwrap_err()));
    assert_eq!(refusal(post().body(limited_outside).unwrap()).await, (413, "body_too_large"));
}

#[tokio::test]
async fn bdy_04_trailers_are_dropped() {
    let mut trailers = HeaderMap::new();
    trailers.insert("authorization", HeaderValue::from_static("Bearer other"));
    let body = Frames::from(PING).then(Ok(Frame::trailers(trailers)));
    let (_, seen) = send(post().body(body).unwrap()).await;
    let seen = seen.unwrap();
    assert_eq!(seen.trailers, None);
    assert!(!seen.parts.headers.contains_key("authorization"));
}

#[tokio::test]
async fn what_is_no_post_is_passed_unread() {
    for method in ["GET", "DELETE", "OPTIONS", "HEAD", "PUT", "post"] {
        let mut trailers = HeaderMap::new();
        trailers.insert("x", HeaderValue::from_static("y"));
        let body = Frames::from("[]").then(Ok(Frame::trailers(trailers.clone())));
        let polls = Arc::clone(&body.polls);
        let request =
            Request::builder().method(method).uri("http://localhost/mcp").body(body).unwrap();
        let keeper = Keeper::default();
        let call = McpRequestLayer::new("/mcp").layer(keeper.clone()).call(request);
        assert_eq!(polls.load(Ordering::Relaxed), 0, "{method}");
        assert_eq!(call.await.unwrap().status(), 200, "{method}");
        let seen = keeper.take().unwrap();
        assert_eq!((seen.body, seen.trailers), (Bytes::from("[]"), Some(trailers)), "{method}");
        assert!(seen.parts.extensions.get::<crate::McpCall>().is_none(), "{method}");
        assert_eq!(palisade_core::Operation::of(&seen.parts).protocol(), "http", "{method}");
    }
}
