use super::*;

const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI";

fn claims() -> Value {
    json!({
        "aud": "https://orders.example/", "auth_time": NOW - 60, "client_id": "2hd5client",
        "cognito:groups": ["staff"], "event_id": "e", "jti": "j", "origin_jti": "o",
        "scope": "https://orders.example/read", "sub": "aaaaaaaa-bbbb", "token_use": "access",
        "username": "alice", "version": 2,
    })
}

#[test]
fn cognito() {
    let service = Service::of(&Profile::Cognito, ISSUER, "https://orders.example/");
    let token = || service.token(None, claims());
    let alice =
        || accepted("aaaaaaaa-bbbb", "2hd5client", "https://orders.example/read", &["staff"]);
    service.assert([
        ("a user's, bound to a resource", token(), alice()),
        ("not bound to a resource", token().without_claim("aud"), missing("aud")),
        ("an ID token", token().claim("token_use", "id"), wrong("token_use")),
        ("without use", token().without_claim("token_use"), missing("token_use")),
        ("without client", token().without_claim("client_id"), missing("client_id")),
        ("for a client, as ID tokens are", token().audience("2hd5client"), Outcome::ForAnother),
        ("another pool's", token().claim("iss", ISSUER.replace("AbC", "XyZ")), WRONG_ISSUER),
        (
            "the pool's other form",
            token().claim("iss", ISSUER.replace("cognito-idp", "issuer-cognito-idp")),
            WRONG_ISSUER,
        ),
    ]);
}

#[test]
fn cognito_without_resources_can_be_held_to_clients() {
    let rules = Profile::Cognito.trust(ISSUER).unwrap();
    let rules = rules.audiences_from([claim("aud"), claim("client_id")]).unwrap();
    let service = Service::new(rules, "2hd5client");
    let token = || service.token(None, claims()).without_claim("aud");
    let alice = accepted("aaaaaaaa-bbbb", "2hd5client", "https://orders.example/read", &["staff"]);
    service.assert([
        ("our client's", token(), alice),
        ("another client's", token().client_id("other"), Outcome::ForAnother),
        ("our client's for another resource", token().audience("https://x/"), Outcome::ForAnother),
        (
            "an ID token",
            token().audience("2hd5client").claim("token_use", "id"),
            wrong("token_use"),
        ),
    ]);
}
