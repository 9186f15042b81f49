//! Which key the holder of a credential must prove to have (RFC 7800).

use std::fmt;

/// The keys that a credential is bound to (`cnf`). Whoever presents the credential must prove possession of
/// each key that is named here.
///
/// The authenticator that leaves a [`Principal`](crate::Principal) with a confirmation has checked the
/// proofs; the value says which.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Confirmation {
    jwk_thumbprint: Option<[u8; 32]>,
    certificate_thumbprint: Option<[u8; 32]>,
}

impl Confirmation {
    /// A confirmation that names no key yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { jwk_thumbprint: None, certificate_thumbprint: None }
    }

    /// Binds to a DPoP key: the SHA-256 thumbprint of its JWK, `jkt` (RFC 9449 §6.1, RFC 7638).
    #[must_use]
    pub const fn with_jwk_thumbprint(mut self, sha256: [u8; 32]) -> Self {
        self.jwk_thumbprint = Some(sha256);
        self
    }

    /// Binds to a client certificate: the SHA-256 of its DER, `x5t#S256` (RFC 8705 §3.1).
    #[must_use]
    pub const fn with_certificate_thumbprint(mut self, sha256: [u8; 32]) -> Self {
        self.certificate_thumbprint = Some(sha256);
        self
    }

    /// The thumbprint of the DPoP key.
    #[must_use]
    pub const fn jwk_thumbprint(&self) -> Option<&[u8; 32]> {
        self.jwk_thumbprint.as_ref()
    }

    /// The thumbprint of the client certificate.
    #[must_use]
    pub const fn certificate_thumbprint(&self) -> Option<&[u8; 32]> {
        self.certificate_thumbprint.as_ref()
    }
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation")
            .field("jwk", &self.jwk_thumbprint.is_some())
            .field("certificate", &self.certificate_thumbprint.is_some())
            .finish()
    }
}
