//! Where metadata is published (RFC 9728 §3.1).

use std::collections::BTreeMap;

use palisade_core::Resource;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Where clients look for metadata of an authorization server on the host of the resource, if they know of no
/// other: as MCP of 2025-03-26 has it, and when they cannot use the document.
const OF_AUTHORIZATION_SERVERS: [&str; 2] =
    ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

/// The URL of the metadata of a resource: the well-known path "between the host component and the path
/// and/or query components, if any".
pub(crate) fn url(resource: &Resource) -> String {
    let query = resource.path_and_query().split_once('?').map_or("", |(_, query)| query);
    let query_mark = if query.is_empty() { "" } else { "?" };
    format!("{}{WELL_KNOWN}{}{query_mark}{query}", resource.origin(), suffix(resource.path()))
}

/// "Any terminating slash following the host component MUST be removed."
fn suffix(path: &str) -> &str {
    if path == "/" { "" } else { path }
}

/// What a path is to the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The document with this number.
    Document(usize),
    /// None of ours to answer.
    Elsewhere,
    /// One where nothing is.
    Unknown,
}

/// Which paths lead to which document.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// By what follows the well-known path.
    documents: BTreeMap<Box<str>, usize>,
    /// Whose document is also at the bare well-known path.
    root: Option<usize>,
    authorization_servers: AuthorizationServers,
}

/// Who answers those who look for an authorization server here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AuthorizationServers {
    /// The layer: nothing is there.
    NotFound,
    /// The service.
    Service,
}

impl Paths {
    /// The resources have different paths, as [`Endpoints`](palisade_core::Endpoints) makes sure.
    pub(crate) fn of(resources: &[Resource]) -> Self {
        let mut documents = BTreeMap::new();
        // Where clients look; where a proxy sends them that shortens this path as it shortens all others;
        // and the other slash form of both, unless a resource of its own is there.
        let steps: [fn(&Resource) -> Vec<String>; 3] = [
            |resource| vec![suffix(resource.path()).to_owned()],
            |resource| below_root(resource.request_path()).into_iter().collect(),
            |resource| {
                let paths =
                    [Some(suffix(resource.path()).to_owned()), below_root(resource.request_path())];
                paths.into_iter().flatten().map(|path| other_slash_form(&path)).collect()
            },
        ];
        for paths_of in steps {
            for (number, resource) in resources.iter().enumerate() {
                for path in paths_of(resource) {
                    documents.entry(path.into()).or_insert(number);
                }
            }
        }
        Self { documents, root: None, authorization_servers: AuthorizationServers::NotFound }
    }

    pub(crate) const fn set_root(&mut self, owner: Option<usize>) {
        self.root = owner;
    }

    pub(crate) const fn leave_authorization_servers_to_service(&mut self) {
        self.authorization_servers = AuthorizationServers::Service;
    }

    /// Compares bytes. Nothing is decoded, resolved or folded: a path in any other spelling is not ours
    /// and takes its chances with the layers inside.
    pub(crate) fn place(&self, path: &str) -> Place {
        if let Some(rest) = below(WELL_KNOWN, path) {
            let root = || self.root.filter(|_| matches!(rest, "" | "/"));
            let number = self.documents.get(rest).copied().or_else(root);
            return number.map_or(Place::Unknown, Place::Document);
        }
        let is_asked_for =
            OF_AUTHORIZATION_SERVERS.iter().any(|known| below(known, path).is_some());
        match self.authorization_servers {
            AuthorizationServers::NotFound if is_asked_for => Place::Unknown,
            AuthorizationServers::NotFound | AuthorizationServers::Service => Place::Elsewhere,
        }
    }
}

/// What of `path` follows `start`, by whole segments.
fn below<'a>(start: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(start).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Not the root, whose owner is said and not guessed.
fn below_root(path: &str) -> Option<String> {
    (path != "/").then(|| path.to_owned())
}

/// Clients disagree on whether `/a` and `/a/` are one resource, so its document is at both.
fn other_slash_form(path: &str) -> String {
    path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned)
}

#[cfg(test)]
mod tests;
