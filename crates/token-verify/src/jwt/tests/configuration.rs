use std::time::Duration;

use palisade_test_issuer::SigningAlgorithm;

use crate::{
    Rejection, SignatureAlgorithm,
    testing::{issuer, issuer_of_all_algorithms, rejection, rules, verifier, verifier_with},
    trust::TrustError,
};

#[test]
fn a_leeway_has_an_upper_bound() {
    drop(rules().leeway(Duration::from_secs(300)).unwrap());
    let error = rules().leeway(Duration::from_secs(301)).err();
    assert_eq!(error, Some(TrustError::LeewayTooLong));
}

#[test]
fn algorithms_can_be_narrowed_and_never_to_none() {
    let issuer = issuer_of_all_algorithms();
    let narrow = rules().algorithms([SignatureAlgorithm::Ed25519]).unwrap();
    let narrow = verifier_with(narrow, issuer);
    let ed = issuer.mint().algorithm(SigningAlgorithm::EdDSA).sign();
    let es = issuer.mint().algorithm(SigningAlgorithm::ES256).sign();
    assert_eq!(rejection(&narrow, &ed), None);
    assert_eq!(rejection(&narrow, &es), Some(Rejection::DisallowedAlgorithm));
    assert_eq!(rules().algorithms([]).err(), Some(TrustError::NoAlgorithm));
}

#[test]
fn other_types_are_accepted_by_name_only() {
    let issuer = issuer();
    let legacy = issuer.mint().header("typ", "jwt").sign();
    let untyped = issuer.mint().without_header("typ").sign();
    let lax = verifier_with(rules().accept_type("JWT").unwrap(), &issuer);
    assert_eq!(rejection(&lax, &legacy), None);
    assert_eq!(rejection(&lax, &untyped), Some(Rejection::DisallowedType));
    assert_eq!(rejection(&lax, &issuer.mint().sign()), None);
    let lax = verifier_with(rules().accept_missing_type(), &issuer);
    assert_eq!(rejection(&lax, &untyped), None);
    assert_eq!(rejection(&lax, &legacy), Some(Rejection::DisallowedType));
}

#[test]
fn proofs_and_events_cannot_be_made_access_tokens() {
    let names = ["dpop+jwt", "DPoP+JWT", "application/dpop+jwt", "logout+jwt", "secevent+jwt"];
    for name in names.into_iter().chain(["statuslist+jwt", "token-introspection+jwt"]) {
        let error = rules().accept_type(name).err();
        assert_eq!(error, Some(TrustError::NotAnAccessTokenType), "{name}");
    }
    for name in ["", "application/", "a b", "text/jwt", "at+jwt;v=1", &"x".repeat(65)] {
        assert!(rules().accept_type(name).is_err(), "{name}");
    }
}

#[test]
fn debug_shows_rules_and_no_keys() {
    let issuer = issuer();
    let shown = format!("{:?}", verifier(&issuer));
    let jwk = &issuer.jwks()["keys"][0];
    assert!(shown.contains("https://as.example"), "{shown}");
    assert!(!shown.contains(jwk["x"].as_str().unwrap()), "{shown}");
}
