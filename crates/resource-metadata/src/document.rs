//! The document (RFC 9728 §2).

mod people;

use std::fmt;

use bytes::Bytes;
use palisade_core::{Resource, ScopeSet};
use serde_json::Value;

use crate::{
    MetadataError, SignMetadata, algorithm,
    members::{Members, Name, SIGNED_METADATA},
    signing::Attestation,
    well_known,
};

const OFFLINE_ACCESS: &str = "offline_access";
/// Tokens in queries end up in logs, and bodies are not ours to read: no layer of this family looks there.
const BEARER_METHODS: [&str; 1] = ["header"];
/// The Go SDK reads 1 MiB at most, and others may read less. A document as people write them has some hundred bytes.
const MAX_BYTES: usize = 64 * 1024;

/// What a resource says about itself (RFC 9728 §2).
///
/// ```
/// use palisade_core::{Resource, ScopeSet};
/// use palisade_resource_metadata::Metadata;
///
/// let metadata = Metadata::new(Resource::parse("https://api.example.com/files")?)
///     .add_authorization_server("https://as.example.com/")?
///     .scopes_supported(ScopeSet::parse("files:read")?)?
///     .resource_name("Files")
///     .resource_name_in("fr", "Fichiers")?
///     .dpop_signing_alg_values_supported(["ES256", "EdDSA"])?
///     .add_extension("com.example.tier", "gold")?;
/// assert_eq!(metadata.url(), "https://api.example.com/.well-known/oauth-protected-resource/files");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "metadata does nothing until a layer publishes it"]
pub struct Metadata {
    resource: Resource,
    authorization_servers: Vec<Box<str>>,
    scopes_supported: ScopeSet,
    /// `None`: those that are supported.
    challenge_scope: Option<ScopeSet>,
    /// All others.
    members: Members,
    attestation: Option<Attestation>,
}

impl Metadata {
    /// The metadata of this resource. Its identifier is published byte for byte and must be the URL that
    /// clients are given: many compare the two as text (RFC 9728 §3.3), the slash at the end included.
    pub fn new(resource: Resource) -> Self {
        Self {
            resource,
            authorization_servers: Vec::new(),
            scopes_supported: ScopeSet::empty(),
            challenge_scope: None,
            members: Members::default(),
            attestation: None,
        }
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
        if self.authorization_servers.iter().any(|known| **known == *issuer) {
            return Err(MetadataError::DuplicateAuthorizationServer { issuer: issuer.into() });
        }
        self.authorization_servers.push(issuer.into());
        Ok(self)
    }

    /// The scopes that a client should ask for to begin with. Not all there are: clients ask their users
    /// for everything that is named here. What an operation needs beyond that, its refusal says.
    ///
    /// # Errors
    ///
    /// If `offline_access` is among them.
    pub fn scopes_supported(mut self, scopes: ScopeSet) -> Result<Self, MetadataError> {
        self.scopes_supported = without_offline_access(scopes)?;
        Ok(self)
    }

    /// The scopes that challenges name if the refusal does not know better. By default those that are
    /// [supported](Self::scopes_supported). They are not in the document.
    ///
    /// # Errors
    ///
    /// If `offline_access` is among them.
    pub fn challenge_scope(mut self, scopes: ScopeSet) -> Result<Self, MetadataError> {
        self.challenge_scope = Some(without_offline_access(scopes)?);
        Ok(self)
    }

    /// The keys of the resource itself, with which it signs responses. Not those of the authorization
    /// server.
    ///
    /// # Errors
    ///
    /// If it is no `https` URL.
    pub fn jwks_uri(self, url: &str) -> Result<Self, MetadataError> {
        Resource::parse(url)
            .map_err(|source| MetadataError::InvalidUrl { member: "jwks_uri", source })?;
        Ok(self.with("jwks_uri", url))
    }

    /// The algorithms with which the resource signs its responses, by their names in JWS.
    ///
    /// # Errors
    ///
    /// If one of them is `none` (RFC 9728 §2: "MUST NOT be used"), or no name of an algorithm.
    pub fn resource_signing_alg_values_supported<'a>(
        self,
        algorithms: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, MetadataError> {
        self.with_algorithms("resource_signing_alg_values_supported", algorithms, algorithm::signs)
    }

    /// The algorithms that proofs of possession may be signed with (RFC 9449), by their names in JWS. They are those
    /// of `algs` in the challenges of the layer that checks proofs.
    ///
    /// # Errors
    ///
    /// If one of them is `none`, is symmetric, or is no name of an algorithm.
    pub fn dpop_signing_alg_values_supported<'a>(
        self,
        algorithms: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, MetadataError> {
        self.with_algorithms(
            "dpop_signing_alg_values_supported",
            algorithms,
            algorithm::is_asymmetric,
        )
    }

    /// States: *every token must be bound to a key by DPoP* (RFC 9449). The layer that verifies tokens has
    /// to see to it.
    pub fn dpop_bound_access_tokens_required(self) -> Self {
        self.with("dpop_bound_access_tokens_required", true)
    }

    /// States: *tokens can be bound to the client's certificate* (RFC 8705). The layer that verifies tokens
    /// has to see to it.
    pub fn tls_client_certificate_bound_access_tokens(self) -> Self {
        self.with("tls_client_certificate_bound_access_tokens", true)
    }

    /// The types of authorization details (RFC 9396) that the resource understands.
    ///
    /// # Errors
    ///
    /// If one of them is empty.
    pub fn authorization_details_types_supported<'a>(
        self,
        types: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, MetadataError> {
        const MEMBER: &str = "authorization_details_types_supported";
        let types: Vec<_> = types.into_iter().collect();
        if types.contains(&"") {
            return Err(MetadataError::Empty { name: MEMBER.into() });
        }
        Ok(self.with(MEMBER, types))
    }

    /// One more member, of a profile or of your own. The name may end in `#` and a language tag.
    ///
    /// # Errors
    ///
    /// If the name is empty, longer than 128 bytes or not clean text; is, in any case, registered for metadata, as
    /// there are methods for all of those and some clients ignore case, or for JWTs, where `iss` or `exp` would mean
    /// something else; has no well-formed tag behind a `#`; or was added before.
    pub fn add_extension(
        mut self,
        name: &str,
        value: impl Into<Value>,
    ) -> Result<Self, MetadataError> {
        self.members.add(Name::extension(name)?, value)?;
        Ok(self)
    }

    /// Adds `signed_metadata` (RFC 9728 §2.2): the whole document once more, as claims of a JWT that `issuer`
    /// attests to. Clients that verify it take its claims and not the plain members.
    ///
    /// `issuer` is a URL that clients know whom to trust by, of the operator or of the resource itself. The JWT
    /// has no end: it is made once, when a layer is made of this metadata, and is good as long as its key is.
    ///
    /// # Errors
    ///
    /// If `issuer` is no `https` URL, or if the signer names no asymmetric algorithm, or an id of its key that is
    /// empty, longer than 256 bytes or not clean text.
    pub fn signed_by(
        mut self,
        issuer: &str,
        signer: impl SignMetadata + 'static,
    ) -> Result<Self, MetadataError> {
        self.attestation = Some(Attestation::new(issuer, signer)?);
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

    /// What challenges say of scopes.
    pub(crate) fn scopes(&self) -> &ScopeSet {
        self.challenge_scope.as_ref().unwrap_or(&self.scopes_supported)
    }

    /// The document, if it may be published.
    pub(crate) fn to_json(&self) -> Result<Bytes, MetadataError> {
        if self.authorization_servers.is_empty() {
            return Err(MetadataError::NoAuthorizationServer);
        }
        let mut members = self.members.clone();
        members.check()?;
        let mut set = |name, value: Value| members.set(Name::registered(name), value);
        set("resource", self.resource.as_str().into());
        let servers = self.authorization_servers.iter().map(|server| Value::from(&**server));
        set("authorization_servers", servers.collect());
        if !self.scopes_supported.is_empty() {
            let scopes = self.scopes_supported.iter().map(|scope| Value::from(scope.as_str()));
            set("scopes_supported", scopes.collect());
        }
        set("bearer_methods_supported", BEARER_METHODS.as_slice().into());
        if let Some(attestation) = &self.attestation {
            // "SHOULD NOT appear as a claim in the JWT": it is not there yet.
            let signed = attestation.sign(&members)?;
            members.set(Name::registered(SIGNED_METADATA), signed);
        }
        // Only maps with odd keys and foreign types can fail, and there are none.
        let document = serde_json::to_vec(&members).unwrap_or_default();
        if document.len() > MAX_BYTES {
            return Err(MetadataError::TooLarge { bytes: document.len() });
        }
        Ok(document.into())
    }

    fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.set(Name::registered(name), value);
        self
    }

    fn with_algorithms<'a>(
        self,
        member: &'static str,
        algorithms: impl IntoIterator<Item = &'a str>,
        is_fine: fn(&str) -> bool,
    ) -> Result<Self, MetadataError> {
        let algorithms: Vec<_> = algorithms.into_iter().collect();
        if !algorithms.iter().all(|name| is_fine(name)) {
            return Err(MetadataError::InvalidAlgorithm { member });
        }
        Ok(self.with(member, algorithms))
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metadata")
            .field("resource", &self.resource)
            .field("authorization_servers", &self.authorization_servers)
            .field("attestation", &self.attestation)
            .finish_non_exhaustive()
    }
}

fn without_offline_access(scopes: ScopeSet) -> Result<ScopeSet, MetadataError> {
    if scopes.contains(OFFLINE_ACCESS) {
        return Err(MetadataError::OfflineAccess);
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests;
