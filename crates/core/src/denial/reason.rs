//! Why a request was refused, in two words and in a sentence.

use std::fmt;

/// Why a request was refused: a stable code for records and metrics, a text for the client.
///
/// Both are constants. What a client sent never becomes part of a reason: it would travel into headers,
/// logs and metric labels.
///
/// Codes are part of the public API of the crate that defines them. Texts are not; they are one short
/// clause without comma, quote and `=`, because clients read challenges with regular expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    code: &'static str,
    text: &'static str,
}

impl Reason {
    /// A reason with a code in `snake_case` and a text.
    #[must_use]
    pub const fn new(code: &'static str, text: &'static str) -> Self {
        Self { code, text }
    }

    /// The stable code, such as `token_expired`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// The text for the client.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.text
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}
