//! The default: `aws-lc-rs`.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};

use super::{KeyMaterial, SignatureAlgorithm};

pub(super) const MAX_RSA_BITS: usize = 8192;

#[derive(Clone)]
pub(super) struct Key(ParsedPublicKey);

impl Key {
    pub(super) fn parse(algorithm: SignatureAlgorithm, material: KeyMaterial<'_>) -> Option<Self> {
        use SignatureAlgorithm as Alg;

        // The length decides how the library reads a key, so a DER structure would pass as well; the
        // callers made sure that points and coordinates have exactly the length of their curve.
        let key = match (algorithm, material) {
            (Alg::Ed25519, KeyMaterial::Ed25519 { x }) => ParsedPublicKey::new(&ED25519, x),
            (Alg::ES256, KeyMaterial::Ec { point }) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            }
            (Alg::ES384, KeyMaterial::Ec { point }) => {
                ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)
            }
            (Alg::ES512, KeyMaterial::Ec { point }) => {
                ParsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point)
            }
            (algorithm, KeyMaterial::Rsa { n, e }) => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa_parameters(algorithm)?)
            }
            _ => return None,
        };
        key.ok().map(Self)
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

fn rsa_parameters(algorithm: SignatureAlgorithm) -> Option<&'static RsaParameters> {
    use SignatureAlgorithm as Alg;

    Some(match algorithm {
        Alg::PS256 => &RSA_PSS_2048_8192_SHA256,
        Alg::PS384 => &RSA_PSS_2048_8192_SHA384,
        Alg::PS512 => &RSA_PSS_2048_8192_SHA512,
        Alg::RS256 => &RSA_PKCS1_2048_8192_SHA256,
        Alg::RS384 => &RSA_PKCS1_2048_8192_SHA384,
        Alg::RS512 => &RSA_PKCS1_2048_8192_SHA512,
        Alg::Ed25519
        | Alg::ES256
        | Alg::ES384
        | Alg::ES512
        | Alg::HS256
        | Alg::HS384
        | Alg::HS512 => return None,
    })
}
