//! Addresses and networks, and the tables in which they are found.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// An IP address or a network of them in CIDR notation: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`.
///
/// An IPv6 customer has a /64 at least, so to deny one IPv6 address is to deny nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// One address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        // Addresses of clients never come in their IPv6-mapped form.
        let first = address.to_canonical();
        let prefix_bits = if first.is_ipv4() { 32 } else { 128 };
        Self { first, prefix_bits }
    }

    /// Reads an address or a network.
    ///
    /// # Errors
    ///
    /// [`InvalidNetworkError`] if it is neither; if bits are set behind the prefix, because nobody can know
    /// which of the two was meant; or if IPv4 is written as IPv6.
    pub fn parse(text: &str) -> Result<Self, InvalidNetworkError> {
        use InvalidNetworkError as E;

        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let first: IpAddr = address.parse().map_err(|_| E::NotAnAddress)?;
        if first.to_canonical() != first {
            return Err(E::Mapped);
        }
        let single = Self::of(first);
        let Some(prefix) = prefix else { return Ok(single) };
        // One form: `parse` alone would take a sign and leading zeros.
        let is_plain = prefix.bytes().all(|byte| byte.is_ascii_digit())
            && (prefix == "0" || !prefix.starts_with('0'));
        let prefix_bits = prefix.parse().ok().filter(|_| is_plain).ok_or(E::Prefix)?;
        if prefix_bits > single.prefix_bits {
            return Err(E::Prefix);
        }
        let network = Self { first, prefix_bits };
        if network.masked() == first { Ok(network) } else { Err(E::HostBits) }
    }

    /// Whether the address is in the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => mask_v4(address, self.prefix_bits) == first,
            (IpAddr::V6(first), IpAddr::V6(address)) => mask_v6(address, self.prefix_bits) == first,
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    const fn masked(self) -> IpAddr {
        match self.first {
            IpAddr::V4(first) => IpAddr::V4(mask_v4(first, self.prefix_bits)),
            IpAddr::V6(first) => IpAddr::V6(mask_v6(first, self.prefix_bits)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_bits)
    }
}

impl FromStr for Network {
    type Err = InvalidNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A text is no address and no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNetworkError {
    /// There are bits behind the prefix.
    #[error("the address has bits behind its prefix; write the first address of the network")]
    HostBits,
    /// An IPv4 address in IPv6.
    #[error("an IPv4 address is written as IPv6; write it as IPv4")]
    Mapped,
    /// No IP address.
    #[error("not an IP address, or one with a prefix length such as `192.0.2.0/24`")]
    NotAnAddress,
    /// No prefix length of such an address.
    #[error("the prefix length is no number from 0 to 32 (IPv4) or 128 (IPv6)")]
    Prefix,
}

const fn mask_v4(address: Ipv4Addr, bits: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(address.to_bits() & leading_ones_v4(bits))
}

const fn mask_v6(address: Ipv6Addr, bits: u8) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & leading_ones_v6(bits))
}

/// A shift by all bits is no shift for a processor, so it is asked for in words.
const fn leading_ones_v4(bits: u8) -> u32 {
    match u32::MAX.checked_shr(bits as u32) {
        Some(tail) => !tail,
        None => u32::MAX,
    }
}

const fn leading_ones_v6(bits: u8) -> u128 {
    match u128::MAX.checked_shr(bits as u32) {
        Some(tail) => !tail,
        None => u128::MAX,
    }
}

/// What is known of networks. A lookup costs one hash for each length of prefix that is in use, 33 and 129 at
/// most, however many networks there are.
#[derive(Clone, Debug)]
pub(super) struct NetworkTable<T> {
    lengths_v4: Vec<u8>,
    lengths_v6: Vec<u8>,
    entries: HashMap<Network, T>,
}

impl<T> Default for NetworkTable<T> {
    fn default() -> Self {
        Self { lengths_v4: Vec::new(), lengths_v6: Vec::new(), entries: HashMap::new() }
    }
}

impl<T: Default> NetworkTable<T> {
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.values()
    }

    pub(super) fn entry(&mut self, network: Network) -> &mut T {
        let lengths =
            if network.first.is_ipv4() { &mut self.lengths_v4 } else { &mut self.lengths_v6 };
        if !lengths.contains(&network.prefix_bits) {
            lengths.push(network.prefix_bits);
        }
        self.entries.entry(network).or_default()
    }

    /// Keeps what `keep` says, and forgets lengths that nothing has any more.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.entries.retain(|_, value| keep(value));
        let entries = &self.entries;
        let in_use = |v4: bool, bits: &u8| {
            entries.keys().any(|n| n.first.is_ipv4() == v4 && n.prefix_bits == *bits)
        };
        self.lengths_v4.retain(|bits| in_use(true, bits));
        self.lengths_v6.retain(|bits| in_use(false, bits));
    }

    /// What is known of the networks that an address is in.
    pub(super) fn containing(&self, address: IpAddr) -> impl Iterator<Item = &T> {
        let lengths = if address.is_ipv4() { &self.lengths_v4 } else { &self.lengths_v6 };
        lengths.iter().filter_map(move |bits| {
            let network = Network { first: address, prefix_bits: *bits };
            self.entries.get(&Network { first: network.masked(), prefix_bits: *bits })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_are_read_strictly() {
        use InvalidNetworkError as E;
        for (name, text, expected) in [
            ("one IPv4 address", "192.0.2.7", Ok("192.0.2.7/32")),
            ("one IPv6 address", "2001:db8::1", Ok("2001:db8::1/128")),
            ("a network", "192.0.2.0/24", Ok("192.0.2.0/24")),
            ("a network of IPv6", "2001:db8::/32", Ok("2001:db8::/32")),
            ("all of IPv4", "0.0.0.0/0", Ok("0.0.0.0/0")),
            ("all of IPv6", "::/0", Ok("::/0")),
            ("a whole prefix", "192.0.2.7/32", Ok("192.0.2.7/32")),
            ("host bits", "192.0.2.7/24", Err(E::HostBits)),
            ("host bits of IPv6", "2001:db8::1/64", Err(E::HostBits)),
            ("mapped", "::ffff:192.0.2.7", Err(E::Mapped)),
            ("a mapped network", "::ffff:192.0.2.0/120", Err(E::Mapped)),
            ("too long a prefix", "192.0.2.0/33", Err(E::Prefix)),
            ("too long a prefix of IPv6", "2001:db8::/129", Err(E::Prefix)),
            ("a prefix that wraps", "0.0.0.0/256", Err(E::Prefix)),
            ("a signed prefix", "192.0.2.0/+24", Err(E::Prefix)),
            ("a padded prefix", "192.0.2.0/024", Err(E::Prefix)),
            ("no prefix", "192.0.2.0/", Err(E::Prefix)),
            ("two prefixes", "192.0.2.0/24/24", Err(E::Prefix)),
            ("a padded address", "192.0.02.0", Err(E::NotAnAddress)),
            ("a zone", "fe80::1%eth0", Err(E::NotAnAddress)),
            ("a name", "example.org", Err(E::NotAnAddress)),
            ("empty", "", Err(E::NotAnAddress)),
        ] {
            let read = Network::parse(text).map(|network| network.to_string());
            assert_eq!(read.as_deref().map_err(|e| *e), expected, "{name}");
        }
    }

    #[test]
    fn an_ipv4_client_of_an_ipv6_socket_is_the_same_client() {
        let network = Network::parse("192.0.2.0/24").unwrap();
        assert!(network.contains(ip("::ffff:192.0.2.7")));
        assert_eq!(Network::of(ip("::ffff:192.0.2.7")), Network::of(ip("192.0.2.7")));
        assert!(!Network::parse("::/0").unwrap().contains(ip("::ffff:192.0.2.7")));
    }

    #[test]
    fn lengths_that_nothing_has_any_more_are_forgotten() {
        let mut table = NetworkTable::default();
        for (text, value) in [("10.0.0.0/8", 1), ("10.1.0.0/16", 2), ("2001:db8::/32", 3)] {
            *table.entry(Network::parse(text).unwrap()) = value;
        }
        assert_eq!(table.containing(ip("10.1.2.3")).copied().sum::<i32>(), 3);
        table.retain(|value| *value == 2);
        assert_eq!((table.lengths_v4.as_slice(), table.lengths_v6.len()), ([16_u8].as_slice(), 0));
        assert_eq!(table.containing(ip("10.1.2.3")).copied().sum::<i32>(), 2);
    }

    /// Bit by bit, from the text of both.
    fn naive(network: IpAddr, bits: u8, address: IpAddr) -> bool {
        fn bits_of(ip: IpAddr) -> Vec<bool> {
            let bytes = match ip {
                IpAddr::V4(ip) => ip.octets().to_vec(),
                IpAddr::V6(ip) => ip.octets().to_vec(),
            };
            bytes
                .iter()
                .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
                .collect()
        }
        let (network, address) = (bits_of(network), bits_of(address));
        network.len() == address.len()
            && network.iter().zip(&address).take(usize::from(bits)).all(|(a, b)| a == b)
    }

    /// Addresses that often share a prefix.
    fn addresses() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<u32>().prop_map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits & 0x8003_00C1))),
            any::<u128>().prop_map(|bits| {
                let bits = bits & 0x8001_0000_0000_0000_C000_0000_0000_0003;
                IpAddr::from(Ipv6Addr::from_bits(bits))
            }),
        ]
        .prop_filter("mapped", |ip| ip.to_canonical() == *ip)
    }

    proptest! {
        #[test]
        fn the_table_agrees_with_one_that_compares_bit_by_bit(
            networks in prop::collection::vec((addresses(), 0_u8..=128), 0..12),
            asked in prop::collection::vec(addresses(), 1..12),
        ) {
            let mut table = NetworkTable::<u32>::default();
            let mut list = Vec::new();
            for (ip, bits) in networks {
                let bits = if ip.is_ipv4() { bits % 33 } else { bits };
                let first = Network { first: ip, prefix_bits: bits }.masked();
                let network = Network::parse(&format!("{first}/{bits}")).unwrap();
                if !list.contains(&network) {
                    list.push(network);
                    *table.entry(network) = 1;
                }
            }
            for ip in asked {
                let expected =
                    list.iter().filter(|n| naive(n.first, n.prefix_bits, ip)).count();
                prop_assert_eq!(table.containing(ip).count(), expected);
                prop_assert_eq!(list.iter().filter(|n| n.contains(ip)).count(), expected);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-f:./]{0,20}") {
            let _ = Network::parse(&text);
        }
    }
}
