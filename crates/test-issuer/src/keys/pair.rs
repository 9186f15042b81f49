use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::algorithm::{KeyKind, SigningAlgorithm};
use crate::error::TestIssuerError;

/// One key pair and the algorithm it is published for.
pub(crate) struct Key {
    kid: String,
    algorithm: SigningAlgorithm,
    private: PrivateKey,
    public: PublicKey,
}

enum PrivateKey {
    Jsonwebtoken(EncodingKey),
    /// `jsonwebtoken` has no ES512.
    P521(EcdsaKeyPair),
}

struct PublicKey {
    jwk: Value,
    spki_der: Vec<u8>,
}

impl Key {
    pub(crate) fn generate(
        algorithm: SigningAlgorithm,
        kid: String,
    ) -> Result<Self, TestIssuerError> {
        let made = match algorithm.kind() {
            KeyKind::Ed25519 => generate_ed25519(),
            KeyKind::P256 => generate_ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            KeyKind::P384 => generate_ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            KeyKind::P521 => generate_p521(),
            KeyKind::Rsa => generate_rsa(),
        };
        let (private, mut public) =
            made.map_err(|Unspecified| TestIssuerError::Key { algorithm: algorithm.name() })?;
        if let Value::Object(members) = &mut public.jwk {
            members.insert("kid".to_owned(), Value::from(kid.as_str()));
            members.insert("alg".to_owned(), Value::from(algorithm.name()));
            members.insert("use".to_owned(), Value::from("sig"));
        }
        Ok(Self { kid, algorithm, private, public })
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    pub(crate) fn jwk(&self) -> &Value {
        &self.public.jwk
    }

    pub(crate) fn spki_der(&self) -> &[u8] {
        &self.public.spki_der
    }

    pub(crate) fn spki_pem(&self) -> String {
        let encoded = STANDARD.encode(&self.public.spki_der);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (column, letter) in encoded.chars().enumerate() {
            if column > 0 && column.is_multiple_of(64) {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        pem
    }

    /// Signs with `algorithm`, which any key of the same kind can do: an RSA key published for
    /// RS256 also makes PS256 signatures, and a verifier has to notice.
    pub(crate) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, TestIssuerError> {
        let name = algorithm.name();
        match (&self.private, algorithm.jws()) {
            (PrivateKey::Jsonwebtoken(key), Some(algorithm)) => sign(algorithm, name, key, message),
            (PrivateKey::P521(pair), None) => {
                let signature = pair.sign(&SystemRandom::new(), message);
                let signature = signature.map_err(|_| TestIssuerError::Key { algorithm: name })?;
                Ok(signature.as_ref().to_vec())
            }
            (PrivateKey::Jsonwebtoken(_), None) | (PrivateKey::P521(_), Some(_)) => {
                Err(TestIssuerError::Key { algorithm: name })
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Signs through a provider that is named here. The process-wide provider of `jsonwebtoken` panics
/// at its first use when some other crate in the build has switched on its second backend.
pub(crate) fn sign(
    algorithm: Algorithm,
    name: &'static str,
    key: &EncodingKey,
    message: &[u8],
) -> Result<Vec<u8>, TestIssuerError> {
    let failed = || TestIssuerError::Key { algorithm: name };
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key).map_err(|_| failed())?;
    signer.try_sign(message).map_err(|_| failed())
}

fn generate_ec(
    algorithm: &'static EcdsaSigningAlgorithm,
    curve: &'static str,
) -> Result<(PrivateKey, PublicKey), Unspecified> {
    let pair = EcdsaKeyPair::generate(algorithm)?;
    let private = EncodingKey::from_ec_der(pair.to_pkcs8v1()?.as_ref());
    Ok((PrivateKey::Jsonwebtoken(private), public_ec(&pair, curve)?))
}

fn generate_p521() -> Result<(PrivateKey, PublicKey), Unspecified> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING)?;
    let public = public_ec(&pair, "P-521")?;
    Ok((PrivateKey::P521(pair), public))
}

fn public_ec(pair: &EcdsaKeyPair, curve: &'static str) -> Result<PublicKey, Unspecified> {
    let public = pair.public_key();
    // An uncompressed point: 4, then x and y at the full length of the curve.
    let (_, point) = public.as_ref().split_first().ok_or(Unspecified)?;
    let (x, y) = point.split_at_checked(point.len() / 2).ok_or(Unspecified)?;
    let jwk = json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) });
    let spki: PublicKeyX509Der<'_> = public.as_der()?;
    Ok(PublicKey { jwk, spki_der: spki.as_ref().to_vec() })
}

fn generate_ed25519() -> Result<(PrivateKey, PublicKey), Unspecified> {
    let pair = Ed25519KeyPair::generate()?;
    let public = pair.public_key();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(public.as_ref()) });
    let spki: PublicKeyX509Der<'_> = public.as_der()?;
    let private = PrivateKey::Jsonwebtoken(EncodingKey::from_ed_der(pair.to_pkcs8()?.as_ref()));
    Ok((private, PublicKey { jwk, spki_der: spki.as_ref().to_vec() }))
}

fn generate_rsa() -> Result<(PrivateKey, PublicKey), Unspecified> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let public = pair.public_key();
    let numbers = RsaPublicKeyComponents::<Vec<u8>>::from(public);
    let jwk = json!({ "kty": "RSA", "n": base64url(&numbers.n), "e": base64url(&numbers.e) });
    let spki: PublicKeyX509Der<'_> = public.as_der()?;
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der()?;
    let private = EncodingKey::from_rsa_der(pkcs1_within(pkcs8.as_ref())?);
    let private = PrivateKey::Jsonwebtoken(private);
    Ok((private, PublicKey { jwk, spki_der: spki.as_ref().to_vec() }))
}

/// The `RSAPrivateKey` inside a `PrivateKeyInfo`: `aws-lc-rs` writes the one, `jsonwebtoken` reads
/// only the other. The frame around a 2048-bit key always has the same 26 bytes but for two
/// lengths; anything else is refused rather than parsed.
fn pkcs1_within(pkcs8: &[u8]) -> Result<&[u8], Unspecified> {
    // version 0, AlgorithmIdentifier { rsaEncryption, NULL }, OCTET STRING with a two-byte length
    const FRAME: [u8; 20] = [
        0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
        0x01, 0x05, 0x00, 0x04, 0x82,
    ];
    let content = after_length(pkcs8.strip_prefix(&[0x30, 0x82]).ok_or(Unspecified)?)?;
    after_length(content.strip_prefix(&FRAME).ok_or(Unspecified)?)
}

/// What follows a two-byte DER length, if it is exactly that long.
fn after_length(der: &[u8]) -> Result<&[u8], Unspecified> {
    let (length, content) = der.split_first_chunk::<2>().ok_or(Unspecified)?;
    if usize::from(u16::from_be_bytes(*length)) == content.len() {
        Ok(content)
    } else {
        Err(Unspecified)
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
