//! The check of an address, before it is connected to.

use std::net::{IpAddr, SocketAddr};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use super::address::{Class, RefusedAddressError, classify, is_loopback_host, literal};
use crate::AddressPolicy;

/// A name with more addresses than this has the rest for nothing.
const MAX_ADDRESSES: usize = 16;

/// Decides about hosts that are addresses, and resolves those that are names.
///
/// What [`Resolve`] answers is what is connected to. Nothing is resolved a second time, so there is no moment between
/// check and use in which a name could change its meaning (DNS rebinding, JWK-11).
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    pub(super) policy: AddressPolicy,
    /// The configured URL names a loopback host.
    pub(super) loopback: bool,
}

impl Gate {
    /// Checks a URL before it is asked. The resolver is never called for a host that is an address.
    pub(super) fn check_url(self, url: &Url) -> Result<(), RefusedAddressError> {
        let host = url.host_str().ok_or(RefusedAddressError::Forbidden)?;
        match literal(host) {
            Some(ip) => self.check(ip, is_loopback_host(host)),
            None => Ok(()),
        }
    }

    /// `named_loopback`: whether the host is one of loopback by what it is called.
    fn check(self, ip: IpAddr, named_loopback: bool) -> Result<(), RefusedAddressError> {
        match (classify(ip), self.policy) {
            (Class::Loopback, _) if named_loopback && self.loopback => Ok(()),
            (Class::Loopback, _) => Err(RefusedAddressError::Loopback),
            // Plain http is allowed for loopback names, so they must not lead anywhere else.
            (Class::Forbidden | Class::Private | Class::Public, _) if named_loopback => {
                Err(RefusedAddressError::NotLoopback)
            }
            (Class::Forbidden, _) => Err(RefusedAddressError::Forbidden),
            (Class::Private, AddressPolicy::PublicOnly) => Err(RefusedAddressError::Private),
            (Class::Private, AddressPolicy::AllowPrivate) | (Class::Public, _) => Ok(()),
        }
    }

    /// All of them or none: a name with one bad address is somebody's attempt, or a mistake to be seen.
    fn admit(
        self,
        name: &str,
        found: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, RefusedAddressError> {
        let named_loopback = is_loopback_host(name);
        found
            .take(MAX_ADDRESSES)
            .map(|address| self.check(address.ip(), named_loopback).map(|()| address))
            .collect()
    }
}

impl Resolve for Gate {
    fn resolve(&self, name: Name) -> Resolving {
        let gate = *self;
        Box::pin(async move {
            // The port is put in by the caller.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses = gate.admit(name.as_str(), found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: Gate = Gate { policy: AddressPolicy::PublicOnly, loopback: false };
    const PRIVATE: Gate = Gate { policy: AddressPolicy::AllowPrivate, loopback: false };
    const LOCAL: Gate = Gate { policy: AddressPolicy::PublicOnly, loopback: true };

    fn url(gate: Gate, url: &str) -> Result<(), RefusedAddressError> {
        gate.check_url(&Url::parse(url).unwrap())
    }

    fn name(gate: Gate, name: &str, ips: &[&str]) -> Result<usize, RefusedAddressError> {
        let found = ips.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0));
        gate.admit(name, found).map(|admitted| admitted.len())
    }

    #[test]
    fn jwk_11_hosts_that_are_addresses_are_checked_in_every_spelling() {
        use RefusedAddressError::{Forbidden, Loopback, Private};

        for (text, refused) in [
            ("https://10.0.0.1/", Private),
            ("https://[fd00::1]/", Private),
            ("https://[::ffff:10.0.0.1]/", Private),
            ("https://169.254.169.254/latest", Forbidden),
            ("https://2852039166/latest", Forbidden),
            ("https://0xa9fea9fe/latest", Forbidden),
            ("https://0251.0376.0251.0376/", Forbidden),
            ("https://[::ffff:a9fe:a9fe]/", Forbidden),
            ("https://0/", Forbidden),
            ("https://127.0.0.1/", Loopback),
            ("https://127.1/", Loopback),
            ("https://0x7f.1/", Loopback),
            ("https://[::1]/", Loopback),
            ("https://[::ffff:127.0.0.1]/", Loopback),
            // Full-width digits, which a URL parser folds.
            ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", Loopback),
        ] {
            assert_eq!(url(PUBLIC, text), Err(refused), "{text}");
        }
        for text in ["https://1.1.1.1/", "https://[2606:4700::1111]/", "https://as.example/"] {
            assert_eq!(url(PUBLIC, text), Ok(()), "{text}");
        }
    }

    #[test]
    fn jwk_11_private_networks_are_asked_only_if_the_operator_says_so() {
        assert_eq!(url(PRIVATE, "https://10.0.0.1/"), Ok(()));
        assert_eq!(name(PRIVATE, "as.internal", &["10.0.0.1", "fd00::1"]), Ok(2));
        let private = Err(RefusedAddressError::Private);
        assert_eq!(name(PUBLIC, "as.internal", &["10.0.0.1"]), private);
        // And that does not open the metadata services, nor loopback.
        for gate in [PUBLIC, PRIVATE, LOCAL] {
            let forbidden = Err(RefusedAddressError::Forbidden);
            assert_eq!(name(gate, "as.example", &["169.254.169.254"]), forbidden);
            let loopback = Err(RefusedAddressError::Loopback);
            assert_eq!(name(gate, "as.example", &["127.0.0.1"]), loopback, "{gate:?}");
            assert_eq!(name(gate, "localhost.evil.example", &["::1"]), loopback, "{gate:?}");
        }
    }

    #[test]
    fn jwk_11_one_bad_address_of_a_name_spoils_the_others() {
        let private = Err(RefusedAddressError::Private);
        assert_eq!(name(PUBLIC, "as.example", &["1.1.1.1", "10.0.0.1"]), private);
        assert_eq!(name(PUBLIC, "as.example", &["10.0.0.1", "1.1.1.1"]), private);
        assert_eq!(name(PUBLIC, "as.example", &["1.1.1.1", "2606:4700::1111"]), Ok(2));
        assert_eq!(name(PUBLIC, "as.example", &["1.1.1.1"; 40]), Ok(MAX_ADDRESSES));
    }

    #[test]
    fn loopback_is_asked_only_if_the_configured_url_names_it() {
        assert_eq!(url(LOCAL, "http://127.0.0.1:1/"), Ok(()));
        assert_eq!(name(LOCAL, "localhost", &["127.0.0.1", "::1"]), Ok(2));
        let not_loopback = Err(RefusedAddressError::NotLoopback);
        for ip in ["1.1.1.1", "10.0.0.1", "169.254.169.254"] {
            assert_eq!(name(LOCAL, "localhost", &[ip]), not_loopback, "{ip}");
        }
        let loopback = Err(RefusedAddressError::Loopback);
        assert_eq!(name(PUBLIC, "localhost", &["127.0.0.1"]), loopback);
        let disguised = url(LOCAL, "https://[::ffff:127.0.0.1]/");
        assert_eq!(disguised, Err(RefusedAddressError::Loopback));
    }
}
