use palisade_core::{ManualClock, ScopeSet};
use palisade_test_issuer::{TestIssuer, TokenBuilder};
use serde_json::{Value, json};

use super::{NobodyMayAsk, check_table};
use crate::{
    Claims, Issuer, JwtVerifier, Rejection,
    testing::{
        AUDIENCE, ISSUER, NOW, clock, instant, issuer, keys, rejection, rules, verdict, verifier,
        verifier_with,
    },
    trust::ClaimSource,
};

fn invalid(claim: &'static str) -> Option<Rejection> {
    Some(Rejection::invalid(claim))
}

fn missing(claim: &'static str) -> Option<Rejection> {
    Some(Rejection::missing(claim))
}

fn rows_for(
    issuer: &TestIssuer,
    claim: &'static str,
    values: impl IntoIterator<Item = Value>,
    expected: Option<Rejection>,
) -> Vec<(String, String, Option<Rejection>)> {
    values
        .into_iter()
        .zip(std::iter::repeat(expected))
        .map(|(value, expected)| {
            let name = format!("{claim}: {value}");
            (name, issuer.mint().claim(claim, value).sign(), expected)
        })
        .collect()
}

#[test]
fn a_principal_is_what_the_token_says() {
    let issuer = issuer();
    let token = issuer
        .mint()
        .subject("alice")
        .client_id("agent")
        .audiences([AUDIENCE, "other"])
        .scope("b a")
        .actor(json!({ "sub": "proxy", "iss": "https://other.example", "act": { "sub": "first" } }))
        .claim("jti", "id-1")
        .claim("tenant", json!({ "name": "t" }))
        .issued_at(NOW - 5)
        .expires_at(NOW + 60)
        .sign();
    let principal = verdict(&verifier(&issuer), &token).unwrap();
    assert_eq!(principal.issuer(), ISSUER);
    assert_eq!(principal.subject(), "alice");
    assert_eq!(principal.client_id(), Some("agent"));
    assert_eq!(principal.token_id(), Some("id-1"));
    assert_eq!(principal.audiences().collect::<Vec<_>>(), [AUDIENCE, "other"]);
    assert_eq!(principal.scopes(), &ScopeSet::parse("a b").unwrap());
    assert_eq!(principal.issued_at(), Some(instant(NOW - 5)));
    assert_eq!(principal.expires_at(), Some(instant(NOW + 60)));
    assert!(principal.checked_audience().is_none(), "that is another layer's word");
    let actors: Vec<_> =
        principal.actors().iter().map(|actor| (actor.subject(), actor.issuer())).collect();
    assert_eq!(actors, [("proxy", Some("https://other.example")), ("first", None)]);
    let claims: &Claims = principal.claims().unwrap();
    assert_eq!(claims.get("tenant").unwrap()["name"], "t");
    assert!(!format!("{claims:?}").contains("agent"), "names of claims only");
}

#[test]
fn clm_06_and_aud_06_the_issuer_is_one_string_byte_for_byte() {
    let issuer = issuer();
    let others = [
        "https://as.example/",
        "http://as.example",
        "https://AS.example",
        "https://as.example:443",
        "https://as.example.evil.example",
        "https://as.exampl",
        " https://as.example",
        "https://as.example\0",
        "",
    ];
    let others = others.map(|iss| json!(iss));
    check_table(&verifier(&issuer), rows_for(&issuer, "iss", others, Some(Rejection::WrongIssuer)));
    let values = [
        json!([ISSUER]),
        json!(["https://evil.example", ISSUER]),
        json!(5),
        json!(null),
        json!({}),
    ];
    check_table(&verifier(&issuer), rows_for(&issuer, "iss", values, invalid("iss")));
    let token = issuer.mint().without_claim("iss").sign();
    assert_eq!(rejection(&verifier(&issuer), &token), missing("iss"));
}

#[test]
fn aud_07_a_token_of_another_issuer_does_not_reach_the_keys() {
    let other = TestIssuer::builder().in_process("https://other.example").unwrap();
    let ours = Issuer::parse(ISSUER).unwrap();
    let aloof = JwtVerifier::new(ours, NobodyMayAsk).unwrap().with_clock(clock());
    for token in [
        other.mint(),
        other.mint().claim("iss", json!([ISSUER])),
        other.mint().without_claim("iss"),
    ] {
        assert!(rejection(&aloof, &token.sign()).is_some());
    }
    // Even with our issuer's name, keys of the other do not count. Both call their key `ES256-1`.
    let posing = other.mint().claim("iss", ISSUER).sign();
    assert_eq!(rejection(&verifier(&issuer()), &posing), Some(Rejection::BadSignature));
}

#[test]
fn aud_04_a_token_names_its_audience() {
    let issuer = issuer();
    let values = [
        json!([]),
        json!(""),
        json!(1),
        json!({}),
        json!(null),
        json!(true),
        json!([AUDIENCE, 1]),
        json!([AUDIENCE, ""]),
        json!([AUDIENCE, null]),
        json!([[AUDIENCE]]),
        json!("https://api.example\0"),
    ];
    check_table(&verifier(&issuer), rows_for(&issuer, "aud", values, invalid("aud")));
    let token = issuer.mint().without_claim("aud").sign();
    assert_eq!(rejection(&verifier(&issuer), &token), missing("aud"));
}

#[test]
fn clm_07_a_token_has_a_subject() {
    let issuer = issuer();
    let values = [json!(""), json!(7), json!(null), json!(["alice"]), json!("a\0b"), json!("a\nb")];
    check_table(&verifier(&issuer), rows_for(&issuer, "sub", values, invalid("sub")));
    let token = issuer.mint().without_claim("sub").sign();
    assert_eq!(rejection(&verifier(&issuer), &token), missing("sub"));
}

#[test]
fn pop_09_what_a_token_is_bound_to_is_understood_or_refused() {
    let issuer = issuer();
    let values =
        [json!({ "jkt": "x" }), json!({ "x5t#S256": "x" }), json!({}), json!(null), json!(1)];
    check_table(&verifier(&issuer), rows_for(&issuer, "cnf", values, invalid("cnf")));
    let unknown = [json!({ "jwk": {} }), json!({ "x5u": "https://evil.example" })];
    check_table(&verifier(&issuer), rows_for(&issuer, "cnf", unknown, Some(Rejection::BoundToKey)));

    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let token = issuer.mint().claim("cnf", json!({ "jkt": jkt })).sign();
    let principal = verdict(&verifier(&issuer), &token).unwrap();
    assert!(principal.confirmation().unwrap().jwk_thumbprint().is_some());
}

#[test]
fn scopes_are_strict() {
    let issuer = issuer();
    let values = [
        json!(["read"]),
        json!(1),
        json!(null),
        json!({}),
        json!("read  write"),
        json!(" read"),
        json!("read "),
        json!("read\twrite"),
        json!("read\u{a0}write"),
        json!("re\"ad"),
    ];
    check_table(&verifier(&issuer), rows_for(&issuer, "scope", values, invalid("scope")));
    for scope in ["", "read", "read write"] {
        let token = issuer.mint().scope(scope).sign();
        let principal = verdict(&verifier(&issuer), &token).unwrap();
        assert_eq!(principal.scopes(), &ScopeSet::parse(scope).unwrap());
    }
}

#[test]
fn scp_counts_only_where_that_was_asked_for() {
    let issuer = issuer();
    let strict = verifier(&issuer);
    let sources = ["scope", "scp"].map(|claim| ClaimSource::parse(claim).unwrap());
    let lax = verifier_with(rules().scopes_from(sources).unwrap(), &issuer);
    let scp = |value: Value| issuer.mint().without_claim("scope").claim("scp", value);
    for value in [json!("read write"), json!(["write", "read"])] {
        let token = scp(value).sign();
        assert!(verdict(&strict, &token).unwrap().scopes().is_empty());
        let scopes = verdict(&lax, &token).unwrap().scopes().clone();
        assert_eq!(scopes, ScopeSet::parse("read write").unwrap());
    }
    let rows = [
        ("same", scp(json!(["a", "b"])).scope("b a"), None),
        ("different", scp(json!(["a"])).scope("a b"), invalid("scp")),
        ("one empty", scp(json!([])).scope("a"), invalid("scp")),
        ("number", scp(json!(1)), invalid("scp")),
        ("mixed", scp(json!(["a", 1])), invalid("scp")),
        ("two in one", scp(json!(["a b"])), invalid("scp")),
        ("malformed scope beside it", scp(json!("a")).scope("a  b"), invalid("scope")),
    ];
    check_table(&lax, rows.map(|(name, token, expected)| (name, token.sign(), expected)));
}

#[test]
fn clm_10_chains_of_actors_are_short_and_well_formed() {
    fn chain(length: usize) -> Value {
        (1..length).fold(json!({ "sub": "a" }), |act, _| json!({ "sub": "a", "act": act }))
    }
    let issuer = issuer();
    let actors_of = |token: TokenBuilder| {
        verdict(&verifier(&issuer), &token.sign()).map(|principal| principal.actors().len())
    };
    assert_eq!(actors_of(issuer.mint().actor(chain(8))), Ok(8));
    let values = [
        chain(9),
        chain(20),
        json!("a"),
        json!([]),
        json!(null),
        json!({}),
        json!({ "sub": 1 }),
        json!({ "sub": "" }),
        json!({ "sub": "a", "iss": 1 }),
        json!({ "sub": "a", "act": null }),
        json!({ "sub": "a", "act": "b" }),
    ];
    check_table(&verifier(&issuer), rows_for(&issuer, "act", values, invalid("act")));
}

#[test]
fn clm_09_optional_identifiers_are_strings_or_not_there() {
    let issuer = issuer();
    for claim in ["client_id", "jti"] {
        let values = [json!(""), json!(1), json!(null), json!(["x"]), json!("x\u{7f}")];
        check_table(&verifier(&issuer), rows_for(&issuer, claim, values, invalid(claim)));
        let token = issuer.mint().without_claim(claim).sign();
        assert_eq!(rejection(&verifier(&issuer), &token), None);
        let strict = verifier_with(rules().require_rfc9068(), &issuer);
        assert_eq!(rejection(&strict, &token), missing(claim));
        assert_eq!(rejection(&strict, &issuer.mint().sign()), None);
    }
    let token = issuer.mint().without_claim("iat").sign();
    assert_eq!(rejection(&verifier(&issuer), &token), None);
    assert_eq!(
        rejection(&verifier_with(rules().require_rfc9068(), &issuer), &token),
        missing("iat")
    );
}

#[test]
fn the_client_may_have_another_claim() {
    let issuer = issuer();
    let token = issuer.mint().client_id("right").claim("azp", "left").sign();
    let azp = ClaimSource::parse("azp").unwrap();
    let client = |verifier: &JwtVerifier<ManualClock>| {
        verdict(verifier, &token).unwrap().client_id().map(str::to_owned)
    };
    assert_eq!(client(&verifier(&issuer)).as_deref(), Some("right"));
    assert_eq!(
        client(&verifier_with(rules().clients_from([azp]).unwrap(), &issuer)).as_deref(),
        Some("left")
    );
}

#[test]
fn claims_are_not_looked_at_before_the_signature() {
    let issuer = issuer();
    for token in [
        issuer.mint().expires_at(NOW - 1000),
        issuer.mint().claim("cnf", json!({ "jkt": "x" })),
        issuer.mint().without_claim("sub"),
    ] {
        let forged = token.signed_with_foreign_key().sign();
        assert_eq!(rejection(&verifier(&issuer), &forged), Some(Rejection::BadSignature));
    }
}

#[test]
fn claims_deserialize_into_a_type_of_the_handlers() {
    #[derive(serde::Deserialize)]
    struct Tenant {
        tenant: String,
    }
    let issuer = issuer();
    let verifier = JwtVerifier::new(Issuer::parse(ISSUER).unwrap(), keys(&issuer)).unwrap();
    let token = issuer.mint().claim("tenant", "t").sign();
    let principal = verdict(&verifier.with_clock(clock()), &token).unwrap();
    let claims: &Claims = principal.claims().unwrap();
    assert_eq!(claims.deserialize::<Tenant>().unwrap().tenant, "t");
    assert_eq!(claims.as_object()["tenant"], "t");
}
