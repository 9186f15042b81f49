//! Algorithms.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_test_issuer::{Signature, SigningAlgorithm, TestIssuer};
use serde_json::{Value, json};

use super::{MARKER, Row, Target};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "ALG-01",
        attack: "`alg` is `none` in any spelling, is no string, or is missing; with and without a good signature",
        answers: &["401 algorithm_disallowed"],
        test: "alg_01_no_algorithm",
    },
    Row {
        id: "ALG-02",
        attack: "the public key as HMAC secret, as PEM, DER, JWK or bare point, under HMAC names and under its own",
        answers: &["401 algorithm_disallowed", "401 signature_bad"],
        test: "alg_02_public_key_as_secret",
    },
    Row {
        id: "ALG-03",
        attack: "a good signature by a published key, in another algorithm than the key is published for",
        answers: &["401 key_unknown", "401 signature_bad"],
        test: "alg_03_another_algorithm_of_the_key",
    },
    Row {
        id: "ALG-09",
        attack: "an empty or short HMAC key, also one that the key set publishes",
        answers: &["401 algorithm_disallowed", "401 key_unknown"],
        test: "alg_09_empty_secrets",
    },
    Row {
        id: "ALG-10",
        attack: "ES256K, ES521, RSA1_5, HS1, JWE algorithms, other case, spaces, look-alikes",
        answers: &["401 algorithm_disallowed"],
        test: "alg_10_unknown_algorithms",
    },
    Row {
        id: "ALG-11",
        attack: "JSON serialization with `alg` in an unprotected header, bare and as base64url",
        answers: &[
            "400 authorization_malformed",
            "401 algorithm_disallowed",
            "401 token_malformed",
        ],
        test: "alg_11_json_serialization",
    },
];

#[tokio::test]
async fn alg_01_no_algorithm() {
    let mut target = Target::start("ALG-01").await;
    let names = ["none", "None", "NONE", "nOnE", "none\0", "none ", " none", "\u{ff4e}one", ""];
    let others =
        [json!(["none"]), json!(["ES256"]), json!(null), json!(0), json!({}), json!(false)];
    for alg in names.into_iter().map(Value::from).chain(others) {
        let unsigned = target.good().unsigned().header("alg", alg.clone());
        target.attack_with(&alg.to_string(), unsigned.sign()).await;
        let unsigned = unsigned.without_header("kid").header("typ", "at+jwt");
        target.attack_with(&format!("{alg}, no kid"), unsigned.sign()).await;
        let signed = target.good().header("alg", alg.clone());
        target.attack_with(&format!("{alg}, signed"), signed.sign()).await;
    }
    for token in [target.good().unsigned(), target.good()] {
        target.attack_with("missing", token.without_header("alg").sign()).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn alg_02_public_key_as_secret() {
    let issuer = TestIssuer::builder().add_key(SigningAlgorithm::RS256);
    let mut target = Target::start_with("ALG-02", issuer).await;
    let jwk = target.issuer.jwks()["keys"][0].clone();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let pem = target.issuer.public_key_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let secrets = [
        pem.trim_end().as_bytes().to_vec(),
        format!("\n {pem}").into_bytes(),
        pem.replace('\n', "\r\n").into_bytes(),
        pem.into_bytes(),
        body.into_bytes(),
        target.issuer.public_key_der(),
        target.issuer.public_key_jwk_bytes(),
        target.issuer.jwks().to_string().into_bytes(),
        [part("x"), part("y")].concat(),
        [vec![4], part("x"), part("y")].concat(),
        part("x"),
        target.issuer.current_kid().into_bytes(),
    ];
    for (number, secret) in secrets.iter().enumerate() {
        for alg in ["HS256", "HS384", "HS512", "ES256"] {
            let token = target.good().hmac_with(secret.clone()).header("alg", alg);
            target.attack_with(&format!("{number} as {alg}"), token.sign()).await;
        }
    }
    // A tag of the length that the signature would have.
    let (_, _, tag) = target.good().hmac_with(target.issuer.public_key_der()).sign_parts();
    let tag = URL_SAFE_NO_PAD.decode(tag).unwrap();
    let long = Signature::Bytes(tag.iter().cycle().take(256).copied().collect());
    let token = target.good().algorithm(SigningAlgorithm::RS256).signature(long);
    target.attack_with("a long tag", token.sign()).await;
    target.finish().await;
}

#[tokio::test]
async fn alg_03_another_algorithm_of_the_key() {
    use SigningAlgorithm as Alg;
    let issuer = TestIssuer::builder().add_key(Alg::RS256).add_key(Alg::ES384).add_key(Alg::EdDSA);
    let issuer = issuer.start().await.unwrap();
    let mut unlabelled = issuer.jwks()["keys"][1].clone();
    unlabelled.as_object_mut().unwrap().remove("alg");
    unlabelled["kid"] = "unlabelled".into();
    issuer.publish_raw_key(unlabelled);
    let mut target = Target::start_cold("ALG-03", issuer).await;
    let kid_of = |alg: &str| {
        let keys = target.issuer.jwks();
        let key = keys["keys"].as_array().unwrap().iter().find(|key| key["alg"] == alg).unwrap();
        key["kid"].as_str().unwrap().to_owned()
    };
    let kids = ["ES256", "RS256", "ES384", "EdDSA"].map(|alg| (alg, kid_of(alg)));
    for algorithm in [Alg::ES256, Alg::RS256, Alg::ES384, Alg::EdDSA] {
        let good = target.good().algorithm(algorithm);
        target.lets_pass("as published", target.whoami().token(good.sign())).await;
        for (alg, kid) in kids.iter().filter(|(alg, _)| *alg != algorithm.name()) {
            let variant = format!("{algorithm} in the name of {alg}");
            target.attack_with(&variant, good.clone().header("kid", kid.as_str()).sign()).await;
            target.attack_with(&variant, good.clone().header("alg", *alg).sign()).await;
            let both = good.clone().header("kid", kid.as_str()).header("alg", *alg);
            target.attack_with(&variant, both.sign()).await;
        }
    }
    for algorithm in [Alg::RS384, Alg::RS512, Alg::PS256, Alg::PS384, Alg::PS512] {
        let token = target.good().algorithm(algorithm);
        target.attack_with(algorithm.name(), token.sign()).await;
        target.attack_with("without kid", token.clone().without_header("kid").sign()).await;
        target.attack_with("says RS256", token.clone().header("alg", "RS256").sign()).await;
        let token = token.header("kid", "unlabelled");
        target.attack_with("a key without label", token.sign()).await;
    }
    let token = target.good().algorithm(Alg::RS256).header("kid", "unlabelled").sign();
    target.lets_pass("what a key without label is for", target.whoami().token(token)).await;
    target.finish().await;
}

#[tokio::test]
async fn alg_09_empty_secrets() {
    let issuer = TestIssuer::builder().start().await.unwrap();
    for (kid, k, alg) in [("empty", "", "HS256"), ("short", "YQ", "HS256"), ("posing", "", "ES256")]
    {
        issuer.publish_raw_key(json!({ "kty": "oct", "kid": kid, "k": k, "alg": alg }));
    }
    let mut target = Target::start_cold("ALG-09", issuer).await;
    for secret in ["", "a", "\0", "secret"] {
        target.attack_with(secret, target.good().hmac_with(secret).sign()).await;
        for kid in ["empty", "short", "posing"] {
            let token = target.good().hmac_with(secret).header("kid", kid);
            target.attack_with(kid, token.sign()).await;
            let tag = Signature::Bytes(vec![0; 64]);
            target.attack_with(kid, token.header("alg", "ES256").signature(tag).sign()).await;
        }
    }
    target.finish().await;
}

#[tokio::test]
async fn alg_10_unknown_algorithms() {
    let issuer = TestIssuer::builder().add_key(SigningAlgorithm::EdDSA);
    let mut target = Target::start_with("ALG-10", issuer).await;
    let names = [
        "ES256K",
        "ES256K1",
        "ES521",
        "ESP256",
        "Ed448",
        "RSA1_5",
        "RS1",
        "HS1",
        "HS256",
        "dir",
        "A128GCM",
        "A128KW",
        "ECDH-ES",
        "PBES2-HS256+A128KW",
        "ML-DSA-44",
        "es256",
        "Es256",
        "eS256",
        "ES256 ",
        " ES256",
        "ES256\0",
        "ES256\n",
        "\u{415}S256",
        "ES\u{ff12}56",
        "SHA256withECDSA",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        MARKER,
        "eddsa",
        "ed25519",
    ];
    for alg in names {
        target.attack_with(alg, target.good().header("alg", alg).sign()).await;
        let token = target.good().header("alg", alg).without_header("kid");
        target.attack_with(alg, token.sign()).await;
    }
    let modern = target.good().algorithm(SigningAlgorithm::EdDSA).header("alg", "Ed25519");
    target.lets_pass("the newer name", target.whoami().token(modern.sign())).await;
    target.finish().await;
}

#[tokio::test]
async fn alg_11_json_serialization() {
    let mut target = Target::start("ALG-11").await;
    let (protected, payload, signature) = target.good().sign_parts();
    let (bare, _, _) = target.good().without_header("alg").sign_parts();
    let documents = [
        json!({ "payload": payload, "protected": protected, "signature": signature }),
        json!({ "payload": payload, "header": { "alg": "none" }, "signature": "" }),
        json!({ "payload": payload, "protected": bare, "header": { "alg": "ES256" },
            "signature": signature }),
        json!({ "payload": payload, "signatures": [
            { "protected": protected, "signature": signature },
            { "header": { "alg": "none" }, "signature": "" },
        ] }),
    ];
    for document in documents {
        let document = document.to_string();
        target.attack_with("JSON", &document).await;
        let encoded = URL_SAFE_NO_PAD.encode(&document);
        target.attack_with("encoded", &encoded).await;
        target.attack_with("encoded, dots around", format!("{encoded}..")).await;
        target.attack_with("as the payload", format!("{protected}.{encoded}")).await;
    }
    target.finish().await;
}
