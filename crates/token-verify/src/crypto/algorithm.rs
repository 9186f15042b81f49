use std::fmt;

/// A signature algorithm that this crate verifies.
///
/// Ten are asymmetric: whoever can check a token cannot make one. The three that are HMAC are never accepted
/// unless the issuer's keys are [`HmacKeys`](crate::keys::danger::HmacKeys) and its algorithms name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// EdDSA on Ed25519. Tokens and keys may call it `EdDSA` (RFC 8037) or `Ed25519` (RFC 9864).
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512.
    ES512,
    /// HMAC with SHA-256. Symmetric: see [`keys::danger`](crate::keys::danger).
    HS256,
    /// HMAC with SHA-384. Symmetric: see [`keys::danger`](crate::keys::danger).
    HS384,
    /// HMAC with SHA-512. Symmetric: see [`keys::danger`](crate::keys::danger).
    HS512,
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
    Hmac,
    P256,
    P384,
    P521,
    Rsa,
}

/// A list of accepted algorithms is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnsoundAlgorithms {
    Empty,
    Mixed,
}

impl SignatureAlgorithm {
    /// All that are asymmetric. HMAC is not among them, and is in no default.
    pub const ALL: &[Self] = &[
        Self::Ed25519,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
    ];

    const HMAC: &[Self] = &[Self::HS256, Self::HS384, Self::HS512];

    /// The name in `alg`. Of the two names of Ed25519, the one without ambiguity.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
        }
    }

    /// Whether who checks a token can also make one.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self.key_type(), KeyType::Hmac)
    }

    /// Reads `alg`. The names have case (RFC 7515 §4.1.1), and what is not in these lists does not exist:
    /// there is no way to switch on `none`. To be read is not to be accepted; that takes the issuer's list.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        if name == "EdDSA" {
            return Some(Self::Ed25519);
        }
        let known = || Self::ALL.iter().chain(Self::HMAC).copied();
        known().find(|algorithm| algorithm.as_str() == name)
    }

    /// Whether one issuer can have this list. A list of both kinds is the door to every confusion of a public
    /// key with a secret (CVE-2015-9235 and its many successors), so there is none.
    pub(crate) fn check_list(accepted: &[Self]) -> Result<(), UnsoundAlgorithms> {
        let symmetric = accepted.iter().filter(|algorithm| algorithm.is_symmetric()).count();
        match accepted.len() {
            0 => Err(UnsoundAlgorithms::Empty),
            all if symmetric == 0 || symmetric == all => Ok(()),
            _ => Err(UnsoundAlgorithms::Mixed),
        }
    }

    pub(crate) const fn key_type(self) -> KeyType {
        match self {
            Self::Ed25519 => KeyType::Ed25519,
            Self::ES256 => KeyType::P256,
            Self::ES384 => KeyType::P384,
            Self::ES512 => KeyType::P521,
            Self::HS256 | Self::HS384 | Self::HS512 => KeyType::Hmac,
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
            KeyType::Hmac => matches!(self.hash_len(), Some(full) if full == len),
            KeyType::P384 => len == 96,
            KeyType::P521 => len == 132,
            KeyType::Rsa => len >= 256 && len <= 1024,
        }
    }
}

impl SignatureAlgorithm {
    /// Of HMAC: the length of the authentication code, and of the shortest secret (RFC 7518 §3.2).
    pub(crate) const fn hash_len(self) -> Option<usize> {
        match self {
            Self::HS256 => Some(32),
            Self::HS384 => Some(48),
            Self::HS512 => Some(64),
            Self::Ed25519
            | Self::ES256
            | Self::ES384
            | Self::ES512
            | Self::PS256
            | Self::PS384
            | Self::PS512
            | Self::RS256
            | Self::RS384
            | Self::RS512 => None,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
