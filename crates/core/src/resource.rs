//! The identifier of what is protected (RFC 8707 §2, RFC 9728 §1.2).

use std::{error::Error, fmt, net::IpAddr, str::FromStr, sync::Arc};

const MAX_BYTES: usize = 2048;

/// The identifier of a protected resource: the URI that clients ask tokens for and that tokens name as
/// their audience.
///
/// It is kept byte for byte. Nothing is normalized, because clients compare it with what they typed and
/// RFC 9728 §6 rules out anything but a comparison of code points: `https://example.com` and
/// `https://example.com/` are two resources.
///
/// ```
/// use palisade_core::Resource;
///
/// let resource = Resource::parse("https://mcp.example.com/mcp")?;
/// assert!(resource.is_named_by("HTTPS://MCP.example.com/mcp"), "scheme and host ignore case");
/// assert!(!resource.is_named_by("https://mcp.example.com/mcp/"), "and nothing else is forgiven");
/// assert!(Resource::parse("http://mcp.example.com").is_err(), "https, except on loopback");
/// # Ok::<_, palisade_core::InvalidResourceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    text: Arc<str>,
    /// Where the path, or the query, begins.
    authority_end: usize,
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
        Ok(Self { text: uri.into(), authority_end })
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

    /// Whether `audience` names this resource: scheme and host may differ in case, all else is equal
    /// byte for byte.
    ///
    /// The candidate is never parsed as a URL. URL parsers fold default ports, dot segments, full-width
    /// dots and backslashes together, and each of those foldings has been somebody's bypass.
    #[must_use]
    pub fn is_named_by(&self, audience: &str) -> bool {
        match audience.split_at_checked(self.authority_end) {
            Some((origin, rest)) => {
                origin.eq_ignore_ascii_case(self.origin()) && rest == self.path_and_query()
            }
            None => false,
        }
    }
}

/// The host of `host [":" port]`, if it looks like one.
fn host_of(authority: &str) -> Option<&str> {
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
            Self::TooLong => "the resource is longer than 2048 bytes",
            Self::UserInfo => "the resource has user information: remove what stands before `@`",
        })
    }
}

impl Error for InvalidResourceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_resource() {
        use InvalidResourceError as Invalid;
        for (uri, expected) in [
            ("mcp.example.com", Invalid::NotAbsolute),
            ("https://mcp.example.com#x", Invalid::Fragment),
            ("https://", Invalid::Host),
            ("https:///path", Invalid::Host),
            ("https://exa mple.com", Invalid::Character),
            ("https://mcp。example.com", Invalid::Character),
            ("https://example.com:port/", Invalid::Host),
            ("https://example.com:70000/", Invalid::Host),
            ("https://[::1", Invalid::Host),
            ("https://[zz]/", Invalid::Host),
            ("https://user@example.com", Invalid::UserInfo),
            ("http://example.com/mcp", Invalid::PlainHttp),
            ("http://127.0.0.1.example.com/mcp", Invalid::PlainHttp),
            ("ftp://example.com", Invalid::Scheme),
            ("https://example.com/a/../b", Invalid::DotSegment),
        ] {
            assert_eq!(Resource::parse(uri).unwrap_err(), expected, "{uri}");
        }
        let of_length = |bytes: usize| format!("{:a<bytes$}", "https://example.com/");
        Resource::parse(&of_length(2048)).unwrap();
        assert_eq!(Resource::parse(&of_length(2049)).unwrap_err(), Invalid::TooLong);
    }

    #[test]
    fn accepts_https_and_loopback_http() {
        for uri in [
            "https://mcp.example.com",
            "https://mcp.example.com/",
            "https://mcp.example.com:8443/a/b?tenant=x",
            "http://127.0.0.1:3900/mcp",
            "http://[::1]:3900/mcp",
            "http://localhost/mcp",
            "https://[2001:db8::1]/mcp",
        ] {
            let resource = Resource::parse(uri).unwrap();
            assert_eq!(format!("{}{}", resource.origin(), resource.path_and_query()), uri);
        }
    }

    #[test]
    fn aud_01_to_03_only_the_case_of_scheme_and_host_is_forgiven() {
        let resource = Resource::parse("https://mcp.example.com/mcp").unwrap();
        assert!(resource.is_named_by("https://mcp.example.com/mcp"));
        assert!(resource.is_named_by("HTTPS://MCP.EXAMPLE.COM/mcp"));
        for other in [
            "https://mcp.example.com.evil.com",
            "https://mcp.example.com.evil.com/mcp",
            "https://mcp.example.com@evil.com/mcp",
            "https://evil.com/#https://mcp.example.com/mcp",
            "https://mcp.example.com/mcp%00.evil",
            "https://mcp.example.com",
            "https://mcp.example.com/",
            "https://mcp.example.com/mcp2",
            "https://mcp.example.com/mcp/../admin",
            "https://mcp.example.com/mcp/",
            "https://mcp.example.com:443/mcp",
            "https://mcp.example.com/MCP",
            "https://mcp.example.com/%6dcp",
            "https://mcp。example.com/mcp",
            "https://mcp.example.com./mcp",
            "http://mcp.example.com/mcp",
            " https://mcp.example.com/mcp",
            "",
        ] {
            assert!(!resource.is_named_by(other), "{other}");
        }
    }
}
