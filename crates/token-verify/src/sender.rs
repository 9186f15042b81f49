//! Is the one who sent the token the one whom it was issued to?
//!
//! Enforced here, behind every verifier and behind every cache, so that none of them can forget it.

use std::future::{Ready, ready};

use http::{HeaderValue, request::Parts};
use palisade_core::{OfferedSchemes, Principal};

use self::sealed::{Taken, Used};
use crate::{BearerToken, MutualTls, Rejection};

/// How a layer deals with DPoP: [`WithoutDpop`], or
#[cfg_attr(
    any(feature = "aws-lc-rs", feature = "rust-crypto"),
    doc = "[`DpopProofs`](crate::dpop::DpopProofs)."
)]
#[cfg_attr(
    not(any(feature = "aws-lc-rs", feature = "rust-crypto")),
    doc = "`DpopProofs` if there is a signature backend."
)]
/// Sealed.
pub trait Dpop: sealed::Dpop {}

/// DPoP is not configured: tokens that are bound to a key are refused, and `DPoP` is no scheme. Costs nothing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct WithoutDpop;

/// What a request brought along to show that the token is its sender's.
#[derive(Debug)]
pub(crate) struct Evidence<D: Dpop> {
    pub(crate) dpop: D,
    pub(crate) proof: Option<D::Proof>,
    pub(crate) mutual_tls: Option<MutualTls>,
}

impl<D: Dpop> Evidence<D> {
    /// Whether the principal may have come like this. If so, what is left to wait for.
    ///
    /// The token's keys, all of them, decide what must be proven (RFC 7800 §3.1); what came along without being
    /// asked for decides nothing.
    pub(crate) fn check(
        self,
        principal: &Principal,
        request: &Parts,
    ) -> Result<Option<D::Remembering>, Rejection> {
        let confirmation = principal.confirmation();
        let (key, certificate) = match confirmation {
            Some(bound) => (bound.jwk_thumbprint(), bound.certificate_thumbprint()),
            None => (None, None),
        };
        // Bound, and not to anything that could be proven.
        if confirmation.is_some() && key.is_none() && certificate.is_none() {
            return Err(Rejection::BoundToKey);
        }
        match (self.mutual_tls, certificate) {
            (None, Some(_)) => return Err(Rejection::BoundToKey),
            (None, None) => {}
            (Some(mutual_tls), certificate) => mutual_tls.check(certificate, request)?,
        }
        match (self.proof, key) {
            (None, None) => Ok(None),
            // RFC 9449 §7.2: "MUST reject".
            (None, Some(_)) => Err(Rejection::BoundToKey),
            (Some(_), None) => Err(Rejection::NotBound),
            // Last, because it uses the proof up.
            (Some(proof), Some(key)) => self.dpop.check(proof, principal, key).map(Some),
        }
    }
}

impl Dpop for WithoutDpop {}

impl sealed::Dpop for WithoutDpop {
    type Proof = ();
    type Remembering = Ready<Result<(), Rejection>>;

    fn taken(&self) -> Taken {
        Taken::BearerOnly
    }

    fn offer(&self, _: Used) -> Option<OfferedSchemes> {
        None
    }

    fn read(&self, _: &Parts, _: &BearerToken) -> (Result<(), Rejection>, Option<HeaderValue>) {
        (Err(Rejection::BoundToKey), None)
    }

    fn check(&self, (): (), _: &Principal, _: &[u8; 32]) -> Result<Self::Remembering, Rejection> {
        Ok(ready(Err(Rejection::BoundToKey)))
    }
}

pub(crate) mod sealed {
    use http::{HeaderValue, request::Parts};
    use palisade_core::{OfferedSchemes, Principal};

    use crate::{BearerToken, Rejection};

    /// Which authentication schemes the layer takes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[expect(unnameable_types, reason = "sealed, see `Dpop`")]
    pub enum Taken {
        BearerOnly,
        Both,
        DpopOnly,
    }

    /// Which one the client used.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[expect(unnameable_types, reason = "sealed, see `Dpop`")]
    pub enum Used {
        Bearer,
        Dpop,
        /// None that can be read, or none that is taken.
        Nothing,
    }

    #[expect(unnameable_types, reason = "sealed: only the layer of this crate asks for proofs")]
    pub trait Dpop: Clone {
        /// A proof that came with a token, as far as it can be checked without knowing the token.
        type Proof;
        /// Resolves once it is known whether the proof is used for the first time.
        type Remembering: Future<Output = Result<(), Rejection>>;

        fn taken(&self) -> Taken;

        /// What refusals offer, if it is anything but Bearer alone.
        fn offer(&self, used: Used) -> Option<OfferedSchemes>;

        /// Reads the proof. The nonce is for the response, whatever becomes of the request.
        fn read(
            &self,
            request: &Parts,
            token: &BearerToken,
        ) -> (Result<Self::Proof, Rejection>, Option<HeaderValue>);

        /// Checks that the proof is by the key with this thumbprint, and is good now.
        fn check(
            &self,
            proof: Self::Proof,
            principal: &Principal,
            bound_to: &[u8; 32],
        ) -> Result<Self::Remembering, Rejection>;
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::Confirmation;

    use super::*;
    use crate::ClientCertificate;

    /// DPoP as it would be with one good proof, which is by the key `[1; 32]`.
    #[derive(Clone, Debug)]
    struct OneKey;

    impl Dpop for OneKey {}

    impl sealed::Dpop for OneKey {
        type Proof = ();
        type Remembering = Ready<Result<(), Rejection>>;

        fn taken(&self) -> Taken {
            Taken::Both
        }

        fn offer(&self, _: Used) -> Option<OfferedSchemes> {
            None
        }

        fn read(&self, _: &Parts, _: &BearerToken) -> (Result<(), Rejection>, Option<HeaderValue>) {
            (Ok(()), None)
        }

        fn check(
            &self,
            (): (),
            _: &Principal,
            key: &[u8; 32],
        ) -> Result<Self::Remembering, Rejection> {
            if *key == [1; 32] { Ok(ready(Ok(()))) } else { Err(Rejection::WrongProofKey) }
        }
    }

    /// The answer to a token that is bound like this, which came with a proof or not, and with a
    /// certificate or not.
    fn answer(
        confirmation: Option<Confirmation>,
        proof: Option<()>,
        mutual_tls: Option<MutualTls>,
        certificate: Option<&[u8]>,
    ) -> Option<Rejection> {
        let builder = Principal::assert_verified("https://as.example", "alice");
        let principal = match confirmation {
            Some(confirmation) => builder.confirmation(confirmation).build(),
            None => builder.build(),
        };
        let (mut request, ()) = http::Request::new(()).into_parts();
        if let Some(der) = certificate {
            ClientCertificate::from_der(der).leave_in(&mut request);
        }
        Evidence { dpop: OneKey, proof, mutual_tls }.check(&principal, &request).err()
    }

    #[test]
    fn pop_09_all_keys_must_be_proven() {
        use sha2::{Digest, Sha256};

        let digest: [u8; 32] = Sha256::digest(b"certificate").into();
        let key = Confirmation::new().with_jwk_thumbprint([1; 32]);
        let certificate = Confirmation::new().with_certificate_thumbprint(digest);
        let both = key.with_certificate_thumbprint(digest);
        let other_key = certificate.with_jwk_thumbprint([2; 32]);
        let (none, tls) = (None, Some(MutualTls::from_connection()));
        let (right, wrong) = (Some(b"certificate".as_slice()), Some(b"another".as_slice()));
        let rows = [
            ("unbound", None, None, none, None, None),
            ("unbound, with a certificate", None, None, tls, right, None),
            ("unbound, with a proof", None, Some(()), none, None, Some(Rejection::NotBound)),
            (
                "bound to nothing",
                Some(Confirmation::new()),
                None,
                tls,
                right,
                Some(Rejection::BoundToKey),
            ),
            ("key, and none", Some(key), None, tls, right, Some(Rejection::BoundToKey)),
            ("key, proven", Some(key), Some(()), none, None, None),
            (
                "certificate, mTLS off",
                Some(certificate),
                None,
                none,
                right,
                Some(Rejection::BoundToKey),
            ),
            (
                "certificate, none",
                Some(certificate),
                None,
                tls,
                None,
                Some(Rejection::CertificateMissing),
            ),
            (
                "certificate, wrong",
                Some(certificate),
                None,
                tls,
                wrong,
                Some(Rejection::WrongCertificate),
            ),
            ("certificate, right", Some(certificate), None, tls, right, None),
            (
                "certificate, and a proof of a key",
                Some(certificate),
                Some(()),
                tls,
                right,
                Some(Rejection::NotBound),
            ),
            ("both, both", Some(both), Some(()), tls, right, None),
            (
                "both, key alone",
                Some(both),
                Some(()),
                tls,
                None,
                Some(Rejection::CertificateMissing),
            ),
            (
                "both, key alone, mTLS off",
                Some(both),
                Some(()),
                none,
                right,
                Some(Rejection::BoundToKey),
            ),
            ("both, certificate alone", Some(both), None, tls, right, Some(Rejection::BoundToKey)),
            (
                "both, wrong certificate",
                Some(both),
                Some(()),
                tls,
                wrong,
                Some(Rejection::WrongCertificate),
            ),
            (
                "both, wrong key",
                Some(other_key),
                Some(()),
                tls,
                right,
                Some(Rejection::WrongProofKey),
            ),
        ];
        for (name, confirmation, proof, mutual_tls, certificate, expected) in rows {
            assert_eq!(answer(confirmation, proof, mutual_tls, certificate), expected, "{name}");
        }
    }
}
