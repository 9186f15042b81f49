use std::sync::Arc;

use palisade_core::{InvalidResourceError, Resource};

use super::{TrustedIssuer, digest::Fields};

/// Whose tokens are believed, and under which rules: several issuers, each with its own.
///
/// A token is held to the rules of the issuer that it names, and to no other's.
///
/// ```
/// use palisade_token_verify::{Issuer, trust::{Trust, TrustedIssuer}};
///
/// let trust = Trust::of([
///     TrustedIssuer::new(Issuer::parse("https://login.example")?).require_rfc9068(),
///     TrustedIssuer::new(Issuer::parse("https://partner.example")?).accept_type("JWT")?,
/// ])?;
/// assert_eq!(trust.issuers().len(), 2);
/// assert!(trust.get("https://partner.example/").is_none(), "byte for byte");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "rules do nothing until a verifier follows them"]
pub struct Trust {
    issuers: Vec<Arc<TrustedIssuer>>,
}

/// There is no such trust.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTrustError {
    /// What an issuer may not say in one place it could say in another.
    #[error(
        "`{issuer}` evades the limit on `{claim}` in another place of the same list: limit all of them, or list one"
    )]
    EvadedLimit {
        /// The limited place.
        claim: Box<str>,
        /// Whose rules they are.
        issuer: Box<str>,
    },
    /// Two sets of rules for one issuer.
    #[error("there are two sets of rules for `{0}`: keep one")]
    IssuerTwice(Box<str>),
    /// Nobody is trusted.
    #[error("no issuer is trusted: name at least one")]
    NoIssuer,
}

impl Trust {
    /// Trust in these issuers.
    ///
    /// # Errors
    ///
    /// [`InvalidTrustError`] if there is none, or one twice.
    pub fn of(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Result<Self, InvalidTrustError> {
        let mut trust = Self { issuers: Vec::new() };
        for issuer in issuers {
            let name = issuer.issuer().as_str();
            if trust.get(name).is_some() {
                return Err(InvalidTrustError::IssuerTwice(name.into()));
            }
            if let Some(limited) = issuer.evaded_limit() {
                let claim = limited.as_str().into();
                return Err(InvalidTrustError::EvadedLimit { claim, issuer: name.into() });
            }
            trust.issuers.push(Arc::new(issuer));
        }
        if trust.issuers.is_empty() { Err(InvalidTrustError::NoIssuer) } else { Ok(trust) }
    }

    /// The issuers, in the order in which they were given.
    #[must_use]
    pub fn issuers(&self) -> impl ExactSizeIterator<Item = &TrustedIssuer> {
        self.issuers.iter().map(|issuer| &**issuer)
    }

    /// The rules for an issuer, compared byte for byte.
    #[must_use]
    pub fn get(&self, issuer: &str) -> Option<&TrustedIssuer> {
        self.issuers().find(|trusted| trusted.issuer().as_str() == issuer)
    }

    /// SHA-256 over the rules of all issuers, in lower-case hex, whatever their order. Each principal that
    /// a [`JwtVerifier`](crate::JwtVerifier) lets in carries it, and each audit record.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digests: Vec<_> = self.issuers().map(TrustedIssuer::digest).collect();
        digests.sort_unstable();
        let mut fields = Fields::new("palisade-trust-1");
        for digest in &digests {
            fields.text("issuer", digest);
        }
        fields.finish()
    }

    pub(crate) fn shared(&self) -> impl Iterator<Item = &Arc<TrustedIssuer>> {
        self.issuers.iter()
    }
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyLocation {
    /// The issuer's metadata say where (RFC 8414, OpenID Connect Discovery).
    Discovery,
    /// Here: a JWK Set as JSON. A key that is withdrawn is withdrawn by changing this.
    Inline(Box<str>),
    /// At this address. See [`KeyLocation::jwks_uri`].
    JwksUri(Resource),
    /// In the code: whoever builds the verifier gives a [`KeySource`](crate::keys::KeySource).
    Supplied,
}

impl KeyLocation {
    /// Reads the address of a JWK Set.
    ///
    /// # Errors
    ///
    /// [`InvalidResourceError`] unless it is an absolute `https` URL without user information, or an `http`
    /// one on loopback.
    pub fn jwks_uri(url: &str) -> Result<Self, InvalidResourceError> {
        Resource::parse(url).map(Self::JwksUri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Issuer;

    fn issuer(name: &str) -> TrustedIssuer {
        TrustedIssuer::new(Issuer::parse(name).unwrap())
    }

    #[test]
    fn an_issuer_is_trusted_once() {
        assert_eq!(Trust::of([]).unwrap_err(), InvalidTrustError::NoIssuer);
        let twice =
            [issuer("https://a.example"), issuer("https://a.example").accept_missing_type()];
        let error = Trust::of(twice).unwrap_err();
        assert_eq!(error, InvalidTrustError::IssuerTwice("https://a.example".into()));
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order() {
        let (a, b) = (issuer("https://a.example"), issuer("https://b.example"));
        let one = Trust::of([a.clone(), b.clone()]).unwrap();
        let two = Trust::of([b, a.clone()]).unwrap();
        assert_eq!(one.digest(), two.digest());
        assert_ne!(one.digest(), Trust::of([a]).unwrap().digest());
    }
}
