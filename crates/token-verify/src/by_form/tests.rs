use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::*;

/// Says who was asked, and no.
fn named(
    name: &'static str,
) -> impl VerifyToken<Future = std::future::Ready<Result<Principal, Rejection>>> {
    move |_: BearerToken| std::future::ready(Err(Rejection::Malformed { what: name }))
}

fn asked(verifier: &impl VerifyToken, token: &str) -> &'static str {
    let verdict = pin!(verifier.verify(BearerToken::parse(token).unwrap()));
    let verdict = verdict.poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Err(Rejection::Malformed { what })) = verdict else { panic!("{verdict:?}") };
    what
}

fn prefix(text: &str) -> ApiKeyPrefix {
    ApiKeyPrefix::parse(text).unwrap()
}

fn jwt(header: &str) -> String {
    format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(header))
}

#[test]
fn each_form_goes_to_one_verifier() {
    let verifier = ByTokenForm::new(named("jwts"), named("opaque"))
        .api_keys(&prefix("acme"), named("api keys"))
        .unwrap();
    let good = jwt(r#"{"alg":"ES256"}"#);
    for (token, expected) in [
        (good.clone(), "jwts"),
        (jwt(r#"{"alg":"none"}"#), "jwts"),
        (jwt(r#"{"typ":"at+jwt","alg":1}"#), "jwts"),
        (format!("{}.e30.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#)), "jwts"),
        (jwt(r#"{"typ":"JWT"}"#), "opaque"),
        (jwt(r#"["alg"]"#), "opaque"),
        (jwt(r#"{"alg":"ES256","alg":"none"}"#), "opaque"),
        (jwt("alg"), "opaque"),
        (format!("{good}.more"), "opaque"),
        (format!("{good}.five.parts"), "opaque"),
        (good.replace('.', "-"), "opaque"),
        ("2YotnFZFEjr1zCsicMWpAA".to_owned(), "opaque"),
        ("ory_at_abc.def".to_owned(), "opaque"),
        ("mF_9.B5f-4.1JqM".to_owned(), "opaque"),
        ("acme_secret".to_owned(), "api keys"),
        ("acme_".to_owned(), "api keys"),
        (format!("acme_{good}"), "api keys"),
        ("ACME_secret".to_owned(), "opaque"),
        ("acme-secret".to_owned(), "opaque"),
    ] {
        assert_eq!(asked(&verifier, &token), expected, "{token}");
    }
}

/// What looks like both is what the service said it is.
#[test]
fn the_prefix_is_asked_first() {
    let verifier = ByTokenForm::new(named("jwts"), named("opaque"))
        .api_keys(&prefix("acme"), named("api keys"))
        .unwrap();
    assert_eq!(asked(&verifier, &format!("acme_{}", jwt(r#"{"alg":"ES256"}"#))), "api keys");
}

#[test]
fn a_form_that_a_service_does_not_have_is_refused() {
    let verifier = ByTokenForm::new(named("jwts"), NoVerifier::new());
    assert_eq!(asked(&verifier, &jwt(r#"{"alg":"ES256"}"#)), "jwts");
    assert_eq!(asked(&verifier, "opaque"), "tokens of this form are not taken");
}

#[test]
fn a_refusal_is_not_another_verifiers_chance() {
    let yes = async |_: BearerToken| {
        Ok(Principal::assert_verified("https://as.example", "mallory").build())
    };
    let verifier = ByTokenForm::new(named("refused"), yes)
        .api_keys(&prefix("acme"), named("refused"))
        .unwrap();
    assert_eq!(asked(&verifier, &jwt(r#"{"alg":"ES256"}"#)), "refused");
    assert_eq!(asked(&verifier, "acme_x"), "refused");
}

#[test]
fn a_prefix_is_none_that_jwts_begin_with() {
    for (text, error) in [
        ("ey", Some(ByTokenFormError::OfJwts)),
        ("eyj", Some(ByTokenFormError::OfJwts)),
        ("ewo", Some(ByTokenFormError::OfJwts)),
        ("e2e", None),
        ("acme_live", None),
    ] {
        let verifier = ByTokenForm::new(named("jwts"), named("opaque"));
        assert_eq!(verifier.api_keys(&prefix(text), named("x")).err(), error, "{text}");
    }
}
