use palisade_core::Resource;

use super::*;

const OURS: &str = "1234.apps.googleusercontent.com";

/// As Google writes it.
fn info() -> Value {
    json!({
        "azp": OURS,
        "aud": OURS,
        "sub": "110169484474386276334",
        "scope": "openid https://www.googleapis.com/auth/userinfo.email",
        "exp": (NOW + 3000).to_string(),
        "expires_in": "3000",
        "email": "alice@example.com",
        "email_verified": "true",
        "access_type": "online",
    })
}

fn verifier(server: &Server) -> Verifier {
    let resource = Resource::parse(AUDIENCE).unwrap();
    IntrospectionVerifier::google(server.clone(), [OURS], resource)
        .unwrap()
        .with_clock(clock())
        .build()
}

async fn verdict_with(name: &str, value: Option<Value>) -> Result<Principal, Rejection> {
    let mut info = info();
    match value {
        Some(value) => info[name] = value,
        None => drop(info.as_object_mut().unwrap().remove(name)),
    }
    verdict_on(&verifier(&Server::that_says(info)), "ya29.token").await
}

#[tokio::test]
async fn a_token_of_our_client_is_a_principal_for_our_resource() {
    let server = Server::that_says(info());
    let principal = verdict_on(&verifier(&server), "ya29.token").await.unwrap();
    assert_eq!(principal.issuer(), "https://accounts.google.com");
    assert_eq!(principal.subject(), "110169484474386276334");
    assert_eq!(principal.client_id(), Some(OURS));
    assert_eq!(principal.audiences().collect::<Vec<_>>(), [AUDIENCE]);
    assert!(principal.scopes().contains("openid"));
    assert_eq!(principal.expires_at(), Some(crate::testing::instant(NOW + 3000)));
    let asked = server.asked().remove(0);
    assert_eq!((asked.body.as_str(), asked.authorization), ("access_token=ya29.token", None));
}

/// Any application that a user ever signed in to has tokens that Google calls good.
#[tokio::test]
async fn rev_05_a_token_of_another_client_is_refused() {
    let other = Some(json!("evil.apps.googleusercontent.com"));
    for name in ["aud", "azp"] {
        assert_eq!(verdict_with(name, other.clone()).await.err(), Some(Rejection::Inactive));
        let list = Some(json!([OURS]));
        assert_eq!(verdict_with(name, list).await.err(), Some(Rejection::Inactive));
    }
    assert_eq!(verdict_with("aud", None).await.err(), Some(Rejection::Inactive));
    verdict_with("azp", None).await.unwrap();
}

#[tokio::test]
async fn rev_04_an_expired_token_and_a_bent_date_are_no_yes() {
    let past = Some(json!((NOW - 60).to_string()));
    assert_eq!(verdict_with("exp", past).await.err(), Some(Rejection::Expired));
    for bent in [None, Some(json!("+1800003000")), Some(json!("")), Some(json!("soon"))] {
        assert!(is_outage(&verdict_with("exp", bent.clone()).await), "{bent:?}");
    }
}

#[tokio::test]
async fn a_token_that_google_does_not_know_is_inactive() {
    let server = Server::of([Reply::status(400)]);
    assert_eq!(rejection(&verifier(&server), "x").await, Some(Rejection::Inactive));
    for reply in [Reply::status(500), Reply::status(302), Reply::NoConnection] {
        assert!(is_outage(&verdict_on(&verifier(&Server::of([reply])), "x").await));
    }
}

#[tokio::test]
async fn a_token_without_openid_has_no_subject_and_is_refused() {
    assert_eq!(verdict_with("sub", None).await.err(), Some(Rejection::missing("sub")));
}

#[test]
fn somebody_must_be_the_client() {
    let resource = Resource::parse(AUDIENCE).unwrap();
    for clients in [vec![], vec![""], vec![OURS, ""]] {
        let error =
            IntrospectionVerifier::google(Server::of([]), clients, resource.clone()).unwrap_err();
        assert_eq!(error, IntrospectionError::NoClient);
    }
    let keys = crate::testing::keys(&crate::testing::issuer());
    let builder = IntrospectionVerifier::google(Server::of([]), [OURS], resource).unwrap();
    let error = builder.signed_answers(SignedAnswers::Required, keys, "x").unwrap_err();
    assert_eq!(error, IntrospectionError::NotSigned);
}
