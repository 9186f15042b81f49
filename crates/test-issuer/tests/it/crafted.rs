use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use palisade_test_issuer::SigningAlgorithm::{ES384, RS256};
use palisade_test_issuer::{Signature, TestIssuer, TokenBuilder};
use serde_json::{Value, json};

use crate::support::{
    ISSUER, NOW, RESOURCE, builder, claims, decode, fixed_time, header, issuer, signature,
    verifies, verifies_as,
};

#[test]
fn a_token_is_good_until_told_otherwise() {
    let issuer = issuer();
    let token = issuer.mint().sign();

    assert_eq!(header(&token), json!({ "typ": "at+jwt", "alg": "ES256", "kid": "ES256-1" }));
    assert_eq!(
        claims(&token),
        json!({
            "iss": ISSUER, "sub": "app", "client_id": "app", "aud": RESOURCE,
            "scope": "mcp:tools mcp:admin", "iat": NOW, "exp": NOW + 300, "jti": "jti-1",
        })
    );
    assert!(verifies(&issuer.jwks(), &token));
}

#[test]
fn an_issuer_without_clients_and_resources_mints_what_it_can() {
    let issuer = TestIssuer::builder().now(fixed_time).in_process(ISSUER).unwrap();

    assert_eq!(
        claims(&issuer.mint().sign()),
        json!({
            "iss": ISSUER, "sub": "test-client", "client_id": "test-client",
            "iat": NOW, "exp": NOW + 300, "jti": "jti-1",
        })
    );
}

#[test]
fn time_comes_from_the_clock_that_was_given() {
    let rows = [
        ("the epoch", UNIX_EPOCH, 0),
        ("whole seconds", UNIX_EPOCH + Duration::from_millis(1999), 1),
        ("before the epoch", UNIX_EPOCH - Duration::from_secs(5), -5),
    ];
    for (name, time, seconds) in rows {
        let issuer = builder().now(move || time).in_process(ISSUER).unwrap();
        assert_eq!(issuer.now(), seconds, "{name}");
        assert_eq!(claims(&issuer.mint().sign())["iat"], seconds, "{name}");
        assert_eq!(claims(&issuer.mint().sign())["exp"], seconds + 300, "{name}");
    }
    let issuer = TestIssuer::builder().in_process(ISSUER).unwrap();
    assert!(issuer.now() > NOW - 10 * 366 * 24 * 3600, "the system's, if none was given");
}

#[test]
fn tokens_live_as_long_as_was_set() {
    let issuer = builder().token_lifetime(Duration::from_secs(7)).in_process(ISSUER).unwrap();

    assert_eq!(claims(&issuer.mint().sign())["exp"], NOW + 7);
}

#[test]
fn claims_and_header_parameters_are_what_was_asked_for() {
    type Bend = fn(TokenBuilder) -> TokenBuilder;
    type Part = fn(&str) -> Value;
    #[rustfmt::skip]
    let rows: Vec<(&str, Bend, Part, &str, Value)> = vec![
        ("subject", |t| t.subject("alice"), claims, "sub", json!("alice")),
        ("client", |t| t.client_id("cli"), claims, "client_id", json!("cli")),
        ("audience replaces", |t| t.audience("a").audience("b"), claims, "aud", json!("b")),
        ("audiences", |t| t.audiences(["a", "b"]), claims, "aud", json!(["a", "b"])),
        ("one audience in an array", |t| t.audiences(["a"]), claims, "aud", json!(["a"])),
        ("no audience in an array", |t| t.audiences([""; 0]), claims, "aud", json!([])),
        ("audience of mixed types", |t| t.claim("aud", json!(["a", 1])), claims, "aud", json!(["a", 1])),
        ("scope as given", |t| t.scope(" a  b "), claims, "scope", json!(" a  b ")),
        ("actor", |t| t.actor(json!({ "sub": "bot" })), claims, "act", json!({ "sub": "bot" })),
        ("issued at", |t| t.issued_at(-1), claims, "iat", json!(-1)),
        ("valid from", |t| t.valid_from(NOW + 60), claims, "nbf", json!(NOW + 60)),
        ("expires at", |t| t.expires_at(i64::MAX), claims, "exp", json!(i64::MAX)),
        ("expires in", |t| t.expires_in(Duration::from_secs(9)), claims, "exp", json!(NOW + 9)),
        ("expires in for ever", |t| t.expires_in(Duration::MAX), claims, "exp", json!(i64::MAX)),
        ("expires in whatever was issued", |t| t.issued_at(0).expires_in(Duration::ZERO), claims, "exp", json!(NOW)),
        ("fractional expiry", |t| t.claim("exp", 1.5), claims, "exp", json!(1.5)),
        ("any claim", |t| t.claim("iss", json!(["a"])), claims, "iss", json!(["a"])),
        ("no claim", |t| t.without_claim("sub"), claims, "sub", Value::Null),
        ("claim after none", |t| t.without_claim("sub").subject("a"), claims, "sub", json!("a")),
        ("null is not absent", |t| t.claim("jti", Value::Null), claims, "jti", Value::Null),
        ("any header", |t| t.header("crit", json!(["exp"])), header, "crit", json!(["exp"])),
        ("another type", |t| t.header("typ", "JWT"), header, "typ", json!("JWT")),
        ("no type", |t| t.without_header("typ"), header, "typ", Value::Null),
        ("no key identifier", |t| t.without_header("kid"), header, "kid", Value::Null),
        ("header after none", |t| t.without_header("kid").header("kid", "a"), header, "kid", json!("a")),
        ("a foreign key says nothing", |t| t.signed_with_foreign_key(), header, "kid", json!("ES256-1")),
        ("unsigned", |t| t.unsigned(), header, "alg", json!("none")),
        ("unsigned in other letters", |t| t.unsigned().header("alg", "nOnE"), header, "alg", json!("nOnE")),
        ("hmac", |t| t.hmac_with("secret"), header, "alg", json!("HS256")),
    ];
    let issuer = issuer();
    for (name, bend, part, member, expected) in rows {
        let token = bend(issuer.mint()).sign();
        assert_eq!(part(&token)[member], expected, "{name}");
    }
    let token = issuer.mint().without_claim("sub").without_header("kid").sign();
    assert_eq!(claims(&token).get("sub"), None);
    assert_eq!(header(&token).get("kid"), None);
}

#[test]
fn a_header_parameter_changes_what_is_said_and_not_who_signs() {
    let issuer = issuer();
    let token = issuer.mint().header("alg", "RS256").sign();

    assert_eq!(header(&token)["alg"], "RS256");
    assert!(verifies_as("ES256", &issuer.jwks()["keys"][0], &token));
}

#[test]
fn raw_parts_are_signed_as_they_are_by_the_published_key() {
    let issuer = issuer();
    let raw = br#"{"sub":"alice","\u0073ub":"mallory"}"#;
    let token = issuer.mint().raw_payload(raw.as_slice()).sign();
    assert_eq!(decode(token.split('.').nth(1).unwrap()), raw);
    assert!(verifies(&issuer.jwks(), &token));

    let raw = br#"{"alg":"ES256","kid":"ES256-1","kid":"ES256-1"}"#;
    let token = issuer.mint().raw_header(raw.as_slice()).sign();
    assert_eq!(decode(token.split('.').next().unwrap()), raw);
    assert!(verifies(&issuer.jwks(), &token));

    let bom = [b"\xef\xbb\xbf".as_slice(), b"{}"].concat();
    let token = issuer.mint().raw_payload(bom.clone()).raw_header(Vec::new()).sign();
    assert!(token.starts_with('.'));
    assert_eq!(decode(token.split('.').nth(1).unwrap()), bom);
}

#[test]
fn each_shape_of_signature_is_bent_from_the_right_one() {
    let rows = [
        (Signature::Valid, 64, true),
        (Signature::Empty, 0, false),
        (Signature::Zeros, 64, false),
        (Signature::Truncated, 63, false),
        (Signature::Extended, 65, false),
        (Signature::Bytes(vec![1, 2, 3]), 3, false),
    ];
    let issuer = issuer();
    for (shape, length, good) in rows {
        let token = issuer.mint().signature(shape.clone()).sign();
        let bytes = signature(&token);
        assert_eq!(bytes.len(), length, "{shape:?}");
        assert_eq!(verifies(&issuer.jwks(), &token), good, "{shape:?}");
        let zeros = matches!(shape, Signature::Empty | Signature::Zeros);
        assert_eq!(bytes.iter().all(|byte| *byte == 0), zeros, "{shape:?}");
    }
    // Undoing the damage gives a good token: nothing else was wrong with it.
    let (header, payload, extended) = issuer.mint().signature(Signature::Extended).sign_parts();
    let mut bytes = decode(&extended);
    assert_eq!(bytes.pop(), Some(0));
    let repaired = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(&bytes));
    assert!(verifies(&issuer.jwks(), &repaired));
}

#[test]
fn an_unsigned_token_ends_in_a_dot() {
    let token = issuer().mint().unsigned().sign();

    assert!(token.ends_with('.'));
    assert_eq!(token.matches('.').count(), 2);
}

#[test]
fn algorithm_confusion_uses_exactly_the_secret_given() {
    let issuer = builder().algorithm(RS256).in_process(ISSUER).unwrap();
    let secrets = [
        issuer.public_key_pem().into_bytes(),
        issuer.public_key_der(),
        issuer.public_key_jwk_bytes(),
        Vec::new(),
    ];
    for secret in secrets {
        let token = issuer.mint().hmac_with(secret.clone()).sign();
        assert_eq!(header(&token)["kid"], "RS256-1");
        let (message, _) = token.rsplit_once('.').unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        hmac::verify(&key, message.as_bytes(), &signature(&token)).unwrap();
    }
}

#[test]
fn the_public_key_is_the_published_one_in_each_form() {
    let issuer = builder().algorithm(ES384).in_process(ISSUER).unwrap();
    let jwk: Value = serde_json::from_slice(&issuer.public_key_jwk_bytes()).unwrap();
    assert_eq!(jwk, issuer.jwks()["keys"][0]);

    let der = issuer.public_key_der();
    let point = [decode(jwk["x"].as_str().unwrap()), decode(jwk["y"].as_str().unwrap())].concat();
    assert!(der.ends_with(&point));

    let pem = issuer.public_key_pem();
    let lines: Vec<&str> = pem.lines().collect();
    assert_eq!(lines[0], "-----BEGIN PUBLIC KEY-----");
    assert_eq!(lines[lines.len() - 1], "-----END PUBLIC KEY-----");
    assert!(lines.iter().all(|line| line.len() <= 64));
    assert!(pem.ends_with("-----\n"));
    let inner = lines[1..lines.len() - 1].concat();
    assert_eq!(STANDARD.encode(&der), inner);
}

#[test]
fn parts_joined_with_dots_are_the_token() {
    // PKCS #1 v1.5 signatures are the same each time, so that two can be compared.
    let issuer = builder().algorithm(RS256).in_process(ISSUER).unwrap();
    let token = issuer.mint();
    let (header, payload, signature) = token.sign_parts();

    assert_eq!(token.sign(), format!("{header}.{payload}.{signature}"));
}

#[test]
fn debug_shows_neither_keys_nor_secrets() {
    let issuer = builder().add_key(RS256).in_process(ISSUER).unwrap();
    issuer.publish_raw_key(json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "raw" }));
    let token = issuer.mint().subject("alice").hmac_with("hush");
    let shown = format!("{:?} {issuer:?} {token:?}", builder());

    assert!(shown.contains("ES256-1"), "{shown}");
    // As text and as a list of bytes.
    for secret in ["s3cret", "hush", "alice", "c2VjcmV0", "115, 51, 99", "104, 117, 115, 104"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    assert!(shown.len() < 1000, "no key material: {shown}");
}
