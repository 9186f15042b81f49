//! Where a request came from.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
};

use http::{HeaderMap, HeaderName, request::Parts};

use crate::Trail;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The network address of whoever sent the request, as established by something that can know.
///
/// Left in the request's extensions by the server's accept loop ([`peer`](Self::peer)), or by glue that
/// trusts a named number of proxies
/// ([`from_rightmost_x_forwarded_for`](Self::from_rightmost_x_forwarded_for)). There is no "smart" mode:
/// anyone can write `X-Forwarded-For`, so only you can say which of its entries to believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(IpAddr);

impl ClientAddr {
    /// The address at the other end of the connection. Right when clients connect directly.
    #[must_use]
    pub fn peer(addr: SocketAddr) -> Self {
        // An IPv4 client of a dual-stack socket is `::ffff:a.b.c.d`; it must not be a second identity.
        Self(addr.ip().to_canonical())
    }

    /// The entry of `X-Forwarded-For` that the outermost of `trusted_hops` proxies of your own wrote,
    /// counted from the right: with one proxy the last entry, with two the last but one.
    ///
    /// All lines of the header are read as one list.
    ///
    /// # Errors
    ///
    /// [`ForwardedForError`] if there are fewer entries than trusted proxies, or the entry is no
    /// address. Refuse such a request: it did not come through your proxies.
    pub fn from_rightmost_x_forwarded_for(
        headers: &HeaderMap,
        trusted_hops: NonZeroUsize,
    ) -> Result<Self, ForwardedForError> {
        let mut missing = trusted_hops.get();
        for line in headers.get_all(X_FORWARDED_FOR).iter().rev() {
            let line = line.to_str().map_err(|_| ForwardedForError::NotAnAddress)?;
            for entry in line.rsplit(',') {
                missing = missing.saturating_sub(1);
                if missing == 0 {
                    return parse_entry(entry.trim_matches([' ', '\t']));
                }
            }
        }
        Err(ForwardedForError::TooFewHops)
    }

    /// The address. IPv4 addresses are never in their IPv6-mapped form.
    #[must_use]
    pub const fn ip(&self) -> IpAddr {
        self.0
    }

    /// Leaves the address for the layers inside, and for the record.
    pub fn leave_in(self, request: &mut Parts) {
        if let Some(trail) = Trail::of(request) {
            trail.locate(self);
        }
        request.extensions.insert(self);
    }

    /// The address of a request, if something left one.
    #[must_use]
    pub fn of(request: &Parts) -> Option<Self> {
        request.extensions.get().copied()
    }
}

fn parse_entry(entry: &str) -> Result<ClientAddr, ForwardedForError> {
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    bare.parse::<IpAddr>()
        .or_else(|_| entry.parse::<SocketAddr>().map(|addr| addr.ip()))
        .map(|ip| ClientAddr(ip.to_canonical()))
        .map_err(|_| ForwardedForError::NotAnAddress)
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `X-Forwarded-For` does not say where the request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedForError {
    /// The entry that counts is no IP address.
    NotAnAddress,
    /// The list is shorter than the number of trusted proxies.
    TooFewHops,
}

impl fmt::Display for ForwardedForError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnAddress => "the forwarded entry is not an IP address",
            Self::TooFewHops => "fewer forwarded entries than trusted proxies",
        })
    }
}

impl Error for ForwardedForError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(lines: &[&str], hops: usize) -> Result<String, ForwardedForError> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        ClientAddr::from_rightmost_x_forwarded_for(&headers, NonZeroUsize::new(hops).unwrap())
            .map(|addr| addr.to_string())
    }

    #[test]
    fn rl_01_entries_left_of_the_trusted_proxies_are_never_believed() {
        use ForwardedForError as Refused;
        for (name, lines, hops, expected) in [
            ("one proxy", &["6.6.6.6, 192.0.2.1"][..], 1, Ok("192.0.2.1")),
            ("two proxies", &["6.6.6.6, 192.0.2.1, 10.0.0.1"], 2, Ok("192.0.2.1")),
            ("two lines are one list", &["6.6.6.6", "192.0.2.1"], 1, Ok("192.0.2.1")),
            ("second line counted first", &["192.0.2.1", "10.0.0.1"], 2, Ok("192.0.2.1")),
            ("port", &["192.0.2.1:4711"], 1, Ok("192.0.2.1")),
            ("brackets", &["[2001:db8::1]"], 1, Ok("2001:db8::1")),
            ("brackets and port", &["[2001:db8::1]:80"], 1, Ok("2001:db8::1")),
            ("mapped", &["::ffff:192.0.2.1"], 1, Ok("192.0.2.1")),
            ("none", &[], 1, Err(Refused::TooFewHops)),
            ("forged by a direct caller", &["6.6.6.6"], 2, Err(Refused::TooFewHops)),
            ("unknown", &["unknown"], 1, Err(Refused::NotAnAddress)),
            ("zone", &["fe80::1%eth0"], 1, Err(Refused::NotAnAddress)),
            ("empty", &["192.0.2.1, "], 1, Err(Refused::NotAnAddress)),
        ] {
            assert_eq!(from(lines, hops), expected.map(str::to_owned), "{name}");
        }
    }

    #[test]
    fn an_ipv4_peer_of_a_dual_stack_socket_is_an_ipv4_address() {
        let addr = ClientAddr::peer("[::ffff:192.0.2.7]:80".parse().unwrap());
        assert_eq!(addr.to_string(), "192.0.2.7");
    }
}
