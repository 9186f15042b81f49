//! Where one request ends and the next one begins.

use super::{Row, Target, raw::Answer};

pub(super) const ROWS: &[Row] = &[Row {
    id: "HTTP-11",
    attack: "requests in the bodies of refused requests; lengths and codings that contradict each other; upgrades",
    answers: &["400", "401 token_missing", "413 body_too_large"],
    test: "http_11_smuggling",
}];

#[tokio::test]
async fn http_11_smuggling() {
    let mut target = Target::start("HTTP-11").await;
    let token = target.good().sign();
    let smuggled = target.whoami().token(&token).bytes();
    let last = target.whoami().bytes();
    let head = |lines: &str, target: &Target| {
        format!("POST /mcp HTTP/1.1\r\nhost: {}\r\n{lines}\r\n\r\n", target.addr).into_bytes()
    };
    let authorized = format!("content-type: application/json\r\nauthorization: Bearer {token}\r\n");

    // The body of a refused request is no request. The one after it is.
    let own_length = format!("content-length: {}", smuggled.len());
    let size = format!("{:x}\r\n", smuggled.len());
    let in_chunks = [size.as_bytes(), &smuggled, b"\r\n0\r\n\r\n"];
    for (variant, lines, body) in [
        ("in the body", own_length.clone(), smuggled.clone()),
        ("in a chunk", "transfer-encoding: chunked".to_owned(), in_chunks.concat()),
        (
            "no coding of that name",
            format!("transfer_encoding: chunked\r\n{own_length}"),
            smuggled.clone(),
        ),
    ] {
        let bytes = [head(&lines, &target), body, last.clone()].concat();
        let answers = target.converse(&bytes).await;
        are_refused(&mut target, variant, &answers, &["401 token_missing", "401 token_missing"]);
        target.on_record += 2;
    }
    // What comes after a length that contradicts itself, or is too long, is not read at all (RFC 9112 §6.1).
    for (variant, lines, body, answer) in [
        (
            "CL.TE",
            "content-length: 5\r\ntransfer-encoding: chunked",
            "0\r\n\r\n",
            "401 token_missing",
        ),
        (
            "TE.CL",
            "transfer-encoding: chunked\r\ncontent-length: 5",
            "0\r\n\r\n",
            "401 token_missing",
        ),
        ("10 GB", &format!("{authorized}content-length: 10000000000"), "", "413 body_too_large"),
    ] {
        let bytes = [&head(lines, &target), body.as_bytes(), &smuggled, &last].concat();
        let answers = target.converse(&bytes).await;
        are_refused(&mut target, variant, &answers, &[answer]);
        target.on_record += 1;
    }
    // Refused by the HTTP library.
    for lines in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 5",
        "content-length: 5, 6",
        "content-length: +5",
        "content-length: -1",
        "content-length: 0x5",
        "content-length: 5 5",
        "content-length:",
        "content-length: 18446744073709551616",
        "content-length : 5",
        "transfer-encoding: identity",
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: chunked;q=1",
        "transfer-encoding: \"chunked\"",
        "transfer-encoding: \u{B}chunked",
        "transfer-encoding : chunked",
        "x: y\r\n transfer-encoding: chunked",
        "transfer-encoding:\r\n chunked",
        "x: y\rtransfer-encoding: chunked",
        "transfer-encoding: chunked\0",
    ] {
        let bytes = [&head(lines, &target), &b"0\r\n\r\n"[..], &smuggled].concat();
        let answers = target.converse(&bytes).await;
        are_refused(&mut target, lines, &answers, &["400"]);
    }
    let old = format!(
        "POST /mcp HTTP/1.0\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n",
        target.addr
    );
    let answers = target.converse(&[old.as_bytes(), b"0\r\n\r\n", &smuggled].concat()).await;
    are_refused(&mut target, "chunks in HTTP/1.0", &answers, &["400"]);

    // Nobody is told to go on before it is known who asks.
    for header in [("expect", "100-continue"), ("upgrade", "h2c"), ("upgrade", "websocket")] {
        let bytes = target.whoami().header(header.0, header.1).bytes();
        let answers = target.converse(&bytes).await;
        are_refused(&mut target, header.1, &answers, &["401 token_missing"]);
        target.on_record += 1;
    }
    target.finish().await;
}

fn are_refused(target: &mut Target, variant: &str, answers: &[Answer], expected: &[&str]) {
    let summaries: Vec<_> = answers.iter().map(Answer::summary).collect();
    assert_eq!(summaries, expected, "HTTP-11, {variant:?}: {answers:?}");
    for answer in answers {
        target.is_refused(variant, answer);
    }
}
