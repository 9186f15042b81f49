//! Which request headers a page may send.

use http::{HeaderMap, HeaderName, HeaderValue, header::ACCESS_CONTROL_REQUEST_HEADERS};

/// A browser asks for all headers in one line. What is longer is answered as if it asked for none.
const MAX_REQUESTED_BYTES: usize = 4096;

/// Headers by name, and all that begin alike.
#[derive(Clone, Debug)]
pub(crate) struct AllowedHeaders {
    pub(crate) names: Vec<HeaderName>,
    prefixes: Vec<Box<str>>,
}

impl AllowedHeaders {
    pub(crate) const fn new(names: Vec<HeaderName>) -> Self {
        Self { names, prefixes: Vec::new() }
    }

    pub(crate) fn add_prefix(&mut self, prefix: &str) -> Result<(), InvalidHeaderPrefixError> {
        // A prefix that ends within a word allows more than it says: `mcp` begins `mcpassword`.
        let is_prefix = prefix.len() > 1
            && prefix.ends_with('-')
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_prefix {
            return Err(InvalidHeaderPrefixError(prefix.into()));
        }
        self.prefixes.push(prefix.to_ascii_lowercase().into());
        Ok(())
    }

    /// Takes out of a preflight what is not allowed. The answer repeats what is left: a prefix cannot be
    /// listed, and `*` would not stand for `Authorization`.
    pub(crate) fn narrow(&self, preflight: &mut HeaderMap) {
        let lines = preflight.get_all(ACCESS_CONTROL_REQUEST_HEADERS);
        let length = lines.iter().map(HeaderValue::len).fold(0, usize::saturating_add);
        let mut allowed = String::new();
        if length <= MAX_REQUESTED_BYTES {
            let requested = lines.iter().filter_map(|line| line.to_str().ok());
            for name in requested.flat_map(|line| line.split(',')).map(str::trim_ascii) {
                if let Ok(name) = HeaderName::from_bytes(name.as_bytes())
                    && self.contains(&name)
                {
                    let separator = if allowed.is_empty() { "" } else { "," };
                    allowed.extend([separator, name.as_str()]);
                }
            }
        }
        match HeaderValue::try_from(allowed) {
            Ok(allowed) if !allowed.is_empty() => {
                preflight.insert(ACCESS_CONTROL_REQUEST_HEADERS, allowed);
            }
            Ok(_) | Err(_) => {
                preflight.remove(ACCESS_CONTROL_REQUEST_HEADERS);
            }
        }
    }

    fn contains(&self, name: &HeaderName) -> bool {
        // `*` is a name, too, until it is repeated: then it stands for all others.
        if name == "*" {
            return false;
        }
        let begins =
            |prefix: &str| name.as_str().strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
        self.names.contains(name) || self.prefixes.iter().any(|prefix| begins(prefix))
    }
}

/// A text with which no group of headers begins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the beginning of header names; write letters and digits, and a `-` at the end, as in `x-app-`"
)]
pub struct InvalidHeaderPrefixError(Box<str>);
