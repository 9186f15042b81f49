//! That a key is left out is said, and nothing of the key with it.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use palisade_test_issuer::SigningAlgorithm;
use serde_json::{Value, json};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::{Import, import_value};
use crate::testing::issuer_of_all_algorithms;

/// Keeps what is said.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<(Level, String)>>>);

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Line(String);
        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.0.push_str(&format!("{field}={value:?} "));
            }
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push((*event.metadata().level(), line.0));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// What is said about a set of this key and a good one.
fn heard(odd: &Value) -> Vec<(Level, String)> {
    let ear = Ear::default();
    // With one subscriber in the process, `tracing` asks the thread that first meets an event whether anybody listens,
    // and that may be another one, where nobody does. With two it asks both.
    let _second = tracing::Dispatch::new(Ear::default());
    let good = issuer_of_all_algorithms().jwks()["keys"][0].clone();
    let set = json!({ "keys": [good, odd] });
    let imported =
        tracing::subscriber::with_default(ear.clone(), || import_value(&set, Import::new()));
    assert_eq!(imported.unwrap().len(), 1);
    // Not `Arc::into_inner`: another thread that meets a new event holds on to every subscriber for a moment.
    std::mem::take(&mut *ear.0.lock().unwrap())
}

#[test]
fn jwk_02_and_03_weak_and_published_keys_are_reported() {
    let keys = issuer_of_all_algorithms().jwks();
    let of = |algorithm: SigningAlgorithm| {
        let keys = keys["keys"].as_array().unwrap();
        keys.iter().find(|key| key["alg"] == algorithm.name()).unwrap().clone()
    };
    let with = |mut key: Value, member: &str, value: Value| {
        key[member] = value;
        key
    };
    let vectors: Value =
        serde_json::from_str(include_str!("../../../vectors/json_web_key_test.json")).unwrap();
    let roca = vectors["testGroups"].as_array().unwrap();
    let roca = roca.iter().find(|group| group["comment"] == "jws_rsa_roca_key").unwrap();
    let (rsa, okp) = (of(SigningAlgorithm::RS256), of(SigningAlgorithm::EdDSA));
    let zeros = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let rows = [
        ("CVE-2017-15361", roca["public"]["keys"][0].clone()),
        ("RSA exponent", with(rsa.clone(), "e", json!("Aw"))),
        ("RSA modulus", with(rsa.clone(), "n", json!("r_____________________8"))),
        ("private members", with(rsa, "d", json!("AAAA"))),
        ("anybody can forge", with(okp, "x", zeros.clone())),
        ("symmetric", json!({ "kty": "oct", "kid": "o", "alg": "HS256", "k": zeros })),
    ];
    for (reason, key) in rows {
        let heard = heard(&key);
        let [(level, line)] = heard.as_slice() else { panic!("{reason}: {heard:?}") };
        assert_eq!(*level, Level::WARN, "{line}");
        assert!(line.contains(reason) && line.contains("index=1"), "{line}");
        for member in ["n", "x", "k", "d", "kid"] {
            let value = key[member].as_str().unwrap_or("nothing");
            assert!(!line.contains(value) || value.len() < 3, "{line} shows `{member}`");
        }
    }
}

#[test]
fn keys_for_other_purposes_are_no_alarm() {
    let mut key = issuer_of_all_algorithms().jwks()["keys"][1].clone();
    key["use"] = "enc".into();
    let mut oaep = key.clone();
    (oaep["use"], oaep["alg"]) = (Value::Null, "RSA-OAEP".into());
    let post_quantum = json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" });
    for key in [key, oaep, post_quantum] {
        assert!(heard(&key).iter().all(|(level, _)| *level == Level::DEBUG));
    }
}
