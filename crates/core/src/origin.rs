//! The origin of a web page (RFC 6454, as browsers send it: Fetch, "`Origin` header").

use std::{
    error::Error,
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use crate::resource::host_of;

/// The origin of a web page, such as `https://app.example` or `http://localhost:6274`.
///
/// It is kept, and compared, byte for byte as browsers send it in `Origin`: scheme and host in lower case, the
/// port unless it is the scheme's own, nothing behind. Two spellings of one origin would be two entries to
/// check, in two layers, and one of them would be forgotten.
///
/// ```
/// use palisade_core::Origin;
///
/// let page = Origin::parse("https://app.example")?;
/// assert!(page.is_named_by(b"https://app.example"));
/// assert!(!page.is_named_by(b"https://app.example.evil.example"));
/// assert!(Origin::parse("https://app.example/").is_err(), "browsers send no slash");
/// assert!(Origin::parse("null").is_err(), "which is no one's in particular");
/// # Ok::<_, palisade_core::InvalidOriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// Reads an origin as browsers send it.
    ///
    /// # Errors
    ///
    /// [`InvalidOriginError`] if no browser sends this, or if the host has other characters than letters,
    /// digits, `.`, `-` and `_`. Of other schemes than `http` and `https`, the part behind `://` is held to the
    /// same rules.
    pub fn parse(text: &str) -> Result<Self, InvalidOriginError> {
        use InvalidOriginError as Invalid;

        if text.eq_ignore_ascii_case("null") {
            return Err(Invalid::Null);
        }
        let (scheme, authority) = text.split_once("://").ok_or(Invalid::NotAnOrigin)?;
        let is_scheme_byte =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(is_scheme_byte);
        let host = host_of(authority).filter(|_| is_scheme).ok_or(Invalid::NotAnOrigin)?;
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Invalid::UpperCase);
        }
        let port = authority.get(host.len()..).unwrap_or_default();
        let is_implied = matches!((scheme, port), ("http", ":80") | ("https", ":443"));
        if is_implied || port.starts_with(":0") {
            return Err(Invalid::Port);
        }
        // Hosts of other schemes are names of another kind.
        if matches!(scheme, "http" | "https") && !is_as_sent(host) {
            return Err(Invalid::Address);
        }
        Ok(Self(text.into()))
    }

    /// The origin, byte for byte as browsers send it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this value of an `Origin` header is this origin, byte for byte.
    #[must_use]
    pub fn is_named_by(&self, header: &[u8]) -> bool {
        self.0.as_bytes() == header
    }

    /// Whether this is a page, `http` or `https`, of `localhost`, `127.0.0.1` or `[::1]`: of the machine that the
    /// browser runs on, as servers of pages are reached in use.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let (scheme, authority) = self.0.split_once("://").unwrap_or_default();
        let is_own = |host| matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        matches!(scheme, "http" | "https") && host_of(authority).is_some_and(is_own)
    }
}

/// Whether a host is no address, or one in the only spelling that browsers send (URL, "host serializing").
fn is_as_sent(host: &str) -> bool {
    if let Some(literal) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return literal.parse().is_ok_and(|ip: Ipv6Addr| {
            // Rust writes these with dots.
            let sent = match ip.to_ipv4_mapped().map(Ipv4Addr::to_bits) {
                Some(bits) => format!("::ffff:{:x}:{:x}", bits >> 16, bits & 0xFFFF),
                None => ip.to_string(),
            };
            sent == literal
        });
    }
    // `127.1` and `0x7f.1` are addresses too: what ends in a number is.
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
        || last.strip_prefix("0x").is_some_and(is_hexadecimal);
    !is_number || host.parse::<Ipv4Addr>().is_ok()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = InvalidOriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A text is not what a browser sends as `Origin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidOriginError {
    /// An IP address in another spelling than that of browsers, such as `127.1` or `[::0001]`.
    Address,
    /// Not scheme, host and port, or more than that.
    NotAnOrigin,
    /// `null`, which is what files, sandboxed frames and redirected requests have in common. Any page can open
    /// a sandboxed frame.
    Null,
    /// The port that the scheme implies, or one with zeros in front.
    Port,
    /// Upper case.
    UpperCase,
}

impl fmt::Display for InvalidOriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => {
                "browsers send addresses in their shortest form, as in `http://127.0.0.1` or `http://[2001:db8::1]`: write it so"
            }
            Self::NotAnOrigin => {
                "not an origin: write scheme, host and perhaps port, as in `https://app.example`, and nothing behind"
            }
            Self::Null => "`null` is not one origin: any page can open a frame that has it",
            Self::Port => "browsers leave out the port that the scheme implies: remove it",
            Self::UpperCase => "browsers send origins in lower case: write it so",
        })
    }
}

impl Error for InvalidOriginError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for text in [
            "https://app.example",
            "http://app.example:8080",
            "http://localhost:6274",
            "https://[2001:db8::1]:8443",
            "http://app.example:443",
            "http://[::ffff:7f00:1]",
            "https://1.app.example.",
            "vscode-webview://abc",
            "vscode-webview://0123",
            "chrome-extension://abcdefghijklmnop",
        ] {
            let origin = Origin::parse(text).unwrap();
            assert_eq!(origin.to_string(), text);
            assert!(origin.is_named_by(text.as_bytes()));
            assert_eq!(text.parse(), Ok(origin));
        }
    }

    #[test]
    fn what_no_browser_sends_is_no_origin() {
        use InvalidOriginError as Invalid;
        for (text, expected) in [
            ("", Invalid::NotAnOrigin),
            ("app.example", Invalid::NotAnOrigin),
            ("*", Invalid::NotAnOrigin),
            ("https://", Invalid::NotAnOrigin),
            ("https://*.example", Invalid::NotAnOrigin),
            ("https://app.example/", Invalid::NotAnOrigin),
            ("https://app.example?x", Invalid::NotAnOrigin),
            ("https://app.example#x", Invalid::NotAnOrigin),
            ("https://user@app.example", Invalid::NotAnOrigin),
            ("https://app.example:*", Invalid::NotAnOrigin),
            ("https://app.example:", Invalid::NotAnOrigin),
            ("https://app.example:65536", Invalid::NotAnOrigin),
            ("https://app.example, https://b.example", Invalid::NotAnOrigin),
            ("https://äpp.example", Invalid::NotAnOrigin),
            (" https://app.example", Invalid::NotAnOrigin),
            ("1http://app.example", Invalid::NotAnOrigin),
            ("://app.example", Invalid::NotAnOrigin),
            ("null", Invalid::Null),
            ("NULL", Invalid::Null),
            ("https://app.example:443", Invalid::Port),
            ("http://app.example:80", Invalid::Port),
            ("http://app.example:080", Invalid::Port),
            ("http://127.1", Invalid::Address),
            ("http://2130706433:8080", Invalid::Address),
            ("http://127.0.0.0x1", Invalid::Address),
            ("http://127.0.0.1.", Invalid::Address),
            ("http://127.0.0.01", Invalid::Address),
            ("http://[::0001]", Invalid::Address),
            ("http://[::ffff:127.0.0.1]", Invalid::Address),
            ("https://App.example", Invalid::UpperCase),
            ("HTTPS://app.example", Invalid::UpperCase),
        ] {
            assert_eq!(Origin::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn origins_are_compared_byte_for_byte() {
        let origin = Origin::parse("https://app.example").unwrap();
        for other in [
            "https://app.example.evil.example",
            "https://evil.example/https://app.example",
            "https://app.example:443",
            "https://APP.example",
            "https://app.example/",
            "https://app.example ",
            "http://app.example",
            "https://app.exampl",
            "null",
            "",
        ] {
            assert!(!origin.is_named_by(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn pages_of_this_machine_are_http_or_https_on_loopback() {
        for (text, expected) in [
            ("http://localhost:6274", true),
            ("https://127.0.0.1", true),
            ("http://[::1]:1", true),
            ("ftp://localhost", false),
            ("https://localhost.evil.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://127.0.0.2", false),
            ("http://0.0.0.0", false),
            ("https://app.example", false),
        ] {
            assert_eq!(Origin::parse(text).unwrap().is_loopback(), expected, "{text}");
        }
    }

    /// What a browser makes of the address of a page: the URL standard's own parser and serialisation.
    fn sent_from(page: &str) -> Option<String> {
        let page = Url::parse(page).ok()?;
        let is_web = matches!(page.scheme(), "http" | "https");
        is_web.then(|| page.origin().ascii_serialization())
    }

    fn host() -> impl Strategy<Value = String> {
        let label = prop_oneof![
            4 => "[a-z0-9_-]{1,4}",
            2 => "[0-9]{1,3}",
            1 => "0x[0-9a-f]{0,2}",
            1 => "[A-Z]{1,2}",
            1 => Just(String::new()),
        ];
        let group = prop_oneof![3 => Just("0"), 1 => Just("db8"), 1 => Just("00ff"), 1 => Just("")];
        prop_oneof![
            3 => prop::collection::vec(label, 1..6).prop_map(|labels| labels.join(".")),
            1 => any::<Ipv4Addr>().prop_map(|ip| ip.to_string()),
            1 => any::<Ipv6Addr>().prop_map(|ip| format!("[{ip}]")),
            1 => any::<Ipv4Addr>().prop_map(|ip| format!("[::ffff:{ip}]")),
            2 => prop::collection::vec(group, 1..9).prop_map(|groups| format!("[{}]", groups.join(":"))),
        ]
    }

    proptest! {
        #[test]
        fn an_origin_is_what_a_url_parser_makes_of_its_pages(
            scheme in "https?|HTTP",
            host in host(),
            port in prop_oneof![Just(""), Just(":"), Just(":80"), Just(":443"), Just(":8080"), Just(":08"), Just(":70000")],
            rest in prop_oneof![4 => Just(""), 1 => Just("/"), 1 => Just("/x?y")],
        ) {
            let text = format!("{scheme}://{host}{port}{rest}");
            let sent = sent_from(&text);
            // Nobody can resolve what IDNA refuses, and there are tables for that which we do not have.
            if Origin::parse(&text).is_ok() && !host.contains("--") {
                prop_assert_eq!(sent.as_deref(), Some(text.as_str()));
            }
            if let Some(sent) = sent {
                let origin = Origin::parse(&sent);
                prop_assert!(origin.as_ref().is_ok_and(|origin| origin.as_str() == sent), "{}: {:?}", sent, origin);
            }
        }
    }
}
