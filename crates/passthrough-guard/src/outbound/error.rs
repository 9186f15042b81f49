use std::fmt;

/// Why an outgoing request was not sent. It says nothing of the credential.
///
/// In the boxed error of the client: `error.downcast_ref::<PassthroughError>()`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassthroughError {
    /// A credential of an inbound request is in it. Get a token of your own for that service: by token exchange
    /// (RFC 8693), or as the client that you are.
    #[error("the outgoing request has a credential of an inbound request in {part}")]
    Carries {
        /// The first part of the head that has one.
        part: Part,
        /// Where it would have gone: an origin, if the request says so and has no credential in it.
        destination: Option<String>,
    },
    /// Its head is too large to be searched, above 64 KiB, or has more in it that looks like credentials than
    /// can be looked at.
    #[error("the head of the outgoing request is too large to be searched for credentials")]
    TooLarge,
}

/// A part of a request's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// User information, host and port of the URI.
    Authority,
    /// The name of a header.
    HeaderName,
    /// The value of a header.
    HeaderValue,
    /// A method of somebody's own.
    Method,
    /// The path of the URI.
    Path,
    /// The query of the URI.
    Query,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authority => "its authority",
            Self::HeaderName => "the name of a header",
            Self::HeaderValue => "the value of a header",
            Self::Method => "its method",
            Self::Path => "its path",
            Self::Query => "its query",
        })
    }
}

/// What was to be allowed is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOriginError {
    /// There is user information, a path, a query or a fragment.
    #[error(
        "an origin is a scheme, a host and perhaps a port: leave out what follows them, a slash too"
    )]
    MoreThanAnOrigin,
    /// It has no scheme of `http` or `https`, or no host, or no port that can be one.
    #[error("not an origin: write it as `https://as.example.com`")]
    NotAnOrigin,
}
