use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response};
use palisade_test_issuer::{TestIssuer, TestIssuerError};
use serde_json::{Value, json};

use crate::support::{
    ISSUER, NOW, RESOURCE, basic, builder, claims, header, issuer, json as body, post_token,
    verifies,
};

async fn introspect(issuer: &TestIssuer, token: &str, accept: &str) -> Response<Bytes> {
    let request = Request::post("/introspect")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(AUTHORIZATION, basic("app", "s3cret"))
        .header(ACCEPT, accept)
        .body(Bytes::from(format!("token={token}&token_type_hint=access_token")))
        .unwrap();
    issuer.handle(request).await
}

#[tokio::test]
async fn an_opaque_token_is_introspected_until_it_is_revoked() {
    let issuer = builder().opaque_tokens().in_process(ISSUER).unwrap();
    let request = post_token(
        Some(&basic("app", "s3cret")),
        "grant_type=client_credentials&resource=https://mcp.example/mcp",
    );
    let token = body(&issuer.handle(request).await)["access_token"].as_str().unwrap().to_owned();
    assert!(!token.contains('.'));

    let answer = introspect(&issuer, &token, "application/json").await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(
        body(&answer),
        json!({
            "active": true, "token_type": "Bearer", "iss": ISSUER, "sub": "app", "client_id": "app",
            "aud": RESOURCE, "scope": "mcp:tools mcp:admin", "iat": NOW, "exp": NOW + 300,
            "jti": "jti-1",
        })
    );
    issuer.revoke(&token).unwrap();
    assert!(matches!(issuer.revoke(&token), Err(TestIssuerError::UnknownToken)));
    let answer = introspect(&issuer, &token, "application/json").await;
    assert_eq!(body(&answer), json!({ "active": false }));
    assert_eq!(issuer.introspections(), 2);
}

#[tokio::test]
async fn of_unknown_and_expired_tokens_nothing_is_said() {
    let issuer = issuer();
    let expired = issuer.mint().expires_at(NOW).issue_opaque();
    for token in [expired, "unknown".to_owned(), issuer.mint().sign()] {
        let answer = introspect(&issuer, &token, "application/json").await;
        assert_eq!(body(&answer), json!({ "active": false }), "{token}");
    }
}

#[tokio::test]
async fn signs_for_those_who_ask_for_it() {
    let issuer = issuer();
    let token = issuer.mint().subject("alice").issue_opaque();
    let answer = introspect(&issuer, &token, "application/token-introspection+jwt").await;
    assert_eq!(answer.headers()["content-type"], "application/token-introspection+jwt");
    let jwt = str::from_utf8(answer.body()).unwrap();
    assert!(verifies(&issuer.jwks(), jwt));
    assert_eq!(header(jwt)["typ"], "token-introspection+jwt");
    let said: Value = claims(jwt);
    assert_eq!(
        (&said["iss"], &said["aud"], &said["iat"]),
        (&json!(ISSUER), &json!("app"), &json!(NOW))
    );
    assert_eq!(said["token_introspection"]["sub"], "alice");
    assert_eq!((said.get("sub"), said.get("exp")), (None, None));
}

#[tokio::test]
async fn answers_its_clients_only() {
    let issuer = issuer();
    let token = issuer.mint().issue_opaque();
    for authorization in [None, Some(basic("app", "wrong"))] {
        let mut request =
            Request::post("/introspect").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Bytes::from(format!("token={token}"))).unwrap();
        assert_eq!(issuer.handle(request).await.status(), 401);
    }
}
