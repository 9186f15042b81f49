//! The rules of an issuer, through the verifier that follows them.

use std::time::Duration;

use palisade_core::{Actor, ManualClock, ScopeSet};
use palisade_test_issuer::TestIssuer;
use serde_json::{Value, json};

use super::{
    ActorRule, ClaimLimit, ClaimRule, ClaimSource, SenderConstraint, TrustError, TrustedIssuer,
};
use crate::{
    Claims, Issuer, JwtVerifier, Rejection,
    jwt::JwtVerifierError,
    testing::{
        AUDIENCE, NOW, builder, clock, instant, issuer, keys, rejection, rules, verdict, verifier,
        verifier_with,
    },
};

const OTHER: &str = "https://other.example";

fn claim(name: &str) -> ClaimSource {
    ClaimSource::parse(name).unwrap()
}

fn scopes(list: &str) -> ScopeSet {
    ScopeSet::parse(list).unwrap()
}

#[test]
fn required_claims_are_there_and_have_their_value() {
    let issuer = issuer();
    let mint = || issuer.mint();
    let verifier = verifier_with(
        rules()
            .require_claim(claim("token_use"), ClaimRule::equals("access"))
            .require_claim(claim("/realm/id"), ClaimRule::Present)
            .require_claim(claim("nonce"), ClaimRule::Absent)
            .require_claim(claim("ver"), ClaimRule::OneOf(vec![json!(1), json!("1.0")])),
        &issuer,
    );
    let good =
        || mint().claim("token_use", "access").claim("realm", json!({ "id": "r" })).claim("ver", 1);
    let wrong = |claim: &'static str| Some(Rejection::WrongClaim { claim: claim.into() });
    let rows = [
        (good(), None),
        (good().claim("ver", "1.0"), None),
        (good().claim("token_use", "id"), wrong("token_use")),
        (good().claim("token_use", "ACCESS"), wrong("token_use")),
        (good().claim("token_use", json!(["access"])), wrong("token_use")),
        (good().without_claim("token_use"), Some(Rejection::missing("token_use"))),
        (good().claim("token_use", json!(null)), Some(Rejection::missing("token_use"))),
        (good().claim("realm", json!({})), Some(Rejection::missing("/realm/id"))),
        (good().claim("realm", json!({ "id": null })), Some(Rejection::missing("/realm/id"))),
        (good().claim("nonce", "n"), wrong("nonce")),
        (good().claim("nonce", json!(null)), wrong("nonce")),
        (good().claim("ver", 2), wrong("ver")),
        (good().claim("ver", "1"), wrong("ver")),
    ];
    for (index, (token, expected)) in rows.into_iter().enumerate() {
        assert_eq!(rejection(&verifier, &token.sign()), expected, "row {index}");
    }
}

#[test]
fn a_token_can_be_too_old_before_it_expires() {
    let issuer = issuer();
    let young = verifier_with(rules().max_age(Duration::from_secs(600)), &issuer);
    let issued = |at: i64| issuer.mint().issued_at(at).expires_at(NOW + 3600).sign();
    assert_eq!(rejection(&young, &issued(NOW - 629)), None);
    assert_eq!(rejection(&young, &issued(NOW - 630)), Some(Rejection::TooOld));
    let undated = issuer.mint().without_claim("iat").sign();
    assert_eq!(rejection(&young, &undated), Some(Rejection::missing("iat")));
}

#[test]
fn the_first_place_that_is_there_counts() {
    let issuer = issuer();
    let rules = rules()
        .subjects_from([claim("oid"), claim("sub")])
        .unwrap()
        .clients_from([claim("client_id"), claim("azp"), claim("appid")])
        .unwrap()
        .scopes_from([claim("scp"), claim("roles")])
        .unwrap()
        .roles_from([claim("roles"), claim("/realm_access/roles"), claim("orgs").member_names()])
        .unwrap();
    let verifier = verifier_with(rules, &issuer);
    let token = issuer
        .mint()
        .without_claim("client_id")
        .claim("oid", "o-1")
        .claim("azp", "app")
        .claim("appid", "other")
        .claim("roles", json!(["writer"]))
        .claim("realm_access", json!({ "roles": ["admin"] }))
        .claim("orgs", json!({ "acme": { "id": 1 } }));
    let principal = verdict(&verifier, &token.sign()).unwrap();
    assert_eq!((principal.subject(), principal.client_id()), ("o-1", Some("app")));
    assert_eq!(principal.scopes(), &scopes("writer"));
    assert_eq!(principal.roles().collect::<Vec<_>>(), ["writer", "admin", "acme"]);
    // A place that is there and malformed is not passed over for the next.
    let invalid = |name: &'static str| Some(Rejection::invalid(name));
    let mint = || issuer.mint();
    let rows = [
        (mint().claim("oid", 1), invalid("oid")),
        (mint().without_claim("client_id").claim("azp", ""), invalid("azp")),
        (mint().claim("scp", json!({})), invalid("scp")),
        (mint().claim("roles", json!(["a", 1])), invalid("roles")),
        (mint().claim("orgs", json!(["acme"])), invalid("orgs")),
        (mint().claim("orgs", json!({ "a\nb": 1 })), invalid("orgs")),
        (mint().without_claim("sub"), Some(Rejection::missing("oid"))),
    ];
    for (index, (token, expected)) in rows.into_iter().enumerate() {
        assert_eq!(rejection(&verifier, &token.sign()), expected, "row {index}");
    }
}

#[test]
fn scopes_are_told_in_the_form_that_clients_ask_for() {
    let issuer = issuer();
    let token = issuer.mint().scope("read write").sign();
    let told = |rules: TrustedIssuer| {
        verdict(&verifier_with(rules, &issuer), &token).unwrap().scopes().clone()
    };
    let mapped = rules().map_scope("orders:read", "read").unwrap();
    assert_eq!(told(mapped.clone()), scopes("orders:read write"));
    let prefixed = mapped.scope_prefix("api://orders/").unwrap();
    assert_eq!(told(prefixed), scopes("orders:read api://orders/write"));

    // A word of the issuer's is not the word that clients use for something else.
    let renamed = rules().map_scope("write", "superuser").unwrap();
    assert_eq!(told(renamed), scopes("read"));
    let renamed = rules().map_scope("api://orders/write", "superuser").unwrap();
    assert_eq!(told(renamed.scope_prefix("api://orders/").unwrap()), scopes("api://orders/read"));
    let swapped = rules().map_scope("read", "write").unwrap().map_scope("write", "read").unwrap();
    assert_eq!(told(swapped), scopes("read write"));

    let mapped = rules().map_scope("a", "b").unwrap();
    assert_eq!(mapped.clone().map_scope("a", "c").err(), Some(TrustError::ScopeMappedTwice));
    assert_eq!(mapped.clone().map_scope("d", "b").err(), Some(TrustError::ScopeMappedTwice));
    assert_eq!(mapped.map_scope("d e", "f").err(), Some(TrustError::NotAScope));
    assert_eq!(rules().scope_prefix("").err(), Some(TrustError::NotAScope));
}

#[test]
fn only_actors_that_may_act_act() {
    let issuer = issuer();
    let acting = |act: Value| issuer.mint().actor(act).sign();
    let plain = issuer.mint().sign();
    let ours = acting(json!({ "sub": "proxy", "act": { "sub": "anybody" } }));
    let named = acting(json!({ "sub": "proxy", "iss": crate::testing::ISSUER }));
    let foreign = acting(json!({ "sub": "proxy", "iss": OTHER }));
    let inner = acting(json!({ "sub": "evil", "act": { "sub": "proxy" } }));
    let deep = acting(json!({ "sub": "proxy", "act": { "sub": "a", "act": { "sub": "b" } } }));

    let one = ActorRule::OneOf { actors: vec![Actor::new("proxy")], max_depth: 2 };
    let verifier = verifier_with(rules().actors(one).unwrap(), &issuer);
    for good in [&plain, &ours, &named] {
        assert_eq!(rejection(&verifier, good), None);
    }
    // CLM-10: the inner actor is history and opens nothing.
    for bad in [&foreign, &inner, &deep] {
        assert_eq!(rejection(&verifier, bad), Some(Rejection::DisallowedActor));
    }
    let nobody = verifier_with(rules().actors(ActorRule::None).unwrap(), &issuer);
    assert_eq!(rejection(&nobody, &plain), None);
    assert_eq!(rejection(&nobody, &ours), Some(Rejection::DisallowedActor));

    let wrong = |rule| rules().actors(rule).err();
    assert_eq!(wrong(ActorRule::Any { max_depth: 0 }), Some(TrustError::NumberOfActors));
    assert_eq!(wrong(ActorRule::Any { max_depth: 9 }), Some(TrustError::NumberOfActors));
    let none = ActorRule::OneOf { actors: vec![], max_depth: 1 };
    assert_eq!(wrong(none), Some(TrustError::EmptyList));
}

#[test]
fn what_an_issuer_may_not_say_nobody_inside_hears() {
    let issuer = issuer();
    let rules = rules()
        .roles_from([claim("groups")])
        .unwrap()
        .limit_claim("groups", ClaimLimit::Values(vec!["staff".to_owned()]))
        .unwrap()
        .limit_claim("email", ClaimLimit::EmailDomains(vec!["partner.example".to_owned()]))
        .unwrap()
        .limit_claim("admin", ClaimLimit::Nothing)
        .unwrap();
    let token = issuer
        .mint()
        .claim("groups", json!(["staff", "administrators"]))
        .claim("email", "root@ours.example")
        .claim("admin", true)
        .claim("name", "A");
    let principal = verdict(&verifier_with(rules.clone(), &issuer), &token.sign()).unwrap();
    assert_eq!(principal.roles().collect::<Vec<_>>(), ["staff"]);
    let claims: &Claims = principal.claims().unwrap();
    assert_eq!(claims.get("groups"), Some(&json!(["staff"])));
    assert_eq!((claims.get("email"), claims.get("admin")), (None, None));
    assert_eq!(claims.get("name"), Some(&json!("A")));
    for claim in ["iss", "sub", "aud", "exp", "cnf", "act"] {
        let error = rules.clone().limit_claim(claim, ClaimLimit::Nothing).err();
        assert_eq!(error, Some(TrustError::ClaimOfTheProtocol), "{claim}");
    }
    for domain in ["", "a@b", "\u{e9}.example"] {
        let limit = ClaimLimit::EmailDomains(vec![domain.to_owned()]);
        assert_eq!(rules.clone().limit_claim("m", limit).err(), Some(TrustError::NotADomain));
    }
}

#[test]
fn a_limit_names_a_whole_claim() {
    // Who limits `/realm_access/roles` believes that nobody hears of administrators any more.
    let limit = ClaimLimit::Values(vec!["staff".to_owned()]);
    let error = rules().limit_claim("/realm_access/roles", limit.clone()).err();
    assert_eq!(error, Some(TrustError::LimitInsideClaim));
    assert_eq!(rules().limit_claim("", limit).err(), Some(TrustError::LimitInsideClaim));
}

#[test]
fn what_is_withheld_is_not_absent() {
    let issuer = issuer();
    let rules = rules()
        .require_claim(claim("nonce"), ClaimRule::Absent)
        .limit_claim("nonce", ClaimLimit::Nothing)
        .unwrap();
    let id_token = issuer.mint().claim("nonce", "n").sign();
    let refused = Some(Rejection::WrongClaim { claim: "nonce".into() });
    assert_eq!(rejection(&verifier_with(rules, &issuer), &id_token), refused);
}

#[test]
fn of_several_claims_one_must_say_something() {
    let issuer = issuer();
    let granted = rules().require_any_claim([claim("scp"), claim("roles")]).unwrap();
    let limited = granted
        .clone()
        .limit_claim("roles", ClaimLimit::Values(vec!["reader".to_owned()]))
        .unwrap();
    let missing = Some(Rejection::missing("scp"));
    for nothing in [json!(null), json!(""), json!(" "), json!([]), json!({})] {
        for name in ["scp", "roles"] {
            let token = issuer.mint().claim(name, nothing.clone()).sign();
            let verifier = verifier_with(granted.clone(), &issuer);
            assert_eq!(rejection(&verifier, &token), missing, "{name} {nothing}");
        }
    }
    let admin = issuer.mint().claim("roles", json!(["admin"])).sign();
    assert_eq!(rejection(&verifier_with(granted, &issuer), &admin), None);
    assert_eq!(rejection(&verifier_with(limited, &issuer), &admin), missing);
}

#[test]
fn a_limit_that_another_place_evades_is_a_mistake() {
    let nothing =
        |rules: TrustedIssuer, claim: &str| rules.limit_claim(claim, ClaimLimit::Nothing).unwrap();
    let both = |list: fn(TrustedIssuer, [ClaimSource; 2]) -> Result<TrustedIssuer, TrustError>| {
        list(rules(), [claim("scp"), claim("/grant/scope")]).unwrap()
    };
    let lists: [fn(_, [ClaimSource; 2]) -> _; 3] =
        [TrustedIssuer::scopes_from, TrustedIssuer::clients_from, TrustedIssuer::subjects_from];
    for list in lists {
        let one = nothing(both(list), "grant");
        let error = super::Trust::of([one.clone()]).unwrap_err();
        assert!(error.to_string().contains("`/grant/scope`"), "{error}");
        drop(super::Trust::of([nothing(one, "scp")]).unwrap());
    }
    drop(super::Trust::of([nothing(rules(), "email")]).unwrap());
}

#[test]
fn an_issuer_can_be_held_to_bound_tokens() {
    let rules = rules().sender_constraint(SenderConstraint::Required);
    let issuer = issuer();
    let verifier = verifier_with(rules, &issuer);
    assert_eq!(rejection(&verifier, &issuer.mint().sign()), Some(Rejection::NotBound));
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let bound = issuer.mint().claim("cnf", json!({ "jkt": jkt }));
    assert_eq!(rejection(&verifier, &bound.sign()), None);
}

#[test]
fn one_of_several_claims_can_be_required() {
    let issuer = issuer();
    let rules = rules().require_any_claim([claim("scp"), claim("roles")]).unwrap();
    let verifier = verifier_with(rules, &issuer);
    let mint = || issuer.mint();
    let rows = [
        ("the first", mint().claim("scp", "a"), None),
        ("the second", mint().claim("roles", json!(["a"])), None),
        ("neither", mint(), Some(Rejection::missing("scp"))),
        ("null is nothing", mint().claim("roles", json!(null)), Some(Rejection::missing("scp"))),
    ];
    for (name, token, expected) in rows {
        assert_eq!(rejection(&verifier, &token.sign()), expected, "{name}");
    }
}

#[test]
fn the_audience_can_be_elsewhere_and_aud_still_comes_first() {
    let issuer = issuer();
    let rules = rules().audiences_from([claim("aud"), claim("client_id")]).unwrap();
    let verifier = verifier_with(rules, &issuer);
    let audience = |token: palisade_test_issuer::TokenBuilder| {
        verdict(&verifier, &token.sign())
            .map(|principal| principal.audiences().collect::<Vec<_>>().join(" "))
    };
    let token = || issuer.mint().client_id("app");
    assert_eq!(audience(token()), Ok(AUDIENCE.to_owned()));
    assert_eq!(audience(token().without_claim("aud")), Ok("app".to_owned()));
    assert_eq!(audience(token().claim("aud", json!([]))), Err(Rejection::invalid("aud")));
    let nobody = token().without_claim("aud").without_claim("client_id");
    assert_eq!(audience(nobody), Err(Rejection::missing("aud")));
}

#[test]
fn empty_lists_are_mistakes() {
    let none: [ClaimSource; 0] = [];
    assert_eq!(rules().require_any_claim(none.clone()).err(), Some(TrustError::EmptyList));
    assert_eq!(rules().audiences_from(none.clone()).err(), Some(TrustError::EmptyList));
    assert_eq!(rules().subjects_from(none.clone()).err(), Some(TrustError::EmptyList));
    assert_eq!(rules().clients_from(none.clone()).err(), Some(TrustError::EmptyList));
    assert_eq!(rules().scopes_from(none.clone()).err(), Some(TrustError::EmptyList));
    assert_eq!(rules().roles_from(none).err(), Some(TrustError::EmptyList));
}

fn other_issuer() -> TestIssuer {
    builder().in_process(OTHER).unwrap()
}

fn both(ours: &TestIssuer, other: &TestIssuer) -> JwtVerifier<ManualClock> {
    let lax = TrustedIssuer::new(Issuer::parse(OTHER).unwrap()).accept_type("JWT").unwrap();
    verifier(ours).add_issuer(lax, keys(other)).unwrap()
}

#[test]
fn aud_07_hdr_05_each_issuer_has_its_own_rules_and_keys() {
    let (ours, other) = (issuer(), other_issuer());
    let verifier = both(&ours, &other);
    assert_eq!(verdict(&verifier, &ours.mint().sign()).unwrap().issuer(), ours.issuer());
    assert_eq!(verdict(&verifier, &other.mint().sign()).unwrap().issuer(), OTHER);
    let rows = [
        ("lax where it may be", other.mint().header("typ", "JWT"), None),
        ("and only there", ours.mint().header("typ", "JWT"), Some(Rejection::DisallowedType)),
        // Both call their key `ES256-1`.
        (
            "the other's key",
            other.mint().claim("iss", ours.issuer()),
            Some(Rejection::BadSignature),
        ),
        ("our key", ours.mint().claim("iss", OTHER), Some(Rejection::BadSignature)),
        ("nobody's", ours.mint().claim("iss", "https://x.example"), Some(Rejection::WrongIssuer)),
    ];
    for (name, token, expected) in rows {
        assert_eq!(rejection(&verifier, &token.sign()), expected, "{name}");
    }
    let error = both(&ours, &other).add_issuer(rules(), keys(&ours)).unwrap_err();
    assert!(matches!(error, JwtVerifierError::Trust(_)));
}

#[test]
fn a_principal_names_the_rules_that_accepted_it() {
    let (ours, other) = (issuer(), other_issuer());
    let verifier = both(&ours, &other);
    let digest = verifier.trust().digest();
    for token in [ours.mint(), other.mint()] {
        let principal = verdict(&verifier, &token.sign()).unwrap();
        assert_eq!(principal.trust_digest(), Some(&*digest));
    }
    let alone = super::Trust::of([rules().keys_at(super::KeyLocation::Supplied)]).unwrap();
    assert_ne!(alone.digest(), digest);
    let verifier = verifier_with(rules(), &ours);
    assert_eq!(verifier.trust().digest(), alone.digest());
}

#[test]
fn a_verifier_is_made_from_a_trust_that_says_where_the_keys_are() {
    let ours = issuer();
    let inline = super::KeyLocation::Inline(ours.jwks().to_string().into());
    let trust = super::Trust::of([rules().keys_at(inline)]).unwrap();
    let verifier = JwtVerifier::from_trust(trust).unwrap().with_clock(clock());
    let token = ours.mint().audiences([AUDIENCE]).expires_at(NOW + 60).sign();
    let principal = verdict(&verifier, &token).unwrap();
    assert_eq!(principal.expires_at(), Some(instant(NOW + 60)));

    let wrong = [super::KeyLocation::Supplied, super::KeyLocation::Inline("{}".into())];
    for keys in wrong {
        let trust = super::Trust::of([rules().keys_at(keys)]).unwrap();
        let error = JwtVerifier::from_trust(trust).unwrap_err();
        assert!(matches!(error, JwtVerifierError::Keys { .. }), "{error}");
        assert!(error.to_string().contains("https://as.example"), "{error}");
    }
}
