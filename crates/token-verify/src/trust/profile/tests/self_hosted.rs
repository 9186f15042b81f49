use super::*;

#[test]
fn authentik() {
    let service = Service::of(
        &Profile::Authentik,
        "https://id.example/application/o/orders/",
        "orders-client",
    );
    let claims = json!({
        "acr": "goauthentik.io/providers/oauth2/default", "amr": ["pwd"], "aud": "orders-client",
        "auth_time": NOW - 60, "azp": "orders-client", "scope": "openid orders", "sid": "s",
        "sub": "9a1f-hashed", "uid": "u-1",
    });
    let token = || service.token(Some("JWT"), claims.clone());
    let id_token = || token().without_claim("azp").without_claim("uid").without_claim("scope");
    service.assert([
        ("a user's", token(), accepted("9a1f-hashed", "orders-client", "openid orders", &[])),
        (
            "of a version without scope",
            token().without_claim("scope"),
            accepted("9a1f-hashed", "orders-client", "", &[]),
        ),
        ("an ID token", id_token(), missing("azp")),
        ("an ID token with azp", id_token().claim("azp", "orders-client"), missing("uid")),
        (
            "by the client secret, without a signing key",
            token().hmac_with("secret"),
            WRONG_ALGORITHM,
        ),
        ("for another client", token().audience("other"), Outcome::ForAnother),
        ("for nobody", token().without_claim("aud"), missing("aud")),
        (
            "another provider's",
            token().claim("iss", "https://id.example/application/o/other/"),
            WRONG_ISSUER,
        ),
    ]);
}

#[test]
fn hydra() {
    let service = Service::of(&Profile::Hydra, "https://hydra.example/", "https://orders.example");
    let claims = json!({
        "aud": ["https://orders.example"], "client_id": "web", "ext": { "roles": ["staff"] },
        "jti": "j", "nbf": NOW - 1, "scp": ["openid", "orders"], "sub": "alice",
    });
    let token = || service.token(Some("JWT"), claims.clone());
    let alice = || accepted("alice", "web", "openid orders", &[]);
    service.assert([
        ("a user's, scopes in a list", token(), alice()),
        ("scopes in a string", token().without_claim("scp").scope("openid orders"), alice()),
        ("scopes in both", token().scope("openid orders"), alice()),
        ("scopes in both that differ", token().scope("openid orders admin"), invalid("scp")),
        ("no audience was asked for", token().claim("aud", json!([])), invalid("aud")),
        ("without audience", token().without_claim("aud"), missing("aud")),
        (
            "an ID token",
            token().without_claim("client_id").without_claim("scp").claim("at_hash", "h"),
            missing("client_id"),
        ),
        ("an ID token with client", token().claim("at_hash", "h"), wrong("at_hash")),
        ("an ID token with nonce", token().claim("nonce", "n"), wrong("nonce")),
        ("an ID token with the hash of a code", token().claim("c_hash", "h"), wrong("c_hash")),
        ("for another", token().audience("https://x.example"), Outcome::ForAnother),
        ("another's", token().claim("iss", "https://hydra.example"), WRONG_ISSUER),
    ]);
}

#[test]
fn zitadel() {
    let service =
        Service::of(&Profile::Zitadel, "https://acme.zitadel.cloud", "259254020357488642");
    let roles = json!({
        "admin": { "2592": "acme.example" }, "reader": { "2592": "acme.example" },
    });
    let claims = json!({
        "aud": ["259254409320529922@orders", "259254020357488642"], "azp": "259254409320529922@orders",
        "jti": "V1-at", "nbf": NOW - 1, "sub": "2592-alice", "urn:zitadel:iam:org:project:roles": roles,
    });
    let token = || service.token(Some("JWT"), claims.clone());
    let alice = || accepted("2592-alice", "259254409320529922@orders", "", &["admin", "reader"]);
    service.assert([
        ("a user's", token(), alice()),
        (
            "with the client under its other name",
            token().without_claim("azp").client_id("259254409320529922@orders"),
            alice(),
        ),
        (
            "an ID token",
            token().without_claim("jti").claim("auth_time", NOW).claim("at_hash", "h"),
            missing("jti"),
        ),
        ("an ID token with jti", token().claim("auth_time", NOW), wrong("auth_time")),
        ("an ID token with nonce", token().claim("nonce", "n"), wrong("nonce")),
        ("an ID token with the hash of a token", token().claim("at_hash", "h"), wrong("at_hash")),
        ("an ID token with the hash of a code", token().claim("c_hash", "h"), wrong("c_hash")),
        (
            "roles of another form",
            token().claim("urn:zitadel:iam:org:project:roles", json!(["admin"])),
            invalid("urn:zitadel:iam:org:project:roles"),
        ),
        ("for another project", token().audiences(["x"]), Outcome::ForAnother),
        ("for nobody", token().without_claim("aud"), missing("aud")),
        ("another instance's", token().claim("iss", "https://evil.zitadel.cloud"), WRONG_ISSUER),
    ]);
}
