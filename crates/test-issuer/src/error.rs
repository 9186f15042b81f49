use std::io;
use std::net::SocketAddr;

/// Why the issuer could not be built, changed or asked.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum TestIssuerError {
    /// The operating system refused the listening socket.
    #[error("the test issuer cannot listen here: choose another port, or port 0")]
    Bind(#[source] io::Error),

    /// A value that cannot stand in a header.
    #[error("a header value must be a line of text: remove control characters")]
    InvalidHeader,

    /// The issuer identifier is not one that RFC 8414 section 2 allows.
    #[error(
        "`{0}` is no issuer identifier: give an http or https URL without user, query or fragment"
    )]
    InvalidIssuer(String),

    /// A redirect target that cannot stand in a `Location` header.
    #[error("a redirect target must be a header value: remove control characters")]
    InvalidRedirect,

    /// A status outside what HTTP has.
    #[error("`{0}` is no HTTP status: give a final one, from 200 to 999")]
    InvalidStatus(u16),

    /// The cryptographic library made no key, or no signature.
    #[error("no key or signature for `{algorithm}`: the cryptographic library failed")]
    Key {
        /// The algorithm that was asked for.
        algorithm: &'static str,
    },

    /// `start` or `bind` outside a runtime.
    #[error("no tokio runtime here: call from async code, or use an issuer in process")]
    NoRuntime,

    /// An address that others could reach.
    #[error("`{0}` is not a loopback address: a test issuer is never offered to a network")]
    NotLoopback(SocketAddr),

    /// The system gave no random bytes.
    #[error("no random bytes: the cryptographic library failed")]
    Randomness,

    /// A key identifier that the published set does not hold.
    #[error("no published key is called `{0}`: see `jwks()` for those that are")]
    UnknownKey(String),

    /// A token that was not issued here, or does not live any more.
    #[error(
        "no such opaque token lives: revoke one that `issue_opaque` or the token endpoint made"
    )]
    UnknownToken,
}
