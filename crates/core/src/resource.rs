//! The identifier of what is protected (RFC 8707 §2, RFC 9728 §1.2).

use std::{
    borrow::Cow,
    error::Error,
    fmt,
    hash::{Hash, Hasher},
    net::IpAddr,
    str::FromStr,
    sync::Arc,
};

use crate::is_unambiguous_path;

const MAX_BYTES: usize = 2048;

/// The identifier of a protected resource: the URI that clients ask tokens for and that tokens name as
/// their audience.
///
/// It is kept and published byte for byte, because clients compare it with what they typed (RFC 9728 §6).
///
/// # Slashes
///
/// One rule, for everything that compares a resource or looks one up:
///
/// - A bare origin with and without the slash at its end is one resource. RFC 9110 §4.2.3: "an empty path
///   component is equivalent to an absolute path of '/'". On the wire both are the same request.
/// - Every other path is exact: `/mcp` and `/mcp/` are two resources,
/// - unless you say that they are one, by [`ignore_final_slash`](Self::ignore_final_slash).
///
/// ```
/// use palisade_core::Resource;
///
/// let resource = Resource::parse("https://mcp.example.com/mcp")?;
/// assert!(resource.is_named_by("HTTPS://MCP.example.com/mcp"), "scheme and host ignore case");
/// assert!(!resource.is_named_by("https://mcp.example.com/mcp/"), "and nothing else is forgiven");
/// assert!(resource.ignore_final_slash().is_named_by("https://mcp.example.com/mcp/"), "unless you say so");
///
/// let origin = Resource::parse("https://mcp.example.com")?;
/// assert!(origin.is_named_by("https://mcp.example.com/"));
/// assert!(!origin.is_named_by("https://mcp.example.com/mcp"));
/// assert!(Resource::parse("http://mcp.example.com").is_err(), "https, except on loopback");
/// # Ok::<_, palisade_core::InvalidResourceError>(())
/// ```
///
/// # Equality
///
/// `==` compares identifiers, byte for byte, and nothing of what was said about them. Whether a text means
/// a resource is [`is_named_by`](Self::is_named_by).
#[derive(Clone, Debug)]
pub struct Resource {
    text: Arc<str>,
    /// Where the path, or the query, begins.
    authority_end: usize,
    final_slash: FinalSlash,
    /// Where its requests arrive, if not at its path.
    served_at: Option<Arc<str>>,
}

/// Whether a slash at the end of the path makes another resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FinalSlash {
    Counts,
    Ignored,
}

impl Resource {
    /// Reads a resource identifier.
    ///
    /// # Errors
    ///
    /// [`InvalidResourceError`] unless `uri` is an absolute `https` URI without fragment and user
    /// information. `http` is accepted for loopback hosts, for development.
    pub fn parse(uri: &str) -> Result<Self, InvalidResourceError> {
        use InvalidResourceError as Invalid;

        if uri.len() > MAX_BYTES {
            return Err(Invalid::TooLong);
        }
        if !uri.bytes().all(|byte| {
            byte.is_ascii_graphic()
                && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
        }) {
            return Err(Invalid::Character);
        }
        if uri.contains('#') {
            return Err(Invalid::Fragment);
        }
        let (scheme, rest) = uri.split_once("://").ok_or(Invalid::NotAbsolute)?;
        let https = scheme.eq_ignore_ascii_case("https");
        if !https && !scheme.eq_ignore_ascii_case("http") {
            return Err(Invalid::Scheme);
        }
        let authority_len = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path_and_query) =
            rest.split_at_checked(authority_len).ok_or(Invalid::Host)?;
        if authority.contains('@') {
            return Err(Invalid::UserInfo);
        }
        let host = host_of(authority).ok_or(Invalid::Host)?;
        if !https && !is_loopback(host) {
            return Err(Invalid::PlainHttp);
        }
        let path = path_and_query.split('?').next().unwrap_or_default();
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(Invalid::DotSegment);
        }
        let authority_end = uri.len().saturating_sub(path_and_query.len());
        Ok(Self {
            text: uri.into(),
            authority_end,
            final_slash: FinalSlash::Counts,
            served_at: None,
        })
    }

    /// States: *the path with and without the slash at its end is one resource.* For a service that answers
    /// the same at `/mcp` and at `/mcp/`, with clients that were given either.
    ///
    /// The identifier stays as it is: it is the one form that is published.
    ///
    /// # What you give up
    ///
    /// Nothing, if it is true. If another service answers at the other form, tokens for it open this one.
    #[must_use]
    pub fn ignore_final_slash(self) -> Self {
        Self { final_slash: FinalSlash::Ignored, ..self }
    }

    /// States: *requests for this resource arrive here at `path`*, because something in front rewrites the
    /// path. Say `/mcp` if clients are given `https://h/tenant/mcp` and a proxy takes `/tenant` away.
    ///
    /// The identifier, all that is published and what clients sign
    /// ([`Endpoints::public_path`](crate::Endpoints::public_path)) stay as clients see them. Only which requests
    /// are for this resource is decided by `path`.
    ///
    /// # Errors
    ///
    /// [`InvalidResourceError::ServedAt`] unless `path` begins with `/` and can be read in one way only.
    pub fn served_at(self, path: &str) -> Result<Self, InvalidResourceError> {
        if !is_unambiguous_path(path) {
            return Err(InvalidResourceError::ServedAt);
        }
        Ok(Self { served_at: Some(path.into()), ..self })
    }

    /// The identifier, byte for byte as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and authority, such as `https://mcp.example.com:8443`.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.get(..self.authority_end).unwrap_or_default()
    }

    /// Path and query, such as `/mcp`; empty if there are none.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        self.text.get(self.authority_end..).unwrap_or_default()
    }

    /// The path, as it is in requests for the identifier: `/` if the identifier has none.
    #[must_use]
    pub fn path(&self) -> &str {
        path_and_query(self.path_and_query()).0
    }

    /// The path of requests for this resource as they arrive here: [`path`](Self::path), or what was given
    /// to [`served_at`](Self::served_at).
    #[must_use]
    pub fn request_path(&self) -> &str {
        self.served_at.as_deref().unwrap_or_else(|| self.path())
    }

    /// Whether `audience` names this resource: scheme and host may differ in case, a final slash as the
    /// [rule](Self#slashes) has it, all else is equal byte for byte.
    ///
    /// The candidate is never parsed as a URL. URL parsers fold default ports, dot segments, full-width
    /// dots and backslashes together, and each of those foldings has been somebody's bypass.
    #[must_use]
    pub fn is_named_by(&self, audience: &str) -> bool {
        let Some((origin, rest)) = audience.split_at_checked(self.authority_end) else {
            return false;
        };
        let (path, query) = path_and_query(self.path_and_query());
        let (their_path, their_query) = path_and_query(rest);
        origin.eq_ignore_ascii_case(self.origin())
            && self.is_same_path(path, their_path)
            && query == their_query
    }

    /// Whether a request for `path` is a request for this resource: `path` is the
    /// [`request_path`](Self::request_path) or below it, by whole segments. `path` is as it was sent, with
    /// nothing decoded.
    ///
    /// Never, if the path [can be read in two ways](is_unambiguous_path): a router might take it for
    /// another's.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        is_unambiguous_path(path) && self.is_above(self.request_path(), path)
    }

    /// The path as the client sent it, of a request for this resource that arrives here at `path`.
    pub(crate) fn public_path<'a>(&self, path: &'a str) -> Option<Cow<'a, str>> {
        let (ours, theirs) = (self.request_path(), self.path());
        if !self.covers(path) {
            return None;
        }
        if ours == theirs {
            return Some(Cow::Borrowed(path));
        }
        let stem = theirs.strip_suffix('/').unwrap_or(theirs);
        let public = match path.strip_prefix(ours) {
            Some("") => theirs.to_owned(),
            Some(rest) => format!("{stem}/{}", rest.strip_prefix('/').unwrap_or(rest)),
            // The other form of a path whose final slash is ignored.
            None if stem.is_empty() => theirs.to_owned(),
            None => stem.to_owned(),
        };
        // Two paths that count as two here must not become one there.
        let is_new = path == ours || public != theirs || self.is_same_path(path, ours);
        is_new.then_some(Cow::Owned(public))
    }

    /// Whether `path` is `own` or below it.
    pub(crate) fn is_above(&self, own: &str, path: &str) -> bool {
        let is_below = || {
            let rest = path.strip_prefix(own);
            rest.is_some_and(|rest| own.ends_with('/') || rest.starts_with('/'))
        };
        self.is_same_path(own, path) || is_below()
    }

    /// The [rule](Self#slashes). No path may be empty.
    pub(crate) fn is_same_path(&self, one: &str, other: &str) -> bool {
        let without_slash = |path| str::strip_suffix(path, '/').unwrap_or(path);
        match self.final_slash {
            FinalSlash::Counts => one == other,
            FinalSlash::Ignored => without_slash(one) == without_slash(other),
        }
    }
}

/// The two parts, where no path is `/`.
fn path_and_query(both: &str) -> (&str, Option<&str>) {
    let (path, query) = match both.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (both, None),
    };
    (if path.is_empty() { "/" } else { path }, query)
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Resource {}

impl Hash for Resource {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// The host of `host [":" port]`, if it looks like one.
pub(crate) fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = if authority.starts_with('[') {
        let (host, rest) = authority.split_at_checked(authority.find(']')?.checked_add(1)?)?;
        (host, rest.strip_prefix(':').or_else(|| rest.is_empty().then_some("0"))?)
    } else {
        authority.split_once(':').unwrap_or((authority, "0"))
    };
    let known = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(literal) => literal.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        }
    };
    (known && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
        .then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || literal.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Resource {
    type Err = InvalidResourceError;

    fn from_str(uri: &str) -> Result<Self, Self::Err> {
        Self::parse(uri)
    }
}

/// A text is not a resource identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidResourceError {
    /// A character that no URI holds.
    Character,
    /// A `.` or `..` segment in the path: clients resolve it, and then ask for another resource.
    DotSegment,
    /// A fragment (RFC 8707 §2: "MUST NOT include a fragment component").
    Fragment,
    /// No host, or none that can be read.
    Host,
    /// No scheme and authority (RFC 8707 §2: "MUST be an absolute URI").
    NotAbsolute,
    /// `http` outside loopback.
    PlainHttp,
    /// Neither `https` nor `http`.
    Scheme,
    /// The path at which requests arrive is none, or can be read in two ways.
    ServedAt,
    /// More than 2048 bytes.
    TooLong,
    /// User information before the host.
    UserInfo,
}

impl fmt::Display for InvalidResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => {
                "the resource holds a character that no URI holds: percent-encode it"
            }
            Self::DotSegment => {
                "the resource has a `.` or `..` path segment: write the path it leads to"
            }
            Self::Fragment => "the resource has a fragment: remove the `#` and what follows",
            Self::Host => "the resource has no readable host: write `https://host/path`",
            Self::NotAbsolute => "the resource is not absolute: write `https://host/path`",
            Self::PlainHttp => "the resource is plain http and not on loopback: use `https`",
            Self::Scheme => "the resource is no web resource: use `https`",
            Self::ServedAt => {
                "requests cannot be served at this path: write it as it arrives, from the first \
                 slash on, without query, dot segments, empty segments and needless escapes"
            }
            Self::TooLong => "the resource is longer than 2048 bytes",
            Self::UserInfo => "the resource has user information: remove what stands before `@`",
        })
    }
}

impl Error for InvalidResourceError {}

#[cfg(test)]
mod tests;
