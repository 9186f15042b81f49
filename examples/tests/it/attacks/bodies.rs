//! Bodies that are too long, too slow, encoded, or have more behind them.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{
    Row, Target,
    raw::{Answer, Raw},
};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "BDY-01",
        attack: "endless chunks, 10 GB announced, shorter and longer than announced, broken chunks, a byte at a time; a head that never ends",
        answers: &["400 body_unreadable", "400 message_not_json", "413 body_too_large"],
        test: "bdy_01_length_and_pace",
    },
    Row {
        id: "BDY-02",
        attack: "compressed bodies that grow a thousandfold, every coding, two codings, unknown ones; as `Transfer-Encoding`",
        answers: &["400", "400 message_not_json", "415 content_encoding_unsupported"],
        test: "bdy_02_compressed_bodies",
    },
    Row {
        id: "BDY-03",
        attack: "bodies that are one call as they are and another when decoded; `identity` said of a compressed one",
        answers: &["400 message_not_json", "403 scope_missing", "415 content_encoding_unsupported"],
        test: "bdy_03_two_readers",
    },
    Row {
        id: "BDY-04",
        attack: "a token, a host, mirrored and override headers in the trailers",
        answers: &["400 header_mismatch", "401 token_missing", "403 host_not_allowed"],
        test: "bdy_04_trailers",
    },
];

fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// A chunked body, then these trailers.
fn chunked(data: &[u8], trailers: &str) -> Vec<u8> {
    [&chunk(data)[..], b"0\r\n", trailers.as_bytes(), b"\r\n"].concat()
}

/// A call of `delete_all_notes` and a million spaces, by gzip.
const COMPRESSED: &str = "\
    H4sIAAAAAAACA+3JSwqDMBRA0a2UN5b+hm5GggbaEo1oZsW91330nNGF+43PXpdtHaOP5/UeXbyn6B9dzLm96pnRai37bUylnHNNW5r36L+xpD\
    mfd8oltzycd1hqy3scxwUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPhbP43kLg\
    6TQg8A";

fn compressed() -> Vec<u8> {
    STANDARD.decode(COMPRESSED).unwrap()
}

#[tokio::test]
async fn bdy_01_length_and_pace() {
    let mut target = Target::start("BDY-01").await;
    let good = target.whoami();
    let message = good.clone().into_parts().1;
    let chunked_request = |target: &Target, body: Vec<u8>| {
        target.whoami().header("transfer-encoding", "chunked").body(body).token(target.fresh())
    };
    let megabyte = chunk(&vec![b' '; 1024 * 1024]);
    target.attack("endless chunks", chunked_request(&target, megabyte.repeat(6))).await;
    target
        .attack(
            "endless, with a call first",
            chunked_request(&target, [chunk(&message), megabyte.repeat(6)].concat()),
        )
        .await;
    for length in ["4194305", "10000000000", "9223372036854775807"] {
        let announced = good.clone().header("content-length", length).token(target.fresh());
        target.attack(length, announced).await;
    }
    for length in ["0", "1", "10"] {
        let shorter = good.clone().header("content-length", length).token(target.fresh());
        target.attack(length, shorter).await;
    }
    let size = message.len();
    let text = String::from_utf8(message.clone()).unwrap();
    for (variant, body) in [
        ("0x", format!("0x{size:x}\r\n{text}\r\n0\r\n\r\n")),
        ("sign", format!("+{size:x}\r\n{text}\r\n0\r\n\r\n")),
        ("overflow", format!("1{size:016x}\r\n{text}\r\n0\r\n\r\n")),
        ("no size", format!("\r\n{text}\r\n0\r\n\r\n")),
        ("no digits", format!("zz\r\n{text}\r\n0\r\n\r\n")),
        ("bare line feed in an extension", format!("{size:x};a\n{text}\r\n0\r\n\r\n")),
        ("long extension", format!("{size:x};{}\r\n{text}\r\n0\r\n\r\n", "a".repeat(20_000))),
        ("more than announced", format!("{:x}\r\n{text}\r\n0\r\n\r\n", size - 5)),
        ("less than announced", format!("{:x}\r\n{text}\r\n0\r\n\r\n", size + 1)),
    ] {
        target.attack(variant, chunked_request(&target, body.into_bytes())).await;
    }
    let several = message.chunks(7).flat_map(chunk).chain(*b"0\r\n\r\n").collect();
    target.lets_pass("small chunks", chunked_request(&target, several)).await;

    // A body has ten seconds, however it dawdles. A head has no limit: open, as no time is set in the server.
    let stalls = good.clone().header("content-length", "1000").body("{").token(target.fresh());
    let chunks = chunked_request(&target, Vec::new());
    let (stalls, chunks) = (stalls.bytes(), chunks.bytes());
    let long = Duration::from_secs(14);
    let (stalled, dripped, chunked, head) = tokio::join!(
        target.drip(&stalls, b"", long),
        target.drip(&stalls, b" ", long),
        target.drip(&chunks, b"1\r\n \r\n", long),
        target.drip(b"POST /mcp HTTP/1.1\r\nx: ", b"x", long),
    );
    for (answer, still_open) in [stalled, dripped, chunked] {
        assert!(!still_open, "{answer:?}");
        target.on_record += 1;
        target.is_refused("slow", &answer);
    }
    assert!(head.1, "mended: say so in the document, and what is answered: {:?}", head.0);
    target.finish().await;
}

#[tokio::test]
async fn bdy_02_compressed_bodies() {
    let mut target = Target::start("BDY-02").await;
    for coding in [
        "gzip",
        "x-gzip",
        "GZIP",
        "br",
        "zstd",
        "deflate",
        "compress",
        "dcb",
        "aes128gcm",
        "gzip, gzip",
        "gzip, identity",
        "identity, gzip",
        "identity, identity",
        "identity;q=1",
        "unheard-of",
        "*",
        "",
        "gzip\u{A0}",
    ] {
        for body in [compressed(), target.whoami().into_parts().1] {
            let request = target.whoami().header("content-encoding", coding).body(body);
            let answer = target.attack(coding, request.token(target.fresh())).await;
            assert_eq!(answer.header("accept-encoding"), Some("identity"), "{answer:?}");
        }
    }
    for (first, last) in [("identity", "gzip"), ("gzip", "identity"), ("gzip", "gzip")] {
        let request = target.whoami().header("content-encoding", first);
        let request = request.header("Content-Encoding", last).body(compressed());
        target.attack("two lines", request.token(target.fresh())).await;
    }
    for coding in ["gzip, chunked", "deflate, chunked", "x, chunked"] {
        let request = target.whoami().header("transfer-encoding", coding);
        let request = request.body(chunked(&compressed(), ""));
        target.attack(coding, request.token(target.fresh())).await;
    }
    for coding in ["gzip", "chunked, gzip", "br"] {
        let request = target.whoami().header("transfer-encoding", coding).body(compressed());
        target.attack_below(coding, request.token(target.fresh())).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn bdy_03_two_readers() {
    let mut target = Target::start("BDY-03").await;
    let whoami = target.whoami().into_parts().1;
    let delete = target.call("tools/call", json!({ "name": "delete_all_notes" })).into_parts().1;
    let named = |target: &Target| target.whoami().replace("mcp-name", "delete_all_notes");
    // Said to be compressed and not, compressed and not said to be, one behind the other.
    for body in [whoami.clone(), compressed(), [&whoami[..], &compressed()].concat()] {
        let request = target.whoami().header("content-encoding", "gzip").body(body);
        target.attack("said to be compressed", request.token(target.fresh())).await;
    }
    for (name, value) in [
        ("x", "y"),
        ("content-encoding", "identity"),
        ("content_encoding", "gzip"),
        ("x-content-encoding", "gzip"),
        ("transfer-encoding-x", "gzip"),
        ("content-transfer-encoding", "base64"),
        ("te", "gzip"),
    ] {
        for body in [
            compressed(),
            [&whoami[..], &compressed()].concat(),
            [&compressed()[..], &whoami].concat(),
        ] {
            let request = target.whoami().header(name, value).body(body);
            target.attack(name, request.token(target.fresh())).await;
        }
        let request = named(&target).header(name, value).body(delete.clone());
        target.attack(name, request.token(target.fresh())).await;
        let request = target.whoami().header(name, value).token(target.fresh());
        let answer = target.lets_pass(name, request).await;
        assert!(answer.body.contains("mallory"), "{answer:?}");
    }
    target.finish().await;
}

#[tokio::test]
async fn bdy_04_trailers() {
    let mut target = Target::start("BDY-04").await;
    let message = target.whoami().into_parts().1;
    let token = target.good().sign();
    let with = |target: &Target, trailers: &str| -> Raw {
        let names: Vec<_> = trailers.lines().filter_map(|line| line.split(':').next()).collect();
        target
            .whoami()
            .header("transfer-encoding", "chunked")
            .header("te", "trailers")
            .header("trailer", names.join(", "))
            .body(chunked(&message, trailers))
    };
    let bearer = format!("authorization: Bearer {token}\r\n");
    target.attack("a token", with(&target, &bearer)).await;
    target
        .attack(
            "a host",
            with(&target, &format!("host: {}\r\n", target.addr))
                .replace("host", "evil.example")
                .token(&token),
        )
        .await;
    let name = with(&target, "mcp-name: whoami\r\nmcp-method: tools/call\r\n");
    target.attack("mirrored headers", name.clone().without("mcp-name").token(&token)).await;
    target.attack("mirrored headers", name.replace("mcp-method", "tools/list").token(&token)).await;
    for trailers in [
        "mcp-name: delete_all_notes\r\n",
        "host: evil.example\r\norigin: https://evil.example\r\n",
        "content-encoding: gzip\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n",
        "x-http-method-override: DELETE\r\nx-user: alice\r\n",
        "authorization: Bearer bad\r\n",
    ] {
        let answer: Answer =
            target.lets_pass(trailers, with(&target, trailers).token(&token)).await;
        assert!(answer.body.contains("mallory"), "{answer:?}");
    }
    target.finish().await;
}
