//! What verifying a token costs, compared with the bare signature check of the same token in the same run:
//! the first time, and when it is remembered.
//!
//! ```text
//! cargo run --release -p palisade-token-verify --example verification_cost
//! ```

#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::{hint::black_box, time::Duration};

use allocation_counter::measure;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_core::{Clock, SystemClock};
use palisade_test_issuer::{SigningAlgorithm, TestIssuer};
use palisade_token_verify::{BearerToken, Issuer, JwtVerifier, VerifyToken, keys::StaticKeys};
use serde_json::Value;

type Error = Box<dyn std::error::Error>;

/// Long enough that the scheduler evens out.
const TIME: Duration = Duration::from_millis(500);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    println!(
        "            signature alone    verified    remembered    allocations: verified, remembered"
    );
    for algorithm in [SigningAlgorithm::RS256, SigningAlgorithm::ES256, SigningAlgorithm::EdDSA] {
        row(algorithm).await?;
    }
    Ok(())
}

async fn row(algorithm: SigningAlgorithm) -> Result<(), Error> {
    let server = TestIssuer::builder()
        .algorithm(algorithm)
        .default_audience("https://api.example")
        .in_process("https://as.example")?;
    let jwks = server.jwks();
    let keys = StaticKeys::from_jwks_json(&jwks.to_string())?;
    let remembering = JwtVerifier::new(Issuer::parse("https://as.example")?, keys)?;
    let forgetful = remembering.clone().max_cached_tokens(0);
    let token = server.mint().subject("alice").client_id("agent").scope("read write").sign();

    let jwk = jwks.pointer("/keys/0").ok_or("no key")?;
    let floor = Floor::of(jwk, &token)?;
    let alone = time(async || floor.check()).await?;
    let verified = time(async || verify(&forgetful, &token).await).await?;
    let remembered = time(async || verify(&remembering, &token).await).await?;
    let allocations = |verifier: &JwtVerifier| {
        // The future is ready at once: the keys are at hand.
        measure(|| drop(black_box(BearerToken::parse(&token).map(|token| verifier.verify(token)))))
            .count_total
    };
    println!(
        "{:<10}{:>15.1} us{:>11.2} x{:>12.3} x{:>26}, {}",
        algorithm.to_string(),
        alone * 1e6,
        verified / alone,
        remembered / alone,
        allocations(&forgetful),
        allocations(&remembering),
    );
    Ok(())
}

async fn verify(verifier: &JwtVerifier, token: &str) -> Result<(), Error> {
    black_box(verifier.verify(BearerToken::parse(token)?).await?);
    Ok(())
}

/// Seconds for one call.
async fn time(call: impl AsyncFn() -> Result<(), Error>) -> Result<f64, Error> {
    let clock = SystemClock::new();
    call().await?;
    let start = clock.monotonic();
    let mut calls = 0_u32;
    while clock.monotonic().saturating_sub(start) < TIME {
        for _ in 0..16 {
            call().await?;
        }
        calls = calls.saturating_add(16);
    }
    Ok(clock.monotonic().saturating_sub(start).as_secs_f64() / f64::from(calls))
}

/// The least that anybody can do: a parsed key, and the bytes that were signed.
struct Floor {
    key: ParsedPublicKey,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Floor {
    fn of(jwk: &Value, token: &str) -> Result<Self, Error> {
        let number = |name: &str| {
            let text = jwk.get(name).and_then(Value::as_str).unwrap_or_default();
            URL_SAFE_NO_PAD.decode(text)
        };
        let key = match jwk.get("kty").and_then(Value::as_str) {
            Some("RSA") => RsaPublicKeyComponents { n: number("n")?, e: number("e")? }
                .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)?,
            Some("EC") => {
                let point = [vec![4], number("x")?, number("y")?].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)?
            }
            _ => ParsedPublicKey::new(&ED25519, number("x")?)?,
        };
        let (signed, signature) = token.rsplit_once('.').ok_or("not a JWT")?;
        let signature = URL_SAFE_NO_PAD.decode(signature)?;
        Ok(Self { key, signed: signed.into(), signature })
    }

    fn check(&self) -> Result<(), Error> {
        Ok(self.key.verify_sig(black_box(&self.signed), &self.signature)?)
    }
}
