//! The example of RFC 9449 §7.1, and what becomes of it if one thing changes.

use std::future::ready;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use palisade_core::{Confirmation, ManualClock, Principal, Resource};
use serde_json::Value;

use super::support::{Answer, ask, base64url};
use crate::{
    BearerToken, SignatureAlgorithm, TokenVerifyLayer, confirmation::read_confirmation,
    dpop::DpopProofs, testing::instant,
};

const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik\
                     VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR\
                     nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE\
                     QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj\
                     oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z\
                     WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF\
                     c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E\
                     OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const MADE_AT: i64 = 1_562_262_618;
/// §6.1.
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

struct Example {
    method: &'static str,
    path: &'static str,
    origin: &'static str,
    scheme: &'static str,
    token: String,
    proofs: Vec<String>,
    jkt: Option<&'static str>,
    seconds_later: i64,
}

impl Default for Example {
    fn default() -> Self {
        Self {
            method: "GET",
            path: "/protectedresource",
            origin: "https://resource.example.org",
            scheme: "DPoP",
            token: TOKEN.to_owned(),
            proofs: vec![PROOF.to_owned()],
            jkt: Some(JKT),
            seconds_later: 2,
        }
    }
}

impl Example {
    async fn answer(self) -> Answer {
        let confirmation = match self.jkt {
            Some(jkt) => read_confirmation(&serde_json::json!({ "jkt": jkt })).unwrap(),
            None => Confirmation::new(),
        };
        let is_bound = self.jkt.is_some();
        let verifier = move |_: BearerToken| {
            let principal = Principal::assert_verified("https://server.example.com", "someone");
            let bound = principal.confirmation(confirmation).build();
            let unbound = Principal::assert_verified("https://server.example.com", "someone");
            ready(Ok(if is_bound { bound } else { unbound.build() }))
        };
        let dpop = DpopProofs::new(&Resource::parse(self.origin).unwrap())
            .unwrap()
            .algorithms([SignatureAlgorithm::ES256])
            .unwrap()
            .with_clock(ManualClock::at(instant(MADE_AT.saturating_add(self.seconds_later))));
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header("authorization", format!("{} {}", self.scheme, self.token));
        for proof in &self.proofs {
            request = request.header("dpop", proof);
        }
        ask(TokenVerifyLayer::new(verifier).with_dpop(dpop), request.body(()).unwrap()).await
    }
}

/// The example with one member of its header (`part` 0) or payload (1) edited, and its old signature.
fn with(part: usize, edit: impl FnOnce(&mut Value)) -> Example {
    let mut parts: Vec<_> = PROOF.split('.').map(str::to_owned).collect();
    let mut json: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&parts[part]).unwrap()).unwrap();
    edit(&mut json);
    parts[part] = base64url(json.to_string());
    Example { proofs: vec![parts.join(".")], ..Example::default() }
}

fn set(part: usize, pointer: &'static str, value: impl Into<Value>) -> Example {
    with(part, |json| *json.pointer_mut(pointer).unwrap() = value.into())
}

fn removed(part: usize, name: &str) -> Example {
    with(part, |json| {
        json.as_object_mut().unwrap().remove(name).unwrap();
    })
}

#[tokio::test]
async fn the_example_of_rfc_9449_passes() {
    let answer = Example::default().answer().await;
    assert_eq!((answer.status, answer.code), (200, ""));
}

#[tokio::test]
async fn pop_02_to_07_each_change_to_the_example_is_refused_with_its_challenge() {
    const PROOF_ERROR: &str = "invalid_dpop_proof";
    const TOKEN_ERROR: &str = "invalid_token";

    let cut = PROOF.get(..PROOF.len() - 2).unwrap().to_owned();
    let token = |token: &str| Example { token: token.to_owned(), ..Example::default() };
    let lines = |proofs: &[&str]| Example {
        proofs: proofs.iter().map(|proof| (*proof).to_owned()).collect(),
        ..Example::default()
    };
    let later = |seconds_later| Example { seconds_later, ..Example::default() };
    let rows = [
        // The request.
        ("method", Example { method: "POST", ..Example::default() }, "proof_method_wrong"),
        (
            "path",
            Example { path: "/protectedresource/", ..Example::default() },
            "proof_target_wrong",
        ),
        (
            "host",
            Example { origin: "https://resource.example.com", ..Example::default() },
            "proof_target_wrong",
        ),
        (
            "port",
            Example { origin: "https://resource.example.org:8443", ..Example::default() },
            "proof_target_wrong",
        ),
        ("token", token(&TOKEN.replace("Kz~", "Ky~")), "proof_token_wrong"),
        ("too late", later(61), "proof_not_fresh"),
        ("too early", later(-11), "proof_not_fresh"),
        ("no proof", lines(&[]), "proof_missing"),
        ("two proofs", lines(&[PROOF, PROOF]), "proof_repeated"),
        ("joined proofs", lines(&[&format!("{PROOF}, {PROOF}")]), "proof_malformed"),
        ("a proof and an empty line", lines(&[PROOF, ""]), "proof_repeated"),
        ("no signature", lines(&[PROOF.rsplit_once('.').unwrap().0]), "proof_malformed"),
        ("a shorter signature", lines(&[&cut]), "proof_signature_bad"),
        // The header.
        ("typ", set(0, "/typ", "JWT"), "proof_type_wrong"),
        ("no typ", removed(0, "typ"), "proof_type_wrong"),
        ("alg", set(0, "/alg", "ES384"), "proof_algorithm_disallowed"),
        ("alg none", set(0, "/alg", "none"), "proof_algorithm_disallowed"),
        ("no alg", removed(0, "alg"), "proof_algorithm_disallowed"),
        ("no jwk", removed(0, "jwk"), "proof_key_unusable"),
        ("kty", set(0, "/jwk/kty", "oct"), "proof_key_unusable"),
        ("private jwk", with(0, |json| json["jwk"]["d"] = "AA".into()), "proof_key_unusable"),
        (
            "another member in the jwk",
            with(0, |json| json["jwk"]["kid"] = "1".into()),
            "proof_signature_bad",
        ),
        ("crit", with(0, |json| json["crit"] = Value::Array(Vec::new())), "proof_malformed"),
        // The payload.
        ("htm", set(1, "/htm", "get"), "proof_method_wrong"),
        ("no htm", removed(1, "htm"), "proof_malformed"),
        (
            "htu",
            set(1, "/htu", "http://resource.example.org/protectedresource"),
            "proof_target_wrong",
        ),
        ("no htu", removed(1, "htu"), "proof_malformed"),
        (
            "another spelling of htu",
            set(1, "/htu", "https://resource.example.org:443/protectedresource"),
            "proof_signature_bad",
        ),
        ("iat", set(1, "/iat", MADE_AT + 1), "proof_signature_bad"),
        ("no iat", removed(1, "iat"), "proof_not_fresh"),
        ("jti", set(1, "/jti", "other"), "proof_signature_bad"),
        ("no jti", removed(1, "jti"), "proof_malformed"),
        ("ath", set(1, "/ath", hash_of_another_token()), "proof_token_wrong"),
        ("no ath", removed(1, "ath"), "proof_token_wrong"),
        ("another claim", with(1, |json| json["x"] = 1.into()), "proof_signature_bad"),
    ];
    for (name, example, code) in rows {
        let answer = example.answer().await;
        assert_eq!((answer.status, answer.code), (401, code), "{name}");
        is_dpop_challenge(name, &answer, PROOF_ERROR);
    }
    let rows = [
        ("x", set(0, "/jwk/x", "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFt"), "proof_key_wrong"),
        ("y", set(0, "/jwk/y", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDB"), "proof_key_wrong"),
        ("crv", set(0, "/jwk/crv", "P-384"), "proof_key_wrong"),
        (
            "bound to another key",
            Example {
                jkt: Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
                ..Example::default()
            },
            "proof_key_wrong",
        ),
        ("not bound", Example { jkt: None, ..Example::default() }, "token_not_bound"),
    ];
    for (name, example, code) in rows {
        let answer = example.answer().await;
        assert_eq!((answer.status, answer.code), (401, code), "{name}");
        is_dpop_challenge(name, &answer, TOKEN_ERROR);
    }
    let answer = Example { scheme: "Bearer", ..Example::default() }.answer().await;
    assert_eq!((answer.status, answer.code), (401, "token_bound"));
    assert_eq!(answer.challenges.len(), 1);
    assert!(answer.challenges[0].starts_with("Bearer error=\"invalid_token\""));
}

fn is_dpop_challenge(name: &str, answer: &Answer, error: &str) {
    let [challenge] = answer.challenges.as_slice() else { panic!("{name}: {answer:?}") };
    assert!(challenge.starts_with(&format!("DPoP error=\"{error}\", ")), "{name}: {challenge}");
    assert!(challenge.ends_with(", algs=\"ES256\""), "{name}: {challenge}");
}

fn hash_of_another_token() -> String {
    super::support::hash("another")
}

#[tokio::test]
async fn the_example_is_good_for_its_window_and_not_longer() {
    for (seconds_later, status) in [(-10, 200), (-11, 401), (0, 200), (60, 200), (61, 401)] {
        let answer = Example { seconds_later, ..Example::default() }.answer().await;
        assert_eq!(answer.status, status, "{seconds_later}");
    }
}
