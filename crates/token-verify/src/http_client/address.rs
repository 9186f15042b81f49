//! Which addresses the service may talk to (attack JWK-11, and SSRF in general).
//!
//! Ranges from the IANA special-purpose registries (RFC 6890) and the decrees they point to. What is not known to
//! be public is not public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host has an address that is not asked. The text names no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedAddressError {
    /// A link-local, metadata-service, multicast, reserved or tunnelled address.
    #[error("the host has an address that is never asked, such as a link-local or reserved one")]
    Forbidden,
    /// Loopback, and the configured URL says nothing of it.
    #[error(
        "the host is on loopback: only a configured URL that names a loopback host leads there"
    )]
    Loopback,
    /// `localhost` is somewhere else.
    #[error("the host has a loopback name and another address: correct the name resolution")]
    NotLoopback,
    /// A private network, which the policy does not allow.
    #[error("the host is in a private network: if it is yours, set `AddressPolicy::AllowPrivate`")]
    Private,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Forbidden,
    Loopback,
    Private,
    Public,
}

/// Whose address it is.
pub(super) fn classify(ip: IpAddr) -> Class {
    match ip {
        IpAddr::V4(ip) => classify_v4(ip),
        IpAddr::V6(ip) => classify_v6(ip),
    }
}

fn classify_v4(ip: Ipv4Addr) -> Class {
    match ip.octets() {
        // Public by its number, and the platform of Azure by its meaning; the metadata of Alibaba Cloud, in the shared
        // range.
        [168, 63, 129, 16] | [100, 100, 100, 200] => Class::Forbidden,
        [127, ..] => Class::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Class::Private,
        // "This network"; link-local and most metadata services; protocol assignments, with Oracle's metadata
        // service; 6to4 relays; benchmarks; documentation; multicast, reserved and broadcast.
        [0, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Class::Forbidden,
        _ => Class::Public,
    }
}

fn classify_v6(ip: Ipv6Addr) -> Class {
    // The kernel connects to the address inside.
    if let Some(inner) = ip.to_ipv4_mapped() {
        return classify_v4(inner);
    }
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        // NAT64 (RFC 6052 §2.1): a network without IPv4 reaches the address inside. Its loopback is the translator's.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => match classify_v4(joined(high, low)) {
            Class::Loopback => Class::Forbidden,
            other @ (Class::Forbidden | Class::Private | Class::Public) => other,
        },
        // The metadata services of AWS, Google Cloud and Scaleway live among the unique local addresses.
        [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..] | [0xfd00, 0x42, ..] => Class::Forbidden,
        [0xfc00..=0xfdff, ..] => Class::Private,
        // Protocol assignments (RFC 2928) with Teredo, ORCHID and benchmarks; documentation, twice; 6to4.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x2002, ..] => {
            Class::Forbidden
        }
        // The only range that is given out (RFC 4291 §2.4).
        [0x2000..=0x3fff, ..] => Class::Public,
        _ => Class::Forbidden,
    }
}

const fn joined(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

/// Whether a host is one of loopback by what it is called, in a URL that was parsed.
pub(super) fn is_loopback_host(host: &str) -> bool {
    match literal(host) {
        Some(ip) => ip.is_loopback(),
        None => host.strip_suffix('.').unwrap_or(host).eq_ignore_ascii_case("localhost"),
    }
}

/// The address that a host is, if it is one. A parsed URL has only the plain forms: `0x7f.1` was read already.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(ip: &str) -> Class {
        classify(ip.parse().unwrap())
    }

    #[test]
    fn jwk_11_only_what_is_given_out_is_public() {
        for ip in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2000::1",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "3fff:1000::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(class_of(ip), Class::Public, "{ip}");
        }
    }

    #[test]
    fn jwk_11_private_networks_are_known() {
        for ip in [
            "10.0.0.0",
            "10.255.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.168.0.0",
            "192.168.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "fc00::1",
            "fdff:ffff::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::192.168.0.1",
        ] {
            assert_eq!(class_of(ip), Class::Private, "{ip}");
        }
        for ip in ["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(class_of(ip), Class::Loopback, "{ip}");
        }
    }

    #[test]
    fn jwk_11_metadata_services_and_disguises_are_forbidden() {
        for ip in [
            "0.0.0.0",
            "0.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.255.255",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::2",
            "::127.0.0.1",
            "::169.254.169.254",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "1::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:a9fe:a9fe::1",
            "2002:101:101::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:42::42",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert_eq!(class_of(ip), Class::Forbidden, "{ip}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_number() {
        for host in
            ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.9.9.9", "[::1]", "::1"]
        {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "localhost.evil.example",
            "xlocalhost",
            "128.0.0.1",
            "[::2]",
            "",
            ".",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
