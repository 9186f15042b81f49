use palisade_core::InvalidResourceError;
use thiserror::Error;

/// Something cannot be published as metadata of a resource.
// Values are shown only once they are known to hold no user information.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The same authorization server twice.
    #[error("the authorization server `{issuer}` is listed twice: remove one of the two")]
    DuplicateAuthorizationServer {
        /// Its issuer identifier.
        issuer: Box<str>,
    },
    /// Not an issuer identifier.
    #[error("the authorization server cannot be listed: write its `issuer` as it publishes it")]
    InvalidAuthorizationServer {
        /// What is wrong with it.
        source: InvalidResourceError,
    },
    /// Not a URL that may be published.
    #[error("`{member}` cannot be published: write an absolute `https` URL")]
    InvalidUrl {
        /// The member of the document.
        member: &'static str,
        /// What is wrong with it.
        source: InvalidResourceError,
    },
    /// Nobody to get a token from.
    #[error("the metadata names no authorization server: add at least one")]
    NoAuthorizationServer,
    /// `offline_access` is between a client and its authorization server. Asking for it here makes every
    /// client ask for refresh tokens.
    #[error("`offline_access` is no scope of a resource: remove it")]
    OfflineAccess,
    /// An issuer identifier with a query (RFC 8414 §2: "no query or fragment components").
    #[error("the issuer of an authorization server has a query: remove the `?` and what follows")]
    QueryInAuthorizationServer,
}
