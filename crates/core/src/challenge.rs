//! `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1).

use std::borrow::Cow;

use http::HeaderValue;

use crate::ScopeSet;

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
/// value quoted, `, ` between them, nothing in a value that a client without a parser could take for
/// another parameter. Values are cleaned, never trusted: no caller can break out of a value.
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

    /// Adds a parameter of the scheme's own, such as `algs` of DPoP. A name that is given twice is
    /// written once, with its first value (RFC 9110 §11.2).
    #[must_use]
    pub fn param(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        if !self.params.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
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
            out.push("error", code, is_prose);
            out.push("error_description", description, is_prose);
        }
        if !self.scope.is_empty() {
            out.push("scope", &self.scope.to_string(), is_quotable);
        }
        if let Some(url) = &self.resource_metadata {
            out.push("resource_metadata", url, is_quotable);
        }
        for (name, value) in &self.params {
            out.push(name, value, is_quotable);
        }
        if out.count == 0 {
            out.push("realm", "protected", is_quotable);
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
    fn push(&mut self, name: &str, value: &str, is_allowed: fn(char) -> bool) {
        self.text.push_str(if self.count == 0 { " " } else { ", " });
        self.text.push_str(name);
        self.text.push_str("=\"");
        self.text.extend(value.chars().filter(|c| is_allowed(*c)));
        self.text.push('"');
        self.count = self.count.saturating_add(1);
    }
}

/// Characters that stand for themselves between quotes: no `"`, no `\`, so nothing needs escaping.
fn is_quotable(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '"' | '\\')
}

/// As [`is_quotable`], without what makes clients see another parameter: some split at every comma,
/// and some look for `scope=` anywhere in the field.
fn is_prose(c: char) -> bool {
    is_quotable(c) && !matches!(c, ',' | '=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_challenge_is_never_bare() {
        let value = Challenge::new(AuthScheme::Bearer).to_header_value();
        assert_eq!(value, "Bearer realm=\"protected\"");
    }

    #[test]
    fn parameters_keep_their_order_whatever_the_order_of_the_calls() {
        let value = Challenge::new(AuthScheme::DPoP)
            .param("algs", "ES256")
            .param("ALGS", "none")
            .resource_metadata("https://rs.example/.well-known/oauth-protected-resource")
            .scope(ScopeSet::parse("b a").unwrap())
            .error("invalid_token", "the token, is=bad")
            .to_header_value();
        assert_eq!(
            value,
            "DPoP error=\"invalid_token\", error_description=\"the token isbad\", scope=\"a b\", \
             resource_metadata=\"https://rs.example/.well-known/oauth-protected-resource\", algs=\"ES256\""
        );
    }

    proptest! {
        /// HTTP-08: whatever reaches a value, the field stays one challenge with the same parameters.
        #[test]
        fn http_08_nothing_breaks_out_of_a_value(url in any::<String>(), other in any::<String>()) {
            let value = Challenge::new(AuthScheme::Bearer)
                .resource_metadata(url)
                .param("p", other)
                .to_header_value();
            let text = value.to_str().unwrap();
            prop_assert!(text.starts_with("Bearer resource_metadata=\""));
            prop_assert_eq!(text.matches('"').count(), 4);
            prop_assert!(!text.contains('\\'));
            prop_assert!(text.ends_with('"'));
        }
    }
}
