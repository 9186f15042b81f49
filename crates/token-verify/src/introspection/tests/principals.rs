use std::{convert::Infallible, time::SystemTime};

use http::{Request, Response};
use tower::{ServiceBuilder, ServiceExt};

use super::*;
use crate::{
    Claims, TokenVerifyLayer, TransportSecurity,
    introspection::IntrospectionError,
    testing::instant,
    trust::{ClaimLimit, ClaimSource, TrustedIssuer},
};

#[tokio::test]
async fn the_answer_becomes_a_principal() {
    let mut answer = active();
    answer["act"] = json!({ "sub": "agent" });
    answer["username"] = json!("Alice");
    let principal = verdict(answer).await.unwrap();
    assert_eq!(principal.issuer(), ISSUER);
    assert_eq!(principal.subject(), "alice");
    assert_eq!(principal.client_id(), Some("app"));
    assert_eq!(principal.token_id(), Some("id-1"));
    assert_eq!(principal.audiences().collect::<Vec<_>>(), [AUDIENCE]);
    assert!(principal.scopes().contains("read") && principal.scopes().contains("write"));
    assert_eq!(principal.actors()[0].subject(), "agent");
    assert_eq!(principal.expires_at(), Some(instant(NOW + 300)));
    assert_eq!(principal.issued_at(), Some(instant(NOW - 10)));
    assert!(principal.trust_digest().is_some());
    assert_eq!(principal.claims::<Claims>().unwrap().get("username").unwrap(), "Alice");
}

#[tokio::test]
async fn the_least_that_rfc_7662_requires_is_a_principal_with_nothing() {
    let principal = verdict(json!({ "active": true, "sub": "alice" })).await.unwrap();
    assert_eq!(principal.audiences().len(), 0);
    assert!(principal.scopes().is_empty());
    assert_eq!(principal.expires_at(), None::<SystemTime>);
}

#[tokio::test]
async fn an_answer_about_another_issuers_token_is_refused() {
    let verdict_of = |issuer: Value| verdict(active_with("iss", issuer));
    assert_eq!(
        verdict_of(json!("https://other.example")).await.err(),
        Some(Rejection::WrongIssuer)
    );
    assert_eq!(verdict_of(json!(format!("{ISSUER}/"))).await.err(), Some(Rejection::WrongIssuer));
    assert_eq!(verdict_of(json!([ISSUER])).await.err(), Some(Rejection::invalid("iss")));
    assert_eq!(verdict_of(Value::Null).await.err(), Some(Rejection::invalid("iss")));
    assert!(verdict(active_without("iss")).await.is_ok(), "many servers leave it out");
}

#[tokio::test]
async fn a_token_without_a_subject_is_refused_unless_the_client_may_stand_in() {
    let answer = active_without("sub");
    assert_eq!(verdict(answer.clone()).await.err(), Some(Rejection::missing("sub")));

    let issuer = TrustedIssuer::new(Issuer::parse(ISSUER).unwrap())
        .subjects_from([
            ClaimSource::parse("sub").unwrap(),
            ClaimSource::parse("client_id").unwrap(),
        ])
        .unwrap();
    let verifier = IntrospectionVerifier::builder(issuer, Server::that_says(answer), credential())
        .unwrap()
        .with_clock(clock())
        .build();
    assert_eq!(verdict_on(&verifier, TOKEN).await.unwrap().subject(), "app");
}

#[tokio::test]
async fn rev_05_the_audience_is_kept_as_the_server_says_it() {
    let principal = verdict(active_with("aud", json!(["https://other.example"]))).await.unwrap();
    assert_eq!(principal.audiences().collect::<Vec<_>>(), ["https://other.example"]);

    let resource = palisade_core::Resource::parse(AUDIENCE).unwrap();
    for (answer, expected) in [
        (active_without("aud"), AUDIENCE),
        (active_with("aud", "https://other.example"), "https://other.example"),
    ] {
        let verifier = builder(&Server::that_says(answer))
            .audience_if_missing(resource.clone())
            .with_clock(clock())
            .build();
        let principal = verdict_on(&verifier, TOKEN).await.unwrap();
        assert_eq!(principal.audiences().collect::<Vec<_>>(), [expected]);
    }
    for audience in [json!(""), json!([]), json!([AUDIENCE, 1]), json!(7), Value::Null] {
        let verdict = verdict(active_with("aud", audience.clone())).await;
        assert_eq!(verdict.err(), Some(Rejection::invalid("aud")), "{audience}");
    }
}

/// Through the layer: whoever enforces the binding, a bound token is no bearer token, fresh or remembered.
#[tokio::test]
async fn rev_05_a_bound_token_is_refused_as_a_bearer_token() {
    let key = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    for (token_type, cnf) in [
        ("DPoP", json!({ "jkt": key })),
        ("Bearer", json!({ "jkt": key })),
        ("Bearer", json!({ "x5t#S256": key })),
        ("Bearer", json!({ "jkt": key, "unknown": 1 })),
        ("Bearer", json!({ "kid": "what is this" })),
        ("Bearer", json!({})),
        ("Bearer", Value::Null),
    ] {
        let mut answer = active_with("token_type", token_type);
        answer["cnf"] = cnf.clone();
        let verifier = verifier(&Server::that_says(answer));
        let service = ServiceBuilder::new()
            .layer(TokenVerifyLayer::new(verifier))
            .service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
        for _ in 0..2 {
            let request = Request::get("/")
                .extension(TransportSecurity::tls())
                .header("authorization", format!("Bearer {TOKEN}"))
                .body(())
                .unwrap();
            let answer = service.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 401, "{cnf}");
        }
    }
}

#[tokio::test]
async fn rev_05_a_token_of_type_dpop_names_its_key() {
    for answer in [active_with("token_type", "DPoP"), active_with("token_type", "dpop")] {
        assert_eq!(verdict(answer).await.err(), Some(Rejection::invalid("token_type")));
    }
}

#[tokio::test]
async fn refresh_and_id_tokens_are_no_access_tokens() {
    for (name, value) in [
        ("token_type", json!("refresh_token")),
        ("token_type", json!("N_A")),
        ("token_type", json!("mac")),
        ("token_type", json!("")),
        ("token_type", json!(["Bearer"])),
        ("token_use", json!("refresh_token")),
        ("token_use", json!("id")),
        ("token_use", Value::Null),
        ("typ", json!("Refresh")),
        ("typ", json!("Offline")),
        ("typ", json!("ID")),
        ("typ", json!("Logout")),
        ("typ", json!(1)),
    ] {
        let verdict = verdict(active_with(name, value.clone())).await;
        assert_eq!(verdict.err(), Some(Rejection::DisallowedType), "{name} {value}");
    }
    for (name, value) in [
        ("token_type", "bearer"),
        ("token_type", "access_token"),
        ("token_use", "access_token"),
        ("typ", "Bearer"),
        ("typ", "at+jwt"),
    ] {
        assert!(verdict(active_with(name, value)).await.is_ok(), "{name} {value}");
    }
    verdict(active_without("token_type")).await.unwrap();
}

#[tokio::test]
async fn malformed_claims_are_refused_and_not_ignored() {
    for (claim, value) in [
        ("scope", json!(["read"])),
        ("scope", json!("read\twrite\u{7f}")),
        ("client_id", json!(1)),
        ("jti", json!("")),
        ("sub", json!("a\nb")),
        ("act", json!({})),
    ] {
        let verdict = verdict(active_with(claim, value.clone())).await;
        assert_eq!(verdict.err(), Some(Rejection::invalid(claim)), "{claim} {value}");
    }
}

#[test]
fn rules_that_no_trust_takes_are_refused_here_too() {
    let place = |place| ClaimSource::parse(place).unwrap();
    let rules = TrustedIssuer::new(Issuer::parse(ISSUER).unwrap())
        .scopes_from([place("scp"), place("scope")])
        .unwrap()
        .limit_claim("scp", ClaimLimit::Nothing)
        .unwrap();
    let server = Server::that_says(json!({ "active": true }));
    let error = IntrospectionVerifier::builder(rules, server, credential()).unwrap_err();
    assert!(matches!(error, IntrospectionError::Trust(_)), "{error}");
}
