use super::*;

#[test]
fn okta() {
    let service =
        Service::of(&Profile::Okta, "https://acme.okta.com/oauth2/default", "api://orders");
    let claims = json!({
        "aud": "api://orders", "auth_time": NOW - 60, "cid": "0oa1client", "jti": "AT.4bB",
        "scp": ["openid", "orders:read"], "sub": "alice@acme.example", "uid": "00u1alice", "ver": 1,
    });
    let token = || service.token(None, claims.clone());
    let of_an_app =
        || token().without_claim("uid").subject("0oa1client").claim("scp", json!(["orders:read"]));
    let alice = || accepted("00u1alice", "0oa1client", "openid orders:read", &[]);
    service.assert([
        ("a user's", token(), alice()),
        ("with Okta's type", token().header("typ", "application/okta-internal-at+jwt"), alice()),
        ("an application's", of_an_app(), accepted("0oa1client", "0oa1client", "orders:read", &[])),
        (
            "an ID token",
            token().claim("jti", "ID.4bB").without_claim("cid").without_claim("scp"),
            missing("cid"),
        ),
        (
            "an ID token with a claim of the client's name",
            token().without_claim("scp"),
            missing("scp"),
        ),
        ("an ID token with nonce", token().claim("nonce", "n"), wrong("nonce")),
        ("an ID token with the hash of a token", token().claim("at_hash", "h"), wrong("at_hash")),
        ("an ID token with the hash of a code", token().claim("c_hash", "h"), wrong("c_hash")),
        ("of type JWT", token().header("typ", "JWT"), WRONG_TYPE),
        (
            "another server's of the same org",
            token().claim("iss", "https://acme.okta.com/oauth2/aus2"),
            WRONG_ISSUER,
        ),
        ("the org server's", token().claim("iss", "https://acme.okta.com"), WRONG_ISSUER),
        ("for another service", token().audience("api://default"), Outcome::ForAnother),
        ("for nobody", token().without_claim("aud"), missing("aud")),
    ]);
}
