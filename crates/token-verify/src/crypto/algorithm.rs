use std::fmt;

/// A signature algorithm that this crate verifies. All are asymmetric: whoever can check a token cannot
/// make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// EdDSA on Ed25519. Tokens and keys may call it `EdDSA` (RFC 8037) or `Ed25519` (RFC 9864).
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
}

/// What a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyType {
    Ed25519,
    P256,
    P384,
    Rsa,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Ed25519,
        Self::ES256,
        Self::ES384,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
    ];

    /// The name in `alg`. Of the two names of Ed25519, the one without ambiguity.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
        }
    }

    /// Reads `alg`. The names have case (RFC 7515 §4.1.1), and what is not in this list does not exist:
    /// there is no way to switch on `none` or HMAC.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        if name == "EdDSA" {
            return Some(Self::Ed25519);
        }
        Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name)
    }

    pub(crate) const fn key_type(self) -> KeyType {
        match self {
            Self::Ed25519 => KeyType::Ed25519,
            Self::ES256 => KeyType::P256,
            Self::ES384 => KeyType::P384,
            Self::PS256 | Self::PS384 | Self::PS512 | Self::RS256 | Self::RS384 | Self::RS512 => {
                KeyType::Rsa
            }
        }
    }

    /// Whether a signature of this length can be right for some key we accept. Cheap, before any key is
    /// looked up.
    pub(crate) const fn may_have_signature_len(self, len: usize) -> bool {
        match self.key_type() {
            KeyType::Ed25519 | KeyType::P256 => len == 64,
            KeyType::P384 => len == 96,
            KeyType::Rsa => len >= 256 && len <= 1024,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
