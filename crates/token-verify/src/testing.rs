//! What several tests need.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use palisade_core::{Clock, ManualClock, Principal};
use palisade_test_issuer::{SigningAlgorithm, TestIssuer, TestIssuerBuilder};

use crate::{
    BearerToken, Issuer, JwtVerifier, Rejection, VerifyToken,
    jwt::DEFAULT_MAX_TOKEN_BYTES,
    keys::StaticKeys,
    trust::{Explanation, Outcome, Rule, TrustedIssuer, Verdict},
};

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const AUDIENCE: &str = "https://api.example";
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn instant(unix_seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(unix_seconds.unsigned_abs())).unwrap()
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::at(instant(NOW))
}

pub(crate) fn builder() -> TestIssuerBuilder {
    TestIssuer::builder().default_audience(AUDIENCE).now(|| instant(NOW))
}

pub(crate) fn issuer() -> TestIssuer {
    builder().in_process(ISSUER).unwrap()
}

/// One key for each algorithm. Generating RSA keys takes a moment.
pub(crate) fn issuer_of_all_algorithms() -> &'static TestIssuer {
    static ISSUER_OF_ALL: std::sync::LazyLock<TestIssuer> = std::sync::LazyLock::new(|| {
        use SigningAlgorithm as Alg;
        [
            Alg::ES384,
            Alg::ES512,
            Alg::EdDSA,
            Alg::RS256,
            Alg::RS384,
            Alg::RS512,
            Alg::PS256,
            Alg::PS384,
            Alg::PS512,
        ]
        .into_iter()
        .fold(builder(), |builder, algorithm| builder.add_key(algorithm))
        .in_process(ISSUER)
        .unwrap()
    });
    &ISSUER_OF_ALL
}

pub(crate) fn keys(issuer: &TestIssuer) -> StaticKeys {
    StaticKeys::from_jwks_json(&issuer.jwks().to_string()).unwrap()
}

/// RFC 9068 and nothing else.
pub(crate) fn rules() -> TrustedIssuer {
    TrustedIssuer::new(Issuer::parse(ISSUER).unwrap())
}

pub(crate) fn verifier(issuer: &TestIssuer) -> JwtVerifier<ManualClock> {
    verifier_with(rules(), issuer)
}

pub(crate) fn verifier_with(rules: TrustedIssuer, issuer: &TestIssuer) -> JwtVerifier<ManualClock> {
    JwtVerifier::new(rules, keys(issuer)).unwrap().with_clock(clock())
}

/// The verdict of a verifier that has no reason to wait.
pub(crate) fn verdict(
    verifier: &JwtVerifier<ManualClock>,
    token: &str,
) -> Result<Principal, Rejection> {
    let verdict = unexplained_verdict(verifier, token);
    check_explanation(verifier, token, &verdict);
    verdict
}

/// For tests that measure what a verdict costs.
pub(crate) fn unexplained_verdict(
    verifier: &JwtVerifier<ManualClock>,
    token: &str,
) -> Result<Principal, Rejection> {
    let token = BearerToken::parse(token).expect("the layer hands over nothing else");
    match pin!(verifier.verify(token)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => verdict,
        Poll::Pending => panic!("the verifier waits"),
    }
}

/// Whatever token a test of this crate tries: an explanation says the same, and tells nothing of it.
fn check_explanation(
    verifier: &JwtVerifier<ManualClock>,
    token: &str,
    verdict: &Result<Principal, Rejection>,
) {
    if token.len() > DEFAULT_MAX_TOKEN_BYTES {
        return;
    }
    let explanation = verifier.trust().explain(token, verifier.clock().now());
    let has_inline_keys = matches!(explanation.verdict(), Verdict::Accepted);
    match verdict {
        Ok(_) => assert!(has_inline_keys || *explanation.verdict() == Verdict::Undecided),
        // The explanation has no keys.
        Err(
            Rejection::BadSignature | Rejection::UnknownKey | Rejection::KeysUnavailable { .. },
        ) => assert_ne!(*explanation.verdict(), Verdict::Accepted),
        Err(rejection) => {
            assert_eq!(*explanation.verdict(), Verdict::Refused(rejection.clone()));
        }
    }
    check_what_is_told(token, &explanation);
}

/// The findings are those of the verdict, and no part of the token as it was given is among them.
pub(crate) fn check_what_is_told(token: &str, explanation: &Explanation) {
    let text = explanation.to_string();
    let first = explanation.findings().iter().find_map(|finding| match finding.outcome() {
        Outcome::Failed(rejection) => Some(rejection),
        Outcome::NotChecked | Outcome::Passed => None,
    });
    match explanation.verdict() {
        Verdict::Refused(rejection) => assert_eq!(first, Some(rejection), "{text}"),
        Verdict::Accepted | Verdict::Undecided => assert_eq!(first, None, "{text}"),
    }
    assert!(explanation.findings().iter().all(|finding| *finding.rule() != Rule::Other), "{text}");
    assert!(text.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')), "{text}");
    assert!(text.len() < 16 * 1024, "{} bytes", text.len());
    assert!(!explanation.advice().is_empty());
    for part in token.split('.') {
        for window in part.as_bytes().windows(8) {
            let window = std::str::from_utf8(window).unwrap_or("\0");
            assert!(!text.contains(window), "a part of the token is told: {window}\n{text}");
        }
    }
}

pub(crate) fn rejection(verifier: &JwtVerifier<ManualClock>, token: &str) -> Option<Rejection> {
    verdict(verifier, token).err()
}
