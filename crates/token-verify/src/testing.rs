//! What several tests need.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use palisade_core::{ManualClock, Principal};
use palisade_test_issuer::{SigningAlgorithm, TestIssuer, TestIssuerBuilder};

use crate::{
    BearerToken, Issuer, JwtVerifier, Rejection, VerifyToken, keys::StaticKeys,
    trust::TrustedIssuer,
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
    let token = BearerToken::parse(token).expect("the layer hands over nothing else");
    match pin!(verifier.verify(token)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => verdict,
        Poll::Pending => panic!("the verifier waits"),
    }
}

pub(crate) fn rejection(verifier: &JwtVerifier<ManualClock>, token: &str) -> Option<Rejection> {
    verdict(verifier, token).err()
}
