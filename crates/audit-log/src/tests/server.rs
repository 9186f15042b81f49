//! The same with a real server: hyper decides which bodies it polls, and how far.

use std::convert::Infallible;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tower::{Layer, service_fn};

use super::{Records, Scripted, Step};
use crate::{AuditRecord, body::RequestBody};

/// Sends `request` over one connection, and hangs up after the answer, or within it.
async fn serve(request: &str, response: Response<Scripted>, read: Option<usize>) -> AuditRecord {
    let records = Records::default();
    let service =
        records.layer().layer(service_fn(move |request: Request<RequestBody<Incoming>>| {
            let response = response.clone();
            async move {
                http_body_util::BodyExt::collect(request.into_body()).await.ok();
                Ok::<_, Infallible>(response)
            }
        }));
    let (mut client, server) = duplex(1024);
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(server), TowerToHyperService::new(service));
    let talk = async move {
        client.write_all(request.as_bytes()).await.unwrap();
        match read {
            None => drop(client.read_to_end(&mut Vec::new()).await),
            Some(length) => drop(client.read_exact(&mut vec![0; length]).await),
        }
    };
    // The server finds the connection closed in the one case and closes it in the other.
    let _ = tokio::join!(connection, talk);
    records.only()
}

#[tokio::test]
async fn hyper_ends_bodies_in_every_way_and_none_of_them_looks_abandoned() {
    let get = "GET /a HTTP/1.1\r\nconnection: close\r\nhost: h\r\n\r\n";
    let head = "HEAD /a HTTP/1.1\r\nconnection: close\r\nhost: h\r\n\r\n";
    let post = "POST /a HTTP/1.1\r\nconnection: close\r\ncontent-length: 4\r\nhost: h\r\n\r\nabcd";
    let abc = || Scripted::new(&[Step::Data("a"), Step::Data("bc")]);
    let plain = Response::new;
    let declared = |body| Response::builder().header("content-length", "3").body(body).unwrap();
    for (name, request, response, bytes_in, bytes_out) in [
        ("chunked", get, plain(abc()), 0, 3),
        ("exact size", get, plain(abc().of_length(3)), 0, 3),
        ("declared length", get, declared(abc()), 0, 3),
        ("known end", get, plain(abc().knowing_its_end()), 0, 3),
        ("empty", get, plain(Scripted::new(&[]).knowing_its_end()), 0, 0),
        ("empty, of unknown length", get, plain(Scripted::new(&[])), 0, 0),
        ("HEAD", head, plain(abc()), 0, 0),
        ("HEAD with length", head, declared(abc()), 0, 0),
        ("no content", get, Response::builder().status(204).body(abc()).unwrap(), 0, 0),
        ("request body", post, plain(abc()), 4, 3),
    ] {
        let record = serve(request, response, None).await;
        assert_eq!(record.outcome.as_str(), "answered", "{name}");
        assert_eq!((record.bytes_in, record.bytes_out), (bytes_in, bytes_out), "{name}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_abandons_the_response() {
    let get = "GET /a HTTP/1.1\r\nhost: h\r\n\r\n";
    let stuck = Scripted::new(&[&[Step::Data("a")][..], &[Step::Wait; 99]].concat());
    let record = serve(get, Response::new(stuck), Some(20)).await;
    assert_eq!((record.outcome.as_str(), record.bytes_out), ("abandoned", 1));
    assert_eq!(record.status.unwrap(), 200);
}
