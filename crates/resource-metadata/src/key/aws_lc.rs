use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256,
        RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    },
};

use super::MetadataKeyAlgorithm;

pub(super) enum Key {
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl Key {
    pub(super) fn from_pkcs8(algorithm: MetadataKeyAlgorithm, der: &[u8]) -> Option<Self> {
        let rsa = |encoding| Some(Self::Rsa(RsaKeyPair::from_pkcs8(der).ok()?, encoding));
        match algorithm {
            // "Maybe unchecked": OpenSSL writes the private half alone, and the public half is computed from it.
            MetadataKeyAlgorithm::EdDSA => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Self::Ed25519)
            }
            MetadataKeyAlgorithm::ES256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok().map(Self::Ec)
            }
            MetadataKeyAlgorithm::PS256 => rsa(&RSA_PSS_SHA256),
            MetadataKeyAlgorithm::RS256 => rsa(&RSA_PKCS1_SHA256),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(key) => Some(key.sign(&random, message).ok()?.as_ref().to_vec()),
            Self::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}
