//! Where a request goes, as far as anybody may know.

use std::fmt;

use http::{Uri, uri::Scheme};

use super::InvalidOriginError;

/// RFC 1035 §2.3.4. What is longer leads nowhere.
const MAX_HOST_BYTES: usize = 255;

/// Scheme, host and port (RFC 6454 §4), in small letters.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: &'static str,
    host: String,
    port: u16,
    is_default_port: bool,
}

impl Origin {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidOriginError> {
        let uri: Uri = text.parse().map_err(|_| InvalidOriginError::NotAnOrigin)?;
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let ends_with_authority = uri.authority().is_some_and(|it| text.ends_with(it.as_str()));
        if has_user || !ends_with_authority {
            return Err(InvalidOriginError::MoreThanAnOrigin);
        }
        Self::of(&uri).ok_or(InvalidOriginError::NotAnOrigin)
    }

    /// `None` if the request does not say, or says something odd.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let (scheme, default) = match uri.scheme()? {
            scheme if *scheme == Scheme::HTTP => ("http", 80),
            scheme if *scheme == Scheme::HTTPS => ("https", 443),
            _ => return None,
        };
        let authority = uri.authority()?;
        let host = authority.host();
        if host.is_empty() || host.len() > MAX_HOST_BYTES {
            return None;
        }
        // A port that cannot be read is not the default one.
        let behind = authority.as_str().rsplit('@').next()?.get(host.len()..)?;
        let port = match behind.strip_prefix(':') {
            None if behind.is_empty() => default,
            Some("") => default,
            Some(port) => port.parse().ok()?,
            None => return None,
        };
        let host = host.to_ascii_lowercase();
        Some(Self { scheme, host, port, is_default_port: port == default })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.is_default_port { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_the_same_in_all_their_spellings_and_no_others_are() {
        let one = Origin::parse("https://as.example").unwrap();
        for same in ["https://AS.example:443", "HTTPS://as.example", "https://as.example:"] {
            assert_eq!(Origin::parse(same).unwrap(), one, "{same}");
        }
        for other in [
            "http://as.example",
            "https://as.example:8443",
            "https://as.example.",
            "https://as.example.evil.example",
        ] {
            assert_ne!(Origin::parse(other).unwrap(), one, "{other}");
        }
        let of = |text: &str| Origin::of(&text.parse().unwrap());
        assert_eq!(of("https://as.example/token?a=b"), Some(one.clone()));
        assert_eq!(of("https://user@as.example/token"), Some(one.clone()));
        assert_ne!(of("https://as.example@evil.example/"), Some(one));
        assert_eq!(of("/token"), None, "it does not say");
        assert_eq!(of("https://as.example:99999/"), None);
    }

    #[test]
    fn only_origins_can_be_allowed() {
        use InvalidOriginError::{MoreThanAnOrigin, NotAnOrigin};
        for (text, expected) in [
            ("", NotAnOrigin),
            ("as example", NotAnOrigin),
            ("ftp://as.example", NotAnOrigin),
            ("https://as.example:99999", NotAnOrigin),
            ("as.example", NotAnOrigin),
            ("https://as.example/", MoreThanAnOrigin),
            ("https://as.example/token", MoreThanAnOrigin),
            ("https://as.example?a", MoreThanAnOrigin),
            ("https://as.example#a", MoreThanAnOrigin),
            ("https://user@as.example", MoreThanAnOrigin),
            ("/token", MoreThanAnOrigin),
            ("*", MoreThanAnOrigin),
        ] {
            assert_eq!(Origin::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn an_origin_is_written_as_it_is_parsed() {
        for text in ["https://as.example", "http://as.example:8080", "http://[::1]:81"] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Origin::parse("http://A.example:80").unwrap().to_string(), "http://a.example");
    }
}
