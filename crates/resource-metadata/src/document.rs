//! The document (RFC 9728 §2).

use bytes::Bytes;
use palisade_core::{Resource, ScopeSet};
use serde::{Serialize, Serializer};

use crate::{MetadataError, well_known};

const OFFLINE_ACCESS: &str = "offline_access";
/// Tokens in queries end up in logs, and bodies are not ours to read.
const BEARER_METHODS: [&str; 1] = ["header"];

/// What a resource says about itself (RFC 9728 §2).
///
/// ```
/// use palisade_core::{Resource, ScopeSet};
/// use palisade_resource_metadata::Metadata;
///
/// let metadata = Metadata::new(Resource::parse("https://api.example.com/files")?)
///     .add_authorization_server("https://as.example.com/")?
///     .scopes_supported(ScopeSet::parse("files:read")?)?
///     .resource_name("Files");
/// assert_eq!(metadata.url(), "https://api.example.com/.well-known/oauth-protected-resource/files");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "metadata does nothing until a layer publishes it"]
pub struct Metadata {
    resource: Resource,
    members: Members,
}

/// In the order in which they are written.
#[derive(Clone, Debug, Default, Serialize)]
struct Members {
    authorization_servers: Vec<Box<str>>,
    // RFC 9728 §3.2: "parameters with zero elements MUST be omitted from the response".
    #[serde(skip_serializing_if = "ScopeSet::is_empty", serialize_with = "scopes")]
    scopes_supported: ScopeSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy_uri: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_tos_uri: Option<Box<str>>,
}

#[derive(Serialize)]
struct Document<'a> {
    resource: &'a str,
    #[serde(flatten)]
    members: &'a Members,
    bearer_methods_supported: [&'static str; 1],
}

impl Metadata {
    /// The metadata of this resource. Its identifier is published byte for byte and must be the URL that
    /// clients are given: many compare the two as text (RFC 9728 §3.3), the slash at the end included.
    pub fn new(resource: Resource) -> Self {
        Self { resource, members: Members::default() }
    }

    /// One more server to get tokens from, by its issuer identifier. The best comes first: some clients
    /// look at no other.
    ///
    /// Write it byte for byte as the server's own metadata has it in `issuer`. Clients compare.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL (`http` is accepted on loopback), has a query or a fragment, or is listed
    /// already.
    pub fn add_authorization_server(mut self, issuer: &str) -> Result<Self, MetadataError> {
        let checked = Resource::parse(issuer)
            .map_err(|source| MetadataError::InvalidAuthorizationServer { source })?;
        if checked.path_and_query().contains('?') {
            return Err(MetadataError::QueryInAuthorizationServer);
        }
        if self.members.authorization_servers.iter().any(|known| **known == *issuer) {
            return Err(MetadataError::DuplicateAuthorizationServer { issuer: issuer.into() });
        }
        self.members.authorization_servers.push(issuer.into());
        Ok(self)
    }

    /// The scopes that a client should ask for to begin with. Not all there are: clients ask their users
    /// for everything that is named here. What an operation needs beyond that, its refusal says.
    ///
    /// # Errors
    ///
    /// If `offline_access` is among them.
    pub fn scopes_supported(mut self, scopes: ScopeSet) -> Result<Self, MetadataError> {
        self.members.scopes_supported = without_offline_access(scopes)?;
        Ok(self)
    }

    /// The name to show to people.
    pub fn resource_name(mut self, name: impl Into<Box<str>>) -> Self {
        self.members.resource_name = Some(name.into());
        self
    }

    /// The page for developers.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL.
    pub fn resource_documentation(mut self, url: &str) -> Result<Self, MetadataError> {
        self.members.resource_documentation = Some(page("resource_documentation", url)?);
        Ok(self)
    }

    /// The page about what clients may do with the data.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL.
    pub fn resource_policy_uri(mut self, url: &str) -> Result<Self, MetadataError> {
        self.members.resource_policy_uri = Some(page("resource_policy_uri", url)?);
        Ok(self)
    }

    /// The page with the terms of service.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL.
    pub fn resource_tos_uri(mut self, url: &str) -> Result<Self, MetadataError> {
        self.members.resource_tos_uri = Some(page("resource_tos_uri", url)?);
        Ok(self)
    }

    /// The keys of the resource itself, with which it signs responses. Not those of the authorization
    /// server.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL.
    pub fn jwks_uri(mut self, url: &str) -> Result<Self, MetadataError> {
        Resource::parse(url)
            .map_err(|source| MetadataError::InvalidUrl { member: "jwks_uri", source })?;
        self.members.jwks_uri = Some(url.into());
        Ok(self)
    }

    /// The resource.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Where a client looks for the document (RFC 9728 §3.1), and what challenges point to.
    #[must_use]
    pub fn url(&self) -> String {
        well_known::url(&self.resource)
    }

    pub(crate) const fn scopes(&self) -> &ScopeSet {
        &self.members.scopes_supported
    }

    /// The document, if it may be published.
    pub(crate) fn to_json(&self) -> Result<Bytes, MetadataError> {
        if self.members.authorization_servers.is_empty() {
            return Err(MetadataError::NoAuthorizationServer);
        }
        let document = Document {
            resource: self.resource.as_str(),
            members: &self.members,
            bearer_methods_supported: BEARER_METHODS,
        };
        // Only maps with odd keys and foreign types can fail, and there are none.
        Ok(serde_json::to_vec(&document).unwrap_or_default().into())
    }
}

pub(crate) fn without_offline_access(scopes: ScopeSet) -> Result<ScopeSet, MetadataError> {
    if scopes.contains(OFFLINE_ACCESS) {
        return Err(MetadataError::OfflineAccess);
    }
    Ok(scopes)
}

/// A page for people, which may have a fragment. Clients show it as a link, so that a scheme such as
/// `javascript` would be an attack on them.
fn page(member: &'static str, url: &str) -> Result<Box<str>, MetadataError> {
    let (page, fragment) = url.split_once('#').unwrap_or((url, ""));
    // Parsed as a query: the grammar of the two is the same (RFC 3986 §3.5).
    Resource::parse(page)
        .and_then(|_| Resource::parse(&format!("https://fragment.invalid/?{fragment}")))
        .map_err(|source| MetadataError::InvalidUrl { member, source })?;
    Ok(url.into())
}

fn scopes<S: Serializer>(scopes: &ScopeSet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(scopes.iter().map(|scope| scope.as_str()))
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use palisade_core::InvalidResourceError;

    use super::*;

    fn metadata() -> Metadata {
        Metadata::new(Resource::parse("https://h/a").unwrap())
    }

    #[test]
    fn a_small_document_has_what_clients_need() {
        let metadata = metadata().add_authorization_server("https://as.example").unwrap();
        assert_eq!(
            metadata.to_json().unwrap(),
            r#"{"resource":"https://h/a","authorization_servers":["https://as.example"],"bearer_methods_supported":["header"]}"#
        );
    }

    #[test]
    fn a_large_document_has_all_that_was_said_as_it_was_said() {
        let metadata = metadata()
            .add_authorization_server("https://as.example/")
            .and_then(|metadata| metadata.add_authorization_server("https://AS2.example/tenant"))
            .and_then(|metadata| metadata.add_authorization_server("http://127.0.0.1:9/"))
            .and_then(|metadata| metadata.scopes_supported(ScopeSet::parse("b a").unwrap()))
            .and_then(|metadata| metadata.jwks_uri("https://h/jwks.json"))
            .and_then(|metadata| metadata.resource_documentation("https://docs.example/#start"))
            .and_then(|metadata| metadata.resource_policy_uri("https://h/policy?lang=en"))
            .and_then(|metadata| metadata.resource_tos_uri("https://h/tos"))
            .unwrap()
            .resource_name("Fichiers \"été\"");
        assert_eq!(
            metadata.to_json().unwrap(),
            [
                r#"{"resource":"https://h/a","#,
                r#""authorization_servers":["https://as.example/","https://AS2.example/tenant","http://127.0.0.1:9/"],"#,
                r#""scopes_supported":["a","b"],"jwks_uri":"https://h/jwks.json","#,
                r#""resource_name":"Fichiers \"été\"","#,
                r#""resource_documentation":"https://docs.example/#start","#,
                r#""resource_policy_uri":"https://h/policy?lang=en","#,
                r#""resource_tos_uri":"https://h/tos","bearer_methods_supported":["header"]}"#,
            ]
            .concat()
        );
    }

    #[test]
    fn b_02_a_document_without_authorization_server_is_not_published() {
        assert_eq!(metadata().to_json().unwrap_err(), MetadataError::NoAuthorizationServer);
    }

    #[test]
    fn b_10_offline_access_is_refused() {
        let scopes = ScopeSet::parse("files:read offline_access").unwrap();
        assert_eq!(metadata().scopes_supported(scopes).unwrap_err(), MetadataError::OfflineAccess);
    }

    #[test]
    fn refuses_what_is_no_issuer() {
        use InvalidResourceError as Invalid;

        let invalid = |source| MetadataError::InvalidAuthorizationServer { source };
        for (name, issuer, expected) in [
            ("plain http", "http://as.example", invalid(Invalid::PlainHttp)),
            ("fragment", "https://as.example/#x", invalid(Invalid::Fragment)),
            ("query", "https://as.example/?x", MetadataError::QueryInAuthorizationServer),
            ("user information", "https://u:secret@as.example", invalid(Invalid::UserInfo)),
            ("no URL", "as.example", invalid(Invalid::NotAbsolute)),
            ("white space", "https://as.example ", invalid(Invalid::Character)),
            ("empty", "", invalid(Invalid::NotAbsolute)),
        ] {
            let error = metadata().add_authorization_server(issuer).unwrap_err();
            assert_eq!(error, expected, "{name}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{name}");
        }
        let error = metadata()
            .add_authorization_server("https://as.example")
            .and_then(|metadata| metadata.add_authorization_server("https://as.example/"))
            .and_then(|metadata| metadata.add_authorization_server("https://as.example"))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the authorization server `https://as.example` is listed twice: remove one of the two"
        );
    }

    #[test]
    fn refuses_links_that_clients_must_not_follow() {
        for url in [
            "javascript:alert(1)",
            "http://h/tos",
            "/tos",
            "https://h/tos#\"onclick=",
            "https://h/tos#a#b",
            "https://user@h/tos",
            "",
        ] {
            for (member, error) in [
                ("resource_documentation", metadata().resource_documentation(url).unwrap_err()),
                ("resource_policy_uri", metadata().resource_policy_uri(url).unwrap_err()),
                ("resource_tos_uri", metadata().resource_tos_uri(url).unwrap_err()),
                ("jwks_uri", metadata().jwks_uri(url).unwrap_err()),
            ] {
                let expected =
                    format!("`{member}` cannot be published: write an absolute `https` URL");
                assert_eq!(error.to_string(), expected, "{url}");
                assert!(error.source().is_some(), "{url}");
            }
        }
        assert!(metadata().jwks_uri("https://h/jwks#x").is_err(), "keys are no page");
    }
}
