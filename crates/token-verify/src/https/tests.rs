use std::{
    convert::Infallible,
    future::Ready,
    sync::{Arc, Mutex},
};

use http::{Method, Request, Response};
use palisade_audit_log::{AuditLogLayer, AuditRecord, Outcome, body::RequestBody};
use palisade_core::{Denial, Principal};
use tower::{ServiceBuilder, ServiceExt};

use super::*;
use crate::{
    BearerToken, TokenVerifyLayer,
    deny_list::{DenyEntry, DenyList, Network},
};

mod forwarded;

const ONE: NonZeroUsize = NonZeroUsize::MIN;
const FAR: &str = "192.0.2.7";

/// A request with a good token and what else a row says.
fn request(from: Option<&str>, security: Option<TransportSecurity>) -> Request<()> {
    let (mut parts, ()) =
        Request::get("/").header("authorization", "Bearer alice").body(()).unwrap().into_parts();
    if let Some(from) = from {
        ClientAddr::peer((from.parse::<std::net::IpAddr>().unwrap(), 1).into())
            .leave_in(&mut parts);
    }
    if let Some(security) = security {
        security.leave_in(&mut parts);
    }
    Request::from_parts(parts, ())
}

fn with(mut request: Request<()>, lines: &[(&'static str, &str)]) -> Request<()> {
    for (name, value) in lines {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

type Verdict = Ready<Result<Principal, Rejection>>;

fn let_in(_: BearerToken) -> Verdict {
    std::future::ready(Ok(Principal::assert_verified("https://as.example", "alice").build()))
}

fn must_not_be_asked(_: BearerToken) -> Verdict {
    panic!("the token was looked at")
}

fn layer() -> TokenVerifyLayer<fn(BearerToken) -> Verdict> {
    TokenVerifyLayer::new(let_in)
}

async fn respond<V: crate::VerifyToken + Clone>(
    layer: TokenVerifyLayer<V>,
    request: Request<()>,
) -> Response<String> {
    let inner = async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new()));
    ServiceBuilder::new().layer(layer).service_fn(inner).oneshot(request).await.unwrap()
}

/// The code of the refusal, or nothing if the request passed.
async fn code<V: crate::VerifyToken + Clone>(
    layer: TokenVerifyLayer<V>,
    request: Request<()>,
) -> &'static str {
    let response = respond(layer, request).await;
    response.extensions().get().map_or("", |denial: &Denial| denial.reason().code())
}

#[tokio::test]
async fn http_13_without_evidence_of_https_only_this_machine_gets_in() {
    let [tls, plain, local] =
        [TransportSecurity::tls(), TransportSecurity::plain(), TransportSecurity::local()]
            .map(Some);
    let rows = [
        ("TLS, from afar", Some(FAR), tls, ""),
        ("TLS, from nobody knows where", None, tls, ""),
        ("TLS, on this machine", Some("127.0.0.1"), tls, ""),
        ("plain, from afar", Some(FAR), plain, "plain_http"),
        ("plain, from nobody knows where", None, plain, "plain_http"),
        ("plain, on this machine", Some("127.0.0.1"), plain, ""),
        ("a Unix socket", None, local, ""),
        ("a Unix socket behind glue that knows addresses", Some(FAR), local, ""),
        ("nothing known", None, None, "transport_unknown"),
        ("nothing known, from afar", Some(FAR), None, "transport_unknown"),
        ("loopback", Some("127.0.0.1"), None, ""),
        ("all of 127/8 is loopback", Some("127.9.8.7"), None, ""),
        ("loopback, IPv6", Some("::1"), None, ""),
        ("loopback of a dual-stack socket", Some("::ffff:127.0.0.1"), None, ""),
        ("a private network is not loopback", Some("10.0.0.1"), None, "transport_unknown"),
        ("nor is a link", Some("fe80::1"), None, "transport_unknown"),
        ("nor is the unspecified address", Some("0.0.0.0"), None, "transport_unknown"),
    ];
    for (name, from, security, expected) in rows {
        assert_eq!(code(layer(), request(from, security)).await, expected, "{name}");
        // It is the default, and says the same.
        let named = layer().with_https(Https::from_connection());
        assert_eq!(code(named, request(from, security)).await, expected, "{name}");
    }
}

#[tokio::test]
async fn http_13_a_proxy_on_this_machine_has_to_be_named() {
    let here = || request(Some("127.0.0.1"), None);
    for mark in [
        ("forwarded", "for=192.0.2.7;proto=https"),
        ("forwarded", ""),
        ("via", "1.1 proxy"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-proto", "http"),
        ("x-real-ip", "192.0.2.7"),
    ] {
        assert_eq!(code(layer(), with(here(), &[mark])).await, "proxy_unnamed", "{mark:?}");
        let socket = with(request(None, Some(TransportSecurity::local())), &[mark]);
        assert_eq!(code(layer(), socket).await, "proxy_unnamed", "{mark:?}");
        let plain = request(Some("127.0.0.1"), Some(TransportSecurity::plain()));
        assert_eq!(code(layer(), with(plain, &[mark])).await, "proxy_unnamed", "{mark:?}");
        // Whoever takes the address from a header lets a client far away say that it is here.
        let forged = with(request(Some(FAR), None), &[mark]);
        for hops in [ONE, ONE.saturating_add(1)] {
            let mut parts = forged.clone().into_parts().0;
            parts.extensions.clear();
            if let Ok(addr) = ClientAddr::from_rightmost_x_forwarded_for(&parts.headers, hops) {
                addr.leave_in(&mut parts);
                let expected =
                    if addr.ip().is_loopback() { "proxy_unnamed" } else { "transport_unknown" };
                assert_eq!(code(layer(), Request::from_parts(parts, ())).await, expected);
            }
        }
        // From elsewhere these headers are anybody's and change nothing.
        let tls = with(request(Some(FAR), Some(TransportSecurity::tls())), &[mark]);
        assert_eq!(code(layer(), tls).await, "", "{mark:?}");
        let plain = with(request(Some(FAR), Some(TransportSecurity::plain())), &[mark]);
        assert_eq!(code(layer(), plain).await, "plain_http", "{mark:?}");
        let unknown = with(request(Some(FAR), None), &[mark]);
        assert_eq!(code(layer(), unknown).await, "transport_unknown", "{mark:?}");
    }
}

#[tokio::test]
async fn http_13_what_a_client_says_about_itself_is_no_evidence() {
    let rows = [
        ("the URI", "https://api.example/", ("x", "")),
        ("Host", "/", ("host", "localhost")),
        ("Origin", "/", ("origin", "https://api.example")),
        ("Referer", "/", ("referer", "https://api.example/")),
        ("a wish", "/", ("upgrade-insecure-requests", "1")),
        ("names that no rule has", "/", ("x-forwarded-ssl", "on")),
        ("names that no rule has", "/", ("front-end-https", "on")),
        ("names that no rule has", "/", ("x-forwarded-scheme", "https")),
        ("names that no rule has", "/", ("x_forwarded_proto", "https")),
    ];
    for (name, uri, line) in rows {
        let mut request = with(request(Some(FAR), None), &[line]);
        *request.uri_mut() = uri.parse().unwrap();
        *request.version_mut() = http::Version::HTTP_2;
        let proxy = layer().with_https(Https::from_rightmost_x_forwarded_proto(ONE));
        assert_eq!(code(proxy, request.clone()).await, "forwarded_scheme_missing", "{name}");
        let proxy = layer().with_https(Https::from_rightmost_forwarded(ONE));
        assert_eq!(code(proxy, request.clone()).await, "forwarded_scheme_missing", "{name}");
        assert_eq!(code(layer(), request.clone()).await, "transport_unknown", "{name}");
        request.extensions_mut().insert(TransportSecurity::plain());
        assert_eq!(code(layer(), request).await, "plain_http", "{name}");
    }
}

#[tokio::test]
async fn http_13_behind_a_named_proxy_nothing_but_its_header_counts() {
    let x_proto = || layer().with_https(Https::from_rightmost_x_forwarded_proto(ONE));
    let forwarded = || layer().with_https(Https::from_rightmost_forwarded(ONE));
    let here = Some("127.0.0.1");
    for security in [None, Some(TransportSecurity::tls()), Some(TransportSecurity::local())] {
        // The peer may be the proxy, and TLS may be between it and us.
        let bare = || request(here, security);
        assert_eq!(code(x_proto(), bare()).await, "forwarded_scheme_missing");
        assert_eq!(code(forwarded(), bare()).await, "forwarded_scheme_missing");
        let http = with(bare(), &[("x-forwarded-proto", "http"), ("forwarded", "proto=http")]);
        assert_eq!(code(x_proto(), http.clone()).await, "plain_http");
        assert_eq!(code(forwarded(), http).await, "plain_http");
        // Each reads its own header.
        let other = with(bare(), &[("x-forwarded-proto", "https"), ("forwarded", "proto=http")]);
        assert_eq!(code(x_proto(), other.clone()).await, "");
        assert_eq!(code(forwarded(), other).await, "plain_http");
        let other = with(bare(), &[("x-forwarded-proto", "http"), ("forwarded", "proto=https")]);
        assert_eq!(code(x_proto(), other.clone()).await, "plain_http");
        assert_eq!(code(forwarded(), other).await, "");
    }
}

#[tokio::test]
async fn plain_http_can_be_accepted_in_so_many_words() {
    let anything = || [request(None, None), request(Some(FAR), Some(TransportSecurity::plain()))];
    for request in anything() {
        assert_eq!(code(layer().insecure_accept_plain_http(), request).await, "");
    }
    for request in anything() {
        let again = layer().insecure_accept_plain_http().with_https(Https::default());
        assert_ne!(code(again, request).await, "");
    }
}

#[tokio::test]
async fn http_13_plain_http_is_403_without_a_challenge_and_the_token_is_not_looked_at() {
    let plain = || request(Some(FAR), Some(TransportSecurity::plain()));
    let mut unreadable = plain();
    unreadable.headers_mut().insert("authorization", "Bearer".parse().unwrap());
    let mut none = plain();
    none.headers_mut().remove("authorization");
    let layer = TokenVerifyLayer::new(must_not_be_asked);
    for request in [plain(), unreadable, none] {
        let response = respond(layer.clone(), request).await;
        assert_eq!(response.status(), 403);
        assert!(!response.headers().contains_key("www-authenticate"));
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(!format!("{:?}", response.headers()).contains("alice"));
    }
    let mut grpc = with(plain(), &[("content-type", "application/grpc")]);
    *grpc.method_mut() = Method::POST;
    let response = respond(layer.clone(), grpc).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["grpc-status"]),
        (200, &"7".parse().unwrap())
    );

    let unknown = respond(layer, request(Some(FAR), None)).await;
    assert_eq!(unknown.status(), 500);
    assert!(!unknown.headers().contains_key("www-authenticate"), "no login would help");
}

#[tokio::test]
async fn a_denied_address_hears_nothing_about_schemes() {
    let list = DenyList::new();
    list.deny(DenyEntry::address(Network::parse(FAR).unwrap())).unwrap();
    let layer = || layer().with_deny_list(list.clone());
    let plain = Some(TransportSecurity::plain());
    assert_eq!(code(layer(), request(Some(FAR), plain)).await, "address_denied");
    assert_eq!(code(layer(), request(Some("192.0.2.8"), plain)).await, "plain_http");
}

#[tokio::test]
async fn http_13_the_record_says_that_it_was_plain_http() {
    let records = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let records = Arc::clone(&records);
        move |record: &AuditRecord| records.lock().unwrap().push(record.clone())
    };
    let service = ServiceBuilder::new()
        .layer(AuditLogLayer::new(sink))
        .layer(TokenVerifyLayer::new(must_not_be_asked))
        .service_fn(async |_: Request<RequestBody<String>>| {
            Ok::<_, Infallible>(Response::new(String::new()))
        });
    for security in [Some(TransportSecurity::plain()), None] {
        let request = request(Some(FAR), security).map(|()| String::new());
        drop(service.clone().oneshot(request).await.unwrap());
    }
    let records = records.lock().unwrap();
    let told: Vec<_> = records
        .iter()
        .map(|record| {
            let Outcome::Denied(denial) = &record.outcome else { panic!("{record:?}") };
            let cause = std::error::Error::source(denial).unwrap().to_string();
            (denial.stage(), denial.reason().code(), cause)
        })
        .collect();
    let [(stage, code, cause), (_, unknown, advice)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*stage, *code), ("token-verify", "plain_http"));
    assert_eq!(cause, "the request came over plain http");
    assert_eq!(*unknown, "transport_unknown");
    for word in ["`TransportSecurity`", "`ClientAddr`", "`with_https`"] {
        assert!(advice.contains(word), "says what to do: {advice}");
    }
    assert!(records.iter().all(|record| !format!("{record:?}").contains("Bearer")));
}

#[test]
fn the_check_allocates_nothing_where_it_says_yes() {
    let proxied = [
        ("forwarded", "for=192.0.2.9;proto=\"https\", for=x;proto=https"),
        ("x-forwarded-proto", "https, https"),
    ];
    let two = NonZeroUsize::new(2).unwrap();
    for (https, request) in [
        (Https::from_connection(), request(Some("127.0.0.1"), None)),
        (Https::from_connection(), request(Some(FAR), Some(TransportSecurity::tls()))),
        (Https::from_rightmost_forwarded(two), with(request(None, None), &proxied)),
        (Https::from_rightmost_x_forwarded_proto(two), with(request(None, None), &proxied)),
    ] {
        let (parts, ()) = request.into_parts();
        let mut verdict = Err(Rejection::PlainHttp);
        let cost = allocation_counter::measure(|| verdict = https.check(&parts));
        assert_eq!(verdict, Ok(()), "{https:?}");
        assert_eq!(cost.count_total, 0, "{https:?}");
    }
}
