//! Several resources behind one stack.

use std::{borrow::Cow, error::Error, fmt};

use crate::{Resource, is_unambiguous_path};

/// Several resources on one host, each with what belongs to it, found by the path of a request.
///
/// A request belongs to the resource with the longest path that [covers](Resource::covers) it. Nothing but the
/// path is looked at, and it only chooses among what was configured: neither `Host` nor any other header can
/// make a request belong to another resource.
///
/// ```
/// use palisade_core::{Endpoints, Resource};
///
/// let endpoints = Endpoints::new([
///     (Resource::parse("https://h/")?, "everything else"),
///     (Resource::parse("https://h/files")?, "files"),
/// ])?;
/// assert_eq!(endpoints.find("/files/1"), Some(&"files"));
/// assert_eq!(endpoints.find("/filesystem"), Some(&"everything else"));
/// assert_eq!(endpoints.find("/x/../files"), None, "who reads it as what is anybody's guess");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Endpoints<T> {
    /// The longest path first.
    entries: Vec<(Resource, T)>,
}

impl<T> Endpoints<T> {
    /// Takes the resources in any order.
    ///
    /// # Errors
    ///
    /// [`EndpointsError`] if there are none, if they are not on one origin, or if a path does not say which
    /// of them is meant. What counts as one path is the [rule](Resource#slashes) of the resources, and of a
    /// resource that is [served at](Resource::served_at) another path both paths count.
    pub fn new(entries: impl IntoIterator<Item = (Resource, T)>) -> Result<Self, EndpointsError> {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if entries.is_empty() {
            return Err(EndpointsError::Empty);
        }
        let mut rest = entries.as_slice();
        while let Some(((one, _), others)) = rest.split_first() {
            if !is_unambiguous_path(one.request_path()) {
                return Err(EndpointsError::AmbiguousPath { resource: one.clone() });
            }
            for (other, _) in others {
                let both = || (one.clone(), other.clone());
                if !one.origin().eq_ignore_ascii_case(other.origin()) {
                    let (one, other) = both();
                    return Err(EndpointsError::DifferentOrigins { one, other });
                }
                if share_a_path(one, other) {
                    let (one, other) = both();
                    return Err(EndpointsError::SamePath { one, other });
                }
            }
            rest = others;
        }
        entries.sort_by_key(|(resource, _)| std::cmp::Reverse(resource.request_path().len()));
        Ok(Self { entries })
    }

    /// What belongs to the resource that a request for `path` is for. `path` is as it was sent, with nothing
    /// decoded. None if no resource covers it, and none if it can be read in two ways.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&T> {
        self.entry(path).map(|(_, item)| item)
    }

    fn entry(&self, path: &str) -> Option<&(Resource, T)> {
        // INVARIANT: the longest comes first, and no two cover the same path at the same length. Whether it is read in
        // one way is asked once, as anybody may send long paths.
        if !is_unambiguous_path(path) {
            return None;
        }
        self.entries.iter().find(|(resource, _)| resource.is_above(resource.request_path(), path))
    }

    /// The path as the client sent it, of a request that arrives here at `path`: the same, unless its resource is
    /// [served at](Resource::served_at) another path than its own. Then the one stands in the place of the other.
    ///
    /// No two paths that arrive here have one path there, so what a client signed for one request is good for no
    /// other. Hence none, too, if that path belongs to another resource: whatever sent the request here, it was not
    /// what you described. None also where [`find`](Self::find) finds none.
    ///
    /// ```
    /// use palisade_core::{Endpoints, Resource};
    ///
    /// let endpoints = Endpoints::new([
    ///     (Resource::parse("https://h/tenant/files")?.served_at("/files")?, ()),
    ///     (Resource::parse("https://h/mail")?, ()),
    /// ])?;
    /// assert_eq!(endpoints.public_path("/files/1").as_deref(), Some("/tenant/files/1"));
    /// assert_eq!(endpoints.public_path("/mail/1").as_deref(), Some("/mail/1"));
    /// assert_eq!(endpoints.public_path("/tenant/files/1"), None, "no request arrives there");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn public_path<'a>(&self, path: &'a str) -> Option<Cow<'a, str>> {
        let (resource, _) = self.entry(path)?;
        let public = resource.public_path(path)?;
        let is_anothers = self.entries.iter().any(|(other, _)| {
            other.path().len() > resource.path().len() && other.is_above(other.path(), &public)
        });
        (!is_anothers).then_some(public)
    }

    /// All resources and what belongs to them, the longest path first.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Resource, &T)> {
        self.entries.iter().map(|(resource, item)| (resource, item))
    }
}

/// Whether a path of the one, as clients or as we see it, is also one of the other.
fn share_a_path(one: &Resource, other: &Resource) -> bool {
    [one.path(), one.request_path()].into_iter().any(|path| {
        [other.path(), other.request_path()].into_iter().any(|their_path| {
            one.is_same_path(path, their_path) || other.is_same_path(path, their_path)
        })
    })
}

/// Resources cannot be told apart by the path of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointsError {
    /// A path that can be read in two ways.
    AmbiguousPath {
        /// Whose path it is.
        resource: Resource,
    },
    /// Two hosts, schemes or ports.
    DifferentOrigins {
        /// One of the two.
        one: Resource,
        /// The other.
        other: Resource,
    },
    /// No resource.
    Empty,
    /// One path.
    SamePath {
        /// One of the two.
        one: Resource,
        /// The other.
        other: Resource,
    },
}

impl fmt::Display for EndpointsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AmbiguousPath { resource } => write!(
                f,
                "the path of `{resource}` can be read in more than one way, so that no request is for \
                 it: leave out empty segments, parameters and needless escapes"
            ),
            Self::DifferentOrigins { one, other } => write!(
                f,
                "`{one}` and `{other}` are not on one origin, and requests are told apart by their path \
                 only: give each origin its own stack, and choose between them outside"
            ),
            Self::Empty => f.write_str("there is no resource: give at least one"),
            Self::SamePath { one, other } => write!(
                f,
                "`{one}` and `{other}` share a path, so that requests cannot be told apart: give each a \
                 path of its own, also where it is served"
            ),
        }
    }
}

impl Error for EndpointsError {}

#[cfg(test)]
mod tests;
