//! `htu` and the URI of the request, in one spelling (RFC 3986 §6.2.2, §6.2.3).
//!
//! RFC 9449 §4.3 recommends to normalize before comparing. A URL parser would do more than that: it folds
//! backslashes, full-width dots, tabs and numbers that look like addresses. Here, nothing is equal but what
//! RFC 3986 calls equivalent, and what is no URI is equal to nothing.

use std::sync::Arc;

use palisade_core::{Endpoints, Resource};

use super::DpopProofsError;

/// What proofs may be for.
#[derive(Clone)]
pub(super) struct Targets {
    origin: Origin,
    /// If something in front rewrites paths.
    rewritten: Option<Arc<Endpoints<()>>>,
}

impl Targets {
    pub(super) fn of(resource: &Resource) -> Result<Self, DpopProofsError> {
        if is_rewritten(resource) {
            return Self::per_endpoint([resource.clone()]);
        }
        Ok(Self { origin: Origin::of(resource)?, rewritten: None })
    }

    pub(super) fn per_endpoint(
        resources: impl IntoIterator<Item = Resource>,
    ) -> Result<Self, DpopProofsError> {
        let endpoints = Endpoints::new(resources.into_iter().map(|resource| (resource, ())))
            .map_err(|source| DpopProofsError::Endpoints { source })?;
        let resources = || endpoints.iter().map(|(resource, ())| resource);
        // They are all on one.
        let origin = resources().next().ok_or(DpopProofsError::NoOrigin).and_then(Origin::of)?;
        let is_rewritten = resources().any(is_rewritten);
        Ok(Self { origin, rewritten: is_rewritten.then(|| Arc::new(endpoints)) })
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin.0
    }

    /// The URI of a request that arrives at `path`, as its client wrote it, without its query. `None` if the path is
    /// none, or if nobody knows what it was.
    pub(super) fn target(&self, path: &str) -> Option<String> {
        match &self.rewritten {
            None => self.origin.target(path),
            Some(endpoints) => self.origin.target(&endpoints.public_path(path)?),
        }
    }
}

fn is_rewritten(resource: &Resource) -> bool {
    resource.request_path() != resource.path()
}

/// Scheme and authority in one spelling, such as `https://mcp.example.com:8443`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin(Box<str>);

impl Origin {
    fn of(resource: &Resource) -> Result<Self, DpopProofsError> {
        let origin = resource.origin().split_once("://");
        origin
            .and_then(|(scheme, authority)| canonical_origin(scheme, authority))
            .map(|origin| Self(origin.into()))
            .ok_or(DpopProofsError::NoOrigin)
    }

    fn target(&self, path: &str) -> Option<String> {
        Some(format!("{}{}", self.0, canonical_path(path)?))
    }
}

/// An `htu` in one spelling. `None` if it is no absolute web URI, or has what `htu` must not have: a query or
/// a fragment (RFC 9449 §4.2).
pub(super) fn canonical_htu(htu: &str) -> Option<String> {
    let (scheme, rest) = htu.split_once("://")?;
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let path = if path.is_empty() { "/" } else { path };
    Some(format!("{}{}", canonical_origin(scheme, authority)?, canonical_path(path)?))
}

fn canonical_origin(scheme: &str, authority: &str) -> Option<String> {
    let (scheme, default_port) = if scheme.eq_ignore_ascii_case("https") {
        ("https", "443")
    } else if scheme.eq_ignore_ascii_case("http") {
        ("http", "80")
    } else {
        return None;
    };
    let host_len = match authority.strip_prefix('[') {
        Some(literal) => literal.find(']')?.checked_add(2)?,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(host_len)?;
    let is_host = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'[' | b']' | b':')
    };
    if host.is_empty() || !host.bytes().all(is_host) {
        return None;
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => "",
        None => return None,
        Some(port) if port == default_port => "",
        Some(port) => port,
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    Some(if port.is_empty() {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{port}")
    })
}

/// Percent-encoding first, dot segments second: `%2e%2e` is a dot segment, too.
fn canonical_path(path: &str) -> Option<String> {
    let mut out: Vec<String> = Vec::new();
    let mut segments = path.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        let segment = canonical_segment(segment)?;
        let is_last = segments.peek().is_none();
        match segment.as_str() {
            "." | ".." => {
                if segment == ".." {
                    out.pop();
                }
                if is_last {
                    out.push(String::new());
                }
            }
            _ => out.push(segment),
        }
    }
    Some(out.iter().fold(String::new(), |path, segment| path + "/" + segment))
}

/// `None` unless it is `*pchar` (RFC 3986 §3.3).
fn canonical_segment(segment: &str) -> Option<String> {
    let mut out = String::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let encoded = hex(bytes.next()?)?.checked_mul(16)?.checked_add(hex(bytes.next()?)?)?;
            if is_unreserved(encoded) {
                out.push(char::from(encoded));
            } else {
                out.push_str(&format!("%{encoded:02X}"));
            }
        } else if is_unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            return None;
        }
    }
    Some(out)
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pop_02_only_what_rfc_3986_calls_equivalent_is_equal() {
        const HERE: &str = "https://mcp.example/a/b~c";
        let rows = [
            (HERE, true),
            ("HTTPS://MCP.Example/a/b~c", true),
            ("https://mcp.example:443/a/b~c", true),
            ("https://mcp.example:/a/b~c", true),
            ("https://mcp.example/a/b%7Ec", true),
            ("https://mcp.example/a/b%7ec", true),
            ("https://mcp.example/%61/b~c", true),
            ("https://mcp.example/a/./b~c", true),
            ("https://mcp.example/x/../a/b~c", true),
            ("https://mcp.example/x/%2e%2E/a/b~c", true),
            // Another path, host, scheme, port.
            ("https://mcp.example/a/B~c", false),
            ("https://mcp.example/a/b~c/", false),
            ("https://mcp.example/a//b~c", false),
            ("https://mcp.example//a/b~c", false),
            ("https://mcp.example/a%2Fb~c", false),
            ("https://mcp.example/a", false),
            ("https://mcp.example", false),
            ("https://mcp.example./a/b~c", false),
            ("https://mcp.example.evil.example/a/b~c", false),
            ("https://evil.example/a/b~c", false),
            ("http://mcp.example/a/b~c", false),
            ("http://mcp.example:443/a/b~c", false),
            ("https://mcp.example:80/a/b~c", false),
            ("https://mcp.example:8443/a/b~c", false),
            ("https://mcp.example:0443/a/b~c", false),
            // Nothing that `htu` may be.
            ("https://mcp.example/a/b~c?", false),
            ("https://mcp.example/a/b~c?x=1", false),
            ("https://mcp.example/a/b~c#", false),
            ("https://mcp.example?/a/b~c", false),
            ("https://user@mcp.example/a/b~c", false),
            ("https://mcp.example@evil.example/a/b~c", false),
            ("https://evil.example\\@mcp.example/a/b~c", false),
            ("https://mcp%2Eexample/a/b~c", false),
            ("https:\\\\mcp.example\\a\\b~c", false),
            ("https:/mcp.example/a/b~c", false),
            ("//mcp.example/a/b~c", false),
            ("/a/b~c", false),
            (" https://mcp.example/a/b~c", false),
            ("https://mcp.example/a/b~c ", false),
            ("https://mcp.example/a/b~c%", false),
            ("https://mcp.example/a/b~c%0", false),
            ("https://mcp.example/a/b%+7c", false),
            ("https://mcp\u{3002}example/a/b~c", false),
            ("ftp://mcp.example/a/b~c", false),
            ("", false),
        ];
        for (htu, is_here) in rows {
            assert_eq!(canonical_htu(htu).as_deref() == Some(HERE), is_here, "{htu}");
        }
    }

    #[test]
    fn the_target_is_built_from_configuration_and_path() {
        let target = |resource: &str, path| {
            Targets::of(&Resource::parse(resource).unwrap()).unwrap().target(path)
        };
        let rows = [
            ("https://MCP.example/mcp", "/mcp", Some("https://mcp.example/mcp")),
            ("https://mcp.example:443", "/", Some("https://mcp.example/")),
            ("https://mcp.example:8443/x", "/%7Ea/../b", Some("https://mcp.example:8443/b")),
            ("http://[::1]:3000", "/a", Some("http://[::1]:3000/a")),
            ("https://mcp.example", "*", None),
            ("https://mcp.example", "", None),
            ("https://mcp.example", "/a\\b", None),
            ("https://mcp.example", "/%zz", None),
        ];
        for (resource, path, expected) in rows {
            assert_eq!(target(resource, path).as_deref(), expected, "{resource} {path}");
        }
    }

    /// RFC 3986 §5.2.4, step by step, for the absolute paths that there are here.
    fn naive_remove_dot_segments(path: &str) -> String {
        let (mut input, mut output) = (path.to_owned(), String::new());
        while !input.is_empty() {
            if let Some(rest) = input.strip_prefix("/./") {
                input = format!("/{rest}");
            } else if input == "/." {
                input = "/".into();
            } else if let Some(rest) =
                input.strip_prefix("/../").or_else(|| (input == "/..").then_some(""))
            {
                input = format!("/{rest}");
                output.truncate(output.rfind('/').unwrap_or(0));
            } else {
                let rest = input.split_off(1);
                let (segment, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                output = format!("{output}/{segment}");
                input = rest.to_owned();
            }
        }
        output
    }

    proptest! {
        #[test]
        fn dot_segments_go_as_rfc_3986_says(path in "(/(\\.|\\.\\.|[ab]|\\.a|)){1,8}") {
            prop_assert_eq!(canonical_path(&path), Some(naive_remove_dot_segments(&path)));
        }

        #[test]
        fn one_spelling_stays_what_it_is(htu in "https?://[a-c.:0-9\\[\\]]{0,8}(/[a-b%.2eE~]{0,6}){0,4}") {
            if let Some(once) = canonical_htu(&htu) {
                prop_assert_eq!(canonical_htu(&once), Some(once));
            }
        }

        #[test]
        fn no_text_makes_it_panic(htu in any::<String>()) {
            let _ = canonical_htu(&htu);
        }
    }
}
