//! HMAC (RFC 7518 §3.2). The same code with either backend: it has no public key that could be parsed.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{SignatureAlgorithm, SignatureVerified};

/// A secret that is bound to one algorithm. There is one copy, which is wiped when the last user lets go.
#[derive(Clone)]
pub(crate) struct HmacKey {
    algorithm: SignatureAlgorithm,
    secret: Arc<Zeroizing<Vec<u8>>>,
}

impl HmacKey {
    /// `None` if the algorithm is none of HMAC, or the secret is too short for it. RFC 7518 §3.2: "A key of
    /// the same size as the hash output [...] or larger MUST be used".
    pub(crate) fn new(algorithm: SignatureAlgorithm, secret: &[u8]) -> Option<Self> {
        let is_long_enough = secret.len() >= algorithm.hash_len()?;
        let secret = || Arc::new(Zeroizing::new(secret.to_vec()));
        is_long_enough.then(|| Self { algorithm, secret: secret() })
    }

    pub(crate) const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Whether this is that secret, for that algorithm.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let is_secret: bool = self.secret().ct_eq(other.secret()).into();
        is_secret && self.algorithm == other.algorithm
    }

    /// The proof that the code is right, if it is. It is compared in constant time: the right one of a token that
    /// the attacker wrote must not be found out byte by byte. A truncated code is wrong.
    pub(crate) fn verify(&self, message: &[u8], code: &[u8]) -> Option<SignatureVerified> {
        let is_right = match self.algorithm {
            SignatureAlgorithm::HS256 => {
                is_code_of(Hmac::<Sha256>::new_from_slice(&self.secret), message, code)
            }
            SignatureAlgorithm::HS384 => {
                is_code_of(Hmac::<Sha384>::new_from_slice(&self.secret), message, code)
            }
            SignatureAlgorithm::HS512 => {
                is_code_of(Hmac::<Sha512>::new_from_slice(&self.secret), message, code)
            }
            SignatureAlgorithm::Ed25519
            | SignatureAlgorithm::ES256
            | SignatureAlgorithm::ES384
            | SignatureAlgorithm::ES512
            | SignatureAlgorithm::PS256
            | SignatureAlgorithm::PS384
            | SignatureAlgorithm::PS512
            | SignatureAlgorithm::RS256
            | SignatureAlgorithm::RS384
            | SignatureAlgorithm::RS512 => false,
        };
        is_right.then_some(SignatureVerified(()))
    }
}

fn is_code_of<M: Mac, E>(mac: Result<M, E>, message: &[u8], code: &[u8]) -> bool {
    // `verify_slice` takes the full length only, and compares with `subtle`.
    mac.is_ok_and(|mac| mac.chain_update(message).verify_slice(code).is_ok())
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    /// RFC 7515 §A.1.
    #[test]
    fn gives_the_known_answer() {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let secret = decode(
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        );
        let message = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let code = decode("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let key = HmacKey::new(SignatureAlgorithm::HS256, &secret).unwrap();
        assert!(key.verify(message, &code).is_some());
        assert!(key.verify(b"another message", &code).is_none());
        for length in [0, 1, 16, 31] {
            assert!(key.verify(message, &code[..length]).is_none(), "truncated to {length}");
        }
        assert!(key.verify(message, &[code.as_slice(), &[0]].concat()).is_none());
        for other in [SignatureAlgorithm::HS384, SignatureAlgorithm::HS512] {
            let key = HmacKey::new(other, &secret).unwrap();
            assert!(key.verify(message, &code).is_none(), "{other}");
        }
    }

    #[test]
    fn another_secret_or_algorithm_is_another_key() {
        let key = |algorithm, byte| HmacKey::new(algorithm, &[byte; 64]).unwrap();
        let one = key(SignatureAlgorithm::HS256, 1);
        assert!(one.is_same(&key(SignatureAlgorithm::HS256, 1)));
        assert!(!one.is_same(&key(SignatureAlgorithm::HS256, 2)));
        assert!(!one.is_same(&key(SignatureAlgorithm::HS512, 1)));
        assert!(!one.is_same(&HmacKey::new(SignatureAlgorithm::HS256, &[1; 32]).unwrap()));
    }

    #[test]
    fn alg_09_a_secret_is_as_long_as_the_hash() {
        let lengths = [
            (SignatureAlgorithm::HS256, 32),
            (SignatureAlgorithm::HS384, 48),
            (SignatureAlgorithm::HS512, 64),
        ];
        for (algorithm, length) in lengths {
            assert!(HmacKey::new(algorithm, &vec![7; length]).is_some());
            assert!(HmacKey::new(algorithm, &vec![7; length - 1]).is_none());
            assert!(HmacKey::new(algorithm, &[]).is_none());
        }
        for algorithm in SignatureAlgorithm::ALL {
            assert!(HmacKey::new(*algorithm, &[7; 64]).is_none(), "{algorithm}");
        }
    }
}
