//! What people are told, and that it is what the verifier does.

mod agreement;

use palisade_test_issuer::{Signature, SigningAlgorithm, TestIssuer, TokenBuilder};
use serde_json::json;

use super::{Outcome, Rule, Verdict};
use crate::{
    Issuer, Rejection, SignatureAlgorithm,
    testing::{ISSUER, NOW, builder, check_what_is_told, instant, issuer, keys, rules},
    trust::{
        ActorRule, ClaimLimit, ClaimRule, ClaimSource, KeyLocation, SenderConstraint, Trust,
        TrustedIssuer,
    },
};

fn claim(name: &str) -> ClaimSource {
    ClaimSource::parse(name).unwrap()
}

fn trust(rules: TrustedIssuer) -> Trust {
    Trust::of([rules.keys_at(KeyLocation::Supplied)]).unwrap()
}

/// Rules of every kind, so that every kind can be broken.
fn strict() -> TrustedIssuer {
    rules()
        .algorithms([SignatureAlgorithm::ES256])
        .unwrap()
        .require_rfc9068()
        .require_claim(claim("tid"), ClaimRule::equals("ours"))
        .require_claim(claim("nonce"), ClaimRule::Absent)
        .max_lifetime(std::time::Duration::from_secs(7200))
        .max_age(std::time::Duration::from_secs(5400))
        .limit_claim("groups", ClaimLimit::Nothing)
        .unwrap()
        .actors(ActorRule::None)
        .unwrap()
}

fn good(issuer: &TestIssuer) -> TokenBuilder {
    issuer.mint().claim("tid", "ours").claim("email", "private@mail.example")
}

#[test]
fn whoever_asks_why_is_told_the_one_thing_to_fix() {
    let issuer = issuer();
    let mint = || good(&issuer);
    let good_token = mint().sign();
    let (header, payload, signature) = mint().sign_parts();
    let (start, end) = good_token.split_at(76);
    let wrapped = format!("{start}\n{end}");
    let rows: [(&str, String, &str); 44] = [
        (
            "a slash",
            mint().claim("iss", "https://as.example/").sign(),
            "`https://as.example`, without the slash at the end",
        ),
        (
            "http",
            mint().claim("iss", "http://as.example").sign(),
            "the other of `http` and `https`",
        ),
        ("case", mint().claim("iss", "https://AS.example").sign(), "in another case"),
        ("tenant", mint().claim("iss", "https://as.example/b").sign(), "another tenant"),
        (
            "look-alike",
            mint().claim("iss", "https://\u{430}s.example").sign(),
            "`https://\\u{430}s.example`",
        ),
        ("stranger", mint().claim("iss", "https://x.example").sign(), "get its token there"),
        ("no iss", mint().without_claim("iss").sign(), "`iss` is missing"),
        ("list of iss", mint().claim("iss", json!([ISSUER])).sign(), "must be one string"),
        (
            "expired",
            mint().issued_at(NOW - 12_000).expires_at(NOW - 11_520).sign(),
            "expired 3 h 12 min before. Have the client get a new token",
        ),
        ("just expired", mint().expires_at(NOW - 40).sign(), "compare the clocks"),
        (
            "exp as text",
            mint().claim("exp", "1800000060").sign(),
            "`exp` is a string, and must be a number",
        ),
        ("no exp", mint().without_claim("exp").sign(), "make tokens that expire"),
        (
            "early",
            mint().issued_at(NOW + 90).sign(),
            "valid only in 1 min 30 s (`iat`). The clocks differ",
        ),
        (
            "milliseconds",
            mint().issued_at(NOW * 1000).expires_at(NOW * 1001).sign(),
            "`iat` is in milliseconds",
        ),
        (
            "iat after exp",
            mint().issued_at(NOW + 25).expires_at(NOW + 5).sign(),
            "`iat` is after `exp`",
        ),
        ("long", mint().expires_at(NOW + 86_400).sign(), "lives 1 d, and at most 2 h is accepted"),
        (
            "old",
            mint().issued_at(NOW - 6000).expires_at(NOW + 60).sign(),
            "issued 1 h 40 min before, and at most 1 h 30 min",
        ),
        (
            "no aud",
            mint().without_claim("aud").sign(),
            "`aud` is missing: the token is for nobody in particular. Have the client ask for this service, with `resource`",
        ),
        ("empty aud", mint().claim("aud", "").sign(), "`aud` is a string, and must be"),
        ("no client", mint().without_claim("client_id").sign(), "`client_id` is missing"),
        (
            "ID token",
            mint().header("typ", "JWT").claim("nonce", "n").sign(),
            "claims of an ID token",
        ),
        (
            "typ JWT",
            mint().header("typ", "JWT").sign(),
            "`typ` is `JWT`; accepted is `at+jwt`. An ID token?",
        ),
        ("no typ", mint().without_header("typ").sign(), "`typ` is missing; accepted is `at+jwt`"),
        ("proof", mint().header("typ", "dpop+jwt").sign(), "It belongs into the header `DPoP`"),
        ("alg none", mint().unsigned().sign(), "Anybody can make a token without a signature"),
        (
            "hmac",
            mint().header("alg", "HS256").sign(),
            "Whoever can check such a token can make one",
        ),
        ("crit", mint().header("crit", json!(["x"])).sign(), "The header has `crit`"),
        (
            "kid",
            mint().header("kid", "2019").sign(),
            "no usable key `2019`; known for `ES256`: `ES256-1`",
        ),
        (
            "other alg",
            mint().header("alg", "ES384").sign(),
            "`alg` is `ES384`; accepted is `ES256`",
        ),
        ("forged", mint().signed_with_foreign_key().sign(), "The signature does not fit the key"),
        (
            "cut off",
            mint().signature(Signature::Truncated).sign(),
            "The signature has 63 bytes, which none with `ES256` has",
        ),
        ("signature gone", mint().signature(Signature::Empty).sign(), "has no signature"),
        (
            "bound",
            mint().claim("cnf", json!({ "kid": "private" })).sign(),
            "bound to something in `cnf` that is not known here",
        ),
        (
            "badly bound",
            mint().claim("cnf", json!({ "jkt": "private" })).sign(),
            "`cnf` is an object, and must be an object with `jkt`",
        ),
        (
            "tenant claim",
            mint().claim("tid", "private-tid").sign(),
            "`tid` does not have a value that is accepted (a string): `\"ours\"` is",
        ),
        ("nonce", mint().claim("nonce", "private").sign(), "`nonce` is there and must not be"),
        (
            "act",
            mint().actor(json!({ "sub": "proxy" })).sign(),
            "Somebody acts on behalf of the subject (`act`) who may not: nobody may",
        ),
        ("Bearer", format!("Bearer {good_token}"), "without the word `Bearer`"),
        ("wrapped", wrapped, "line break at byte 76"),
        ("space", format!(" {good_token}"), "white space before or after"),
        ("two parts", format!("{header}.{payload}"), "two parts of three"),
        (
            "JWE",
            format!("{header}.{payload}.{payload}.{payload}.{signature}"),
            "encrypted (a JWE, five parts)",
        ),
        ("opaque", "sk_live_4eC39HqLyjWDarjtT1zdp7dc".to_owned(), "an opaque token, or an API key"),
        ("JSON", format!("{{\"t\":\"{good_token}\"}}"), "give the value of `access_token`"),
    ];
    let trust = trust(strict());
    let keys = keys(&issuer);
    for (name, token, advice) in rows {
        let explanation = trust.explain_with_keys(&token, instant(NOW), &keys);
        let text = explanation.to_string();
        assert!(matches!(explanation.verdict(), Verdict::Refused(_)), "{name}: {text}");
        let told = explanation.advice().to_lowercase();
        assert!(told.contains(&advice.to_lowercase()), "{name}: {told}");
        assert!(!text.contains("private"), "{name}: {text}");
        check_what_is_told(&token, &explanation);
    }
}

#[test]
fn after_the_first_failure_the_others_are_told_as_well() {
    let issuer = issuer();
    let token = good(&issuer)
        .claim("iss", "https://as.example/")
        .header("typ", "JWT")
        .expires_at(NOW - 3600)
        .without_claim("aud")
        .signed_with_foreign_key()
        .sign();
    let explanation = trust(strict()).explain_with_keys(&token, instant(NOW), &keys(&issuer));
    let failed: Vec<_> = explanation
        .findings()
        .iter()
        .filter(|finding| matches!(finding.outcome(), Outcome::Failed(_)))
        .map(super::Finding::rule)
        .collect();
    let expected = [
        Rule::Issuer,
        Rule::Type,
        Rule::Signature,
        Rule::Expiry,
        Rule::OrderOfDates,
        Rule::Audience,
    ];
    assert_eq!(failed, expected.iter().collect::<Vec<_>>(), "{explanation}");
    assert_eq!(*explanation.verdict(), Verdict::Refused(Rejection::WrongIssuer));
}

#[test]
fn without_keys_the_signature_is_left_open() {
    let issuer = issuer();
    let (token, forged) = (good(&issuer).sign(), good(&issuer).signed_with_foreign_key().sign());
    let trust = trust(strict());
    let told = |token: &str| trust.explain(token, instant(NOW)).verdict().clone();
    assert_eq!((told(&token), told(&forged)), (Verdict::Undecided, Verdict::Undecided));
    let keys = keys(&issuer);
    let told = |token: &str| trust.explain_with_keys(token, instant(NOW), &keys).verdict().clone();
    assert_eq!(told(&token), Verdict::Accepted);
    assert_eq!(told(&forged), Verdict::Refused(Rejection::BadSignature));
    let inline = KeyLocation::Inline(issuer.jwks().to_string().into());
    let trust = Trust::of([strict().keys_at(inline)]).unwrap();
    assert_eq!(*trust.explain(&token, instant(NOW)).verdict(), Verdict::Accepted);
}

#[test]
fn what_is_withheld_is_told_apart_from_what_is_missing() {
    let issuer = issuer();
    let rules = strict().require_claim(claim("groups"), ClaimRule::Present);
    let advice = |token: String| {
        trust(rules.clone())
            .explain_with_keys(&token, instant(NOW), &keys(&issuer))
            .advice()
            .to_owned()
    };
    assert!(advice(good(&issuer).claim("groups", json!(["a"])).sign()).contains("may not say it"));
    assert!(advice(good(&issuer).sign()).contains("`groups` is missing"));
}

#[test]
fn a_bound_token_is_good_and_needs_its_proof() {
    let issuer = issuer();
    let token = good(&issuer).claim("cnf", json!({ "jkt": "A".repeat(43) })).sign();
    let explanation = trust(strict()).explain_with_keys(&token, instant(NOW), &keys(&issuer));
    assert_eq!(*explanation.verdict(), Verdict::Accepted);
    assert!(explanation.advice().contains("with a fresh proof in `DPoP`"), "{explanation}");
}

#[test]
fn claims_of_which_one_must_be_there_are_told_all() {
    let issuer = issuer();
    let rules = strict().require_any_claim([claim("idtyp"), claim("azp")]).unwrap();
    let explanation =
        trust(rules).explain_with_keys(&good(&issuer).sign(), instant(NOW), &keys(&issuer));
    assert!(explanation.advice().contains("`idtyp` or `azp` is missing"), "{explanation}");
}

#[test]
fn an_issuer_that_binds_its_tokens_is_told_as_that() {
    let rules = strict().sender_constraint(SenderConstraint::Required);
    let issuer = issuer();
    let token = good(&issuer).sign();
    let explanation = trust(rules).explain_with_keys(&token, instant(NOW), &keys(&issuer));
    assert!(explanation.advice().contains("this one has no `cnf`"), "{explanation}");
}

#[test]
fn each_issuer_is_explained_by_its_own_rules() {
    let other = builder().in_process("https://other.example").unwrap();
    let lax = TrustedIssuer::new(Issuer::parse("https://other.example").unwrap())
        .accept_type("JWT")
        .unwrap();
    let trust = Trust::of([strict(), lax]).unwrap();
    let token = other.mint().header("typ", "JWT").sign();
    let explanation = trust.explain_with_keys(&token, instant(NOW), &keys(&other));
    assert_eq!(*explanation.verdict(), Verdict::Accepted, "{explanation}");
}

#[test]
fn keys_that_do_not_fit_are_told() {
    let two = builder().add_key(SigningAlgorithm::ES256).in_process(ISSUER).unwrap();
    let three = builder().add_key(SigningAlgorithm::ES384).in_process(ISSUER).unwrap();
    let rows = [
        (&two, two.mint().without_header("kid").sign(), "not exactly one fits `ES256`"),
        (
            &three,
            three.mint().header("kid", three.jwks()["keys"][1]["kid"].clone()).sign(),
            "is for `ES384`, and the token says `ES256`",
        ),
    ];
    for (issuer, token, advice) in rows {
        let told = trust(rules()).explain_with_keys(&token, instant(NOW), &keys(issuer));
        assert!(told.advice().contains(advice), "{told}");
    }
}

#[test]
fn a_megabyte_of_garbage_is_no_work() {
    let trust = trust(strict());
    let megabyte = 1024 * 1024;
    for garbage in ["a", ".", "\n", "\u{202e}", "{", "a.", "Bearer ", "\0"] {
        let garbage = garbage.repeat(megabyte);
        let explanation = trust.explain(&garbage, instant(NOW));
        assert!(matches!(explanation.verdict(), Verdict::Refused(Rejection::Malformed { .. })));
        assert!(explanation.advice().contains("a verifier reads 16384"), "{explanation}");
        assert!(explanation.to_string().len() < 1024);
    }
}

#[test]
fn clocks_at_the_edge_of_time_do_no_harm() {
    let issuer = issuer();
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    let before = epoch.checked_sub(std::time::Duration::from_secs(1)).unwrap();
    for at in [before, epoch, instant(i64::MAX)] {
        for exp in [json!(0), json!(1_u64 << 53), json!(u64::MAX), json!(-1), json!(1e300)] {
            let token = good(&issuer).claim("exp", exp).sign();
            let explanation = trust(strict()).explain_with_keys(&token, at, &keys(&issuer));
            check_what_is_told(&token, &explanation);
        }
    }
}
