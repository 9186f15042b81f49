//! Where in a token something is said.

use std::{borrow::Cow, fmt};

use palisade_core::{ScopeSet, ScopeToken};
use serde_json::{Map, Value};

use super::TrustError;
use crate::Rejection;

/// Roles, groups, audiences: more than anybody needs, few enough to walk through.
const MAX_ENTRIES: usize = 1024;

/// A place in a token: a claim, or a member somewhere inside one.
///
/// ```
/// use palisade_token_verify::trust::ClaimSource;
///
/// let client = ClaimSource::parse("azp")?;
/// let roles = ClaimSource::parse("/realm_access/roles")?;
/// let zitadel = ClaimSource::parse("urn:zitadel:iam:org:project:roles")?.member_names();
/// # let _ = (client, roles, zitadel);
/// # Ok::<_, palisade_token_verify::trust::TrustError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimSource {
    path: Cow<'static, str>,
    form: Form,
}

/// How a place holds several names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    /// An object whose member names are the names.
    MemberNames,
    /// A string with spaces between the names, and nothing else.
    Text,
    /// A string with spaces between the names, or an array of names.
    Values,
}

impl ClaimSource {
    pub(crate) const fn claim(name: &'static str) -> Self {
        Self { path: Cow::Borrowed(name), form: Form::Values }
    }

    /// As RFC 9068 §2.2.3 has `scope`.
    pub(super) const fn text(name: &'static str) -> Self {
        Self { path: Cow::Borrowed(name), form: Form::Text }
    }

    pub(super) const fn members(name: &'static str) -> Self {
        Self { path: Cow::Borrowed(name), form: Form::MemberNames }
    }

    /// Reads the name of a claim, or a JSON pointer (RFC 6901) if it begins with `/`.
    ///
    /// # Errors
    ///
    /// [`TrustError::NotAClaim`] if it is empty, longer than 256 bytes, or a malformed pointer.
    pub fn parse(place: &str) -> Result<Self, TrustError> {
        let is_pointer = place.starts_with('/');
        let escapes_are_good =
            !is_pointer || place.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if place.is_empty() || place == "/" || place.len() > 256 || !escapes_are_good {
            return Err(TrustError::NotAClaim);
        }
        Ok(Self { path: Cow::Owned(place.to_owned()), form: Form::Values })
    }

    /// The names are the names of an object's members, and the values do not matter.
    #[must_use]
    pub fn member_names(mut self) -> Self {
        self.form = Form::MemberNames;
        self
    }

    /// The place as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.path
    }

    pub(super) const fn form(&self) -> &'static str {
        match self.form {
            Form::MemberNames => "member-names",
            Form::Text => "text",
            Form::Values => "values",
        }
    }

    /// The claim that the place is in.
    pub(crate) fn top_level(&self) -> Cow<'_, str> {
        let Some(pointer) = self.path.strip_prefix('/') else {
            return Cow::Borrowed(&self.path);
        };
        let first = pointer.split('/').next().unwrap_or_default();
        if first.contains('~') {
            Cow::Owned(first.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(first)
        }
    }

    pub(crate) fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        if !self.path.starts_with('/') {
            return claims.get(&*self.path);
        }
        let top = claims.get(&*self.top_level())?;
        let rest = self.path.get(1..)?.find('/').map(|slash| slash.saturating_add(1));
        rest.map_or(Some(top), |rest| top.pointer(self.path.get(rest..)?))
    }

    pub(crate) fn invalid(&self) -> Rejection {
        Rejection::InvalidClaim { claim: self.path.clone() }
    }

    pub(crate) fn missing(&self) -> Rejection {
        Rejection::MissingClaim { claim: self.path.clone() }
    }

    /// One name: of a subject, a client.
    pub(super) fn name<'a>(
        &self,
        claims: &'a Map<String, Value>,
    ) -> Result<Option<&'a str>, Rejection> {
        match self.find(claims) {
            None => Ok(None),
            Some(value) => as_name(value).ok_or_else(|| self.invalid()).map(Some),
        }
    }

    /// All names: of roles, of groups.
    pub(super) fn names<'a>(
        &self,
        claims: &'a Map<String, Value>,
    ) -> Result<Option<Vec<&'a str>>, Rejection> {
        let Some(value) = self.find(claims) else { return Ok(None) };
        let names: Option<Vec<&str>> = match (self.form, value) {
            (Form::Text | Form::Values, Value::String(list)) => {
                Some(list.split_ascii_whitespace().collect())
            }
            (Form::Values, Value::Array(entries)) => entries.iter().map(as_name).collect(),
            (Form::MemberNames, Value::Object(members)) => {
                Some(members.keys().map(String::as_str).collect())
            }
            _ => None,
        };
        let are_names = |names: &Vec<&str>| {
            names.len() <= MAX_ENTRIES && names.iter().all(|name| is_name(name))
        };
        names.filter(are_names).ok_or_else(|| self.invalid()).map(Some)
    }

    /// Scopes are stricter than other names: RFC 6749 §3.3 says what one may be made of.
    pub(super) fn scopes(
        &self,
        claims: &Map<String, Value>,
    ) -> Result<Option<ScopeSet>, Rejection> {
        let Some(value) = self.find(claims) else { return Ok(None) };
        let scopes = match (self.form, value) {
            (Form::Text | Form::Values, Value::String(list)) => ScopeSet::parse(list).ok(),
            (Form::Values, Value::Array(entries)) if entries.len() <= MAX_ENTRIES => {
                entries.iter().map(|entry| ScopeToken::parse(entry.as_str()?).ok()).collect()
            }
            (Form::MemberNames, Value::Object(members)) if members.len() <= MAX_ENTRIES => {
                members.keys().map(|name| ScopeToken::parse(name).ok()).collect()
            }
            _ => None,
        };
        scopes.ok_or_else(|| self.invalid()).map(Some)
    }
}

impl fmt::Display for ClaimSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// A string that can name somebody or something: not empty, and without characters that end a line or
/// a string elsewhere.
pub(super) fn as_name(value: &Value) -> Option<&str> {
    value.as_str().filter(|name| is_name(name))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims() -> Map<String, Value> {
        let claims = json!({
            "azp": "app",
            "/odd": "never",
            "realm_access": { "roles": ["a", "b"], "": "empty", "x/y": "slash" },
            "a~b": { "c": ["d"] },
            "roles": { "admin": { "org": "1" }, "user": {} },
            "list": ["a", 1],
            "text": "b a",
        });
        claims.as_object().unwrap().clone()
    }

    #[test]
    fn a_place_is_a_claim_or_a_pointer() {
        let found = |place: &str| {
            ClaimSource::parse(place).unwrap().find(&claims()).cloned().unwrap_or_default()
        };
        assert_eq!(found("azp"), "app");
        assert_eq!(found("/azp"), "app");
        assert_eq!(found("/realm_access/roles"), json!(["a", "b"]));
        assert_eq!(found("/realm_access/roles/1"), "b");
        assert_eq!(found("/realm_access/x~1y"), "slash");
        assert_eq!(found("/a~0b/c"), json!(["d"]));
        assert_eq!(found("realm_access/roles"), Value::Null);
        assert_eq!(found("/azp/x"), Value::Null);
        for place in ["", "/", "/a~b", "/a~", "/a~2", &"x".repeat(257)] {
            assert_eq!(ClaimSource::parse(place).err(), Some(TrustError::NotAClaim), "{place}");
        }
    }

    #[test]
    fn names_come_as_text_array_or_members() {
        let names = |source: ClaimSource| {
            source.names(&claims()).map(|names| names.map(|names| names.join("|")))
        };
        let place = |place: &str| ClaimSource::parse(place).unwrap();
        assert_eq!(names(place("text")), Ok(Some("b|a".to_owned())));
        assert_eq!(names(place("/realm_access/roles")), Ok(Some("a|b".to_owned())));
        assert_eq!(names(place("roles").member_names()), Ok(Some("admin|user".to_owned())));
        assert_eq!(names(place("gone")), Ok(None));
        for bad in [place("list"), place("roles"), place("text").member_names()] {
            assert_eq!(names(bad.clone()), Err(bad.invalid()));
        }
    }
}
