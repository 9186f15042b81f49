/// Where requests of ours may go: to the key set, the metadata and the introspection endpoint of an issuer.
///
/// You configure the issuer, but its metadata name further addresses, and its name resolves to what somebody's DNS
/// says. Either could lead into your network. So every address is checked, at the moment it is connected to.
///
/// With either policy, three things never happen:
///
/// - A link-local address is asked, or one where clouds keep credentials (`169.254.169.254`, `fd00:ec2::254`,
///   `100.100.100.200`, `168.63.129.16` and the like), or a multicast, reserved or documentation address, or one that
///   hides another (6to4, Teredo).
/// - A loopback address is asked, unless the URL that you configured names a loopback host itself.
/// - A name is asked that resolves to one good address and one bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressPolicy {
    /// Private networks too: RFC 1918, the shared range of RFC 6598, unique local IPv6. For an issuer in your network.
    AllowPrivate,
    /// Addresses of the public internet.
    #[default]
    PublicOnly,
}
