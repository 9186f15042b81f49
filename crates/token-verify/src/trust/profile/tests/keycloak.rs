use super::*;

const ISSUER: &str = "https://sso.example/realms/acme";
const ALICE: &str = "f3d1-alice";

fn claims() -> Value {
    json!({
        "acr": "1", "allowed-origins": ["https://app.example"], "aud": ["orders-api", "account"],
        "azp": "web", "jti": "j", "preferred_username": "alice",
        "realm_access": { "roles": ["offline_access", "staff"] },
        "resource_access": { "orders-api": { "roles": ["refund"] }, "other": { "roles": ["admin"] } },
        "scope": "openid orders", "sid": "s", "sub": ALICE, "typ": "Bearer",
    })
}

#[test]
fn keycloak() {
    let service = Service::of(&Profile::Keycloak, ISSUER, "orders-api");
    let token = || service.token(Some("JWT"), claims());
    let alice = || accepted(ALICE, "web", "openid orders", &["offline_access", "staff"]);
    service.assert([
        ("a user's", token(), alice()),
        ("of a client that was switched to RFC 9068", token().header("typ", "at+jwt"), alice()),
        ("one that DPoP is asked for", token().claim("typ", "DPoP"), alice()),
        ("an ID token", token().claim("typ", "ID").claim("at_hash", "h"), wrong("typ")),
        ("a refresh token", token().claim("typ", "Refresh"), wrong("typ")),
        ("an offline token", token().claim("typ", "Offline"), wrong("typ")),
        ("a logout token", token().claim("typ", "Logout"), wrong("typ")),
        ("without typ", token().without_claim("typ"), missing("typ")),
        ("without client", token().without_claim("azp"), missing("azp")),
        ("for the account page", token().audience("account"), Outcome::ForAnother),
        ("for nobody", token().without_claim("aud"), missing("aud")),
        ("without the scope basic", token().without_claim("sub"), missing("sub")),
        (
            "another realm's",
            token().claim("iss", "https://sso.example/realms/master"),
            WRONG_ISSUER,
        ),
        ("by the realm's secret", token().hmac_with("secret"), WRONG_ALGORITHM),
    ]);
}

#[test]
fn keycloak_roles_of_one_client_are_that_clients() {
    let rules = Profile::Keycloak.trust(ISSUER).unwrap();
    let rules = rules.roles_from([claim("/resource_access/orders-api/roles")]).unwrap();
    let service = Service::new(rules, "orders-api");
    service.assert([(
        "neither the realm's nor another client's",
        service.token(Some("JWT"), claims()),
        accepted(ALICE, "web", "openid orders", &["refund"]),
    )]);
}
