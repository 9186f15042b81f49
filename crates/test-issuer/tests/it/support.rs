//! A naive verifier, and short ways to ask the issuer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey};
use palisade_test_issuer::{TestIssuer, TestIssuerBuilder};
use serde_json::Value;

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const RESOURCE: &str = "https://mcp.example/mcp";
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn fixed_time() -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(1_800_000_000)).unwrap()
}

pub(crate) fn builder() -> TestIssuerBuilder {
    TestIssuer::builder()
        .client("app", "s3cret", "mcp:tools mcp:admin")
        .resource(RESOURCE)
        .now(fixed_time)
}

pub(crate) fn issuer() -> TestIssuer {
    builder().in_process(ISSUER).unwrap()
}

/// Whether the token's signature is that of the published key its header names, with the
/// algorithm its header names: a verifier that believes what it reads.
pub(crate) fn verifies(jwks: &Value, token: &str) -> bool {
    let header = header(token);
    let mut keys = jwks["keys"].as_array().unwrap().iter();
    keys.find(|key| key["kid"] == header["kid"])
        .is_some_and(|jwk| verifies_as(header["alg"].as_str().unwrap(), jwk, token))
}

/// Whether the signature is that of this key with this algorithm, whatever the header says.
pub(crate) fn verifies_as(algorithm: &str, jwk: &Value, token: &str) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let algorithm: Algorithm = algorithm.parse().unwrap();
    let jwk: Jwk = serde_json::from_value(jwk.clone()).unwrap();
    let key = DecodingKey::from_jwk(&jwk).unwrap();
    (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key)
        .is_ok_and(|verifier| verifier.verify(message.as_bytes(), &decode(signature)).is_ok())
}

pub(crate) fn header(token: &str) -> Value {
    serde_json::from_slice(&decode(token.split('.').next().unwrap())).unwrap()
}

pub(crate) fn claims(token: &str) -> Value {
    serde_json::from_slice(&decode(token.split('.').nth(1).unwrap())).unwrap()
}

pub(crate) fn signature(token: &str) -> Vec<u8> {
    decode(token.split('.').nth(2).unwrap())
}

pub(crate) fn decode(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

pub(crate) fn kids(jwks: &Value) -> Vec<&str> {
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect()
}

pub(crate) fn get(path: &str) -> Request<Bytes> {
    Request::get(path).body(Bytes::new()).unwrap()
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

pub(crate) fn post_token(authorization: Option<&str>, body: &str) -> Request<Bytes> {
    let mut request =
        Request::post("/token").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

pub(crate) fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}
