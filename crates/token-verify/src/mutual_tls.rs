//! Tokens that are bound to a client certificate (RFC 8705 §3).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, request::Parts};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Rejection;

const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Checks tokens that are bound to a client certificate:
/// [`TokenVerifyLayer::with_mutual_tls`](crate::TokenVerifyLayer::with_mutual_tls).
///
/// A token with `cnf.x5t#S256` passes only if that is the SHA-256 of the certificate that the client showed in
/// the TLS handshake. The certificate is compared and not verified: whether its chain is good is up to TLS, and
/// for the binding it does not matter (RFC 8705 §6.2 allows certificates that are signed by themselves).
///
/// # What it does not protect against
///
/// It believes the accept loop, or the proxy, that the client has the private key.
#[derive(Clone, Copy, Debug)]
#[must_use = "certificates are checked by the layer that is given this"]
pub struct MutualTls {
    source: Source,
    unbound: Unbound,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Connection,
    TrustedProxy,
}

#[derive(Clone, Copy, Debug)]
enum Unbound {
    Accept,
    Refuse,
}

impl MutualTls {
    /// TLS ends in this process: the certificate is the [`ClientCertificate`] in the request's extensions, where
    /// the accept loop put it. Headers are not looked at, whatever they claim.
    pub const fn from_connection() -> Self {
        Self { source: Source::Connection, unbound: Unbound::Accept }
    }

    /// TLS ends in a proxy, which writes the certificate into the `Client-Cert` header (RFC 9440).
    ///
    /// # What you give up
    ///
    /// Certificates are public. Anybody who can write this header has the certificate of anybody. So the proxy
    /// must remove the header from each request before it writes its own, or none, and nobody must reach
    /// this service but through the proxy (RFC 9440 §4).
    pub const fn from_trusted_proxy() -> Self {
        Self { source: Source::TrustedProxy, unbound: Unbound::Accept }
    }

    /// Refuses tokens that are not bound to a certificate.
    pub const fn refuse_unbound_tokens(mut self) -> Self {
        self.unbound = Unbound::Refuse;
        self
    }

    pub(crate) fn check(
        self,
        bound_to: Option<&[u8; 32]>,
        request: &Parts,
    ) -> Result<(), Rejection> {
        let Some(bound_to) = bound_to else {
            return match self.unbound {
                Unbound::Accept => Ok(()),
                Unbound::Refuse => Err(Rejection::NotBound),
            };
        };
        let shown = match self.source {
            Source::Connection => request.extensions.get().copied(),
            Source::TrustedProxy => from_header(&request.headers),
        };
        let ClientCertificate(shown) = shown.ok_or(Rejection::CertificateMissing)?;
        if bool::from(shown.ct_eq(bound_to)) { Ok(()) } else { Err(Rejection::WrongCertificate) }
    }
}

/// The certificate that the client showed in the TLS handshake. Left in the extensions of each request by the
/// accept loop, for [`MutualTls::from_connection`].
///
/// To leave it is to state that TLS saw a signature by its key, as it does whenever the handshake is complete.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientCertificate([u8; 32]);

impl ClientCertificate {
    /// The first certificate of the client's chain, in DER. Only its digest is kept.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Leaves the fact for the layers inside.
    pub fn leave_in(self, request: &mut Parts) {
        request.extensions.insert(self);
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

/// RFC 9440 §2.1: one Byte Sequence (RFC 9651 §3.3.5), which is base64 between colons.
fn from_header(headers: &HeaderMap) -> Option<ClientCertificate> {
    let mut lines = headers.get_all(CLIENT_CERT).iter();
    let line = lines.next()?;
    // Of two, one may be the client's.
    if lines.next().is_some() || line.len() > MAX_HEADER_BYTES {
        return None;
    }
    let encoded = line.as_bytes().strip_prefix(b":")?.strip_suffix(b":")?;
    let der = STANDARD.decode(encoded).ok()?;
    (!der.is_empty()).then(|| ClientCertificate::from_der(&der))
}

#[cfg(test)]
mod tests;
