//! Issuers that are almost the one.

use crate::trust::{Trust, TrustedIssuer};

/// How two issuers differ, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    /// The token's ends in a slash.
    SlashInToken,
    /// The trusted one does.
    SlashInTrust,
    /// `http` and `https`.
    Scheme,
    /// Upper and lower case.
    Case,
    /// White space around it.
    Space,
    /// The address of the metadata.
    Metadata,
    /// The same server, and another path: another tenant, realm or version.
    Path,
}

impl Difference {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::SlashInToken => "without the slash at the end",
            Self::SlashInTrust => "with a slash at the end",
            Self::Scheme => "with the other of `http` and `https`",
            Self::Case => "in another case",
            Self::Space => "without the white space",
            Self::Metadata => "without the address of the metadata behind it",
            Self::Path => "on the same server with another path: another tenant, realm or version",
        }
    }

    /// Whether it is one issuer written in two ways. Another tenant is somebody else.
    pub(super) fn is_spelling(self) -> bool {
        self != Self::Path
    }

    fn between(trusted: &str, token: &str) -> Option<Self> {
        let rows = [
            (Self::SlashInToken, token.strip_suffix('/') == Some(trusted)),
            (Self::SlashInTrust, trusted.strip_suffix('/') == Some(token)),
            (Self::Scheme, without_scheme(trusted) == without_scheme(token)),
            (Self::Case, trusted.eq_ignore_ascii_case(token)),
            (Self::Space, trusted == token.trim()),
            (Self::Metadata, token.strip_prefix(trusted).is_some_and(is_metadata)),
            (Self::Path, authority(trusted).eq_ignore_ascii_case(authority(token))),
        ];
        rows.into_iter().find_map(|(difference, holds)| holds.then_some(difference))
    }
}

/// The trusted issuer that is nearest to one that is not trusted.
pub(super) fn nearest<'a>(
    trust: &'a Trust,
    issuer: &str,
) -> Option<(&'a TrustedIssuer, Difference)> {
    trust
        .issuers()
        .filter_map(|known| Some((known, Difference::between(known.issuer().as_str(), issuer)?)))
        .min_by_key(|(_, difference)| *difference)
}

fn is_metadata(rest: &str) -> bool {
    rest.trim_start_matches('/').starts_with(".well-known")
}

fn without_scheme(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}

fn authority(url: &str) -> &str {
    without_scheme(url).split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Issuer;

    #[test]
    fn the_least_difference_is_told() {
        let trust = ["https://as.example", "https://as.example/a", "https://b.example/"]
            .map(|name| TrustedIssuer::new(Issuer::parse(name).unwrap()));
        let trust = Trust::of(trust).unwrap();
        let rows = [
            ("https://as.example/", Some(("https://as.example", Difference::SlashInToken))),
            ("https://as.example/a/", Some(("https://as.example/a", Difference::SlashInToken))),
            ("https://b.example", Some(("https://b.example/", Difference::SlashInTrust))),
            ("http://as.example", Some(("https://as.example", Difference::Scheme))),
            ("as.example", Some(("https://as.example", Difference::Scheme))),
            ("https://as.example/A", Some(("https://as.example/a", Difference::Case))),
            ("https://as.example\n", Some(("https://as.example", Difference::Space))),
            (
                "https://as.example/a/.well-known/openid-configuration",
                Some(("https://as.example/a", Difference::Metadata)),
            ),
            ("https://as.example/b", Some(("https://as.example", Difference::Path))),
            ("https://as.example.evil", None),
            ("", None),
        ];
        for (issuer, expected) in rows {
            let found = nearest(&trust, issuer)
                .map(|(known, difference)| (known.issuer().as_str(), difference));
            assert_eq!(found, expected, "{issuer}");
        }
    }
}
