//! Keys made of the client's address.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use http::request::Parts;
use palisade_core::ClientAddr;
use thiserror::Error;

use super::ExtractKey;

const IPV4_BITS: u8 = 32;
const IPV6_BITS: u8 = 128;
/// Where an overfull table falls back to. Registries hand out /48 (RFC 6177 §2) and /24.
const COARSE_IPV4_BITS: u8 = 24;
const COARSE_IPV6_BITS: u8 = 48;

/// One bucket for each client address; IPv6 addresses count by their network of 64 bits.
///
/// An IPv6 customer has at least 2^64 addresses and uses a new one for each request if that pays. What is
/// handed out to a customer is the network, /64 or larger, so that is what has the quota.
///
/// Needs a [`ClientAddr`], left by the accept loop or by glue that trusts your proxies and nobody else.
/// Everyone behind one address shares its bucket: be generous, and limit
/// [principals](crate::PerPrincipal) too.
///
/// If there is no room for one more address, its /24 or /48 is charged instead.
#[derive(Clone, Copy, Debug)]
pub struct PerClientAddr {
    ipv6_bits: u8,
}

impl PerClientAddr {
    /// One bucket for each IPv4 address and each IPv6 /64.
    #[must_use]
    pub const fn new() -> Self {
        Self { ipv6_bits: 64 }
    }

    /// Counts IPv6 addresses by their first `bits` bits, 48 to 128. Smaller numbers, such as 56, hold
    /// out against customers with large networks and put more neighbours into one bucket.
    ///
    /// With more than 64, everybody with an IPv6 connection has as many buckets as they like.
    ///
    /// # Errors
    ///
    /// [`InvalidPrefixError`] if `bits` is outside 48 to 128.
    pub const fn ipv6_prefix(self, bits: u8) -> Result<Self, InvalidPrefixError> {
        match bits {
            COARSE_IPV6_BITS..=IPV6_BITS => Ok(Self { ipv6_bits: bits }),
            _ => Err(InvalidPrefixError { bits }),
        }
    }
}

impl Default for PerClientAddr {
    fn default() -> Self {
        Self::new()
    }
}

impl ExtractKey for PerClientAddr {
    type Key = Network;

    fn key(&self, request: &Parts) -> Option<Network> {
        Some(match ClientAddr::of(request)?.ip() {
            IpAddr::V4(addr) => Network::of_ipv4(addr, IPV4_BITS),
            IpAddr::V6(addr) => Network::of_ipv6(addr, self.ipv6_bits),
        })
    }

    fn coarser(&self, key: &Network) -> Option<Network> {
        let coarse = match key.first {
            IpAddr::V4(addr) => Network::of_ipv4(addr, COARSE_IPV4_BITS),
            IpAddr::V6(addr) => Network::of_ipv6(addr, COARSE_IPV6_BITS),
        };
        (coarse != *key).then_some(coarse)
    }
}

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    fn of_ipv4(addr: Ipv4Addr, bits: u8) -> Self {
        let mask = u32::MAX.checked_shl(u32::from(IPV4_BITS.saturating_sub(bits))).unwrap_or(0);
        Self { first: Ipv4Addr::from_bits(addr.to_bits() & mask).into(), bits }
    }

    fn of_ipv6(addr: Ipv6Addr, bits: u8) -> Self {
        let mask = u128::MAX.checked_shl(u32::from(IPV6_BITS.saturating_sub(bits))).unwrap_or(0);
        Self { first: Ipv6Addr::from_bits(addr.to_bits() & mask).into(), bits }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// The length of an IPv6 prefix is outside 48 to 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "an IPv6 prefix of {bits} bits is outside 48 to 128; take 64, or 56 or 48 to count larger networks"
)]
pub struct InvalidPrefixError {
    bits: u8,
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn network(key: PerClientAddr, addr: &str) -> Network {
        let (mut parts, ()) = Request::new(()).into_parts();
        ClientAddr::peer((addr.parse::<IpAddr>().unwrap(), 443).into()).leave_in(&mut parts);
        key.key(&parts).unwrap()
    }

    #[test]
    fn rl_02_ipv6_counts_by_network_and_ipv4_by_address() {
        for (name, bits, addr, expected) in [
            ("IPv4", 64, "192.0.2.7", "192.0.2.7/32"),
            ("IPv4 has no prefix setting", 48, "192.0.2.7", "192.0.2.7/32"),
            ("mapped IPv4 is IPv4", 64, "::ffff:192.0.2.7", "192.0.2.7/32"),
            ("/64", 64, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("another address of the /64", 64, "2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("/56", 56, "2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
            ("/48", 48, "2001:db8:1:2::1", "2001:db8:1::/48"),
            ("whole", 128, "2001:db8:1:2::1", "2001:db8:1:2::1/128"),
        ] {
            let key = PerClientAddr::new().ipv6_prefix(bits).unwrap();
            assert_eq!(network(key, addr).to_string(), expected, "{name}");
        }
        let default = network(PerClientAddr::default(), "2001:db8:1:2::1");
        assert_eq!(default.to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_prefix_outside_its_range_is_an_error() {
        for (bits, fine) in [(0, false), (47, false), (48, true), (128, true), (129, false)] {
            assert_eq!(PerClientAddr::new().ipv6_prefix(bits).is_ok(), fine, "{bits}");
        }
    }

    #[test]
    fn addresses_fall_back_to_the_network_around_them() {
        for (addr, bits, expected) in [
            ("192.0.2.7", 64, Some("192.0.2.0/24")),
            ("2001:db8:1:2::1", 64, Some("2001:db8:1::/48")),
            ("2001:db8:1:2::1", 48, None),
        ] {
            let key = PerClientAddr::new().ipv6_prefix(bits).unwrap();
            let coarser = key.coarser(&network(key, addr)).map(|network| network.to_string());
            assert_eq!(coarser.as_deref(), expected, "{addr} by {bits}");
        }
    }

    #[test]
    fn no_address_is_no_key() {
        let (parts, ()) = Request::new(()).into_parts();
        assert!(PerClientAddr::new().key(&parts).is_none());
    }
}
