use std::{env, process::Command};

use palisade_test_issuer::{Behaviour, TestIssuer};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    BearerToken, JwtVerifier, VerifyToken,
    keys::{RemoteKeys, fetch::Read, import::Import},
};

async fn start() -> TestIssuer {
    TestIssuer::builder().default_audience("https://api.example").start().await.unwrap()
}

fn resource(url: &str) -> Resource {
    Resource::parse(url).unwrap()
}

async fn fetch(source: &HttpSource) -> Result<usize, HttpSourceError> {
    let (read, _) = source.fetch().await?.read(Import::new()).unwrap();
    match read {
        Read::Set { keys, .. } => Ok(keys.len()),
        Read::NotModified => panic!("nobody asked"),
    }
}

#[test]
fn keys_come_over_https_or_from_loopback() {
    for url in ["https://as.example/jwks", "https://as.example/jwks?v=1", "http://127.0.0.1:1/jwks"]
    {
        assert!(HttpSource::new(url).is_ok(), "{url}");
    }
    for url in [
        "http://as.example/jwks",
        "file:///etc/passwd",
        "https://user:secret@as.example/jwks",
        "https://as.example/jwks#x",
        "as.example/jwks",
        "",
    ] {
        let error = HttpSource::new(url).unwrap_err();
        assert!(matches!(error, HttpSourceSetupError::Url(_)), "{url}");
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}

#[test]
fn metadata_are_looked_for_where_the_standards_put_them() {
    let places = |issuer: &str| {
        let places = metadata_places(&Resource::parse(issuer).unwrap()).unwrap();
        places.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for root in ["https://as.example", "https://as.example/"] {
        assert_eq!(
            places(root),
            [
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ]
        );
    }
    for tenant in ["https://as.example:8443/a/b", "https://as.example:8443/a/b/"] {
        assert_eq!(
            places(tenant),
            [
                "https://as.example:8443/.well-known/oauth-authorization-server/a/b",
                "https://as.example:8443/.well-known/openid-configuration/a/b",
                "https://as.example:8443/a/b/.well-known/openid-configuration",
            ]
        );
    }
}

#[tokio::test]
async fn fetches_from_a_named_address_and_by_discovery() {
    let server = start().await;
    assert_eq!(fetch(&HttpSource::new(&server.jwks_uri()).unwrap()).await.unwrap(), 1);
    let issuer = Issuer::parse(server.issuer()).unwrap();
    let source = HttpSource::discover(&issuer).unwrap();
    let verifier = JwtVerifier::new(issuer, RemoteKeys::spawn(source).unwrap()).unwrap();
    let token = BearerToken::parse(&server.mint().subject("alice").sign()).unwrap();
    assert_eq!(verifier.verify(token).await.unwrap().subject(), "alice");
}

#[tokio::test]
async fn jwk_12_metadata_of_another_issuer_are_not_used() {
    let server = start().await;
    // The same server by another name: everything is reachable, and nothing is the issuer's.
    let alias = server.issuer().replace("127.0.0.1", "localhost");
    let source = HttpSource::discover(&Issuer::parse(&alias).unwrap()).unwrap();
    assert!(matches!(fetch(&source).await, Err(HttpSourceError::WrongIssuer)));
    assert_eq!(server.jwks_fetches(), 0);
}

#[tokio::test]
async fn jwk_06_07_and_10_only_a_bounded_200_is_an_answer() {
    let server = start().await;
    let source = HttpSource::new(&server.jwks_uri()).unwrap();
    let elsewhere = start().await;
    let rows = [
        (Behaviour::Redirect(elsewhere.jwks_uri()), "the status is 302, not 200"),
        (Behaviour::Status(404), "the status is 404, not 200"),
        (Behaviour::Status(500), "the status is 500, not 200"),
        (Behaviour::Status(204), "the status is 204, not 200"),
        (
            Behaviour::Body(vec![b' '; MAX_SET_BYTES + 1].into()),
            "the answer is larger than 512 KiB",
        ),
    ];
    for (behaviour, expected) in rows {
        server.behave(behaviour).unwrap();
        assert_eq!(source.fetch().await.unwrap_err().to_string(), expected);
    }
    assert_eq!(elsewhere.jwks_fetches(), 0, "redirects are not followed");
    server.shutdown().await;
    let error = source.fetch().await.unwrap_err();
    assert_eq!(error.to_string(), "the HTTP exchange failed");
    assert!(!format!("{error:?}").contains("/jwks"), "no address: {error:?}");
}

#[tokio::test]
async fn jwk_07_an_issuer_on_https_does_not_lead_to_http() {
    let server = start().await;
    let source = HttpSource::discover(&Issuer::parse("https://as.example").unwrap()).unwrap();
    let error =
        source.get(&resource(&server.jwks_uri()), "application/json", None).await.unwrap_err();
    assert!(matches!(error, HttpSourceError::Address(RefusedAddressError::Loopback)));
    assert_eq!(server.jwks_fetches(), 0);
}

#[test]
fn jwk_12_the_address_of_the_keys_is_read_from_the_right_metadata_only() {
    use HttpSourceError::{KeyUrl, WrongIssuer};

    let https = Issuer::parse("https://as.example").unwrap();
    let loopback = Issuer::parse("http://127.0.0.1:9").unwrap();
    let outcome = |metadata: Value, issuer: &Issuer| {
        key_url(metadata.as_object().unwrap(), issuer).map(|url| url.as_str().to_owned())
    };
    let keys = "https://keys.example/jwks";
    let url = outcome(json!({ "issuer": "https://as.example", "jwks_uri": keys }), &https).unwrap();
    assert_eq!(url, keys, "another host is the issuer's choice");
    let local = json!({ "issuer": "http://127.0.0.1:9", "jwks_uri": "http://127.0.0.1:9/jwks" });
    outcome(local, &loopback).unwrap();
    for issuer in [
        json!("https://as.example/"),
        json!("HTTPS://as.example"),
        json!(null),
        json!(["https://as.example"]),
    ] {
        let metadata = json!({ "issuer": issuer, "jwks_uri": keys });
        assert!(matches!(outcome(metadata, &https), Err(WrongIssuer)), "{issuer}");
    }
    assert!(matches!(outcome(json!({ "jwks_uri": keys }), &https), Err(WrongIssuer)));
    for url in [
        json!("http://127.0.0.1/jwks"),
        json!("http://as.example/jwks"),
        json!("file:///etc/passwd"),
        json!("/jwks"),
        json!(null),
        json!([keys]),
    ] {
        let metadata = json!({ "issuer": "https://as.example", "jwks_uri": url });
        assert!(matches!(outcome(metadata, &https), Err(KeyUrl)), "{url}");
    }
    assert!(matches!(outcome(json!({ "issuer": "https://as.example" }), &https), Err(KeyUrl)));
}

/// Accepts one connection, and reads one request from it.
async fn accept_request(listener: TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(head).unwrap())
}

#[tokio::test]
async fn jwk_06_an_exchange_is_limited_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let server = async {
        let held = accept_request(listener).await;
        // From here on nothing happens but that time passes, so it passes at once.
        tokio::time::pause();
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(held);
    };
    let source = HttpSource::new(&url).unwrap();
    tokio::select! {
        biased;
        answer = source.fetch() => {
            assert!(matches!(answer, Err(HttpSourceError::Exchange(_))));
        }
        () = server => panic!("still waiting after a minute"),
    }
}

#[tokio::test]
async fn jwk_06_a_compressed_answer_is_neither_asked_for_nor_expanded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let server = async {
        let (mut stream, head) = accept_request(listener).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}")
            .await
            .unwrap();
        head
    };
    let source = HttpSource::new(&url).unwrap();
    let url = resource(&url);
    let (answer, head) = tokio::join!(source.get(&url, "application/json", None), server);
    assert!(!head.to_ascii_lowercase().contains("accept-encoding"), "{head}");
    // Expanding would have failed: these bytes are not gzip.
    assert_eq!(answer.unwrap().body, b"{}");
}

/// A proxy variable must not decide who provides keys. The environment of a process is read once, so
/// another process has to fetch with it.
#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "keys::http::tests::fetches_from_a_named_address_and_by_discovery"])
        .env("http_proxy", "http://127.0.0.1:1")
        .env("all_proxy", "http://127.0.0.1:1")
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn jwk_11_metadata_do_not_lead_into_our_network() {
    let issuer = Issuer::parse("https://as.example").unwrap();
    let source = HttpSource::discover(&issuer).unwrap();
    // What the metadata of that issuer may name, and `key_url` lets pass.
    for url in ["https://10.0.0.1/jwks", "https://169.254.169.254/", "https://localhost/jwks"] {
        let error = source.get(&resource(url), "application/json", None).await.unwrap_err();
        assert!(matches!(error, HttpSourceError::Address(_)), "{url}: {error:?}");
    }
    let source = HttpSource::new("https://10.0.0.1:1/jwks").unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, HttpSourceError::Address(RefusedAddressError::Private)));
}

#[tokio::test]
async fn an_issuer_in_a_private_network_is_asked_if_the_operator_says_so() {
    let source = HttpSource::new("https://10.0.0.1:1/jwks").unwrap();
    let source = source.address_policy(AddressPolicy::AllowPrivate).unwrap();
    assert!(format!("{source:?}").contains("AllowPrivate"), "{source:?}");
}

#[tokio::test]
async fn an_unchanged_set_is_not_sent_again_and_a_tag_counts_at_its_address_only() {
    let server = start().await;
    server.set_cache_control("public, max-age=90").unwrap();
    let source = HttpSource::new(&server.jwks_uri()).unwrap();
    let (_, first) = source.fetch().await.unwrap().read(Import::new()).unwrap();
    assert_eq!(first.max_age, Some(Duration::from_secs(90)));
    let validator = first.validator.unwrap();
    let again = async |held: &KeyValidator| {
        source.fetch_unless(held).await.unwrap().read(Import::new()).unwrap()
    };
    let (read, freshness) = again(&validator).await;
    assert!(matches!(read, Read::NotModified));
    assert_eq!(freshness.max_age, Some(Duration::from_secs(90)));
    assert_eq!(server.jwks_unmodified(), 1);
    // The same tag of another address says nothing about this one.
    let elsewhere = validator.as_str().replace("/jwks", "/other");
    assert!(matches!(again(&KeyValidator::new(&elsewhere)).await.0, Read::Set { .. }));
    assert!(matches!(again(&KeyValidator::new("")).await.0, Read::Set { .. }));
    server.rotate(palisade_test_issuer::Retire::KeepPrevious).unwrap();
    assert!(matches!(again(&validator).await.0, Read::Set { .. }));
    assert_eq!(server.jwks_unmodified(), 1);
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_no_answer() {
    let server = start().await;
    server.behave(Behaviour::Status(304)).unwrap();
    let source = HttpSource::new(&server.jwks_uri()).unwrap();
    assert!(matches!(source.fetch().await, Err(HttpSourceError::Status(304))));
}

#[tokio::test]
async fn jwk_13_the_time_in_caches_is_taken_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let server = async {
        let (mut stream, _) = accept_request(listener).await;
        let head = "HTTP/1.1 200 OK\r\ncache-control: max-age=100\r\nage: 40\r\netag: bare\r\n";
        let body = "cache-control: max-age=80\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    };
    let source = HttpSource::new(&url).unwrap();
    let url = resource(&url);
    let (answer, ()) = tokio::join!(source.get(&url, "application/json", None), server);
    let answer = answer.unwrap();
    assert_eq!(max_age(&answer), Some(Duration::from_secs(40)));
    assert_eq!(age(&answer), Duration::from_secs(40));
    assert_eq!(entity_tag(&answer), None, "no entity tag: it has no quotes");
}

/// "The issuer does not know this key" is not for a cache to say, which may have the set from before a rotation.
#[tokio::test]
async fn a_fetch_without_a_condition_asks_the_issuer_and_no_cache() {
    const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

    let asked = async |held: Option<&str>| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let source = HttpSource::new(&url).unwrap();
        let held = held.map(|tag| validator(&resource(&url), tag));
        let server = async {
            let (mut stream, head) = accept_request(listener).await;
            stream.write_all(EMPTY.as_bytes()).await.unwrap();
            head.to_ascii_lowercase()
        };
        let (answer, head) = tokio::join!(source.get_keys(held.as_ref()), server);
        answer.unwrap();
        head
    };
    assert!(asked(None).await.contains("\r\ncache-control: no-cache\r\n"));
    let conditional = asked(Some("\"1\"")).await;
    assert!(conditional.contains("\r\nif-none-match: \"1\"\r\n"), "{conditional}");
    assert!(!conditional.contains("cache-control"), "{conditional}");
}
