//! What is found where, and what is not.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{HeaderName, Request};
use proptest::prelude::*;

use super::{TOKEN, arrive, bearer, identify, send, verified};
use crate::{InvalidOriginError, PassthroughError, PassthroughGuard, outbound::Part};

fn to(path: &str) -> http::request::Builder {
    Request::get(format!("https://up.example{path}"))
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Every way to put a token into a head that we say we see.
fn ways(token: &str) -> Vec<(&'static str, http::request::Builder, Part)> {
    let base64 = |text: &str| STANDARD.encode(text);
    let header = |name: &'static str, value: String| to("/").header(name, value);
    let mut ways = vec![
        ("bearer", header("authorization", format!("Bearer {token}")), Part::HeaderValue),
        ("another scheme", header("authorization", format!("Token {token}")), Part::HeaderValue),
        ("no scheme", header("authorization", token.to_owned()), Part::HeaderValue),
        ("another header", header("x-token", token.to_owned()), Part::HeaderValue),
        ("in a list", header("x-a", format!("a, {token},b")), Part::HeaderValue),
        ("name=value", header("x-a", format!("v=1;t={token};q=0")), Part::HeaderValue),
        ("quoted", header("x-a", format!("t=\"{token}\"")), Part::HeaderValue),
        ("a cookie", header("cookie", format!("a=b; t={token}; c=d")), Part::HeaderValue),
        ("JSON", header("x-a", format!("{{\"t\":\"{token}\"}}")), Part::HeaderValue),
        ("glued", header("x-a", format!("xyz{token}xyz")), Part::HeaderValue),
        ("WebSocket", header("sec-websocket-protocol", format!("v1.{token}")), Part::HeaderValue),
        ("percent-encoded", header("x-a", percent(token)), Part::HeaderValue),
        ("base64", header("x-a", base64(token)), Part::HeaderValue),
        ("base64url", header("x-a", URL_SAFE_NO_PAD.encode(token)), Part::HeaderValue),
        ("percent of base64", header("x-a", percent(&base64(token))), Part::HeaderValue),
        ("query", to(&format!("/?access_token={}&a=b", percent(token))), Part::Query),
        ("path", to(&format!("/a/{}/b", percent(token))), Part::Path),
    ];
    for user in ["", "x", "xy", "xyz"] {
        let basic = format!("Basic {}", base64(&format!("{user}:{token}")));
        ways.push(("basic", header("authorization", basic), Part::HeaderValue));
        let basic = format!("Basic {}", base64(&format!("{token}:{user}")));
        ways.push(("basic user", header("authorization", basic), Part::HeaderValue));
        let glued = format!("{user}/{}", base64(token));
        ways.push(("base64 behind base64", header("x-a", glued), Part::HeaderValue));
    }
    for (name, uri) in [
        ("query as it is", format!("/?access_token={token}")),
        ("path as it is", format!("/a/{token}/b")),
    ] {
        // Some tokens are no URI.
        if let Ok(uri) = uri.parse::<http::Uri>() {
            let part = if uri.query().is_some() { Part::Query } else { Part::Path };
            ways.push((name, to(&uri.to_string()), part));
        }
    }
    let user = format!("https://{}@up.example/", percent(token));
    if user.parse::<http::Uri>().is_ok() {
        ways.push(("user", Request::get(user), Part::Authority));
    }
    let host = format!("https://{token}.up.example/");
    if host.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some_and(|it| it.contains(token))) {
        ways.push(("host", Request::get(host), Part::Authority));
    }
    if let Ok(name) = format!("x-{token}").parse::<HeaderName>() {
        ways.push(("name", to("/").header(name, "1"), Part::HeaderName));
    }
    if let Ok(method) = http::Method::from_bytes(token.as_bytes()) {
        ways.push(("method", to("/").method(method), Part::Method));
    }
    ways
}

#[tokio::test]
async fn aud_10_a_token_is_found_wherever_it_is_in_a_head() {
    let guard = PassthroughGuard::new().unwrap();
    let ways = || ways(TOKEN);
    for (name, request, _) in ways() {
        assert_eq!(send(&guard, request).await, Ok(()), "{name}: nobody brought it");
    }
    let trail = verified(&guard, TOKEN).await;
    let mut count = 0;
    for (name, request, expected) in ways() {
        let error = send(&guard, request).await.unwrap_err();
        let PassthroughError::Carries { part, destination } = &error else { panic!("{error}") };
        assert_eq!(*part, expected, "{name}");
        let shown = (expected != Part::Authority).then_some("https://up.example");
        assert_eq!(destination.as_deref(), shown, "{name}");
        count += 1;
        let withheld = trail.notes().withheld;
        assert_eq!(withheld.count, count, "{name}");
        for text in [error.to_string(), format!("{error:?}"), format!("{withheld:?}")] {
            assert!(!text.contains(TOKEN) && !text.contains(&TOKEN.to_lowercase()), "{text}");
        }
    }
    assert_eq!(trail.notes().withheld.destinations, ["https://up.example"]);
    assert!(count > 30, "{count}");
}

#[tokio::test]
async fn what_has_nothing_of_it_passes() {
    let guard = PassthroughGuard::builder().cookies().build().unwrap();
    let trail = verified(&guard, TOKEN).await;
    let without_signature = TOKEN.rsplit_once('.').unwrap().0;
    for (name, request) in [
        ("plain", to("/a/b?c=d")),
        ("a token of our own", bearer(&TOKEN.replace("alic", "YWxp").replace("c2ln", "b3du"))),
        ("a part of it", bearer(without_signature)),
        ("all but one byte", bearer(TOKEN.strip_prefix('e').unwrap())),
        ("all but the last", bearer(TOKEN.strip_suffix('g').unwrap())),
        ("bad encodings", to("/%zz?%").header("x-a", "%%%4")),
    ] {
        assert_eq!(send(&guard, request).await, Ok(()), "{name}");
    }
    assert_eq!(trail.notes().withheld.count, 0);
}

#[tokio::test]
async fn other_credentials_are_found_where_they_would_be_credentials_again() {
    const COOKIE: &str = "session-0123456789";
    const KEY: &str = "key-0123456789abcdef";
    const PROXY: &str = "proxy-0123456789abcd";
    const PASSWORD: &str = "correct horse battery";
    let builder =
        PassthroughGuard::builder().cookies().header(HeaderName::from_static("x-api-key"));
    let guard = builder.build().unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("alice:{PASSWORD}")));
    let arrived = Request::get("/")
        .header("cookie", format!("theme=dark; sid={COOKIE}"))
        .header("x-api-key", KEY)
        .header("proxy-authorization", format!("Bearer {PROXY}"))
        .header("dpop", TOKEN)
        .header("authorization", basic);
    let trail = arrive(&guard, arrived).await;
    for (name, header, value, is_sent) in [
        ("the cookie", "cookie", format!("other={COOKIE}"), false),
        ("the cookie as a token", "authorization", format!("Bearer {COOKIE}"), false),
        ("the key", "x-api-key", KEY.to_owned(), false),
        ("the key as a cookie", "cookie", format!("a=\"{KEY}\""), false),
        ("to a proxy", "proxy-authorization", format!("Bearer {PROXY}"), false),
        ("the proof", "dpop", TOKEN.to_owned(), false),
        ("the password as a token", "authorization", format!("Bearer {PASSWORD}"), false),
        (
            "the password for another name",
            "authorization",
            format!("Basic {}", STANDARD.encode(format!("root:{PASSWORD}"))),
            false,
        ),
        ("somewhere else", "x-other", COOKIE.to_owned(), true),
        ("a short cookie", "cookie", "theme=dark".to_owned(), true),
        ("a part of a credential", "authorization", format!("Bearer {COOKIE}x"), true),
    ] {
        let sent = send(&guard, to("/").header(header, value)).await;
        assert_eq!(sent.is_ok(), is_sent, "{name}");
    }
    assert_eq!(trail.notes().withheld.count, 8);
    identify(&trail);
    drop(trail);
    let sent = send(&guard, to("/").header("cookie", format!("sid={COOKIE}"))).await;
    assert_eq!(sent, Ok(()), "only what was verified is remembered");
}

/// Whoever chooses what is looked for decides what is not sent.
#[tokio::test]
async fn aud_10_a_stranger_cannot_have_the_requests_of_others_refused() {
    const JSON: &str = "application/x-www-form-urlencoded";
    let guard = PassthroughGuard::builder().cookies().build().unwrap();
    let planted = |header: String| Request::get("/").header("authorization", header);
    let ours = || bearer(TOKEN).header("content-type", JSON).header("x-id", "0123456789abcdef");
    let head_of_ours = TOKEN.split('.').next().unwrap();
    let mut trails = vec![
        arrive(&guard, planted(format!("Bearer {JSON}"))).await,
        arrive(&guard, planted("Bearer 0123456789abcdef".to_owned())).await,
        arrive(&guard, planted(format!("Bearer {head_of_ours}"))).await,
    ];
    assert_eq!(send(&guard, ours()).await, Ok(()));
    // One that is let in, and says more than its token.
    let cookies = format!("a={JSON}; b=0123456789abcdef; c={head_of_ours}");
    let header = format!("Bearer own-{TOKEN}");
    let arrived = planted(header).header("cookie", &cookies).header("proxy-authorization", JSON);
    trails.push(arrive(&guard, arrived.header("dpop", head_of_ours)).await);
    identify(trails.last().unwrap());
    assert_eq!(send(&guard, ours()).await, Ok(()));
    // A second line, which a verifier that takes the first never sees.
    let lines = planted("Bearer a-good-one-0123456".to_owned())
        .header("authorization", format!("Bearer {JSON}"));
    trails.push(arrive(&guard, lines).await);
    identify(trails.last().unwrap());
    assert_eq!(send(&guard, ours()).await, Ok(()));
    // Nor can they make the search too expensive, so that it is given up.
    let bait = format!("a=b{}", "a".repeat(40));
    trails.push(
        arrive(&guard, planted("Bearer another-of-its-own".to_owned()).header("cookie", bait))
            .await,
    );
    identify(trails.last().unwrap());
    assert_eq!(send(&guard, ours().header("x-a", "a".repeat(200))).await, Ok(()));
}

#[tokio::test]
async fn an_attempt_is_on_the_record_of_who_brought_the_token_as_one() {
    let guard = PassthroughGuard::new().unwrap();
    let owner = verified(&guard, TOKEN).await;
    // It has the token too, but nobody has verified it yet; and one has it in the place of a proof.
    let early = arrive(&guard, bearer(TOKEN)).await;
    let odd = arrive(&guard, Request::get("/").header("dpop", TOKEN)).await;
    identify(&odd);
    assert!(send(&guard, to("/").header("x-a", TOKEN)).await.is_err());
    let counts = [&owner, &early, &odd].map(|trail| trail.notes().withheld.count);
    assert_eq!(counts, [1, 0, 0]);
    assert!(send(&guard, bearer(TOKEN)).await.is_err());
    let counts = [&owner, &early, &odd].map(|trail| trail.notes().withheld.count);
    assert_eq!(counts, [2, 1, 1], "as a credential it is anybody's");
}

#[tokio::test]
async fn what_nobody_verified_is_found_as_a_credential_all_the_same() {
    let guard = PassthroughGuard::new().unwrap();
    let header = format!("Bearer {TOKEN}");
    let trail = arrive(&guard, Request::get("/").header("authorization", header)).await;
    assert!(send(&guard, bearer(TOKEN)).await.is_err());
    assert_eq!(send(&guard, to("/").header("x-a", TOKEN)).await, Ok(()));
    identify(&trail);
    assert!(send(&guard, to("/").header("x-a", TOKEN)).await.is_err());
}

#[tokio::test]
async fn only_an_origin_that_was_named_may_have_it() {
    let guard = PassthroughGuard::new().unwrap();
    let _trail = verified(&guard, TOKEN).await;
    let layer = guard.outbound_layer().insecure_allow_to("https://as.example:8443").unwrap();
    let layer = layer.insecure_allow_to("http://[::1]:80").unwrap();
    for (uri, is_sent) in [
        ("https://as.example:8443/introspect?a", true),
        ("https://AS.example:8443", true),
        ("http://[::1]/", true),
        ("http://as.example:8443/", false),
        ("https://as.example/", false),
        ("https://as.example.evil.example:8443/", false),
        ("https://as.example:8443@evil.example/", false),
        ("https://evil.example/as.example:8443", false),
        ("/introspect", false),
    ] {
        use tower::{Layer, ServiceExt, service_fn};
        let inner = service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(()));
        let request = Request::get(uri).header("host", "as.example:8443").header("x", TOKEN);
        let sent = layer.layer(inner).oneshot(request.body(()).unwrap()).await;
        assert_eq!(sent.is_ok(), is_sent, "{uri}");
    }
    let refused = guard.outbound_layer().insecure_allow_to("https://as.example/").unwrap_err();
    assert_eq!(refused, InvalidOriginError::MoreThanAnOrigin);
}

#[tokio::test]
async fn what_is_too_large_to_search_is_not_sent() {
    let guard = PassthroughGuard::new().unwrap();
    let large = |length| to("/").header("x-a", "a".repeat(length));
    assert_eq!(send(&guard, large(60_000)).await, Ok(()));
    assert_eq!(send(&guard, large(70_000)).await, Err(PassthroughError::TooLarge));
    // Many places that end like a token.
    let _trail = verified(&guard, &format!("b{}", "a".repeat(40))).await;
    assert_eq!(send(&guard, large(100)).await, Ok(()));
    assert_eq!(send(&guard, large(200)).await, Err(PassthroughError::TooLarge));
    // Many credentials.
    let mut request = to("/");
    for index in 0..65 {
        request = request.header("authorization", format!("Bearer {index:016}"));
    }
    assert_eq!(send(&guard, request).await, Err(PassthroughError::TooLarge));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// RFC 9110 §11.2: `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
    #[test]
    fn aud_10_any_token_is_found_in_any_place_and_other_heads_pass(
        token in "[A-Za-z0-9._~+/-]{16,200}={0,2}",
        other in "[A-Za-z0-9._~+/-]{16,200}={0,2}",
    ) {
        prop_assume!(!other.contains(token.trim_end_matches('=')));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let guard = PassthroughGuard::new().unwrap();
            let _trail = verified(&guard, &token).await;
            for (name, request, _) in ways(&token) {
                prop_assert!(send(&guard, request).await.is_err(), "{name}");
            }
            for (name, request, _) in ways(&other) {
                prop_assert_eq!(send(&guard, request).await, Ok(()), "{}", name);
            }
            Ok(())
        })?;
    }
}
