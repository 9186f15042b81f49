//! Members of the document, in the order of RFC 9728 §2.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::{MetadataError, language::LanguageTag};

pub(crate) const SIGNED_METADATA: &str = "signed_metadata";

/// The registered members (RFC 9728 §8.2.2), in the order in which they are written.
const REGISTERED: [&str; 15] = [
    "resource",
    "authorization_servers",
    "jwks_uri",
    "scopes_supported",
    "bearer_methods_supported",
    "resource_signing_alg_values_supported",
    "resource_name",
    "resource_documentation",
    "resource_policy_uri",
    "resource_tos_uri",
    "tls_client_certificate_bound_access_tokens",
    "authorization_details_types_supported",
    "dpop_signing_alg_values_supported",
    "dpop_bound_access_tokens_required",
    SIGNED_METADATA,
];

/// Claims that say something about the JWT itself (RFC 7519 §4.1), and would do so in the signed document.
const CLAIMS: [&str; 7] = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"];

const MAX_NAME_BYTES: usize = 128;

/// A name, with or without a language.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// Place among the registered ones; extensions come last.
    rank: usize,
    text: Box<str>,
}

impl Name {
    pub(crate) fn registered(name: &'static str) -> Self {
        let rank = REGISTERED.iter().position(|known| *known == name);
        Self { rank: rank.unwrap_or(REGISTERED.len()), text: name.into() }
    }

    /// RFC 9728 §2.1: "The BCP 47 language tags are added to member names, delimited by a # character".
    pub(crate) fn in_language(self, tag: &str) -> Result<Self, MetadataError> {
        let tag = LanguageTag::parse(tag)
            .ok_or_else(|| MetadataError::InvalidLanguage { tag: tag.into() })?;
        Ok(Self { rank: self.rank, text: format!("{}#{tag}", self.text).into() })
    }

    pub(crate) fn extension(text: &str) -> Result<Self, MetadataError> {
        let (base, language) = match text.split_once('#') {
            Some((base, language)) => (base, Some(language)),
            None => (text, None),
        };
        let is_name = (1..=MAX_NAME_BYTES).contains(&base.len())
            && !base.contains(|c: char| c.is_control() || c.is_whitespace());
        if !is_name {
            return Err(MetadataError::InvalidName);
        }
        // Go reads members without regard to case, the last of them counts, and extensions come last. `\u{17f}` is
        // an `s` to it.
        let folded = base.to_uppercase().to_lowercase();
        if REGISTERED.contains(&&*folded) || CLAIMS.contains(&&*folded) {
            return Err(MetadataError::RegisteredName { name: base.into() });
        }
        let name = Self { rank: REGISTERED.len(), text: base.into() };
        language.map_or(Ok(name.clone()), |language| name.in_language(language))
    }

    /// RFC 9728 §2.1: "language tag values used in JSON member names are compared without regard to case".
    fn key(&self) -> (usize, String) {
        let (base, language) = self.text.split_once('#').unwrap_or((&self.text, ""));
        (self.rank, format!("{base}#{}", language.to_ascii_lowercase()))
    }
}

/// Members by name, in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(BTreeMap<(usize, String), (Box<str>, Value)>);

impl Members {
    /// Whatever was said before.
    pub(crate) fn set(&mut self, name: Name, value: impl Into<Value>) {
        self.0.insert(name.key(), (name.text, value.into()));
    }

    /// Once only.
    pub(crate) fn add(&mut self, name: Name, value: impl Into<Value>) -> Result<(), MetadataError> {
        if let Some((known, _)) = self.0.get(&name.key()) {
            return Err(MetadataError::DuplicateName { name: known.clone() });
        }
        self.set(name, value);
        Ok(())
    }

    /// RFC 9728 §3.2: "parameters with zero elements MUST be omitted from the response". Whoever wrote one meant
    /// something else.
    pub(crate) fn check(&self) -> Result<(), MetadataError> {
        let is_empty = |value: &Value| match value {
            Value::Null => true,
            Value::Array(entries) => entries.is_empty(),
            Value::String(text) => text.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        match self.0.values().find(|(_, value)| is_empty(value)) {
            Some((name, _)) => Err(MetadataError::Empty { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// With one more member in front, as the signed document has it.
    pub(crate) const fn after<'a>(&'a self, name: &'a str, value: &'a str) -> impl Serialize + 'a {
        After { first: (name, value), rest: self }
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.values().map(|(name, value)| (name, value)))
    }
}

struct After<'a> {
    first: (&'a str, &'a str),
    rest: &'a Members,
}

impl Serialize for After<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let (name, value) = self.first;
        map.serialize_entry(name, value)?;
        for (name, value) in self.rest.0.values() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
