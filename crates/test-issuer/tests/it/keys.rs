use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade_test_issuer::SigningAlgorithm::{
    self, ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512,
};
use palisade_test_issuer::{Retire, TestIssuer, TestIssuerError};
use serde_json::json;

use crate::support::{ISSUER, builder, claims, get, header, issuer, json, kids, verifies};

const ALL: [SigningAlgorithm; 9] = [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA];

#[test]
fn a_token_of_each_algorithm_verifies_against_its_jwk() {
    for algorithm in ALL {
        let issuer = builder().algorithm(algorithm).in_process(ISSUER).unwrap();
        let token = issuer.mint().sign();

        assert_eq!(header(&token)["alg"], algorithm.name());
        assert!(verifies(&issuer.jwks(), &token), "{algorithm}");
        let forged = issuer.mint().signed_with_foreign_key().sign();
        assert_eq!(header(&forged), header(&token), "{algorithm}");
        assert!(!verifies(&issuer.jwks(), &forged), "{algorithm}");
    }
}

/// `jsonwebtoken`, the naive verifier of these tests, has no ES512.
#[test]
fn an_es512_signature_has_the_length_of_its_curve_and_is_nobody_elses() {
    let issuer = builder().algorithm(ES512).in_process(ISSUER).unwrap();
    let token = issuer.mint().sign();
    assert_eq!(header(&token)["alg"], "ES512");
    let signature =
        |token: &str| URL_SAFE_NO_PAD.decode(token.rsplit_once('.').unwrap().1).unwrap();
    let coordinate = |name: &str| {
        URL_SAFE_NO_PAD.decode(issuer.jwks()["keys"][0][name].as_str().unwrap()).unwrap()
    };
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    assert_eq!(point.len(), 133);
    let key = UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point);
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(signature(&token).len(), 132);
    key.verify(signed.as_bytes(), &signature(&token)).unwrap();
    let forged = issuer.mint().signed_with_foreign_key().sign();
    let (signed, _) = forged.rsplit_once('.').unwrap();
    key.verify(signed.as_bytes(), &signature(&forged)).unwrap_err();
}

#[test]
fn each_jwk_has_the_members_of_its_kind_and_no_private_one() {
    let issuer = builder()
        .algorithm(ES256)
        .add_key(ES384)
        .add_key(EdDSA)
        .add_key(RS256)
        .add_key(ES512)
        .in_process(ISSUER)
        .unwrap();
    let rows = [
        (0, "ES256-1", "EC", "ES256", vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
        (1, "ES384-2", "EC", "ES384", vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
        (2, "EdDSA-3", "OKP", "EdDSA", vec!["alg", "crv", "kid", "kty", "use", "x"]),
        (3, "RS256-4", "RSA", "RS256", vec!["alg", "e", "kid", "kty", "n", "use"]),
        (4, "ES512-5", "EC", "ES512", vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
    ];
    let jwks = issuer.jwks();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), rows.len());
    for (index, kid, kty, alg, members) in rows {
        let jwk = &jwks["keys"][index];
        assert_eq!((&jwk["kid"], &jwk["kty"]), (&json!(kid), &json!(kty)));
        assert_eq!((&jwk["alg"], &jwk["use"]), (&json!(alg), &json!("sig")));
        let mut names: Vec<_> = jwk.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, members, "{kid}");
    }
    assert_eq!(jwks["keys"][3]["e"], "AQAB");
}

#[test]
fn an_algorithm_is_signed_by_the_key_made_for_it() {
    let issuer = builder().add_key(EdDSA).in_process(ISSUER).unwrap();
    assert_eq!(issuer.current_kid(), "ES256-1");

    let token = issuer.mint().algorithm(EdDSA).sign();

    assert_eq!(header(&token)["kid"], "EdDSA-2");
    assert!(verifies(&issuer.jwks(), &token));

    let issuer = builder().algorithm(RS256).add_key(PS256).in_process(ISSUER).unwrap();
    let kid = |algorithm| header(&issuer.mint().algorithm(algorithm).sign())["kid"].clone();
    assert_eq!(kid(PS256), "PS256-2", "though the signing key could");
    assert_eq!(kid(RS256), "RS256-1");
    assert_eq!(kid(RS512), "RS256-1", "neither is made for it: the signing key goes first");
}

#[test]
fn the_foreign_key_is_always_the_same_one() {
    // PKCS #1 v1.5 signatures are the same each time, so that two can be compared.
    let issuer = builder().algorithm(RS256).in_process(ISSUER).unwrap();
    let forged = issuer.mint().signed_with_foreign_key();

    assert_eq!(forged.sign(), forged.sign());
}

#[test]
fn a_real_key_can_be_published_under_a_false_flag() {
    let issuer = issuer();
    let mut jwk = issuer.jwks()["keys"][0].clone();
    jwk["use"] = json!("enc");
    issuer.withdraw("ES256-1").unwrap();
    issuer.publish_raw_key(jwk.clone());

    assert_eq!(issuer.jwks(), json!({ "keys": [jwk] }));
    assert!(verifies(&issuer.jwks(), &issuer.mint().sign()), "the naive verifier takes it");
}

#[test]
fn an_algorithm_of_the_same_kind_is_signed_by_the_published_key() {
    let issuer = builder().algorithm(RS256).in_process(ISSUER).unwrap();
    for algorithm in [RS384, RS512, PS256, PS384, PS512] {
        let token = issuer.mint().algorithm(algorithm).sign();

        assert_eq!(header(&token)["alg"], algorithm.name());
        assert_eq!(header(&token)["kid"], "RS256-1");
        // The naive verifier believes `alg`: this is the attack, and it needs a real signature.
        assert!(verifies(&issuer.jwks(), &token), "{algorithm}");
    }
}

#[test]
fn an_algorithm_without_any_key_is_signed_by_a_foreign_one() {
    let issuer = issuer();
    let token = issuer.mint().algorithm(EdDSA).sign();

    assert_eq!(header(&token)["alg"], "EdDSA");
    assert_eq!(header(&token)["kid"], "ES256-1");
    assert!(!verifies(&issuer.jwks(), &token));
}

#[test]
fn a_planned_rotation_keeps_old_tokens_good() {
    let issuer = issuer();
    let old = issuer.mint().sign();

    let kid = issuer.rotate(Retire::KeepPrevious).unwrap();

    assert_eq!(kid, "ES256-2");
    assert_eq!(issuer.current_kid(), kid);
    assert_eq!(kids(&issuer.jwks()), ["ES256-1", "ES256-2"]);
    let new = issuer.mint().sign();
    assert_eq!(header(&new)["kid"], "ES256-2");
    assert!(verifies(&issuer.jwks(), &old));
    assert!(verifies(&issuer.jwks(), &new));
}

#[test]
fn an_emergency_rotation_drops_the_previous_key_and_no_other() {
    let issuer = builder().add_key(ES384).in_process(ISSUER).unwrap();
    let old = issuer.mint().sign();

    issuer.rotate(Retire::DropPrevious).unwrap();

    assert_eq!(kids(&issuer.jwks()), ["ES384-2", "ES256-3"]);
    assert!(!verifies(&issuer.jwks(), &old));
    assert!(verifies(&issuer.jwks(), &issuer.mint().sign()));
}

#[test]
fn a_withdrawn_key_goes_on_signing_until_it_is_rotated() {
    let issuer = issuer();
    issuer.withdraw("ES256-1").unwrap();

    let stolen = issuer.mint().sign();
    assert_eq!(issuer.jwks(), json!({ "keys": [] }));
    assert_eq!(header(&stolen)["kid"], "ES256-1");
    assert!(!verifies(&issuer.jwks(), &stolen));

    issuer.rotate(Retire::KeepPrevious).unwrap();
    assert_eq!(kids(&issuer.jwks()), ["ES256-2"], "keeping does not publish again");
}

#[test]
fn withdrawing_an_unknown_key_is_an_error() {
    let error = issuer().withdraw("ES256-2").unwrap_err();

    assert!(matches!(&error, TestIssuerError::UnknownKey(kid) if kid == "ES256-2"));
    assert_eq!(
        error.to_string(),
        "no published key is called `ES256-2`: see `jwks()` for those that are"
    );
}

#[tokio::test]
async fn raw_keys_are_served_as_they_are() {
    let issuer = issuer();
    let raw = [
        json!({ "kty": "oct", "k": "", "kid": "ES256-1" }),
        json!({ "kty": "AKP", "kid": "new" }),
        json!("not a key"),
        json!(null),
    ];
    for jwk in &raw {
        issuer.publish_raw_key(jwk.clone());
    }

    let served = json(&issuer.handle(get("/jwks")).await);
    assert_eq!(served, issuer.jwks());
    assert_eq!(served["keys"].as_array().unwrap()[1..], raw);

    issuer.withdraw("ES256-1").unwrap();
    assert_eq!(issuer.jwks()["keys"].as_array().unwrap()[..], raw[1..]);
}

#[test]
fn two_issuers_share_key_names_and_no_keys() {
    let (one, other) = (issuer(), issuer());
    let token = one.mint().sign();

    assert_eq!(kids(&one.jwks()), kids(&other.jwks()));
    assert!(verifies(&one.jwks(), &token));
    assert!(!verifies(&other.jwks(), &token));
}

#[test]
fn only_a_url_without_user_query_and_fragment_names_an_issuer() {
    let rows = [
        ("https://issuer.example", true),
        ("https://issuer.example/", true),
        ("https://issuer.example:8443/tenant1", true),
        ("http://127.0.0.1:3901", true),
        ("", false),
        ("issuer.example", false),
        ("https:issuer.example", false),
        (" https://issuer.example", false),
        ("https://issuer.example\n", false),
        ("ftp://issuer.example", false),
        ("data:text/plain,issuer", false),
        ("https://issuer.example?a=b", false),
        ("https://issuer.example#a", false),
        ("https://user@issuer.example", false),
        ("https://:secret@issuer.example", false),
    ];
    for (name, valid) in rows {
        match TestIssuer::builder().in_process(name) {
            Ok(issuer) => {
                assert!(valid, "{name}");
                assert_eq!(issuer.issuer(), name, "never normalized");
                assert_eq!(claims(&issuer.mint().sign())["iss"], name);
            }
            Err(TestIssuerError::InvalidIssuer(given)) => {
                assert!(!valid, "{name}");
                assert_eq!(given, name);
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
}
