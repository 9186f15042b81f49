//! Keys that are published.

use palisade_test_issuer::{Behaviour, Signature, SigningAlgorithm, TestIssuer};
use serde_json::{Value, json};

use super::{Row, Target, rsa};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "JWK-01",
        attack: "a second key with the `kid` of the signing key, of the same and of another type",
        answers: &["401 key_unknown", "401 signature_bad", "503 key_not_yet_known"],
        test: "jwk_01_two_keys_of_one_name",
    },
    Row {
        id: "JWK-02",
        attack: "symmetric keys and private keys in the published set",
        answers: &["401 algorithm_disallowed", "401 key_unknown"],
        test: "jwk_02_published_secrets",
    },
    Row {
        id: "JWK-03",
        attack: "RSA of 512 to 16384 bits, even moduli, exponents 1, 3, even, huge, a ROCA key that signs; forgeries for exponent 1",
        answers: &["401 key_unknown", "401 signature_bad"],
        test: "jwk_03_weak_rsa_keys",
    },
    Row {
        id: "JWK-04",
        attack: "keys of another use or label, off the curve, of wrong length, with padding, of another `kty`",
        answers: &["401 key_unknown"],
        test: "jwk_04_keys_that_do_not_fit",
    },
    Row {
        id: "JWK-05",
        attack: "unknown and broken keys among good ones, nameless keys beside named ones",
        answers: &[
            "401 key_unknown",
            "401 signature_bad",
            "401 token_malformed",
            "503 key_not_yet_known",
            "503 keys_unavailable",
        ],
        test: "jwk_05_odd_keys_among_good_ones",
    },
];

/// An issuer of the attacker's own. Its keys have the same names as those of any other.
fn attacker() -> TestIssuer {
    TestIssuer::builder().in_process("https://evil.example").unwrap()
}

fn with(mut jwk: Value, mut members: Value) -> Value {
    jwk.as_object_mut().unwrap().append(members.as_object_mut().unwrap());
    jwk
}

fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

#[tokio::test]
async fn jwk_01_two_keys_of_one_name() {
    let evil = attacker();
    let own = evil.current_kid();
    let public = evil.jwks()["keys"][0].clone();
    let twins = [
        with(public.clone(), json!({ "kid": own })),
        rsa::jwk(&own, "AQAB"),
        with(without(public.clone(), "alg"), json!({ "kid": own })),
    ];
    let mut target: Option<Target> = None;
    for twin in twins {
        let issuer = TestIssuer::builder().add_key(SigningAlgorithm::EdDSA).start().await.unwrap();
        issuer.publish_raw_key(twin);
        let mut at = match target {
            None => Target::start_cold("JWK-01", issuer).await,
            Some(before) => before.next(issuer).await,
        };
        let other = at.good().algorithm(SigningAlgorithm::EdDSA).sign();
        at.lets_pass("a key of another name", at.whoami().token(other)).await;
        at.attack_with("by the twin", at.claims_of(evil.mint()).sign()).await;
        let by_hand = rsa::sign(at.good(), &own, rsa::encode);
        at.attack_with("by the RSA twin", by_hand).await;
        at.attack_with("by the first", at.good().sign()).await;
        at.attack_with("nameless", at.claims_of(evil.mint()).without_header("kid").sign()).await;
        target = Some(at);
    }
    // A twin that is no usable key takes nobody's place, and neither does one of nearly that name.
    let issuer = TestIssuer::builder().start().await.unwrap();
    issuer.publish_raw_key(with(public.clone(), json!({ "use": "enc" })));
    issuer.publish_raw_key(with(public.clone(), json!({ "kid": own.to_lowercase() })));
    issuer.publish_raw_key(with(public, json!({ "kid": format!("{own} ") })));
    let mut target = target.unwrap().next(issuer).await;
    let good = target.good().sign();
    target.lets_pass("the first", target.whoami().token(good)).await;
    target.attack_with("by the twin", target.claims_of(evil.mint()).sign()).await;
    target.finish().await;
}

#[tokio::test]
async fn jwk_02_published_secrets() {
    let evil = attacker();
    let public = evil.jwks()["keys"][0].clone();
    let issuer = TestIssuer::builder().start().await.unwrap();
    let secrets = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    for name in secrets {
        let values = [json!("AQAB"), json!(null), json!([])];
        for (number, value) in values.into_iter().enumerate() {
            let kid = format!("{name}-{number}");
            issuer.publish_raw_key(with(public.clone(), json!({ "kid": kid, name: value })));
        }
    }
    for alg in ["HS256", "ES256", "RS256"] {
        let kid = format!("oct-{alg}");
        let key = json!({ "kty": "oct", "kid": kid, "k": "c2VjcmV0", "alg": alg, "use": "sig" });
        issuer.publish_raw_key(key);
    }
    let mut target = Target::start_cold("JWK-02", issuer).await;
    let good = target.good().sign();
    target.lets_pass("the others count", target.whoami().token(&good)).await;
    for name in secrets {
        for number in 0..3 {
            let kid = format!("{name}-{number}");
            let token = target.claims_of(evil.mint()).header("kid", kid.as_str());
            target.attack_with(&kid, token.sign()).await;
        }
    }
    for alg in ["HS256", "ES256", "RS256"] {
        let kid = format!("oct-{alg}");
        let token = target.good().hmac_with("secret").header("kid", kid.as_str());
        target.attack_with(&kid, token.sign()).await;
        let tag = Signature::Bytes(vec![1; if alg == "RS256" { 256 } else { 64 }]);
        let token = target.good().header("kid", kid).signature(tag);
        let alg = if alg == "HS256" { "ES256" } else { alg };
        target.attack_with("in its name", token.header("alg", alg).sign()).await;
    }

    // A key is published twice, once with its secret: everybody can sign with it, so neither entry counts.
    let issuer = TestIssuer::builder().start().await.unwrap();
    let twin = with(issuer.jwks()["keys"][0].clone(), json!({ "d": "AQAB" }));
    issuer.publish_raw_key(twin);
    let mut target = target.next(issuer).await;
    target.attack_with("by a key with a private twin", target.good().sign()).await;

    // All keys are published with their secrets. That set has no usable key, and yet it replaces the one before:
    // the same keys, which everybody can sign with now.
    let issuer = TestIssuer::builder().start().await.unwrap();
    let mut target = target.next(issuer).await;
    let good = target.good().sign();
    target.lets_pass("before", target.whoami().token(&good)).await;
    let leaked = with(target.issuer.jwks()["keys"][0].clone(), json!({ "d": "AQAB" }));
    let leaked = json!({ "keys": [leaked] }).to_string();
    target.issuer.behave(Behaviour::Body(leaked.into())).unwrap();
    let fetches = target.issuer.jwks_fetches();
    target.attack_with("makes it fetch", target.good().header("kid", "new").sign()).await;
    assert!(target.issuer.jwks_fetches() > fetches);
    target.attack_with("by a key whose secret is out", good).await;
    target.finish().await;
}

#[tokio::test]
async fn jwk_03_weak_rsa_keys() {
    let issuer = TestIssuer::builder().start().await.unwrap();
    let modulus = rsa::jwk("", "")["n"].as_str().unwrap().to_owned();
    let sized = |bits: usize| format!("{}Q", "_".repeat(bits / 6));
    let mut kids = Vec::new();
    for e in ["", "AA", "AQ", "Ag", "Aw", "EQ", "AQAA", "AQAC", "_____w", "_________w", "AQAAAAAB"]
    {
        let kid = format!("e-{e}");
        issuer.publish_raw_key(rsa::jwk(&kid, e));
        kids.push(kid);
    }
    let moduli = [512, 768, 1024, 1536, 2040, 8200, 16_384, 32_768].map(sized);
    let even = format!("{}g", &modulus[..modulus.len() - 1]);
    let short = format!("AA{}", &modulus[..modulus.len() / 2]);
    for (number, n) in
        moduli.into_iter().chain([even, short, String::new(), "AQ".into()]).enumerate()
    {
        let kid = format!("n-{number}");
        issuer.publish_raw_key(with(rsa::jwk(&kid, "AQAB"), json!({ "n": n })));
        kids.push(kid);
    }
    // What is right about these is not enough.
    for (number, members) in [
        json!({ "n": format!("{modulus}=") }),
        json!({ "n": modulus.replace('-', "+").replace('_', "/") }),
        json!({ "n": [modulus] }),
        json!({ "n": null }),
        json!({ "e": 65_537 }),
        json!({ "e": "65537" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "RSA-OAEP" }),
        json!({ "use": "enc" }),
        json!({ "key_ops": ["encrypt"] }),
        json!({ "kty": "rsa" }),
    ]
    .into_iter()
    .enumerate()
    {
        let kid = format!("x-{number}");
        issuer.publish_raw_key(with(rsa::jwk(&kid, "AQAB"), members));
        kids.push(kid);
    }
    issuer.publish_raw_key(rsa::roca(issuer.mint(), "roca").0);
    issuer.publish_raw_key(rsa::jwk("good", "AQAB"));
    issuer.publish_raw_key(rsa::jwk("padded", "AAAAAAABAAE"));
    let mut target = Target::start_cold("JWK-03", issuer).await;
    for kid in ["good", "padded"] {
        let good = rsa::sign(target.good(), kid, rsa::encode);
        target.lets_pass(kid, target.whoami().token(good)).await;
    }
    for kid in &kids {
        target.attack_with(kid, rsa::sign(target.good(), kid, rsa::encode)).await;
        // With the exponent 1, the message is its own signature.
        let (token, block) = rsa::block(target.good(), kid, rsa::encode);
        target.attack_with(kid, token.clone().signature(Signature::Bytes(block)).sign()).await;
        target.attack_with(kid, token.signature(Signature::Bytes(vec![1; 128])).sign()).await;
    }
    target.attack_with("ROCA", rsa::roca(target.good(), "roca").1).await;
    target.finish().await;
}

#[tokio::test]
async fn jwk_04_keys_that_do_not_fit() {
    let evil = attacker();
    let public = evil.jwks()["keys"][0].clone();
    let x = public["x"].as_str().unwrap().to_owned();
    let y = public["y"].as_str().unwrap().to_owned();
    let zeros = "A".repeat(43);
    let issuer = TestIssuer::builder().start().await.unwrap();
    let misfits = [
        json!({ "crv": "P-384" }),
        json!({ "crv": "P-521" }),
        json!({ "crv": "secp256k1" }),
        json!({ "crv": "p-256" }),
        json!({ "crv": "Ed25519" }),
        json!({ "crv": null }),
        json!({ "alg": "ES384" }),
        json!({ "alg": "ES384", "crv": "P-384" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "none" }),
        json!({ "alg": "es256" }),
        json!({ "alg": "ECDH-ES" }),
        json!({ "alg": "" }),
        json!({ "alg": null }),
        json!({ "alg": ["ES256"] }),
        json!({ "kty": "RSA" }),
        json!({ "kty": "OKP" }),
        json!({ "kty": "oct" }),
        json!({ "kty": "ec" }),
        json!({ "kty": null }),
        json!({ "use": "enc" }),
        json!({ "use": "SIG" }),
        json!({ "use": "" }),
        json!({ "use": ["sig"] }),
        json!({ "key_ops": [] }),
        json!({ "key_ops": ["sign"] }),
        json!({ "key_ops": ["encrypt", "deriveKey"] }),
        json!({ "key_ops": "verify" }),
        json!({ "use": "enc", "key_ops": ["verify"] }),
        json!({ "x": zeros }),
        json!({ "x": zeros, "y": zeros }),
        json!({ "y": x }),
        json!({ "x": y, "y": x }),
        json!({ "x": "_".repeat(42) + "8" }),
        json!({ "x": x[..42] }),
        json!({ "x": x[..40] }),
        json!({ "x": format!("AAAA{x}") }),
        json!({ "x": format!("{x}=") }),
        json!({ "x": format!(" {x}") }),
        json!({ "x": "" }),
        json!({ "x": null }),
        json!({ "x": 1 }),
        json!({ "y": null }),
    ];
    for (number, members) in misfits.iter().enumerate() {
        let kid = format!("misfit-{number}");
        issuer.publish_raw_key(with(with(public.clone(), members.clone()), json!({ "kid": kid })));
    }
    issuer.publish_raw_key(with(public.clone(), json!({ "kid": "fits" })));
    let loose = without(without(public, "use"), "alg");
    issuer.publish_raw_key(with(loose, json!({ "kid": "loose", "key_ops": ["verify", "sign"] })));
    let mut target = Target::start_cold("JWK-04", issuer).await;
    for kid in ["fits", "loose"] {
        let token = target.claims_of(evil.mint()).header("kid", kid).sign();
        target.lets_pass(kid, target.whoami().token(token)).await;
    }
    for (number, members) in misfits.iter().enumerate() {
        let kid = format!("misfit-{number}");
        let token = target.claims_of(evil.mint()).header("kid", kid);
        target.attack_with(&members.to_string(), token.sign()).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn jwk_05_odd_keys_among_good_ones() {
    let evil = attacker();
    let public = evil.jwks()["keys"][0].clone();
    let issuer = TestIssuer::builder().start().await.unwrap();
    let odd = [
        json!(null),
        json!(0),
        json!("key"),
        json!([]),
        json!([public]),
        json!({}),
        json!({ "kid": "odd" }),
        json!({ "kty": "AKP", "kid": "odd", "alg": "ML-DSA-44", "pub": "AAAA" }),
        json!({ "kty": "EC", "kid": "odd" }),
        json!({ "kty": "RSA", "kid": "odd" }),
        json!({ "kty": "OKP", "kid": "odd", "crv": "X25519", "x": "A".repeat(43) }),
        json!({ "kty": "OKP", "kid": "odd", "crv": "Ed448", "x": "A".repeat(76) }),
        json!({ "kty": "OKP", "kid": "odd", "crv": "Ed25519", "x": "AA" }),
        with(public.clone(), json!({ "kid": 5 })),
        with(public.clone(), json!({ "kid": ["odd"] })),
        with(public.clone(), json!({ "kid": "k".repeat(257) })),
        with(public.clone(), json!({ "kid": "odd", "x5c": 1 })),
        with(public.clone(), json!({ "kid": "odd", "x5t": {} })),
        // Nameless keys, which would fit tokens without `kid`.
        without(public.clone(), "kid"),
        with(public.clone(), json!({ "kid": null })),
    ];
    for jwk in odd {
        issuer.publish_raw_key(jwk);
    }
    let mut target = Target::start_cold("JWK-05", issuer).await;
    let good = target.good();
    target.lets_pass("the good one", target.whoami().token(good.sign())).await;
    let nameless = good.without_header("kid").sign();
    target.lets_pass("the good one, unnamed", target.whoami().token(nameless)).await;
    let kids =
        [json!("odd"), json!(5), json!("5"), json!("k".repeat(257)), json!("null"), json!("")];
    for kid in kids {
        let token = target.claims_of(evil.mint()).header("kid", kid.clone());
        target.attack_with(&kid.to_string(), token.sign()).await;
    }
    let nameless = target.claims_of(evil.mint()).without_header("kid");
    target.attack_with("nameless", nameless.sign()).await;

    // A nameless key counts if it is alone, and then for tokens without name only.
    let issuer = TestIssuer::builder().start().await.unwrap();
    let alone = without(issuer.jwks()["keys"][0].clone(), "kid");
    let (id, own) = (issuer.current_kid(), alone.clone());
    issuer.withdraw(&id).unwrap();
    issuer.publish_raw_key(own);
    let mut target = target.next(issuer).await;
    let nameless = target.good().without_header("kid").sign();
    target.lets_pass("nameless", target.whoami().token(nameless)).await;
    target.attack_with("named", target.good().sign()).await;
    let evil_one = target.claims_of(evil.mint()).without_header("kid").sign();
    target.attack_with("nameless, by another", evil_one).await;
    let issuer = TestIssuer::builder().start().await.unwrap();
    issuer.withdraw(&issuer.current_kid()).unwrap();
    issuer.publish_raw_key(alone);
    issuer.publish_raw_key(without(public, "kid"));
    let mut target = target.next(issuer).await;
    let either = target.claims_of(evil.mint()).without_header("kid").sign();
    target.attack_with("one of two nameless", either).await;
    target.finish().await;
}
