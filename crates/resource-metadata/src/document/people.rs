//! Members for people, which may be there in several languages (RFC 9728 §2.1).

use palisade_core::Resource;

use super::Metadata;
use crate::{MetadataError, members::Name};

impl Metadata {
    /// The name to show to people.
    pub fn resource_name(self, name: impl Into<Box<str>>) -> Self {
        self.with("resource_name", String::from(name.into()))
    }

    /// As [`resource_name`](Self::resource_name), in a language: `resource_name#fr`. Give the name without
    /// language as well, for clients that know no other (RFC 9728 §2.1).
    ///
    /// # Errors
    ///
    /// If `language` is no well-formed language tag (BCP 47), or there is a name in this language already. Tags
    /// are compared without regard to case.
    pub fn resource_name_in(self, language: &str, name: &str) -> Result<Self, MetadataError> {
        self.with_in("resource_name", language, name)
    }

    /// The page for developers.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL.
    pub fn resource_documentation(self, url: &str) -> Result<Self, MetadataError> {
        page("resource_documentation", url)?;
        Ok(self.with("resource_documentation", url))
    }

    /// As [`resource_documentation`](Self::resource_documentation), in a language.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL, or as for [`resource_name_in`](Self::resource_name_in).
    pub fn resource_documentation_in(
        self,
        language: &str,
        url: &str,
    ) -> Result<Self, MetadataError> {
        page("resource_documentation", url)?;
        self.with_in("resource_documentation", language, url)
    }

    /// The page about what clients may do with the data.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL.
    pub fn resource_policy_uri(self, url: &str) -> Result<Self, MetadataError> {
        page("resource_policy_uri", url)?;
        Ok(self.with("resource_policy_uri", url))
    }

    /// As [`resource_policy_uri`](Self::resource_policy_uri), in a language.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL, or as for [`resource_name_in`](Self::resource_name_in).
    pub fn resource_policy_uri_in(self, language: &str, url: &str) -> Result<Self, MetadataError> {
        page("resource_policy_uri", url)?;
        self.with_in("resource_policy_uri", language, url)
    }

    /// The page with the terms of service.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL.
    pub fn resource_tos_uri(self, url: &str) -> Result<Self, MetadataError> {
        page("resource_tos_uri", url)?;
        Ok(self.with("resource_tos_uri", url))
    }

    /// As [`resource_tos_uri`](Self::resource_tos_uri), in a language.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL, or as for [`resource_name_in`](Self::resource_name_in).
    pub fn resource_tos_uri_in(self, language: &str, url: &str) -> Result<Self, MetadataError> {
        page("resource_tos_uri", url)?;
        self.with_in("resource_tos_uri", language, url)
    }

    fn with_in(
        mut self,
        name: &'static str,
        language: &str,
        value: &str,
    ) -> Result<Self, MetadataError> {
        self.members.add(Name::registered(name).in_language(language)?, value)?;
        Ok(self)
    }
}

/// A page for people, which may have a fragment. Clients show it as a link, so that a scheme such as
/// `javascript` would be an attack on them.
fn page(member: &'static str, url: &str) -> Result<(), MetadataError> {
    let (page, fragment) = url.split_once('#').unwrap_or((url, ""));
    // Parsed as a query: the grammar of the two is the same (RFC 3986 §3.5).
    Resource::parse(page)
        .and_then(|_| Resource::parse(&format!("https://fragment.invalid/?{fragment}")))
        .map_err(|source| MetadataError::InvalidUrl { member, source })?;
    Ok(())
}
