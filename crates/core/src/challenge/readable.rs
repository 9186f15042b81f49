//! What every client in use reads as it was written.

use std::{error::Error, fmt};

/// The parameters that clients look for: those of RFC 6750 §3, RFC 9110 §11.5, RFC 9449 §7.1, RFC 9470 §3
/// and RFC 9728 §5.1.
const PARAMETERS: [&str; 9] = [
    "acr_values",
    "algs",
    "error",
    "error_description",
    "error_uri",
    "max_age",
    "realm",
    "resource_metadata",
    "scope",
];

/// A value of a challenge that some client in use would take for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnreadableValueError {
    /// A comma, at which some clients end the value; or a quote, a backslash, or a character outside
    /// printable ASCII.
    #[non_exhaustive]
    Character {
        /// At which byte.
        position: usize,
    },
    /// Nothing at all, which some clients read as a value of two quotes.
    Empty,
    /// The name of a parameter, followed by `=`: some clients look for it anywhere in the field.
    #[non_exhaustive]
    Parameter {
        /// The name.
        name: &'static str,
    },
    /// More than fits beside the rest: clients read a few KiB of headers in all.
    #[non_exhaustive]
    TooLong {
        /// How much fits.
        max_bytes: usize,
    },
}

impl fmt::Display for UnreadableValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { position } => write!(
                f,
                "clients misread the character at byte {position} in a challenge: use printable ASCII without commas, \
                 quotes and backslashes"
            ),
            Self::Empty => f.write_str("a challenge holds no empty values: leave it out"),
            Self::Parameter { name } => {
                write!(
                    f,
                    "clients take `{name}=` in a challenge for a parameter: write it another way"
                )
            }
            Self::TooLong { max_bytes } => {
                write!(f, "a challenge has room for {max_bytes} bytes of it: shorten it")
            }
        }
    }
}

impl Error for UnreadableValueError {}

pub(super) fn check(value: &str, max_bytes: usize) -> Result<(), UnreadableValueError> {
    if value.is_empty() {
        return Err(UnreadableValueError::Empty);
    }
    if value.len() > max_bytes {
        return Err(UnreadableValueError::TooLong { max_bytes });
    }
    if let Some(position) = value.bytes().position(|byte| !is_readable(char::from(byte))) {
        return Err(UnreadableValueError::Character { position });
    }
    match parameter_in(value) {
        Some(name) => Err(UnreadableValueError::Parameter { name }),
        None => Ok(()),
    }
}

/// A parameter that is looked for without regard to what stands before it: `xscope=` holds `scope=`.
fn parameter_in(value: &str) -> Option<&'static str> {
    let mut names = value.match_indices('=').filter_map(|(end, _)| value.get(..end));
    names.find_map(|before| {
        let before = before.trim_end_matches(' ').as_bytes();
        PARAMETERS.into_iter().find(|name| {
            let start = before.len().checked_sub(name.len());
            let end = start.and_then(|start| before.get(start..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(name.as_bytes()))
        })
    })
}

/// Characters that stand for themselves between quotes, for every client: no `"`, no `\`, so nothing needs
/// escaping, and no comma.
pub(super) const fn is_readable(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | ',')
}

/// As [`is_readable`], and nothing that could look like a parameter.
pub(super) const fn is_prose(c: char) -> bool {
    is_readable(c) && c != '='
}

/// `token = 1*tchar` (RFC 9110 §5.6.2), as far as names of parameters go.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}
