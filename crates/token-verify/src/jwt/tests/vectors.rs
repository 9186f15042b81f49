//! The JOSE vectors of Wycheproof (`vectors/README.md`), through the parts of the verifier that do not read claims:
//! the payloads of the vectors are no claims.

use serde_json::Value;

use crate::{
    SignatureAlgorithm,
    jwt::{
        compact::{Compact, decode, signed_bytes},
        header::Header,
    },
    keys::{
        AnyKeySource, KeyAnswer, KeyHint, KeyLookup, StaticKeys,
        danger::{HmacKeys, HmacKeysError},
    },
    testing::rules,
};

const KEYS: &str = include_str!("../../../vectors/json_web_key_test.json");
const SIGNATURES: &str = include_str!("../../../vectors/json_web_signature_test.json");

/// Tests of `SIGNATURES` that we answer otherwise, and why. May only shrink; of `KEYS` there is none.
const OTHERWISE: [(u64, &str); 8] = [
    (346, "the key is for PS256 and the token says PS384: a key has one algorithm"),
    (347, "the key is for `ES521`, which does not exist"),
    (350, "the key is for PS256 and the token says PS384: a key has one algorithm"),
    (351, "the key is for `ES521`, which does not exist"),
    (367, "the token is that of test 357, which is valid"),
    (370, "the token is that of test 357, which is valid"),
    (372, "`?` in the header: it is not base64url (RFC 7515 §2)"),
    (373, "`?` in the payload: it is not base64url (RFC 7515 §2)"),
];

/// The keys of a group. `None` if they are refused when they are given.
fn import(group: &Value) -> Option<Box<dyn AnyKeySource>> {
    let keys = group.get("public").unwrap_or_else(|| &group["private"]);
    let keys = keys["keys"].as_array().cloned().unwrap_or_else(|| vec![keys.clone()]);
    if keys.iter().any(|key| key["kty"] != "oct") {
        let set = serde_json::json!({ "keys": keys }).to_string();
        return Some(Box::new(StaticKeys::from_jwks_json(&set).ok()?));
    }
    // No importer takes these: somebody must have decoded them, and named them to be HMAC.
    let secrets = keys.iter().map(|key| {
        let algorithm = SignatureAlgorithm::from_name(key["alg"].as_str()?)?;
        let secret = decode(key["k"].as_str()?, "").ok()?;
        Some((key["kid"].as_str()?, algorithm, secret))
    });
    let secrets: Option<Vec<_>> = secrets.collect();
    let named = match HmacKeys::named(secrets?) {
        // Wycheproof has a secret of zeros, which nobody can configure here. What it tests are the tokens.
        Err(HmacKeysError::Uniform) => Ok(HmacKeys::of_zeros("hs256-key")),
        named => named,
    };
    Some(Box::new(named.ok()?))
}

/// As `Candidate` does, but for the claims.
fn accepts(keys: &dyn AnyKeySource, token: &str) -> Option<()> {
    let hmac = [SignatureAlgorithm::HS256, SignatureAlgorithm::HS384, SignatureAlgorithm::HS512];
    let rules = rules().accept_missing_type();
    let rules = if keys.is_symmetric() { rules.algorithms(hmac).unwrap() } else { rules };
    let parts = Compact::split(token, 16 * 1024).ok()?;
    let header = Header::read(parts.header).ok()?;
    decode(parts.payload, "").ok()?;
    header.check(&rules).ok()?;
    let signature = decode(parts.signature, "").ok()?;
    if !header.algorithm.may_have_signature_len(signature.len()) {
        return None;
    }
    let hint = KeyHint { kid: header.kid.as_deref(), algorithm: header.algorithm };
    let KeyLookup::Ready(KeyAnswer::Found(key)) = keys.find(&hint) else { return None };
    key.verify(header.algorithm, signed_bytes(token), &signature).map(drop)
}

/// Runs all; returns the numbers of those that came out otherwise.
fn run(name: &str, vectors: &str) -> Vec<u64> {
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let (mut accepted, mut refused, mut otherwise) = (Vec::new(), Vec::new(), Vec::new());
    for group in vectors["testGroups"].as_array().unwrap() {
        let keys = import(group);
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            let found = keys.as_deref().and_then(|keys| accepts(keys, &token)).is_some();
            if found != (test["result"] == "valid") {
                otherwise.push(id);
            } else if found {
                accepted.push(id);
            } else {
                refused.push(id);
            }
        }
    }
    let (good, bad, other) = (accepted.len(), refused.len(), otherwise.len());
    println!("{name:28} {good:4} accepted {bad:5} refused, {other} otherwise");
    let all = [accepted, refused, otherwise.clone()].concat();
    assert_eq!(vectors["numberOfTests"].as_u64(), all.len().try_into().ok());
    otherwise
}

#[test]
fn wycheproof_jwk_01_to_04_key_sets() {
    assert_eq!(run("json_web_key", KEYS), [0_u64; 0]);
}

#[test]
fn wycheproof_alg_01_to_07_signatures_of_jose() {
    let mut otherwise = run("json_web_signature", SIGNATURES);
    otherwise.sort_unstable();
    for (id, why) in OTHERWISE {
        println!("    {id}: {why}");
    }
    assert_eq!(otherwise, OTHERWISE.map(|(id, _)| id));
    // That two of them are mistakes of the vectors can be seen.
    let vectors: Value = serde_json::from_str(SIGNATURES).unwrap();
    let groups = vectors["testGroups"].as_array().unwrap();
    let tests = || groups.iter().flat_map(|group| group["tests"].as_array().unwrap());
    let token = |id: u64| tests().find(|test| test["tcId"] == id).unwrap()["jws"].clone();
    assert_eq!(token(367), token(357));
    assert_eq!(token(370), token(357));
}
