//! `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1).

mod readable;

use std::borrow::Cow;

use http::HeaderValue;

pub use self::readable::UnreadableValueError;
use crate::ScopeSet;

/// What one challenge may take. Clients of Node read 16 KiB of headers in all, and there are at most as many
/// challenges as schemes.
const MAX_BYTES: usize = 4096;
const MAX_CODE_BYTES: usize = 64;
const MAX_DESCRIPTION_BYTES: usize = 256;
const MAX_PARAM_BYTES: usize = 256;
const MAX_SCOPE_BYTES: usize = 1024;
/// A [`Resource`](crate::Resource) of any length with its well-known path.
const MAX_URL_BYTES: usize = 2048 + 64;

/// Written by [`Challenge`] itself, and never twice (RFC 9110 §11.2, RFC 6750 §3).
const OWN_NAMES: [&str; 4] = ["error", "error_description", "resource_metadata", "scope"];

/// The scheme of a [`Challenge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthScheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449.
    DPoP,
}

impl AuthScheme {
    /// The scheme as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::DPoP => "DPoP",
        }
    }
}

/// One challenge of a `WWW-Authenticate` field.
///
/// The text is the intersection of what real clients read: parameters always in the same order, every
/// value quoted, `, ` between them, at most 4 KiB, and nothing in a value that a client could take for the
/// end of the value or for another parameter. Some look for `scope=` anywhere in the field, some split it at
/// every comma.
///
/// Values are checked, never trusted: no caller can break out of a value. A scope, a URL or a parameter of
/// the scheme is written as it is or left out, because half of one is another one. Operators learn of it
/// when they configure: see [`check_scope`](Self::check_scope),
/// [`check_resource_metadata`](Self::check_resource_metadata) and [`realm`](Self::realm). Error code and
/// description are constants of a layer, for people; they are cleaned, and cut.
///
/// ```
/// use palisade_core::{AuthScheme, Challenge, ScopeSet};
///
/// let challenge = Challenge::new(AuthScheme::Bearer)
///     .error("insufficient_scope", "files need files:write")
///     .scope(ScopeSet::parse("files:write")?);
/// assert_eq!(
///     challenge.to_header_value(),
///     r#"Bearer error="insufficient_scope", error_description="files need files:write", scope="files:write""#,
/// );
/// // Read as two values by clients that split at commas: refused where it is configured, never written.
/// let misread = ScopeSet::parse("files,mail")?;
/// assert!(Challenge::check_scope(&misread).is_err());
/// let challenge = Challenge::new(AuthScheme::Bearer).scope(misread);
/// assert_eq!(challenge.to_header_value(), r#"Bearer realm="protected""#);
/// # Ok::<_, palisade_core::InvalidScopeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: AuthScheme,
    error: Option<(&'static str, &'static str)>,
    scope: ScopeSet,
    resource_metadata: Option<Box<str>>,
    params: Vec<(&'static str, Cow<'static, str>)>,
}

impl Challenge {
    /// A challenge without parameters. It is never written bare, see [`to_header_value`](Self::to_header_value).
    #[must_use]
    pub fn new(scheme: AuthScheme) -> Self {
        Self {
            scheme,
            error: None,
            scope: ScopeSet::empty(),
            resource_metadata: None,
            params: Vec::new(),
        }
    }

    /// Whether every client in use reads these scopes as they are, all together.
    ///
    /// For whoever takes scopes from an operator: RFC 6749 allows more than clients can read.
    ///
    /// # Errors
    ///
    /// [`UnreadableValueError`] if they hold a comma, look like another parameter, or take more than 1 KiB.
    pub fn check_scope(scopes: &ScopeSet) -> Result<(), UnreadableValueError> {
        if scopes.is_empty() {
            return Ok(());
        }
        readable::check(&scopes.to_string(), MAX_SCOPE_BYTES)
    }

    /// Whether every client in use reads this URL as it is.
    ///
    /// # Errors
    ///
    /// [`UnreadableValueError`] if it holds a comma, looks like another parameter, or is longer than that of
    /// any [`Resource`](crate::Resource).
    pub fn check_resource_metadata(url: &str) -> Result<(), UnreadableValueError> {
        readable::check(url, MAX_URL_BYTES)
    }

    /// Says what was wrong with the credential: a code and a text for developers.
    ///
    /// Leave it out if there was no credential (RFC 6750 §3.1: "SHOULD NOT include an error code or
    /// other error information").
    #[must_use]
    pub fn error(mut self, code: &'static str, description: &'static str) -> Self {
        self.error = Some((code, description));
        self
    }

    /// Names the scopes that the request needs, all of them.
    #[must_use]
    pub fn scope(mut self, scopes: ScopeSet) -> Self {
        self.scope = scopes;
        self
    }

    /// Says where the metadata of the resource is (RFC 9728 §5.1).
    #[must_use]
    pub fn resource_metadata(mut self, url: impl Into<Box<str>>) -> Self {
        self.resource_metadata = Some(url.into());
        self
    }

    /// Names the space that the credential is for (RFC 9110 §11.5).
    ///
    /// # Errors
    ///
    /// [`UnreadableValueError`] if some client would misread it, or if it takes more than 256 bytes.
    pub fn realm(self, realm: impl Into<Cow<'static, str>>) -> Result<Self, UnreadableValueError> {
        let realm = realm.into();
        readable::check(&realm, MAX_PARAM_BYTES)?;
        Ok(self.param("realm", realm))
    }

    /// Adds a parameter of the scheme's own, such as `algs` of DPoP. A name that is given twice is
    /// written once, with its first value (RFC 9110 §11.2); those that have a method of their own are not
    /// taken here.
    #[must_use]
    pub fn param(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        let mut known = self.params.iter().map(|(known, _)| *known).chain(OWN_NAMES);
        if !known.any(|known| known.eq_ignore_ascii_case(name)) {
            self.params.push((name, value.into()));
        }
        self
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> AuthScheme {
        self.scheme
    }

    /// The challenge as a field value.
    ///
    /// If nothing else is known it carries a `realm`, because RFC 6750 §3 demands a parameter and
    /// because clients in use ignore a bare `Bearer`.
    #[must_use]
    pub fn to_header_value(&self) -> HeaderValue {
        let mut out = Params { text: String::from(self.scheme.as_str()), count: 0 };
        if let Some((code, description)) = self.error {
            out.push_prose("error", code, MAX_CODE_BYTES);
            out.push_prose("error_description", description, MAX_DESCRIPTION_BYTES);
        }
        out.push("scope", &self.scope.to_string(), MAX_SCOPE_BYTES);
        if let Some(url) = &self.resource_metadata {
            out.push("resource_metadata", url, MAX_URL_BYTES);
        }
        // All of the above fits. What does not fit any more is the last of these.
        for (name, value) in &self.params {
            out.push(name, value, MAX_PARAM_BYTES);
        }
        if out.count == 0 {
            out.push("realm", "protected", MAX_PARAM_BYTES);
        }
        HeaderValue::try_from(out.text).unwrap_or_else(|_| match self.scheme {
            AuthScheme::Bearer => HeaderValue::from_static("Bearer realm=\"protected\""),
            AuthScheme::DPoP => HeaderValue::from_static("DPoP realm=\"protected\""),
        })
    }
}

/// The text of a challenge under construction.
struct Params {
    text: String,
    count: usize,
}

impl Params {
    /// Writes a value as it is, or not at all.
    fn push(&mut self, name: &str, value: &str, max_bytes: usize) {
        if readable::check(value, max_bytes).is_ok() && readable::is_token(name) {
            self.write(name, value);
        }
    }

    /// Writes what may be read of a text for people.
    fn push_prose(&mut self, name: &str, text: &str, max_bytes: usize) {
        let text: String =
            text.chars().filter(|c| readable::is_prose(*c)).take(max_bytes).collect();
        if !text.is_empty() {
            self.write(name, &text);
        }
    }

    fn write(&mut self, name: &str, value: &str) {
        let separator = if self.count == 0 { " " } else { ", " };
        let added = [separator, name, "=\"", value, "\""];
        let length =
            added.iter().map(|part| part.len()).fold(self.text.len(), usize::saturating_add);
        if length <= MAX_BYTES {
            self.text.extend(added);
            self.count = self.count.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests;
