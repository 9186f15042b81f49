use super::*;
use crate::trust::ClaimRule;

const TENANT: &str = "8d0f4a4e-1c5b-4d0e-9a5c-7d1f5f1b2c3d";
const OTHER_TENANT: &str = "11111111-2222-4333-8444-555555555555";
const API: &str = "5f0c9f1e-3b0e-4a52-9d2b-6c1f0a7d9e11";
const USER: &str = "0a1b2c3d-0000-4000-8000-00000000aaaa";
const CLIENT: &str = "6a7b8c9d-0000-4000-8000-00000000cccc";

fn v2() -> Service {
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let rules = Profile::EntraV2.trust(&issuer).unwrap();
    Service::new(rules.scope_prefix("api://orders/").unwrap(), API)
}

fn v2_token(service: &Service) -> TokenBuilder {
    let claims = json!({
        "aud": API, "azp": CLIENT, "azpacr": "1", "idp": "https://idp.example", "name": "A",
        "oid": USER, "preferred_username": "a@example.com", "rh": "0.Aa.", "scp": "orders.read orders.write",
        "sub": "pairwise-for-this-client", "tid": TENANT, "uti": "u-1", "ver": "2.0",
    });
    service.token(Some("JWT"), claims).header("x5t", "thumb")
}

#[test]
fn entra_v2() {
    let service = v2();
    let token = || v2_token(&service);
    let of_an_app = || {
        token()
            .without_claim("scp")
            .claim("roles", json!(["Orders.Read.All"]))
            .claim("idtyp", "app")
    };
    service.assert([
        (
            "a user's",
            token(),
            accepted(USER, CLIENT, "api://orders/orders.read api://orders/orders.write", &[]),
        ),
        ("an application's", of_an_app(), accepted(USER, CLIENT, "", &["Orders.Read.All"])),
        ("by nobody's leave", token().without_claim("scp"), missing("scp")),
        (
            "an ID token of a client that is also the API",
            token().without_claim("scp").without_claim("azp").claim("nonce", "n"),
            missing("azp"),
        ),
        (
            "an ID token with roles and a claim of the client's name",
            token().claim("nonce", "n").claim("roles", json!(["Admin"])),
            wrong("nonce"),
        ),
        ("one that came with an ID token's hash", token().claim("at_hash", "h"), wrong("at_hash")),
        ("one that came with a code's hash", token().claim("c_hash", "h"), wrong("c_hash")),
        (
            "another tenant's",
            token().claim("iss", format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0")),
            WRONG_ISSUER,
        ),
        ("another tenant's in our name", token().claim("tid", OTHER_TENANT), wrong("tid")),
        ("without tenant", token().without_claim("tid"), missing("tid")),
        (
            "version 1",
            token().claim("iss", format!("https://sts.windows.net/{TENANT}/")),
            WRONG_ISSUER,
        ),
        ("version 1 in the name of version 2", token().claim("ver", "1.0"), wrong("ver")),
        (
            "for Graph",
            token().claim("aud", "00000003-0000-0000-c000-000000000000"),
            Outcome::ForAnother,
        ),
        ("for the App ID URI", token().claim("aud", "api://orders"), Outcome::ForAnother),
        ("for nobody", token().without_claim("aud"), missing("aud")),
        ("scopes as an array", token().claim("scp", json!(["orders.read"])), invalid("scp")),
        ("only the pairwise subject", token().without_claim("oid"), missing("oid")),
        ("by a key of another kind", token().algorithm(SigningAlgorithm::ES256), WRONG_ALGORITHM),
    ]);
}

#[test]
fn entra_v2_groups_that_are_too_many_are_not_there() {
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let rules = || Profile::EntraV2.trust(&issuer).unwrap().roles_from([claim("groups")]).unwrap();
    let few = Service::new(rules(), API);
    let overage = || v2_token(&few).claim("_claim_names", json!({ "groups": "src1" }));
    few.assert([
        (
            "few",
            v2_token(&few).claim("groups", json!(["g"])),
            accepted(USER, CLIENT, "orders.read orders.write", &["g"]),
        ),
        ("too many", overage(), accepted(USER, CLIENT, "orders.read orders.write", &[])),
    ]);
    let strict = rules().require_claim(claim("/_claim_names/groups"), ClaimRule::Absent);
    let strict = Service::new(strict, API);
    strict.assert([("too many", overage(), wrong("/_claim_names/groups"))]);
}

#[test]
fn entra_v1() {
    let issuer = format!("https://sts.windows.net/{TENANT}/");
    let service = Service::of(&Profile::EntraV1, &issuer, "api://orders");
    let claims = json!({
        "acr": "1", "aio": "A", "amr": ["pwd"], "appid": CLIENT, "appidacr": "0", "aud": "api://orders",
        "oid": USER, "rh": "0.A", "scp": "orders.read", "sub": "pairwise", "tid": TENANT,
        "unique_name": "a@example.com", "upn": "a@example.com", "uti": "u", "ver": "1.0",
    });
    let token = || service.token(Some("JWT"), claims.clone()).header("x5t", "thumb");
    service.assert([
        ("a user's", token(), accepted(USER, CLIENT, "orders.read", &[])),
        ("an ID token", token().without_claim("appid").without_claim("scp"), missing("appid")),
        ("an ID token with nonce", token().claim("nonce", "n"), wrong("nonce")),
        ("one that came with an ID token's hash", token().claim("at_hash", "h"), wrong("at_hash")),
        ("one that came with a code's hash", token().claim("c_hash", "h"), wrong("c_hash")),
        (
            "an application's",
            token().without_claim("scp").claim("roles", json!(["Orders.Read.All"])),
            accepted(USER, CLIENT, "", &["Orders.Read.All"]),
        ),
        ("by nobody's leave", token().without_claim("scp"), missing("scp")),
        (
            "another tenant's",
            token().claim("iss", format!("https://sts.windows.net/{OTHER_TENANT}/")),
            WRONG_ISSUER,
        ),
        ("another tenant's in our name", token().claim("tid", OTHER_TENANT), wrong("tid")),
        (
            "without the slash",
            token().claim("iss", format!("https://sts.windows.net/{TENANT}")),
            WRONG_ISSUER,
        ),
        ("version 2", token().claim("ver", "2.0"), wrong("ver")),
        ("for Graph", token().claim("aud", "https://graph.microsoft.com"), Outcome::ForAnother),
        (
            "for the old Graph",
            token().claim("aud", "https://graph.windows.net/"),
            Outcome::ForAnother,
        ),
        ("for nobody", token().without_claim("aud"), missing("aud")),
    ]);
}
