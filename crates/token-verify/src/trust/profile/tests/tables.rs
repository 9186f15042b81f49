//! The tables themselves.

use super::*;
use crate::{
    Issuer, SignatureAlgorithm,
    trust::{
        ClaimRule, KeyLocation, is_accepted_type,
        profile::{
            ProfileError,
            facts::{MissingType, Must},
        },
    },
};

const TENANT: &str = "8d0f4a4e-1c5b-4d0e-9a5c-7d1f5f1b2c3d";

#[test]
fn the_generic_profile_is_rfc_9068_and_nothing_else() {
    let issuer = Issuer::parse("https://as.example/x/").unwrap();
    let expected = TrustedIssuer::new(issuer).require_rfc9068();
    assert_eq!(Profile::Rfc9068.trust("https://as.example/x/"), Ok(expected));
}

#[test]
fn each_profile_takes_issuers_of_its_form_only() {
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let us = format!("https://login.microsoftonline.us/{TENANT}/v2.0");
    let cn = format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0");
    let external = format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0");
    let mixed = format!("https://{}.ciamlogin.com/{TENANT}/v2.0", TENANT.replace('8', "9"));
    let upper = v2.to_uppercase().replace("HTTPS", "https").replace("V2.0", "v2.0");
    let google = Profile::Google { client_id: "ours".into() };
    let rows = [
        (Profile::Auth0, "https://acme.eu.auth0.com/", true),
        (Profile::Auth0, "https://login.acme.example/", true),
        (Profile::Auth0, "https://acme.eu.auth0.com", false),
        (Profile::Auth0, "https://acme.eu.auth0.com/x/", false),
        (Profile::Auth0Rfc9068, "https://acme.eu.auth0.com/", true),
        (Profile::Auth0Rfc9068, "https://acme.eu.auth0.com", false),
        (Profile::Authentik, "https://id.example/application/o/orders/", true),
        (Profile::Authentik, "https://id.example/auth/application/o/orders/", true),
        (Profile::Authentik, "https://id.example/application/o/orders", false),
        (Profile::Authentik, "https://id.example/", false),
        (Profile::Cognito, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab", true),
        (Profile::Cognito, "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab", true),
        (Profile::Cognito, "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Ab", true),
        (Profile::Cognito, "https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_Ab", false),
        (Profile::Cognito, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab/", false),
        (Profile::Cognito, "https://cognito-idp.a.evil.example/x.amazonaws.com/a_b", false),
        (Profile::Cognito, "https://acme.auth.eu-west-1.amazoncognito.com", false),
        (Profile::EntraV1, &v1, true),
        (Profile::EntraV1, v1.trim_end_matches('/'), false),
        (Profile::EntraV1, &v2, false),
        (Profile::EntraV1, "https://sts.windows.net/common/", false),
        (Profile::EntraV2, &v2, true),
        (Profile::EntraV2, &us, true),
        (Profile::EntraV2, &cn, true),
        (Profile::EntraV2, &external, true),
        (Profile::EntraV2, &mixed, false),
        (Profile::EntraV2, &upper, false),
        (Profile::EntraV2, &v1, false),
        (Profile::EntraV2, "https://login.microsoftonline.com/common/v2.0", false),
        (Profile::EntraV2, "https://login.microsoftonline.com/organizations/v2.0", false),
        (Profile::EntraV2, "https://login.microsoftonline.com/consumers/v2.0", false),
        (Profile::EntraV2, "https://login.microsoftonline.com/acme.example/v2.0", false),
        (google.clone(), "https://accounts.google.com", true),
        (google.clone(), "https://accounts.google.com/", false),
        (google, "https://google.com", false),
        (Profile::Hydra, "https://hydra.example/", true),
        (Profile::HydraOpaque, "https://hydra.example", true),
        (Profile::Keycloak, "https://sso.example/realms/acme", true),
        (Profile::Keycloak, "https://sso.example/auth/realms/acme", true),
        (Profile::Keycloak, "http://localhost:8080/realms/acme", true),
        (Profile::Keycloak, "https://sso.example/realms/acme/", false),
        (Profile::Keycloak, "https://sso.example", false),
        (Profile::Okta, "https://acme.okta.com/oauth2/default", true),
        (Profile::Okta, "https://acme.okta.com", false),
        (Profile::Okta, "https://acme.okta.com/oauth2", false),
        (Profile::OktaOrg, "https://acme.okta.com", true),
        (Profile::OktaOrg, "https://acme.okta.com/oauth2/default", false),
        (Profile::Rfc9068, "https://anything.example/at/all/", true),
        (Profile::WorkOs, "https://acme.authkit.app", true),
        (Profile::WorkOs, "https://acme.authkit.app/", false),
        (Profile::WorkOs, "https://api.workos.com/user_management/client_1", false),
        (Profile::Zitadel, "https://acme.zitadel.cloud", true),
        (Profile::Zitadel, "https://acme.zitadel.cloud/", false),
        (Profile::ZitadelOpaque, "http://localhost:8080", true),
        (Profile::ZitadelOpaque, "http://localhost:8080/", false),
    ];
    for (profile, issuer, expected) in rows {
        let rules = profile.trust(issuer);
        assert_eq!(rules.is_ok(), expected, "{} {issuer}", profile.name());
        if let Ok(rules) = rules {
            assert_eq!(rules.issuer().as_str(), issuer);
        }
    }
}

#[test]
fn a_profile_says_what_it_expects() {
    let text = |profile: Profile, issuer: &str| profile.trust(issuer).unwrap_err().to_string();
    assert_eq!(
        text(Profile::Okta, "https://acme.okta.com"),
        "not an issuer of the profile `okta`, which looks like `https://{host}/oauth2/{name}`: without \
         `/oauth2/` it is the org authorization server, whose tokens are opaque (`okta-org`)"
    );
    assert_eq!(
        Profile::Rfc9068.trust("as.example").unwrap_err().to_string(),
        "not an issuer identifier"
    );
    let nobody = Profile::Google { client_id: "".into() };
    assert_eq!(nobody.trust("https://accounts.google.com"), Err(ProfileError::NoClient));
}

#[test]
fn keys_are_where_the_provider_has_them() {
    let at = |url: &str| KeyLocation::jwks_uri(url).unwrap();
    let rows = [
        (
            Profile::EntraV1,
            format!("https://sts.windows.net/{TENANT}/"),
            at(&format!("https://login.microsoftonline.com/{TENANT}/discovery/keys")),
        ),
        (
            Profile::EntraV2,
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            KeyLocation::Discovery,
        ),
        (
            Profile::WorkOs,
            "https://acme.authkit.app".to_owned(),
            at("https://acme.authkit.app/oauth2/jwks"),
        ),
        (Profile::Auth0, "https://acme.eu.auth0.com/".to_owned(), KeyLocation::Discovery),
    ];
    for (profile, issuer, expected) in rows {
        assert_eq!(profile.trust(&issuer).unwrap().key_location(), &expected, "{}", profile.name());
    }
}

#[test]
fn all_that_the_tables_say_could_be_said_by_hand() {
    for profile in Profile::all() {
        let facts = profile.facts();
        for typ in facts.types {
            let rules = TrustedIssuer::new(Issuer::parse("https://as.example").unwrap());
            let _ = rules.accept_type(typ).unwrap();
        }
        assert!(!facts.algorithms.is_empty() && !facts.subjects.is_empty());
        assert!(!facts.clients.is_empty() && !facts.scopes.is_empty());
        let places = [facts.subjects, facts.clients, facts.scopes, facts.roles, facts.require_any];
        for place in places.concat() {
            ClaimSource::parse(place.as_str()).unwrap();
        }
        for (claim, _) in facts.require {
            ClaimSource::parse(claim).unwrap();
        }
    }
}

#[test]
fn each_profile_accepts_the_types_and_algorithms_of_its_provider_only() {
    const TYPES: [Option<&str>; 5] =
        [None, Some("at+jwt"), Some("JWT"), Some("application/okta-internal-at+jwt"), Some("x")];
    let rows = [
        ("auth0", "at+jwt JWT", "PS256 RS256"),
        ("auth0-rfc9068", "at+jwt", "PS256 RS256"),
        ("authentik", "at+jwt JWT", "all"),
        ("cognito", "none at+jwt", "RS256"),
        ("entra-v1", "at+jwt JWT", "RS256"),
        ("entra-v2", "at+jwt JWT", "RS256"),
        ("google", "at+jwt", "all"),
        ("hydra", "at+jwt JWT", "all"),
        ("hydra-opaque", "at+jwt", "all"),
        ("keycloak", "at+jwt JWT", "all"),
        ("okta", "none at+jwt application/okta-internal-at+jwt", "RS256"),
        ("okta-org", "at+jwt", "all"),
        ("rfc9068", "at+jwt", "all"),
        ("workos", "none at+jwt JWT", "RS256"),
        ("zitadel", "at+jwt JWT", "all"),
        ("zitadel-opaque", "at+jwt", "all"),
    ];
    let profiles = Profile::all();
    assert_eq!(profiles.each_ref().map(Profile::name), rows.map(|(name, ..)| name));
    for (profile, (name, types, algorithms)) in profiles.iter().zip(rows) {
        let issuer = Issuer::parse("https://as.example").unwrap();
        let rules = profile.facts().rules(issuer, &[]);
        let accepted: Vec<_> = TYPES
            .into_iter()
            .filter(|typ| is_accepted_type(typ.map(Value::from).as_ref(), &rules))
            .map(|typ| typ.unwrap_or("none"))
            .collect();
        assert_eq!(accepted.join(" "), types, "{name}");
        let accepted: Vec<_> = SignatureAlgorithm::ALL
            .iter()
            .filter(|algorithm| rules.accepts_algorithm(**algorithm))
            .map(|algorithm| algorithm.as_str())
            .collect();
        let is_all = accepted.len() == SignatureAlgorithm::ALL.len();
        let accepted = if is_all { "all".to_owned() } else { accepted.join(" ") };
        assert_eq!(accepted, algorithms, "{name}");
    }
}

#[test]
fn scopes_are_an_array_only_where_the_provider_writes_one() {
    let rules = |profile: Profile| profile.facts().scopes.iter().map(ClaimSource::form).collect();
    for profile in Profile::all() {
        let forms: Vec<_> = rules(profile.clone());
        let expected: &[&str] = match profile.name() {
            "hydra" => &["values", "values"],
            "okta" => &["values"],
            _ => &["text"],
        };
        assert_eq!(forms, expected, "{}", profile.name());
    }
}

#[test]
fn no_profile_that_accepts_what_id_tokens_look_like_does_without_a_way_to_tell() {
    for profile in Profile::all() {
        let facts = profile.facts();
        let accepts_id_tokens =
            facts.types.contains(&"JWT") || facts.missing_type == MissingType::Accepted;
        assert!(!accepts_id_tokens || !facts.require.is_empty(), "{}", profile.name());
    }
}

#[test]
fn a_place_that_is_not_in_the_issuer_fits_nothing() {
    let rule = Must::The("tenant").rule(&[]);
    assert_eq!(rule, ClaimRule::OneOf(Vec::new()));
}
