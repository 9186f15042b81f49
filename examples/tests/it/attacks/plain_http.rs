//! Tokens that came, or may have come, over plain http.

use super::{Row, Target};

pub(super) const ROWS: &[Row] = &[Row {
    id: "HTTP-13",
    attack: "plain http: as the proxy says, by lists, lines, spellings and URIs that say otherwise; around the proxy; through one that nobody named",
    answers: &[
        "403 forwarded_scheme_invalid",
        "403 forwarded_scheme_missing",
        "403 plain_http",
        "500 proxy_unnamed",
        "500 rate_limit_key_missing",
    ],
    test: "http_13_plain_http",
}];

#[tokio::test]
async fn http_13_plain_http() {
    let mut target = Target::start("HTTP-13").await;
    // On loopback, without a proxy: plain http passed just now. It does not where somebody else may have sent it.
    let token = target.good().sign();
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.66"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("X-FORWARDED-PROTO", "http"),
        ("forwarded", "for=192.0.2.66;proto=https"),
        ("via", "1.1 proxy"),
        ("x-real-ip", "192.0.2.66"),
    ] {
        let forwarded = target.whoami().token(&token).header(name, value);
        target.attack(&format!("unnamed: {name}: {value}"), forwarded).await;
    }

    let mut target = target.next_behind_proxy().await;
    let token = target.good().sign();
    let good = target.whoami().token(&token);
    target.lets_pass("over https", good.clone()).await;
    let from_the_left = good.clone().replace("x-forwarded-proto", "http, ftp, https");
    target.lets_pass("what a client wrote on the left", from_the_left).await;
    let handshake = good.clone().replace("x-forwarded-proto", "wss");
    target.lets_pass("what some proxies say of a WebSocket over TLS", handshake).await;

    let plain = good.clone().replace("x-forwarded-proto", "http");
    target.attack("as the proxy says", plain.clone()).await;
    target.attack("without a token", plain.clone().without("authorization")).await;
    target.attack("a list", good.clone().replace("x-forwarded-proto", "https, http")).await;
    let lines = good.clone().replace("x-forwarded-proto", "https");
    target.attack("two lines", lines.header("x-forwarded-proto", "http")).await;
    for (name, value) in [
        ("forwarded", "proto=https"),
        ("x-forwarded-scheme", "https"),
        ("x-forwarded-ssl", "on"),
        ("front-end-https", "on"),
        ("x-url-scheme", "https"),
        ("x_forwarded_proto", "https"),
        ("origin", "https://notes.example"),
        ("upgrade-insecure-requests", "1"),
    ] {
        target.attack(name, plain.clone().header(name, value)).await;
    }
    let line = format!("POST https://{}/mcp HTTP/1.1", target.addr);
    target.attack("the URI", plain.clone().line(line)).await;
    for value in ["ws", "ftp", "\"https\"", "https http", "https;q=1", "proto=https", "\u{17f}"] {
        let odd = good.clone().replace("x-forwarded-proto", value);
        target.attack(value, odd).await;
    }
    for value in ["", "https,", "https, ", ","] {
        let empty = good.clone().replace("x-forwarded-proto", value);
        target.attack(value, empty).await;
    }
    target.attack("the proxy does not say", good.clone().without("x-forwarded-proto")).await;
    let claimed = good.clone().without("x-forwarded-proto").header("forwarded", "proto=https");
    target.attack("it is said elsewhere", claimed).await;
    let around = good.without("x-forwarded-proto").without("x-forwarded-for");
    target.attack("around the proxy", around).await;

    // Each of them is on record with its reason, and none with a name: no token was looked at.
    let audit = target.audit.lines(target.on_record).await;
    let plain = audit.lines().filter(|line| line.contains("\"reason\":\"plain_http\""));
    assert!(plain.clone().count() > 10, "{audit}");
    assert!(!plain.clone().any(|line| line.contains("principal")), "{audit}");
    assert!(plain.clone().all(|line| line.contains("\"client\":\"192.0.2.66\"")), "{audit}");
    target.finish().await;
}
