//! The way that keys come.

use std::time::Duration;

use palisade_test_issuer::{Behaviour, TestIssuer};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    Row, Target,
    canned::{Canned, Script},
};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "JWK-06",
        attack: "101 keys, 600 KB, 100 MB, a gzip bomb, an endless answer, one byte every tenth of a second",
        answers: &["503 keys_unavailable"],
        test: "jwk_06_too_much_and_too_slow",
    },
    Row {
        id: "JWK-07",
        attack: "redirects of the key set and of the metadata: to the attacker, to loopback, to itself, to a file",
        answers: &["503 keys_unavailable"],
        test: "jwk_07_redirects",
    },
    Row {
        id: "JWK-10",
        attack: "no keys at the start, or none later: errors, HTML, half a set, an empty set, no answer",
        answers: &["503 keys_unavailable"],
        test: "jwk_10_outages",
    },
    Row {
        id: "JWK-12",
        attack: "metadata of another issuer, without keys, with keys on other schemes and hosts, with names twice",
        answers: &["503 keys_unavailable"],
        test: "jwk_12_metadata_of_others",
    },
];

/// An issuer whose metadata and keys are what `canned` answers.
pub(super) fn issuer_at(canned: &Canned) -> TestIssuer {
    canned.answer_metadata(&canned.url, &format!("{}/jwks", canned.url));
    TestIssuer::builder().in_process(&canned.url).unwrap()
}

/// A server without keys refuses a good token with "come back", in time.
async fn refuses_for_now(target: &mut Target, variant: &str) {
    let begin = Instant::now();
    let answer = target.attack_with(variant, target.good().sign()).await;
    assert!(begin.elapsed() < Duration::from_secs(9), "{variant}: {:?}", begin.elapsed());
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{variant}: {answer:?}");
}

/// Each on a server of its own.
async fn each_refused_for_now(id: &str, cases: Vec<(&str, TestIssuer)>) {
    let mut target: Option<Target> = None;
    for (variant, issuer) in cases {
        let mut at = match target {
            None => Target::start_cold(id, issuer).await,
            Some(before) => before.next(issuer).await,
        };
        refuses_for_now(&mut at, variant).await;
        target = Some(at);
    }
    target.unwrap().finish().await;
}

#[tokio::test]
async fn jwk_06_too_much_and_too_slow() {
    let never = Duration::ZERO;
    let mut cases = Vec::new();
    let mut running = Vec::new();
    for variant in [
        "101 keys",
        "600 KB",
        "100 MB",
        "said to be 100 MB",
        "gzip",
        "a gzip bomb",
        "endless chunks",
        "endless, without length",
        "endless headers",
        "too short",
        "drip",
    ] {
        let canned = Canned::start().await;
        let issuer = issuer_at(&canned);
        let good = issuer.jwks();
        let key = good["keys"][0].clone();
        let many =
            |count: usize| json!({ "keys": vec![json!({ "kty": "x" }); count], "more": key });
        let text = good.to_string();
        let zeros = vec![b' '; 64 << 10];
        let chunk = [b"10000\r\n", zeros.as_slice(), b"\r\n"].concat();
        let json_type = "content-type: application/json";
        canned.answer(
            "/jwks",
            match variant {
                "101 keys" => {
                    let mut keys = many(100);
                    keys["keys"].as_array_mut().unwrap().push(key);
                    Script::json(&keys)
                }
                "600 KB" => Script::body(json_type, format!("{text}{}", " ".repeat(600 << 10))),
                "100 MB" => Script::raw(format!(
                    "HTTP/1.1 200 OK\r\n{json_type}\r\ncontent-length: 100000000\r\n\r\n{text}"
                ))
                .then_again(zeros, never),
                "said to be 100 MB" => Script::raw(format!(
                    "HTTP/1.1 200 OK\r\n{json_type}\r\ncontent-length: 100000000\r\n\r\n{text}"
                )),
                "gzip" => Script::body("content-encoding: gzip", gzip(text.as_bytes())),
                "a gzip bomb" => Script::body("content-encoding: gzip", gzip(&vec![b' '; 1 << 20])),
                "endless chunks" => {
                    Script::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                        .then_again(chunk, never)
                }
                "endless, without length" => {
                    Script::raw("HTTP/1.1 200 OK\r\n\r\n").then_again(zeros, never)
                }
                "endless headers" => {
                    Script::raw("HTTP/1.1 200 OK\r\n").then_again("x-more: x\r\n", never)
                }
                "too short" => Script::raw(format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}",
                    text.len() + 1
                )),
                _ => Script::raw(format!("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n{text}"))
                    .then_again(" ", Duration::from_millis(100)),
            },
        );
        cases.push((variant, issuer));
        running.push(canned);
    }
    each_refused_for_now("JWK-06", cases).await;
}

/// Stored, not compressed: what matters is whether anybody unpacks it.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut blocks = content.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let len = u16::try_from(block.len()).unwrap();
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(len.to_le_bytes());
        out.extend((!len).to_le_bytes());
        out.extend(block);
    }
    let crc = content.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    out.extend((!crc).to_le_bytes());
    out.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    out
}

#[tokio::test]
async fn jwk_07_redirects() {
    let evil = Canned::start().await;
    let to = |location: &str| {
        Script::raw(format!(
            "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        ))
    };
    let mut cases = Vec::new();
    let mut running = Vec::new();
    for location in [
        format!("{}/jwks", evil.url),
        "/other".to_owned(),
        "/jwks".to_owned(),
        "http://localhost:1/jwks".to_owned(),
        "http://169.254.169.254/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "//evil.example/jwks".to_owned(),
    ] {
        let canned = Canned::start().await;
        let issuer = issuer_at(&canned);
        canned.answer("/other", Script::json(&issuer.jwks()));
        evil.answer("/jwks", Script::json(&issuer.jwks()));
        canned.answer("/jwks", to(&location));
        cases.push(("key set", issuer));
        running.push(canned);
        // The metadata, of which there may be two.
        let canned = Canned::start().await;
        let issuer = issuer_at(&canned);
        evil.answer_metadata(&canned.url, &format!("{}/jwks", evil.url));
        canned.answer("/jwks", Script::json(&issuer.jwks()));
        for name in ["oauth-authorization-server", "openid-configuration"] {
            let location = location.replace("/jwks", "/.well-known/oauth-authorization-server");
            canned.answer(&format!("/.well-known/{name}"), to(&location));
        }
        cases.push(("metadata", issuer));
        running.push(canned);
    }
    each_refused_for_now("JWK-07", cases).await;
    assert_eq!(evil.asked(), [""; 0], "nobody followed");
}

#[tokio::test]
async fn jwk_10_outages() {
    let bodies = [
        "",
        "<!doctype html><title>Bad gateway</title>",
        "null",
        "[]",
        "{}",
        r#"{"keys":[]}"#,
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":[{}]}"#,
        r#"{"keys":[{"kty":"oct","k":"","kid":"x"}]}"#,
        r#"{"keys":[{"kty":"EC","crv":"P-256""#,
    ];
    let statuses =
        [204, 206, 301, 304, 400, 401, 403, 404, 410, 429, 500, 503].map(Behaviour::Status);
    let bodies = bodies.map(|body| Behaviour::Body(body.into()));
    let mut cases = Vec::new();
    for behaviour in bodies.into_iter().chain(statuses).chain([Behaviour::Hang]) {
        let issuer = TestIssuer::builder().start().await.unwrap();
        // A set that names `keys` twice is no set, whichever of the two is good.
        issuer.behave(behaviour).unwrap();
        cases.push(("at the start", issuer));
    }
    for (before, behind) in [("[]", false), ("[]", true), ("null", true)] {
        let issuer = TestIssuer::builder().start().await.unwrap();
        let keys = issuer.jwks()["keys"].to_string();
        let (first, second) = if behind { (&*keys, before) } else { (before, &*keys) };
        let body = format!(r#"{{"keys":{first},"keys":{second}}}"#);
        issuer.behave(Behaviour::Body(body.into())).unwrap();
        cases.push(("twice", issuer));
    }
    // An odd key is left out of its set, as JWK-05 shows, but not if nobody could read the set.
    let issuer = TestIssuer::builder().start().await.unwrap();
    let deep = (0..64).fold(json!(1), |inside, _| json!([inside]));
    issuer.publish_raw_key(json!({ "kty": "x", "x": deep }));
    cases.push(("one key of 64 levels", issuer));
    each_refused_for_now("JWK-10", cases).await;

    // It heals by itself.
    let issuer = TestIssuer::builder().start().await.unwrap();
    issuer.behave(Behaviour::Status(500)).unwrap();
    let mut target = Target::start_cold("JWK-10", issuer).await;
    refuses_for_now(&mut target, "at the start").await;
    target.issuer.behave(Behaviour::Normal).unwrap();
    let good = target.good().sign();
    let mut healed = false;
    for _ in 0..50 {
        sleep(Duration::from_millis(100)).await;
        healed = target.ask(target.whoami().token(&good)).await.status == 200;
        if healed {
            break;
        }
    }
    assert!(healed, "the retries go on");

    let mut target = target.next(TestIssuer::builder().start().await.unwrap()).await;
    target.lets_pass("before", target.whoami().token(target.good().sign())).await;
    // Keys that were good stay good while the issuer is away, and unknown ones are not judged.
    target.issuer.behave(Behaviour::Body(r#"{"keys":[]}"#.into())).unwrap();
    let unknown = target.good().header("kid", "new").sign();
    target.attack_with("while the issuer is away", unknown).await;
    target.lets_pass("known", target.whoami().token(target.good().sign())).await;
    target.finish().await;
}

#[tokio::test]
async fn jwk_12_metadata_of_others() {
    let evil = Canned::start().await;
    evil.answer(
        "/jwks",
        Script::json(&TestIssuer::builder().in_process("https://evil.example").unwrap().jwks()),
    );
    let mut cases = Vec::new();
    let mut running = Vec::new();
    type Metadata<'a> = &'a dyn Fn(&str, &str) -> String;
    let json =
        |issuer: Value, keys: Value| json!({ "issuer": issuer, "jwks_uri": keys }).to_string();
    let evil_keys = format!("{}/jwks", evil.url);
    let variants: [(&str, Metadata<'_>); 20] = [
        ("another issuer", &|_, keys| json(json!("https://evil.example"), json!(keys))),
        ("another issuer's keys", &|_, _| json(json!(evil.url), json!(evil_keys))),
        ("a slash", &|own, keys| json(json!(format!("{own}/")), json!(keys))),
        ("upper case", &|own, keys| json(json!(own.to_uppercase()), json!(keys))),
        ("a list", &|own, keys| json(json!([own]), json!(keys))),
        ("no issuer", &|_, keys| json!({ "jwks_uri": keys }).to_string()),
        ("null", &|_, keys| json(json!(null), json!(keys))),
        ("no keys", &|own, _| json!({ "issuer": own }).to_string()),
        ("keys inline", &|own, _| json!({ "issuer": own, "jwks": { "keys": [] } }).to_string()),
        ("keys in a list", &|own, keys| json(json!(own), json!([keys]))),
        ("a relative address", &|own, _| json(json!(own), json!("/jwks"))),
        ("a file", &|own, _| json(json!(own), json!("file:///etc/passwd"))),
        ("a metadata service", &|own, _| json(json!(own), json!("http://169.254.169.254/"))),
        ("plain http", &|own, _| json(json!(own), json!("http://evil.example/jwks"))),
        ("loopback by name", &|own, _| json(json!(own), json!("http://127.0.0.1.evil.example/"))),
        ("user information", &|own, keys| {
            json(json!(own), json!(keys.replace("http://", "http://user:pass@")))
        }),
        ("a fragment", &|own, keys| json(json!(own), json!(format!("{keys}#x")))),
        ("white space", &|own, keys| json(json!(own), json!(format!(" {keys}")))),
        ("issuer twice", &|own, keys| {
            format!(r#"{{"issuer":"https://evil.example","issuer":"{own}","jwks_uri":"{keys}"}}"#)
        }),
        ("keys twice", &|own, keys| {
            format!(r#"{{"issuer":"{own}","jwks_uri":"{evil_keys}","\u006awks_uri":"{keys}"}}"#)
        }),
    ];
    for (variant, metadata) in variants {
        let canned = Canned::start().await;
        let issuer = TestIssuer::builder().in_process(&canned.url).unwrap();
        let keys = format!("{}/jwks", canned.url);
        canned.answer("/jwks", Script::json(&issuer.jwks()));
        for name in ["oauth-authorization-server", "openid-configuration"] {
            let body = metadata(&canned.url, &keys);
            let script = Script::body("content-type: application/json", body);
            canned.answer(&format!("/.well-known/{name}"), script);
        }
        cases.push((variant, issuer));
        running.push(canned);
    }
    each_refused_for_now("JWK-12", cases).await;
    assert_eq!(evil.asked(), [""; 0]);
    for canned in running {
        assert!(!canned.asked().contains(&"/jwks".to_owned()), "nothing in such metadata is used");
    }
}
