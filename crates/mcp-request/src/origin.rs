//! Who may be addressed, and from which pages: the defence against DNS rebinding.
//!
//! A page at `http://evil.example` can have its own name resolve to the address of this server. The
//! browser then talks to us and believes to talk to the page's own site. It cannot help naming that
//! site, in `Host` and in `Origin`.

use std::net::Ipv6Addr;

use http::{
    HeaderMap, Uri,
    header::{HOST, ORIGIN},
    request::Parts,
};

use palisade_core::{InvalidOriginError, Origin};

use crate::error::InvalidHostError;

/// What is wrong with the `Host` or the `Origin` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misdirected {
    /// No host, several, or something else than a host (RFC 9112 §3.2 demands 400).
    HostMalformed,
    HostNotAllowed,
    OriginNotAllowed,
}

/// Which hosts and origins are allowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addressees {
    hosts: Allowed<HostPattern>,
    origins: Allowed<Origin>,
    null_origin: NullOrigin,
}

/// A list, or what stands in for one that nobody wrote.
#[derive(Clone, Debug, Default)]
enum Allowed<T> {
    Any,
    Listed(Vec<T>),
    /// This machine, at any port.
    #[default]
    Loopback,
}

#[derive(Clone, Copy, Debug, Default)]
enum NullOrigin {
    Allowed,
    #[default]
    Refused,
}

impl Addressees {
    pub(crate) fn allow_host(&mut self, host: &str) -> Result<(), InvalidHostError> {
        let pattern = HostPattern::parse(host).ok_or_else(|| InvalidHostError(host.into()))?;
        self.hosts.add(pattern);
        Ok(())
    }

    pub(crate) fn allow_any_host(&mut self) {
        self.hosts = Allowed::Any;
    }

    pub(crate) fn allow_origin(&mut self, origin: &str) -> Result<(), InvalidOriginError> {
        self.origins.add(Origin::parse(origin)?);
        Ok(())
    }

    pub(crate) fn allow_any_origin(&mut self) {
        self.origins = Allowed::Any;
    }

    pub(crate) fn allow_null_origin(&mut self) {
        self.null_origin = NullOrigin::Allowed;
    }

    pub(crate) fn check(&self, request: &Parts) -> Result<(), Misdirected> {
        self.check_host(&request.headers, &request.uri)?;
        self.check_origin(&request.headers)
    }

    fn check_host(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Misdirected> {
        let mut lines = headers.get_all(HOST).iter();
        let header = match (lines.next(), lines.next()) {
            (None, _) => None,
            (Some(line), None) => Some(line.as_bytes()),
            (Some(_), Some(_)) => return Err(Misdirected::HostMalformed),
        };
        let parse = |text| HostRef::parse(text).ok_or(Misdirected::HostMalformed);
        let header = header.map(parse).transpose()?;
        // HTTP/2 names the host in `:authority`, which is the authority of the URI here.
        let authority =
            uri.authority().map(|authority| parse(authority.as_str().as_bytes())).transpose()?;
        let host = match (header, authority) {
            // Of two different hosts, one would be checked and the other one served.
            (Some(header), Some(authority)) if !header.is_same(authority) => {
                return Err(Misdirected::HostNotAllowed);
            }
            (Some(host), _) | (None, Some(host)) => host,
            (None, None) => return Err(Misdirected::HostMalformed),
        };
        let is_allowed = match &self.hosts {
            Allowed::Any => true,
            Allowed::Listed(patterns) => patterns.iter().any(|pattern| pattern.covers(host)),
            Allowed::Loopback => host.is_loopback(),
        };
        if is_allowed { Ok(()) } else { Err(Misdirected::HostNotAllowed) }
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Misdirected> {
        let mut lines = headers.get_all(ORIGIN).iter();
        let origin = match (lines.next(), lines.next()) {
            // Only browsers send origins, and they do so with every POST.
            (None, _) => return Ok(()),
            (Some(line), None) => line.as_bytes(),
            (Some(_), Some(_)) => return Err(Misdirected::OriginNotAllowed),
        };
        let is_allowed = match &self.origins {
            Allowed::Any => true,
            Allowed::Listed(list) => list.iter().any(|known| known.is_named_by(origin)),
            Allowed::Loopback => str::from_utf8(origin)
                .is_ok_and(|origin| Origin::parse(origin).is_ok_and(|page| page.is_loopback())),
        };
        let is_allowed_null = origin == b"null" && matches!(self.null_origin, NullOrigin::Allowed);
        if is_allowed || is_allowed_null { Ok(()) } else { Err(Misdirected::OriginNotAllowed) }
    }
}

impl<T> Allowed<T> {
    fn add(&mut self, item: T) {
        match self {
            Self::Any => {}
            Self::Listed(list) => list.push(item),
            Self::Loopback => *self = Self::Listed(vec![item]),
        }
    }
}

/// Host and port as a request names them.
#[derive(Clone, Copy, Debug)]
struct HostRef<'a> {
    name: &'a str,
    port: Option<u16>,
}

impl<'a> HostRef<'a> {
    /// `uri-host [ ":" port ]` (RFC 9110 §7.2), without the characters that no host in use has.
    fn parse(text: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let end_of_name = match text.strip_prefix('[') {
            Some(literal) => literal.find(']')?.checked_add(2)?,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (name, port) = text.split_at_checked(end_of_name)?;
        if !is_host(name) {
            return None;
        }
        let port = match port.strip_prefix(':') {
            Some(digits) => Some(parse_port(digits)?),
            None if port.is_empty() => None,
            None => return None,
        };
        Some(Self { name, port })
    }

    /// Without the scheme we cannot tell which of the two a service without a port means.
    fn port_unless_default(self) -> Option<u16> {
        self.port.filter(|port| !matches!(port, 80 | 443))
    }

    fn is_same(self, other: Self) -> bool {
        self.name.eq_ignore_ascii_case(other.name)
            && self.port_unless_default() == other.port_unless_default()
    }

    fn is_loopback(self) -> bool {
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| self.name.eq_ignore_ascii_case(own))
    }
}

fn is_host(name: &str) -> bool {
    match name.strip_prefix('[') {
        Some(literal) => {
            literal.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
        }
        None => {
            let is_host_byte =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            !name.is_empty() && name.bytes().all(is_host_byte)
        }
    }
}

/// Digits only: `parse` alone would take `+443`.
fn parse_port(digits: &str) -> Option<u16> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// A host to allow.
#[derive(Clone, Debug)]
struct HostPattern {
    name: Box<str>,
    port: Port,
}

#[derive(Clone, Copy, Debug)]
enum Port {
    Any,
    Exactly(Option<u16>),
}

impl HostPattern {
    fn parse(text: &str) -> Option<Self> {
        let (host, is_any_port) = match text.strip_suffix(":*") {
            Some(host) => (host, true),
            None => (text, false),
        };
        let host = HostRef::parse(host.as_bytes())?;
        let port = match (is_any_port, host.port) {
            (true, None) => Port::Any,
            (true, Some(_)) => return None,
            (false, _) => Port::Exactly(host.port_unless_default()),
        };
        Some(Self { name: host.name.into(), port })
    }

    fn covers(&self, host: HostRef<'_>) -> bool {
        let is_port = match self.port {
            Port::Any => true,
            Port::Exactly(port) => port == host.port_unless_default(),
        };
        is_port && self.name.eq_ignore_ascii_case(host.name)
    }
}

#[cfg(test)]
mod tests;
