//! What was really sent and answered, by everybody, in one order.

mod read;
mod record;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

pub(crate) use self::record::record;

/// The log of one test. Clones share it.
///
/// Tokens never leave it: they have names, by the order in which they were issued.
#[derive(Clone, Default)]
pub struct Wire(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    exchanges: Vec<Exchange>,
    access_tokens: Vec<String>,
    refresh_tokens: Vec<String>,
}

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two parties that a client talks to")]
pub enum Party {
    /// The protected MCP server.
    Server,
    /// The authorization server.
    Issuer,
}

/// A request with its answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// Who was asked.
    pub to: Party,
    /// How.
    pub method: Method,
    /// Path and query, as they were sent.
    pub target: String,
    /// The headers of the request, without credentials.
    pub headers: HeaderMap,
    /// The credential in `Authorization`.
    pub credential: Credential,
    /// Whether an access token was anywhere else but in `Authorization` (RFC 6750 §5.3).
    pub token_is_astray: bool,
    /// The body of the request.
    pub message: Message,
    /// The answer's status; none until there is one.
    pub status: Option<StatusCode>,
    /// The answer's headers.
    pub answer_headers: HeaderMap,
    /// The answer's body if it is JSON. Secrets in it are replaced by `…`.
    pub answer: Value,
    /// The tokens in the answer.
    pub grant: Option<Grant>,
}

/// What was in `Authorization`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a recorder that meets another scheme says so")]
pub enum Credential {
    /// There was no such header.
    None,
    /// The id of a client, with its secret.
    Basic(String),
    /// A token: the scheme, and the name of the token.
    Token(String, String),
    /// Something else: the scheme.
    Other(String),
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are the bodies of MCP and OAuth")]
pub enum Message {
    /// Nothing, or nothing that is understood.
    None,
    /// A form. Secrets in it are replaced by `…`, refresh tokens by their names.
    Form(Vec<(String, String)>),
    /// JSON.
    Json(Value),
}

/// What an authorization server answered to a client that asked for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The name of the access token, such as `token-1`.
    pub token: String,
    /// What is in it, if it is a JWT.
    pub claims: Value,
    /// `Bearer` or `DPoP`, as it was spelled.
    pub token_type: String,
    /// The name of the refresh token, if there is one.
    pub refresh_token: Option<String>,
}

impl Wire {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was recorded so far. Tokens keep their names.
    #[must_use]
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.log().exchanges)
    }

    /// What was recorded so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Exchange> {
        self.log().exchanges.clone()
    }

    /// Puts back what was taken, in the place of what came since.
    pub(crate) fn replace(&self, exchanges: Vec<Exchange>) {
        self.log().exchanges = exchanges;
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.log().exchanges).finish()
    }
}
