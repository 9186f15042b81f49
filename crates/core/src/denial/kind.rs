//! The one table from kinds of refusals to status codes, gRPC codes and challenges.

use http::StatusCode;

/// What kind of refusal it is. It alone decides what goes over the wire:
///
/// | kind | HTTP | gRPC | challenge |
/// |---|---|---|---|
/// | `BadRequest` | 400 | 3 | none |
/// | `Forbidden` | 403 | 7 | none: no scope would help |
/// | `HeadersTooLarge` | 431 | 8 | none |
/// | `InsufficientScope` | 403 | 7 | `error="insufficient_scope"` and all scopes needed |
/// | `InvalidCredentials` | 400 | 3 | `error="invalid_request"` |
/// | `InvalidToken` | 401 | 16 | `error="invalid_token"` |
/// | `Misconfigured` | 500 | 13 | none |
/// | `PayloadTooLarge` | 413 | 8 | none |
/// | `RateLimited` | 429 | 8 | none; `Retry-After` |
/// | `Unauthenticated` | 401 | 16 | without `error` |
/// | `Unavailable` | 503 | 14 | none; `Retry-After` |
/// | `UnsupportedMediaType` | 415 | 3 | none |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenialKind {
    /// The request cannot be understood, whoever sent it.
    BadRequest,
    /// Not allowed, and no other scope would change that.
    Forbidden,
    /// A header, or all of them, is larger than we read (RFC 9110 §5.4).
    HeadersTooLarge,
    /// The credential is good and grants too little (RFC 6750 §3.1, `insufficient_scope`).
    InsufficientScope,
    /// The credential is not presented as it should be (RFC 6750 §3.1, `invalid_request`).
    InvalidCredentials,
    /// The credential is no good: expired, forged, for somebody else (RFC 6750 §3.1, `invalid_token`).
    InvalidToken,
    /// The layers are put together wrongly. The operator's fault, not the client's.
    Misconfigured,
    /// The body is larger than we read.
    PayloadTooLarge,
    /// Too many requests, for now.
    RateLimited,
    /// There is no credential (RFC 6750 §3).
    Unauthenticated,
    /// We cannot decide at the moment. Never a 401: the credential was not judged.
    Unavailable,
    /// The body is in a form that we do not read.
    UnsupportedMediaType,
}

/// Which challenge a kind brings along, in each scheme that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KindChallenge {
    None,
    WithoutError,
    WithError(&'static str),
}

/// One row of the table.
struct Row {
    name: &'static str,
    status: StatusCode,
    grpc_code: u8,
    challenge: KindChallenge,
}

impl DenialKind {
    const fn row(self) -> Row {
        use KindChallenge::{None, WithError, WithoutError};

        const fn row(
            name: &'static str,
            status: StatusCode,
            grpc_code: u8,
            challenge: KindChallenge,
        ) -> Row {
            Row { name, status, grpc_code, challenge }
        }

        // gRPC codes: 3 INVALID_ARGUMENT, 7 PERMISSION_DENIED, 8 RESOURCE_EXHAUSTED, 13 INTERNAL,
        // 14 UNAVAILABLE, 16 UNAUTHENTICATED.
        match self {
            Self::BadRequest => row("bad_request", StatusCode::BAD_REQUEST, 3, None),
            Self::Forbidden => row("forbidden", StatusCode::FORBIDDEN, 7, None),
            Self::HeadersTooLarge => {
                row("headers_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, 8, None)
            }
            Self::InsufficientScope => {
                row("insufficient_scope", StatusCode::FORBIDDEN, 7, WithError("insufficient_scope"))
            }
            Self::InvalidCredentials => {
                row("invalid_credentials", StatusCode::BAD_REQUEST, 3, WithError("invalid_request"))
            }
            Self::InvalidToken => {
                row("invalid_token", StatusCode::UNAUTHORIZED, 16, WithError("invalid_token"))
            }
            Self::Misconfigured => {
                row("misconfigured", StatusCode::INTERNAL_SERVER_ERROR, 13, None)
            }
            Self::PayloadTooLarge => {
                row("payload_too_large", StatusCode::PAYLOAD_TOO_LARGE, 8, None)
            }
            Self::RateLimited => row("rate_limited", StatusCode::TOO_MANY_REQUESTS, 8, None),
            Self::Unauthenticated => {
                row("unauthenticated", StatusCode::UNAUTHORIZED, 16, WithoutError)
            }
            Self::Unavailable => row("unavailable", StatusCode::SERVICE_UNAVAILABLE, 14, None),
            Self::UnsupportedMediaType => {
                row("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE, 3, None)
            }
        }
    }

    /// The stable name of the kind, in `snake_case`, for records and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().status
    }

    /// The gRPC status code.
    #[must_use]
    pub const fn grpc_code(self) -> u8 {
        self.row().grpc_code
    }

    /// Whether refusals of this kind come with a challenge: another credential would help.
    #[must_use]
    pub const fn has_challenge(self) -> bool {
        !matches!(self.challenge(), KindChallenge::None)
    }

    pub(crate) const fn challenge(self) -> KindChallenge {
        self.row().challenge
    }
}
