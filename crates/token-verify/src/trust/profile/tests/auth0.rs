use super::*;
use crate::trust::ClaimRule;

const ISSUER: &str = "https://acme.eu.auth0.com/";
const API: &str = "https://orders.example/api";
const USERINFO: &str = "https://acme.eu.auth0.com/userinfo";

fn claims() -> Value {
    json!({
        "aud": [API, USERINFO], "azp": "client1", "permissions": ["orders:read", "orders:refund"],
        "scope": "openid orders:read", "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
    })
}

#[test]
fn auth0() {
    let service = Service::of(&Profile::Auth0, ISSUER, API);
    let token = || service.token(Some("JWT"), claims());
    let of_an_app = || {
        token()
            .subject("client1@clients")
            .audience(API)
            .claim("gty", "client-credentials")
            .scope("orders:read")
            .without_claim("permissions")
    };
    service.assert([
        (
            "a user's",
            token(),
            accepted(
                "auth0|5f7c8ec7c33c6c004bbafe82",
                "client1",
                "openid orders:read",
                &["orders:read", "orders:refund"],
            ),
        ),
        (
            "an application's",
            of_an_app(),
            accepted("client1@clients", "client1", "orders:read", &[]),
        ),
        (
            "an ID token",
            token().audience(API).without_claim("azp").without_claim("scope").claim("nonce", "n"),
            missing("azp"),
        ),
        ("an ID token with azp", token().claim("nonce", "n"), wrong("nonce")),
        ("an ID token with the hash of a token", token().claim("at_hash", "h"), wrong("at_hash")),
        ("an ID token with the hash of a code", token().claim("c_hash", "h"), wrong("c_hash")),
        ("for userinfo only", token().audience(USERINFO), Outcome::ForAnother),
        (
            "for the management API",
            token().audience("https://acme.eu.auth0.com/api/v2/"),
            Outcome::ForAnother,
        ),
        ("for nobody", token().without_claim("aud"), missing("aud")),
        ("another tenant's", token().claim("iss", "https://evil.eu.auth0.com/"), WRONG_ISSUER),
        ("without the slash", token().claim("iss", "https://acme.eu.auth0.com"), WRONG_ISSUER),
        ("by the client secret", token().hmac_with("secret"), WRONG_ALGORITHM),
    ]);
}

#[test]
fn auth0_with_the_rfc_9068_profile() {
    let service = Service::of(&Profile::Auth0Rfc9068, ISSUER, API);
    let token = || {
        service
            .token(Some("at+jwt"), claims())
            .without_claim("azp")
            .client_id("client1")
            .claim("jti", "j")
    };
    service.assert([
        (
            "a user's",
            token(),
            accepted(
                "auth0|5f7c8ec7c33c6c004bbafe82",
                "client1",
                "openid orders:read",
                &["orders:read", "orders:refund"],
            ),
        ),
        ("an ID token, or the default profile", token().header("typ", "JWT"), WRONG_TYPE),
        ("without client", token().without_claim("client_id"), missing("client_id")),
        ("without jti", token().without_claim("jti"), missing("jti")),
        ("without iat", token().without_claim("iat"), missing("iat")),
        ("for userinfo only", token().audience(USERINFO), Outcome::ForAnother),
    ]);
}

#[test]
fn auth0_organizations_share_an_issuer() {
    let rules = Profile::Auth0.trust(ISSUER).unwrap();
    let rules = rules.require_claim(claim("org_id"), ClaimRule::equals("org_7"));
    let service = Service::new(rules, API);
    let token = || service.token(Some("JWT"), claims());
    let who = accepted(
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "client1",
        "openid orders:read",
        &["orders:read", "orders:refund"],
    );
    service.assert([
        ("ours", token().claim("org_id", "org_7"), who),
        ("another's", token().claim("org_id", "org_8"), wrong("org_id")),
        ("nobody's", token(), missing("org_id")),
    ]);
}
