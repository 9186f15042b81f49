//! What a file says is what could have been said in Rust.

use std::time::Duration;

use palisade_core::Actor;
use serde_json::json;

use crate::{
    AddressPolicy, Issuer, SignatureAlgorithm,
    testing::issuer_of_all_algorithms,
    trust::{
        ActorRule, ClaimLimit, ClaimRule, ClaimSource, KeyLocation, Profile, SenderConstraint,
        Trust, TrustError, TrustedIssuer,
    },
};

type Rules = Result<TrustedIssuer, TrustError>;

fn claim(place: &str) -> ClaimSource {
    ClaimSource::parse(place).unwrap()
}

fn plain() -> TrustedIssuer {
    TrustedIssuer::new(Issuer::parse("https://as.example").unwrap())
}

#[track_caller]
fn assert_same(file: &str, rules: impl IntoIterator<Item = TrustedIssuer>) {
    let read = Trust::from_toml(file).map_err(|error| error.to_string()).unwrap();
    let built = Trust::of(rules).unwrap();
    assert_eq!(read, built, "{file}");
    assert_eq!(read.digest(), built.digest(), "{file}");
}

#[test]
fn each_rule_can_be_written_down() {
    let actor = |max_depth| ActorRule::OneOf {
        actors: vec![Actor::new("proxy"), Actor::new("other").of_issuer("https://x.example")],
        max_depth,
    };
    let seconds = Duration::from_secs;
    let uri = || KeyLocation::jwks_uri("https://as.example/keys").unwrap();
    let limited = |limit| plain().limit_claim("email", limit);
    let rows: [(&str, Rules); 35] = [
        ("", Ok(plain())),
        ("keys = 'discovery'", Ok(plain())),
        ("keys = 'supplied'", Ok(plain().keys_at(KeyLocation::Supplied))),
        ("jwks_uri = 'https://as.example/keys'", Ok(plain().keys_at(uri()))),
        (
            "algorithms = ['RS256', 'EdDSA']",
            plain().algorithms([SignatureAlgorithm::RS256, SignatureAlgorithm::Ed25519]),
        ),
        ("types = ['JWT']", plain().accept_type("JWT")),
        ("accept_missing_type = true", Ok(plain().accept_missing_type())),
        ("require_rfc9068 = true", Ok(plain().require_rfc9068())),
        ("require.x = 'y'", Ok(plain().require_claim(claim("x"), ClaimRule::equals("y")))),
        ("require.x = 1", Ok(plain().require_claim(claim("x"), ClaimRule::equals(1)))),
        ("require.x = 1.5", Ok(plain().require_claim(claim("x"), ClaimRule::equals(1.5)))),
        ("require.x = true", Ok(plain().require_claim(claim("x"), ClaimRule::equals(true)))),
        (
            "require.x = [1, 'a']",
            Ok(plain().require_claim(claim("x"), ClaimRule::equals(json!([1, "a"])))),
        ),
        (
            "require.'/x/y' = { one_of = ['a', { b = [2] }] }",
            Ok(plain().require_claim(
                claim("/x/y"),
                ClaimRule::OneOf(vec![json!("a"), json!({ "b": [2] })]),
            )),
        ),
        (
            "require.x = { present = true }",
            Ok(plain().require_claim(claim("x"), ClaimRule::Present)),
        ),
        ("require.x = { absent = true }", Ok(plain().require_claim(claim("x"), ClaimRule::Absent))),
        (
            "require_any = [['scp', 'roles'], ['a']]",
            plain()
                .require_any_claim([claim("scp"), claim("roles")])
                .and_then(|rules| rules.require_any_claim([claim("a")])),
        ),
        ("leeway_seconds = 0", plain().leeway(seconds(0))),
        ("max_lifetime_seconds = 3_600", Ok(plain().max_lifetime(seconds(3600)))),
        ("max_age_seconds = 0x10", Ok(plain().max_age(seconds(16)))),
        (
            "audiences = ['aud', 'client_id']",
            plain().audiences_from([claim("aud"), claim("client_id")]),
        ),
        ("subjects = ['oid', 'sub']", plain().subjects_from([claim("oid"), claim("sub")])),
        ("clients = ['azp']", plain().clients_from([claim("azp")])),
        ("scopes = ['scp', '/x/y']", plain().scopes_from([claim("scp"), claim("/x/y")])),
        (
            "roles = [{ member_names = 'urn:x' }, 'roles']",
            plain().roles_from([claim("urn:x").member_names(), claim("roles")]),
        ),
        ("scope_map = { 'orders:read' = 'read' }", plain().map_scope("orders:read", "read")),
        ("scope_prefix = 'api://x/'", plain().scope_prefix("api://x/")),
        ("actors = 'none'", plain().actors(ActorRule::None)),
        ("actors = { max_depth = 2 }", plain().actors(ActorRule::Any { max_depth: 2 })),
        (
            "actors = { max_depth = 1, one_of = [{ subject = 'proxy' }, \
             { subject = 'other', issuer = 'https://x.example' }] }",
            plain().actors(actor(1)),
        ),
        ("addresses = 'private'", Ok(plain().addresses(AddressPolicy::AllowPrivate))),
        (
            "sender_constraint = 'required'",
            Ok(plain().sender_constraint(SenderConstraint::Required)),
        ),
        ("limits.email = 'nothing'", limited(ClaimLimit::Nothing)),
        (
            "limits.email = { values = ['a', 'b'] }",
            limited(ClaimLimit::Values(vec!["a".into(), "b".into()])),
        ),
        (
            "limits.email = { domains = ['x.example'] }",
            limited(ClaimLimit::EmailDomains(vec!["x.example".into()])),
        ),
    ];
    for (line, rules) in rows {
        assert_same(
            &format!("[[issuer]]\nissuer = 'https://as.example'\n{line}"),
            [rules.unwrap()],
        );
    }
}

#[test]
fn keys_can_be_in_the_file() {
    let set = issuer_of_all_algorithms().jwks().to_string();
    let file = format!("[[issuer]]\nissuer = 'https://as.example'\njwks = '''{set}'''");
    assert_same(&file, [plain().keys_at(KeyLocation::Inline(set.into()))]);
}

#[test]
fn each_profile_can_be_written_down() {
    let tenant = "8d0f4a4e-1c5b-4d0e-9a5c-7d1f5f1b2c3d";
    for profile in Profile::all() {
        let google = Profile::Google { client_id: Box::default() };
        let (profile, written) = if profile == google {
            let ours = Profile::Google { client_id: "ours".into() };
            (ours, "{ name = 'google', client_id = 'ours' }".to_owned())
        } else {
            let name = profile.name();
            (profile, format!("'{name}'"))
        };
        let issuer = profile.example().replace("{tenant}", tenant);
        let file = format!("[[issuer]]\nissuer = '{issuer}'\nprofile = {written}");
        assert_same(&file, [profile.trust(&issuer).unwrap()]);
    }
}

#[test]
fn a_profile_can_be_changed_and_keeps_its_rules() {
    let issuer = "https://acme.eu.auth0.com/";
    let changed = Profile::Auth0.trust(issuer).unwrap();
    let changed = changed
        .accept_type("x+jwt")
        .and_then(|rules| rules.roles_from([claim("groups")]))
        .unwrap()
        .require_claim(claim("org_id"), ClaimRule::equals("org_7"));
    let file = format!(
        "[[issuer]]\nissuer = '{issuer}'\nprofile = 'auth0'\ntypes = ['x+jwt']\nroles = ['groups']\n\
         require.org_id = 'org_7'"
    );
    assert_same(&file, [changed]);
}

#[test]
fn the_example_file_says_what_its_comments_say() {
    let keycloak = Profile::Keycloak
        .trust("https://sso.example/realms/acme")
        .unwrap()
        .roles_from([claim("/resource_access/orders-api/roles")])
        .unwrap()
        .max_lifetime(Duration::from_secs(3600));
    let entra = Profile::EntraV2
        .trust("https://login.microsoftonline.com/8d0f4a4e-1c5b-4d0e-9a5c-7d1f5f1b2c3d/v2.0")
        .unwrap()
        .scope_prefix("api://orders/")
        .unwrap();
    let partner = || -> Rules {
        TrustedIssuer::new(Issuer::parse("https://login.partner.example").unwrap())
            .keys_at(KeyLocation::jwks_uri("https://login.partner.example/keys").unwrap())
            .algorithms([SignatureAlgorithm::ES256])?
            .require_rfc9068()
            .leeway(Duration::from_secs(10))?
            .max_age(Duration::from_secs(900))
            .actors(ActorRule::None)?
            .sender_constraint(SenderConstraint::Required)
            // In the order of the file.
            .require_claim(claim("tenant"), ClaimRule::equals("us"))
            .require_claim(claim("acr"), ClaimRule::OneOf(vec![json!("2"), json!("3")]))
            .require_claim(claim("nonce"), ClaimRule::Absent)
            .map_scope("orders:read", "read")?
            .limit_claim("email", ClaimLimit::EmailDomains(vec!["partner.example".into()]))?
            .limit_claim("groups", ClaimLimit::Values(vec!["staff".into()]))?
            .limit_claim("admin", ClaimLimit::Nothing)
    };
    let file = include_str!("../../../../examples/trust.toml");
    assert_same(file, [keycloak, entra, partner().unwrap()]);
}
