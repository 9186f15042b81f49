use jsonwebtoken::{
    Algorithm, EncodingKey,
    crypto::{JwtSigner, rust_crypto::DEFAULT_PROVIDER},
};

use super::MetadataKeyAlgorithm;

pub(super) struct Key {
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Key {
    pub(super) fn from_pkcs8(algorithm: MetadataKeyAlgorithm, der: &[u8]) -> Option<Self> {
        let key = match algorithm {
            MetadataKeyAlgorithm::EdDSA => {
                Self { algorithm: Algorithm::EdDSA, key: EncodingKey::from_ed_der(der) }
            }
            MetadataKeyAlgorithm::ES256 => {
                Self { algorithm: Algorithm::ES256, key: EncodingKey::from_ec_der(der) }
            }
            // RUSTSEC-2023-0071: how long it takes tells of the key.
            MetadataKeyAlgorithm::PS256 | MetadataKeyAlgorithm::RS256 => return None,
        };
        key.signer().is_some().then_some(key)
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.signer()?.try_sign(message).ok()
    }

    fn signer(&self) -> Option<Box<dyn JwtSigner>> {
        (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &self.key).ok()
    }
}
