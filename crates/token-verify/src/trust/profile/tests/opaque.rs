//! Rules for what an issuer says about opaque tokens, without the asking.

use super::*;
use crate::{
    testing::instant,
    trust::{KeyLocation, Origin, Trust},
};

#[cfg(feature = "introspection")]
const ORIGIN: Origin = Origin::Introspection;
#[cfg(not(feature = "introspection"))]
const ORIGIN: Origin = Origin::Jwt;

fn answer(profile: &Profile, issuer: &str, answer: Value) -> Result<Who, Rejection> {
    let Value::Object(claims) = answer else { panic!("an answer is an object") };
    let rules = profile.trust(issuer).unwrap();
    rules
        .judge(claims, ORIGIN, &"digest".into(), instant(NOW))
        .map(|claimed| who(&claimed.principal))
}

fn with(answer: &Value, name: &str, value: Value) -> Value {
    let mut answer = answer.clone();
    answer[name] = value;
    answer
}

fn without(answer: &Value, name: &str) -> Value {
    let mut answer = answer.clone();
    answer.as_object_mut().unwrap().remove(name);
    answer
}

fn wrong_claim(claim: &'static str) -> Result<Who, Rejection> {
    Err(Rejection::WrongClaim { claim: claim.into() })
}

#[test]
fn google_tokens_are_for_our_client_or_for_nobody() {
    let ours = "123-ours.apps.googleusercontent.com";
    let profile = Profile::Google { client_id: ours.into() };
    let judged = |info: Value| answer(&profile, "https://accounts.google.com", info);
    // As `tokeninfo` has it, translated: dates as numbers.
    let good = json!({
        "aud": ours, "azp": ours, "exp": NOW + 3599, "scope": "openid email", "sub": "1097", "email": "a@b.example",
    });
    let alice = Who { subject: "1097", client: Some(ours), scopes: "email openid", roles: &[] };
    assert_eq!(judged(good.clone()), Ok(alice));
    let rows = [
        (
            "another client's",
            with(&good, "aud", json!("evil.apps.googleusercontent.com")),
            wrong_claim("aud"),
        ),
        ("ours among others", with(&good, "aud", json!([ours, "evil"])), wrong_claim("aud")),
        ("nobody's", without(&good, "aud"), Err(Rejection::missing("aud"))),
        ("without the scope openid", without(&good, "sub"), Err(Rejection::missing("sub"))),
        ("without client", without(&good, "azp"), Err(Rejection::missing("azp"))),
        (
            "dates as they come",
            with(&good, "exp", json!("1800000000")),
            Err(Rejection::invalid("exp")),
        ),
    ];
    for (name, info, expected) in rows {
        assert_eq!(judged(info), expected, "{name}");
    }
}

#[test]
fn hydra_refresh_tokens_are_active_and_no_access_tokens() {
    let judged = |info: Value| answer(&Profile::HydraOpaque, "https://hydra.example/", info);
    let good = json!({
        "active": true, "aud": ["https://orders.example"], "client_id": "web", "exp": NOW + 60,
        "iat": NOW, "iss": "https://hydra.example/", "scope": "orders", "sub": "alice",
        "token_type": "Bearer", "token_use": "access_token",
    });
    let alice = Who { subject: "alice", client: Some("web"), scopes: "orders", roles: &[] };
    assert_eq!(judged(good.clone()), Ok(alice));
    let rows = [
        (with(&good, "token_use", json!("refresh_token")), wrong_claim("token_use")),
        (without(&good, "token_use"), Err(Rejection::missing("token_use"))),
        (without(&good, "client_id"), Err(Rejection::missing("client_id"))),
        (with(&good, "aud", json!([])), Err(Rejection::invalid("aud"))),
    ];
    for (info, expected) in rows {
        assert_eq!(judged(info), expected);
    }
}

#[test]
fn okta_answers_for_more_than_access_tokens() {
    let judged = |info: Value| answer(&Profile::OktaOrg, "https://acme.okta.com", info);
    let good = json!({
        "active": true, "aud": "https://acme.okta.com", "client_id": "0oa1", "exp": NOW + 60, "iat": NOW,
        "iss": "https://acme.okta.com", "scope": "openid", "sub": "alice@acme.example",
        "token_type": "Bearer", "uid": "00u1alice", "username": "alice@acme.example",
    });
    let alice = Who { subject: "00u1alice", client: Some("0oa1"), scopes: "openid", roles: &[] };
    assert_eq!(judged(good.clone()), Ok(alice));
    let nobody = judged(without(&good, "client_id"));
    assert_eq!(nobody, Err(Rejection::missing("client_id")));
    assert_eq!(judged(without(&good, "token_type")), Err(Rejection::missing("token_type")));
    assert_eq!(judged(with(&good, "token_type", json!("refresh"))), wrong_claim("token_type"));
}

#[test]
fn zitadel_tells_the_scopes_when_asked() {
    let judged = |info: Value| answer(&Profile::ZitadelOpaque, "https://acme.zitadel.cloud", info);
    let good = json!({
        "active": true, "aud": ["2592"], "client_id": "app@orders", "exp": NOW + 60, "iat": NOW,
        "iss": "https://acme.zitadel.cloud", "jti": "at", "scope": "openid orders", "sub": "2592-alice",
        "urn:zitadel:iam:org:project:roles": { "admin": { "1": "acme.example" } },
    });
    let alice = Who {
        subject: "2592-alice",
        client: Some("app@orders"),
        scopes: "openid orders",
        roles: &["admin"],
    };
    assert_eq!(judged(good.clone()), Ok(alice));
    assert_eq!(judged(without(&good, "jti")), Err(Rejection::missing("jti")));
    assert_eq!(judged(without(&good, "client_id")), Err(Rejection::missing("client_id")));
}

#[test]
fn opaque_tokens_are_not_verified_by_keys() {
    let rows = [
        (Profile::Google { client_id: "ours".into() }, "https://accounts.google.com"),
        (Profile::HydraOpaque, "https://hydra.example/"),
        (Profile::OktaOrg, "https://acme.okta.com"),
        (Profile::ZitadelOpaque, "https://acme.zitadel.cloud"),
    ];
    for (profile, issuer) in rows {
        let rules = profile.trust(issuer).unwrap();
        assert_eq!(rules.key_location(), &KeyLocation::Supplied);
        JwtVerifier::from_trust(Trust::of([rules.clone()]).unwrap()).unwrap_err();
        // And whoever supplies keys gets no ID tokens in.
        let service = Service::new(rules, "ours");
        let id_token =
            service.token(Some("JWT"), json!({ "aud": "ours", "azp": "ours", "sub": "a" }));
        assert_eq!(service.outcome(&id_token), WRONG_TYPE, "{}", profile.name());
        for token in ["ya29.a0AfH6SM", "ory_at_4bB.x", "opaque"] {
            let verdict = verdict(&service.verifier, token);
            assert!(matches!(verdict, Err(Rejection::Malformed { .. })), "{token}");
        }
    }
}
