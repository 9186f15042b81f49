use palisade_test_issuer::{Signature, TestIssuer, TokenBuilder};

use super::*;
use crate::{keys::StaticKeys, testing};

const RECIPIENT: &str = "https://protected.example.net/resource";

fn issuer() -> &'static TestIssuer {
    static ISSUER: std::sync::LazyLock<TestIssuer> = std::sync::LazyLock::new(testing::issuer);
    &ISSUER
}

/// The shape of the example of RFC 9701 §5.
fn payload() -> Value {
    json!({
        "iss": ISSUER,
        "aud": RECIPIENT,
        "iat": NOW,
        "token_introspection": {
            "active": true,
            "iss": ISSUER,
            "aud": RECIPIENT,
            "iat": NOW - 1000,
            "exp": NOW + 2000,
            "client_id": "paiB2goo0a",
            "scope": "read write dolphin",
            "sub": "Z5O3upPC88QrAjx00dis",
            "birthdate": "1982-02-01",
            "given_name": "John",
            "jti": "t1FoCCaZd4Xv4ORJUWVUeTZfsKhW30CQCrWDDjwXy6w",
        },
    })
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut payload = payload();
    payload[name] = value.into();
    payload
}

fn without(name: &str) -> Value {
    let mut payload = payload();
    payload.as_object_mut().unwrap().remove(name);
    payload
}

fn jwt(payload: &Value) -> TokenBuilder {
    issuer()
        .mint()
        .header("typ", "token-introspection+jwt")
        .raw_payload(payload.to_string().into_bytes())
}

fn verifier(reply: Reply, how: SignedAnswers) -> (Server, Verifier) {
    let server = Server::of([reply]);
    let keys: StaticKeys = testing::keys(issuer());
    let builder = builder(&server).signed_answers(how, keys, RECIPIENT).unwrap();
    (server, builder.with_clock(clock()).build())
}

async fn verdict_on_jwt(jwt: TokenBuilder) -> Result<Principal, Rejection> {
    let (_, verifier) = verifier(Reply::signed(jwt.sign()), SignedAnswers::Required);
    verdict_on(&verifier, TOKEN).await
}

#[tokio::test]
async fn a_signed_answer_is_believed() {
    let principal = verdict_on_jwt(jwt(&payload())).await.unwrap();
    assert_eq!(principal.subject(), "Z5O3upPC88QrAjx00dis");
    assert_eq!(principal.client_id(), Some("paiB2goo0a"));
    assert_eq!(principal.audiences().collect::<Vec<_>>(), [RECIPIENT]);
    assert!(principal.scopes().contains("dolphin"));

    for good in [
        with("aud", json!(["https://other.example", RECIPIENT])),
        with("iat", NOW - 90),
        with("iat", NOW + 30),
    ] {
        assert!(verdict_on_jwt(jwt(&good)).await.is_ok(), "{good}");
    }
    let typ = jwt(&payload()).header("typ", "application/Token-Introspection+JWT");
    verdict_on_jwt(typ).await.unwrap();
}

#[tokio::test]
async fn a_signed_no_is_a_no() {
    let answer = with("token_introspection", json!({ "active": false }));
    assert_eq!(verdict_on_jwt(jwt(&answer)).await.err(), Some(Rejection::Inactive));
}

#[tokio::test]
async fn the_header_asks_for_what_is_wanted() {
    for (how, accept) in [
        (SignedAnswers::Required, "application/token-introspection+jwt"),
        (SignedAnswers::Accepted, "application/token-introspection+jwt, application/json;q=0.5"),
    ] {
        let (server, verifier) = verifier(Reply::signed(jwt(&payload()).sign()), how);
        verdict_on(&verifier, TOKEN).await.unwrap();
        assert_eq!(server.asked()[0].accept, accept);
    }
}

#[tokio::test]
async fn rev_04_a_plain_answer_counts_only_where_signatures_are_not_required() {
    let (_, strict) = verifier(Reply::json(active()), SignedAnswers::Required);
    assert!(is_outage(&verdict_on(&strict, TOKEN).await));
    let (_, open) = verifier(Reply::json(active()), SignedAnswers::Accepted);
    verdict_on(&open, TOKEN).await.unwrap();
}

#[tokio::test]
async fn rev_04_a_signed_answer_that_is_not_for_us_and_of_now_is_an_outage() {
    let inner = payload()["token_introspection"].clone();
    for (name, payload) in [
        ("another issuer", with("iss", "https://other.example")),
        ("no issuer", without("iss")),
        ("issuers", with("iss", json!([ISSUER]))),
        ("for somebody else", with("aud", "https://other.example")),
        ("for somebody like us", with("aud", format!("{RECIPIENT}/"))),
        ("for nobody", without("aud")),
        ("for a number", with("aud", 1)),
        ("a subject on top", with("sub", "alice")),
        ("an expiry on top", with("exp", NOW + 300)),
        ("of no time", without("iat")),
        ("of a bent time", with("iat", "now")),
        ("of long ago", with("iat", NOW - 91)),
        ("of the future", with("iat", NOW + 31)),
        ("nothing inside", without("token_introspection")),
        ("a text inside", with("token_introspection", inner.to_string())),
        ("an access token", json!({ "iss": ISSUER, "aud": RECIPIENT, "iat": NOW, "active": true })),
    ] {
        assert!(is_outage(&verdict_on_jwt(jwt(&payload)).await), "{name}");
    }
}

#[tokio::test]
async fn rev_04_a_signed_answer_that_nobody_signed_is_an_outage() {
    let good = jwt(&payload());
    for (name, jwt) in [
        ("another key", good.clone().signed_with_foreign_key()),
        ("no signature", good.clone().unsigned()),
        ("a secret", good.clone().hmac_with(issuer().public_key_jwk_bytes())),
        ("cut off", good.clone().signature(Signature::Truncated)),
        ("zeros", good.clone().signature(Signature::Zeros)),
        ("an access token's type", good.clone().header("typ", "at+jwt")),
        ("any type", good.clone().header("typ", "JWT")),
        ("no type", good.clone().without_header("typ")),
        ("a key of no name that we know", good.clone().header("kid", "other")),
        ("a name of no text", good.clone().header("kid", 1)),
        ("critical", good.clone().header("crit", json!(["x"]))),
        ("nested", good.clone().header("cty", "JWT")),
        ("not JSON", good.clone().raw_payload(b"active".to_vec())),
        ("a name twice", good.clone().raw_payload(br#"{"iss":"a","iss":"b"}"#.to_vec())),
    ] {
        assert!(is_outage(&verdict_on_jwt(jwt).await), "{name}");
    }
    let (header, body, signature) = good.sign_parts();
    for (name, text) in [
        ("two parts", format!("{header}.{body}")),
        ("four parts", format!("{header}.{body}.{signature}.{signature}")),
        ("padding", format!("{header}.{body}.{signature}=")),
        ("nothing", String::new()),
        ("no text", "\u{e9}".to_owned()),
    ] {
        let (_, verifier) = verifier(Reply::signed(text), SignedAnswers::Required);
        assert!(is_outage(&verdict_on(&verifier, TOKEN).await), "{name}");
    }
}

#[tokio::test]
async fn a_signed_answer_is_no_access_token() {
    let answer = jwt(&payload()).sign();
    let verdict = testing::verdict(&testing::verifier(issuer()), &answer);
    assert_eq!(verdict.err(), Some(Rejection::DisallowedType));
}

#[test]
fn somebody_must_be_the_recipient() {
    let keys = testing::keys(issuer());
    let error =
        builder(&Server::of([])).signed_answers(SignedAnswers::Required, keys, "").unwrap_err();
    assert_eq!(error, IntrospectionError::NoRecipient);
}
