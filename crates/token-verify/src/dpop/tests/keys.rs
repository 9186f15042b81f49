//! POP-05: the key and the algorithm of a proof.

use aws_lc_rs::hmac;
use palisade_core::{Confirmation, Principal};
use serde_json::{Value, json};

use super::support::{
    BOUND, Bent, Client, Verdict, ask, base64url, check, code_of, proofs, request,
};
use crate::{
    BearerToken, SignatureAlgorithm, TokenVerifyLayer, dpop::thumbprint::thumbprint,
    testing::issuer_of_all_algorithms,
};

#[tokio::test]
async fn pop_05_keys_and_algorithms() {
    let client = Client::new();
    let other = Client::new();
    let jwk = |name: &str, value: Value| {
        let mut jwk = client.jwk();
        jwk[name] = value;
        client.proof().header("jwk", jwk).sign()
    };
    let alg = |value: Value| client.proof().header("alg", value).sign();
    let (unusable, disallowed) = ("proof_key_unusable", "proof_algorithm_disallowed");
    let mut rows: Vec<(String, String, &str)> = Vec::new();
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        rows.push((format!("jwk with {member}"), jwk(member, json!("AA")), unusable));
    }
    for (name, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["sign"])),
        ("alg", json!("ES384")),
        ("alg", json!("RS256")),
        ("alg", json!(1)),
        ("kid", json!("x".repeat(257))),
    ] {
        rows.push((format!("jwk with {name}: {value}"), jwk(name, value), unusable));
    }
    for value in [json!(null), json!("jwk"), json!([client.jwk()]), json!({})] {
        let name = format!("jwk: {value}");
        rows.push((name, client.proof().header("jwk", value).sign(), unusable));
    }
    rows.push(("no jwk".into(), client.proof().without("jwk").sign(), unusable));
    for value in [
        json!("none"),
        json!("None"),
        json!("HS256"),
        json!("es256"),
        json!("ES256K"),
        json!(""),
        json!(null),
        json!(["ES256"]),
        json!(1),
    ] {
        rows.push((format!("alg: {value}"), alg(value), disallowed));
    }
    rows.push(("no alg".into(), client.proof().without("alg").sign(), disallowed));
    // Another algorithm than that of the key: the signature has not even the right length, or the key does
    // not fit.
    rows.push(("alg RS256".into(), alg(json!("RS256")), "proof_signature_bad"));
    rows.push(("alg EdDSA".into(), alg(json!("EdDSA")), unusable));
    rows.push(("symmetric".into(), symmetric(&client.proof()), disallowed));
    // Somebody who knows the public key, and has another.
    let foreign = other.proof().header("jwk", client.jwk()).sign();
    rows.push(("another's signature".into(), foreign, "proof_signature_bad"));
    rows.push(("another's key".into(), other.proof().sign(), "proof_key_wrong"));
    check(&client, rows).await;
}

/// HS256 with an `oct` key that comes along, good in itself.
fn symmetric(proof: &Bent<'_>) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let jwk = json!({ "kty": "oct", "k": base64url([7; 32]) });
    let (header, claims) = proof.clone().header("alg", "HS256").header("jwk", jwk).texts();
    let message = format!("{}.{}", base64url(header), base64url(claims));
    let tag = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", base64url(tag))
}

#[tokio::test]
async fn proofs_of_every_algorithm_pass() {
    use palisade_test_issuer::SigningAlgorithm as Alg;

    let issuer = issuer_of_all_algorithms();
    let claims = Client::new().proof().texts().1;
    for algorithm in [
        Alg::ES256,
        Alg::ES384,
        Alg::ES512,
        Alg::EdDSA,
        Alg::PS256,
        Alg::PS384,
        Alg::PS512,
        Alg::RS256,
        Alg::RS384,
        Alg::RS512,
    ] {
        let jwks = issuer.jwks();
        let mut keys = jwks["keys"].as_array().unwrap().iter();
        let jwk = keys.find(|jwk| jwk["alg"] == algorithm.name()).unwrap();
        let mut jwk = jwk.as_object().unwrap().clone();
        for name in ["alg", "kid", "use"] {
            jwk.remove(name);
        }
        // Anybody can make a proof, an issuer too.
        let proof = issuer.mint().algorithm(algorithm).header("typ", "dpop+jwt");
        let proof = proof.header("jwk", jwk.clone()).raw_payload(claims.clone()).sign();
        let layer = bound_to(&Value::Object(jwk)).with_dpop(proofs());
        let answer = ask(layer, request("DPoP", BOUND, &proof)).await;
        assert_eq!(answer.code, "", "{}", algorithm.name());
    }
}

/// A layer whose tokens are bound to this key.
fn bound_to(
    jwk: &Value,
) -> TokenVerifyLayer<impl Fn(BearerToken) -> std::future::Ready<Verdict> + Clone + use<>> {
    let thumbprint = thumbprint(jwk.as_object().unwrap()).unwrap();
    TokenVerifyLayer::new(move |_: BearerToken| {
        let confirmation = Confirmation::new().with_jwk_thumbprint(thumbprint);
        let principal = Principal::assert_verified("https://as.example", "alice");
        std::future::ready(Ok(principal.confirmation(confirmation).build()))
    })
}

#[tokio::test]
async fn pop_05_only_the_configured_algorithms() {
    let client = Client::new();
    let only = |algorithm| proofs().algorithms([algorithm]).unwrap();
    let proof = request("DPoP", BOUND, &client.proof().sign());
    assert_eq!(code_of(&client, only(SignatureAlgorithm::ES256), proof.clone()).await, "");
    let refused = code_of(&client, only(SignatureAlgorithm::Ed25519), proof).await;
    assert_eq!(refused, "proof_algorithm_disallowed");
}

#[tokio::test]
async fn pop_05_a_weak_key_is_no_key() {
    let client = Client::new();
    // P-256 has no such point; the thumbprint does not know.
    let jwk =
        json!({ "kty": "EC", "crv": "P-256", "x": base64url([1; 32]), "y": base64url([1; 32]) });
    let proof = client.proof().header("jwk", jwk.clone()).sign();
    let answer = ask(bound_to(&jwk).with_dpop(proofs()), request("DPoP", BOUND, &proof)).await;
    assert_eq!(answer.code, "proof_key_unusable");
}
