//! The deny list has the last word, over every verifier.

use super::*;

/// Status and code of a request from an address, with a deny list.
async fn call_with_list(list: &DenyList, token: Option<&str>, from: Option<&str>) -> (u16, String) {
    let mut request = request(token.unwrap_or_default());
    if token.is_none() {
        request.headers_mut().remove("authorization");
    }
    if let Some(from) = from {
        let peer = ClientAddr::peer(SocketAddr::new(from.parse().unwrap(), 1));
        request.extensions_mut().insert(peer);
    }
    let response = call(layer().with_deny_list(list.clone()), request).await;
    let denial = response.extensions().get::<Denial>();
    let code = denial.map_or("passed", |denial| denial.reason().code());
    (response.status().as_u16(), code.to_owned())
}

#[tokio::test]
async fn rev_01_the_deny_list_is_asked_about_every_request() {
    let list = DenyList::new();
    let as_told = |status: u16, code: &str| (status, code.to_owned());
    let here = Some("192.0.2.7");
    assert_eq!(call_with_list(&list, Some("alice"), None).await, as_told(200, "passed"));

    list.deny(DenyEntry::subject("https://as.example", "alice").unwrap()).unwrap();
    assert_eq!(call_with_list(&list, Some("alice"), None).await, as_told(401, "token_revoked"));
    assert_eq!(call_with_list(&list, Some("bob"), None).await, as_told(200, "passed"));

    list.deny(DenyEntry::address(Network::parse("192.0.2.0/24").unwrap())).unwrap();
    // Before the token is looked at: not even that it is missing, malformed or bad is told.
    for token in [Some("bob"), Some("forged"), Some("outage"), None] {
        let told = call_with_list(&list, token, here).await;
        assert_eq!(told, as_told(403, "address_denied"), "{token:?}");
    }
    let elsewhere = call_with_list(&list, Some("bob"), Some("198.51.100.1")).await;
    assert_eq!(elsewhere, as_told(200, "passed"));
    let nowhere = call_with_list(&list, Some("bob"), None).await;
    assert_eq!(nowhere, as_told(500, "client_address_missing"));
}

#[tokio::test]
async fn a_refusal_after_the_verdict_says_whose_token_it_was() {
    let verdict = |principal: Principal| {
        TokenVerifyLayer::new(move |_: BearerToken| ready(Ok::<_, Rejection>(principal.clone())))
    };
    let alice = || Principal::assert_verified("https://as.example", "alice");
    let bound = alice().confirmation(Confirmation::new().with_jwk_thumbprint([1; 32])).build();
    let list = DenyList::new();
    list.deny(DenyEntry::subject("https://as.example", "alice").unwrap()).unwrap();
    for (layer, code) in [
        (verdict(bound), "token_bound"),
        (verdict(alice().build()).with_deny_list(list), "token_revoked"),
    ] {
        let trail = Trail::new();
        let mut request = request("x");
        request.extensions_mut().insert(trail.clone());
        let service = ServiceBuilder::new().layer(layer).service_fn(echo);
        assert_eq!(service.oneshot(request).await.unwrap().status(), 401);
        let notes = trail.notes();
        assert_eq!(notes.denial.unwrap().reason().code(), code);
        assert_eq!(notes.principal.unwrap().subject(), "alice");
    }
}

#[tokio::test]
async fn cch_02_the_deny_list_is_asked_also_where_the_verdict_is_a_cached_one() {
    let cached = Principal::assert_verified("https://as.example", "alice").build();
    let calls = Arc::new(AtomicUsize::new(0));
    let verifier = {
        let calls = Arc::clone(&calls);
        move |_: BearerToken| {
            calls.fetch_add(1, Ordering::Relaxed);
            ready(Ok::<_, Rejection>(cached.clone()))
        }
    };
    let list = DenyList::new();
    let layer = TokenVerifyLayer::new(verifier).with_deny_list(list.clone());
    let service = ServiceBuilder::new().layer(layer).service_fn(echo);
    assert_eq!(service.clone().oneshot(request("x")).await.unwrap().status(), 200);
    list.deny(DenyEntry::subject("https://as.example", "alice").unwrap()).unwrap();
    let refused = service.oneshot(request("x")).await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(
        refused.headers()["www-authenticate"],
        r#"Bearer error="invalid_token", error_description="the access token is invalid""#
    );
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_denied_address_is_told_in_http_and_grpc_and_the_verifier_is_not_asked() {
    let list = DenyList::new();
    let entry = DenyEntry::address(Network::parse("192.0.2.7").unwrap());
    list.deny(entry.label("marker").unwrap()).unwrap();
    let verifier = |_: BearerToken| -> Ready<Verdict> { panic!("the token was looked at") };
    let layer = TokenVerifyLayer::new(verifier).with_deny_list(list);
    let service = ServiceBuilder::new().layer(layer).service_fn(echo);
    let from_there = |mut request: Request<()>| {
        let peer = ClientAddr::peer(SocketAddr::from(([192, 0, 2, 7], 1)));
        request.extensions_mut().insert(peer);
        request
    };
    let refused = service.clone().oneshot(from_there(request("alice"))).await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(!refused.headers().contains_key("www-authenticate"));
    assert!(!format!("{:?} {}", refused.headers(), refused.body()).contains("marker"));
    let mut grpc = from_there(request("alice"));
    grpc.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    *grpc.method_mut() = http::Method::POST;
    let refused = service.oneshot(grpc).await.unwrap();
    assert_eq!(
        (refused.status(), &refused.headers()["grpc-status"]),
        (StatusCode::OK, &"7".parse().unwrap())
    );
}

#[tokio::test]
async fn a_stale_deny_list_is_an_outage() {
    let list = DenyList::new();
    let feed = list.feed(WhenStale::default());
    let layer = || layer().with_deny_list(list.clone());
    let response = call(layer(), request("alice")).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    assert!(!response.headers().contains_key("www-authenticate"));
    feed.replace([]).unwrap();
    assert_eq!(call(layer(), request("alice")).await.status(), 200);
}

#[tokio::test]
async fn a_deny_list_stays_when_the_renderer_changes() {
    let list = DenyList::new();
    list.deny(DenyEntry::issuer("https://as.example").unwrap()).unwrap();
    let layer = layer().with_deny_list(list).with_renderer(PlainRenderer::new());
    assert_eq!(call(layer, request("alice")).await.status(), 401);
}
