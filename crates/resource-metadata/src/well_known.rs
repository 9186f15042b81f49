//! Where metadata is published (RFC 9728 §3.1).

use palisade_core::Resource;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The URL of the metadata of a resource: the well-known path "between the host component and the path
/// and/or query components, if any".
pub(crate) fn url(resource: &Resource) -> String {
    let (path, query) = path_and_query(resource);
    let query_mark = if query.is_empty() { "" } else { "?" };
    format!("{}{WELL_KNOWN}{path}{query_mark}{query}", resource.origin())
}

/// "Any terminating slash following the host component MUST be removed."
fn path_and_query(resource: &Resource) -> (&str, &str) {
    let both = resource.path_and_query();
    let (path, query) = both.split_once('?').unwrap_or((both, ""));
    (if path == "/" { "" } else { path }, query)
}

/// What a path is to the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The document of the resource.
    Document,
    /// Not below the well-known path.
    Elsewhere,
    /// Below the well-known path, and nothing of ours.
    Unknown,
}

/// Which paths lead to the document.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// What follows the well-known path, without a slash at its end.
    suffix: Box<str>,
    pub(crate) root: Root,
}

/// Whether the document is also at the bare well-known path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    Alias,
    Unused,
}

impl Paths {
    pub(crate) fn of(resource: &Resource) -> Self {
        let (path, _) = path_and_query(resource);
        Self { suffix: without_slash(path).into(), root: Root::Alias }
    }

    /// Compares bytes. Nothing is decoded, resolved or folded: a path in any other spelling is not ours
    /// and takes its chances with the layers inside.
    pub(crate) fn place(&self, path: &str) -> Place {
        match path.strip_prefix(WELL_KNOWN) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                let rest = without_slash(rest);
                let is_root = rest.is_empty() && self.root == Root::Alias;
                if is_root || rest == &*self.suffix { Place::Document } else { Place::Unknown }
            }
            _ => Place::Elsewhere,
        }
    }
}

/// Clients disagree on whether `/a` and `/a/` are one resource, so its document is at both.
fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(uri: &str) -> Resource {
        Resource::parse(uri).unwrap()
    }

    #[test]
    fn the_well_known_path_goes_between_host_and_path() {
        for (uri, expected) in [
            ("https://h", "https://h/.well-known/oauth-protected-resource"),
            ("https://h/", "https://h/.well-known/oauth-protected-resource"),
            ("https://h/a", "https://h/.well-known/oauth-protected-resource/a"),
            ("https://h/a/", "https://h/.well-known/oauth-protected-resource/a/"),
            ("https://h/a/b", "https://h/.well-known/oauth-protected-resource/a/b"),
            ("https://h:8443/a", "https://h:8443/.well-known/oauth-protected-resource/a"),
            ("https://h?x=1", "https://h/.well-known/oauth-protected-resource?x=1"),
            ("https://h/?x=1", "https://h/.well-known/oauth-protected-resource?x=1"),
            ("https://h/a?x=1/2", "https://h/.well-known/oauth-protected-resource/a?x=1/2"),
            ("http://[::1]:80/a", "http://[::1]:80/.well-known/oauth-protected-resource/a"),
        ] {
            assert_eq!(url(&resource(uri)), expected, "{uri}");
        }
    }

    #[test]
    fn prm_02_only_exact_paths_lead_to_the_document() {
        use Place::{Document, Elsewhere, Unknown};

        const W: &str = WELL_KNOWN;
        for (name, uri, path, expected) in [
            ("inserted", "https://h/a/b", format!("{W}/a/b"), Document),
            ("inserted, other slash form", "https://h/a/b", format!("{W}/a/b/"), Document),
            ("slash, same form", "https://h/a/", format!("{W}/a/"), Document),
            ("slash, other form", "https://h/a/", format!("{W}/a"), Document),
            ("root", "https://h/a/b", W.to_owned(), Document),
            ("root with slash", "https://h/a/b", format!("{W}/"), Document),
            ("resource at the root", "https://h", W.to_owned(), Document),
            ("resource with a query", "https://h/a?x=1", format!("{W}/a"), Document),
            ("two slashes", "https://h/a", format!("{W}/a//"), Unknown),
            ("slashes between", "https://h/a", format!("{W}//a"), Unknown),
            ("a parent of it", "https://h/a/b", format!("{W}/a"), Unknown),
            ("a child of it", "https://h/a", format!("{W}/a/b"), Unknown),
            ("another resource", "https://h/a", format!("{W}/b"), Unknown),
            ("other case", "https://h/a", format!("{W}/A"), Unknown),
            ("encoded", "https://h/a", format!("{W}/%61"), Unknown),
            ("dot segments", "https://h/a", format!("{W}/../../a"), Unknown),
            ("dot segments to it", "https://h/a", format!("{W}/./a"), Unknown),
            ("parameters", "https://h/a", format!("{W}/a;x"), Unknown),
            ("the resource itself", "https://h/a", "/a".to_owned(), Elsewhere),
            ("appended instead", "https://h/a", format!("/a{W}"), Elsewhere),
            ("a longer name", "https://h/a", format!("{W}s"), Elsewhere),
            ("a longer name below", "https://h/a", format!("{W}s/a"), Elsewhere),
            ("other case above", "https://h/a", W.to_uppercase(), Elsewhere),
            ("encoded above", "https://h/a", W.replace(".well", "%2ewell"), Elsewhere),
            ("slashes before", "https://h/a", format!("/{W}/a"), Elsewhere),
            (
                "another well-known",
                "https://h/a",
                "/.well-known/openid-configuration".to_owned(),
                Elsewhere,
            ),
        ] {
            assert_eq!(Paths::of(&resource(uri)).place(&path), expected, "{name}");
        }
    }

    #[test]
    fn the_root_can_be_left_to_others() {
        let mut paths = Paths::of(&resource("https://h/a"));
        paths.root = Root::Unused;
        assert_eq!(paths.place(WELL_KNOWN), Place::Unknown);
        assert_eq!(paths.place("/.well-known/oauth-protected-resource/a"), Place::Document);

        let mut paths = Paths::of(&resource("https://h"));
        paths.root = Root::Unused;
        assert_eq!(paths.place(WELL_KNOWN), Place::Document, "it is the only place there is");
    }
}
