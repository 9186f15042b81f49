use super::*;
use crate::trust::ClaimRule;

#[test]
fn rfc_9068() {
    let service = Service::of(&Profile::Rfc9068, "https://as.example", "https://orders.example");
    let claims = json!({
        "aud": "https://orders.example", "client_id": "web", "jti": "j", "scope": "orders", "sub": "alice",
    });
    let token = || service.token(Some("at+jwt"), claims.clone());
    service.assert([
        ("a user's", token(), accepted("alice", "web", "orders", &[])),
        ("an ID token", token().header("typ", "JWT"), WRONG_TYPE),
        ("without type", token().without_header("typ"), WRONG_TYPE),
        ("without client", token().without_claim("client_id"), missing("client_id")),
        ("without jti", token().without_claim("jti"), missing("jti")),
        ("without iat", token().without_claim("iat"), missing("iat")),
        ("for another", token().audience("https://x.example"), Outcome::ForAnother),
        ("for nobody", token().without_claim("aud"), missing("aud")),
        ("another's", token().claim("iss", "https://as.example/"), WRONG_ISSUER),
    ]);
}

#[test]
fn workos() {
    let rules = Profile::WorkOs.trust("https://acme.authkit.app").unwrap();
    let service = Service::new(rules.clone(), "https://orders.example/");
    let claims = json!({
        "aud": "https://orders.example/", "client_id": "client_app", "jti": "j", "org_id": "org_7",
        "scope": "openid orders", "sid": "app_consent_1", "sub": "user_alice",
    });
    let token = || service.token(Some("JWT"), claims.clone());
    let alice = || accepted("user_alice", "client_app", "openid orders", &[]);
    service.assert([
        ("a user's", token(), alice()),
        ("without type", token().without_header("typ"), alice()),
        (
            "an ID token",
            token().without_claim("client_id").without_claim("jti").claim("nonce", "n"),
            missing("client_id"),
        ),
        ("an ID token with client", token().without_claim("jti"), missing("jti")),
        ("an ID token with nonce", token().claim("nonce", "n"), wrong("nonce")),
        ("an ID token with the hash of a token", token().claim("at_hash", "h"), wrong("at_hash")),
        ("an ID token with the hash of a code", token().claim("c_hash", "h"), wrong("c_hash")),
        ("for no resource", token().audience("client_environment"), Outcome::ForAnother),
        ("for nobody", token().without_claim("aud"), missing("aud")),
        (
            "a session of the front end",
            token().claim("iss", "https://api.workos.com/user_management/client_1"),
            WRONG_ISSUER,
        ),
        ("another's", token().claim("iss", "https://evil.authkit.app"), WRONG_ISSUER),
    ]);
    let ours = rules.require_claim(claim("org_id"), ClaimRule::equals("org_7"));
    let ours = Service::new(ours, "https://orders.example/");
    ours.assert([
        ("our organization's", token(), alice()),
        ("another organization's", token().claim("org_id", "org_8"), wrong("org_id")),
        ("nobody's", token().without_claim("org_id"), missing("org_id")),
    ]);
}
