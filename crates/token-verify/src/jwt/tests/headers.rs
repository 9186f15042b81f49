use palisade_test_issuer::{Signature, SigningAlgorithm, TestIssuer};
use serde_json::{Value, json};

use super::{check_table, is_malformed};
use crate::{
    Rejection,
    testing::{ISSUER, builder, issuer, rejection, verifier},
};

fn unsupported(parameter: &'static str) -> Option<Rejection> {
    Some(Rejection::UnsupportedHeader { parameter })
}

#[test]
fn hdr_01_and_03_keys_in_the_header_are_not_used() {
    let issuer = issuer();
    let attacker = TestIssuer::builder().in_process(ISSUER).unwrap();
    let jwk = attacker.jwks()["keys"][0].clone();
    let forged =
        || attacker.mint().issued_at(crate::testing::NOW).expires_at(crate::testing::NOW + 60);
    let rows = [
        ("jwk", forged().header("jwk", jwk.clone())),
        ("x5c", forged().header("x5c", json!(["MIIB"]))),
        ("x5t", forged().header("x5t", "AAAA")),
    ];
    let rows = rows.map(|(name, token)| (name, token.sign(), Some(Rejection::BadSignature)));
    check_table(&verifier(&issuer), rows);
    let elsewhere = forged().header("jwk", jwk).without_header("kid").sign();
    assert_eq!(rejection(&verifier(&issuer), &elsewhere), Some(Rejection::BadSignature));
    // They do no harm either.
    let honest =
        issuer.mint().header("x5t", "AAAA").header("jku", "https://as.example/jwks").sign();
    assert_eq!(rejection(&verifier(&issuer), &honest), None);
}

#[test]
fn hdr_04_kid_is_a_name_and_nothing_else() {
    let issuer = issuer();
    let rows = [
        "../../dev/null",
        "/dev/null",
        "' OR 1=1--",
        "; sleep 10",
        "http://169.254.169.254/",
        "",
        "ES256-1\0",
        "es256-1",
        &"k".repeat(256),
    ];
    let rows = rows.map(|kid| {
        (kid.to_owned(), issuer.mint().header("kid", kid).sign(), Some(Rejection::UnknownKey))
    });
    check_table(&verifier(&issuer), rows);
    let not_names: [Value; 6] = [
        json!("k".repeat(257)),
        json!(1),
        json!(null),
        json!(["ES256-1"]),
        json!({"kid": "ES256-1"}),
        json!(true),
    ];
    for kid in not_names {
        let token = issuer.mint().header("kid", kid.clone()).sign();
        assert!(is_malformed(&verifier(&issuer), &token), "{kid}");
    }
}

#[test]
fn without_kid_a_key_is_used_only_if_no_other_fits() {
    let one = issuer();
    let two = builder().add_key(SigningAlgorithm::ES384).in_process(ISSUER).unwrap();
    let ambiguous = builder().add_key(SigningAlgorithm::ES256).in_process(ISSUER).unwrap();
    for (issuer, expected) in [(one, None), (two, None), (ambiguous, Some(Rejection::UnknownKey))] {
        let token = issuer.mint().without_header("kid").sign();
        assert_eq!(rejection(&verifier(&issuer), &token), expected);
    }
}

#[test]
fn hdr_06_any_crit_is_refused() {
    let issuer = issuer();
    let values: [Value; 8] = [
        json!(["exp2"]),
        json!([]),
        json!("exp"),
        json!(["alg"]),
        json!(["b64", "b64"]),
        json!(["missing"]),
        json!(null),
        json!(false),
    ];
    let rows = values.into_iter().map(|crit| {
        (crit.to_string(), issuer.mint().header("crit", crit).sign(), unsupported("crit"))
    });
    check_table(&verifier(&issuer), rows);
}

#[test]
fn hdr_07_09_11_nothing_may_change_what_the_payload_is() {
    let issuer = issuer();
    let mint = || issuer.mint();
    let rows = [
        ("b64 false", mint().header("b64", false), unsupported("b64")),
        ("b64 true", mint().header("b64", true), unsupported("b64")),
        (
            "b64 and crit",
            mint().header("b64", false).header("crit", json!(["b64"])),
            unsupported("b64"),
        ),
        ("zip", mint().header("zip", "DEF"), unsupported("zip")),
        ("cty", mint().header("cty", "JWT"), unsupported("cty")),
        ("cty in another case", mint().header("cty", "jwt"), unsupported("cty")),
        (
            "pbes2",
            mint().header("alg", "PBES2-HS256+A128KW").header("p2c", 2_147_483_648_u64),
            Some(Rejection::DisallowedAlgorithm),
        ),
    ];
    check_table(
        &verifier(&issuer),
        rows.map(|(name, token, expected)| (name, token.sign(), expected)),
    );
}

#[test]
fn hdr_08_and_clm_08_only_access_tokens_have_the_right_type() {
    let issuer = issuer();
    let accepted = ["at+jwt", "AT+JWT", "at+JWT", "application/at+jwt", "Application/AT+jwt"];
    let refused: [Value; 17] = [
        json!("JWT"),
        json!("jwt"),
        json!("at+jwt;v=1"),
        json!("at+jwt "),
        json!("application/at+jwt; charset=utf-8"),
        json!("application/application/at+jwt"),
        json!("text/at+jwt"),
        json!("dpop+jwt"),
        json!("secevent+jwt"),
        json!("statuslist+jwt"),
        json!("token-introspection+jwt"),
        json!("logout+jwt"),
        json!(""),
        json!(null),
        json!(1),
        json!(["at+jwt"]),
        json!("at+jwt\0"),
    ];
    let token = |typ: Value| issuer.mint().header("typ", typ).sign();
    let accepted = accepted.map(|typ| (typ.to_owned(), token(json!(typ)), None));
    let refused = refused.map(|typ| (typ.to_string(), token(typ), Some(Rejection::DisallowedType)));
    check_table(&verifier(&issuer), accepted);
    check_table(&verifier(&issuer), refused);
    let missing = issuer.mint().without_header("typ").sign();
    assert_eq!(rejection(&verifier(&issuer), &missing), Some(Rejection::DisallowedType));
}

#[test]
fn a_header_is_refused_before_a_signature_is_looked_at() {
    let issuer = issuer();
    let token = issuer.mint().header("typ", "JWT").signature(Signature::Empty).sign();
    assert_eq!(rejection(&verifier(&issuer), &token), Some(Rejection::DisallowedType));
}
