//! Where credentials are in a head, coming and going alike.

use std::borrow::Cow;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION},
};
use zeroize::Zeroize;

use crate::key::WINDOW;

/// RFC 9449 §4.1.
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// So many credentials are read from one head.
pub(crate) const MAX_CREDENTIALS: usize = 64;

/// Base64 as forgiving as those who will read it.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The header fields that carry credentials, beside those that always do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) cookies: bool,
    pub(crate) named: Vec<HeaderName>,
}

/// How sure it is that nobody made a credential up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Whoever is let in can write here what they like.
    Claimed,
    /// What `Authorization` has behind its scheme: good, once a verifier says so.
    Presented,
}

#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(crate) struct Credential<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) kind: Kind,
}

/// What was decoded out of a header is a copy, and in `Basic` somebody's password.
impl Drop for Credential<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(bytes) = &mut self.bytes {
            bytes.zeroize();
        }
    }
}

/// There are more credentials than anybody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// All credentials of a head that are long enough to be one.
pub(crate) fn read<'a>(
    headers: &'a HeaderMap,
    fields: &Fields,
) -> Result<Vec<Credential<'a>>, TooMany> {
    let mut found = Found(Vec::new());
    // Of two lines nobody here knows which one a verifier takes. The other is whatever its sender likes.
    let is_one = headers.get_all(AUTHORIZATION).iter().nth(1).is_none();
    for value in headers.get_all(AUTHORIZATION) {
        found.with_scheme(value, if is_one { Kind::Presented } else { Kind::Claimed })?;
    }
    for value in headers.get_all(PROXY_AUTHORIZATION) {
        found.with_scheme(value, Kind::Claimed)?;
    }
    for value in headers.get_all(DPOP) {
        found.add(value.as_bytes(), Kind::Claimed)?;
    }
    if fields.cookies {
        for value in headers.get_all(COOKIE) {
            for pair in value.as_bytes().split(|byte| *byte == b';') {
                found.add(after(pair, b'=').unwrap_or(pair), Kind::Claimed)?;
            }
        }
    }
    for name in &fields.named {
        for value in headers.get_all(name) {
            found.add(value.as_bytes(), Kind::Claimed)?;
            found.with_scheme(value, Kind::Claimed)?;
        }
    }
    Ok(found.0)
}

/// Takes out what [`read`] reads, for renderers.
pub(crate) fn strip(headers: &mut HeaderMap, fields: &Fields) {
    for name in [&AUTHORIZATION, &PROXY_AUTHORIZATION, &DPOP, &COOKIE] {
        headers.remove(name);
    }
    for name in &fields.named {
        headers.remove(name);
    }
}

struct Found<'a>(Vec<Credential<'a>>);

impl<'a> Found<'a> {
    /// RFC 9110 §11.4: `credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]`.
    fn with_scheme(&mut self, value: &'a HeaderValue, kind: Kind) -> Result<(), TooMany> {
        let value = value.as_bytes().trim_ascii();
        let Some(credentials) = after(value, b' ') else { return self.add(value, kind) };
        self.add(credentials, kind)?;
        let scheme = value.split(|byte| *byte == b' ').next().unwrap_or_default();
        if scheme.eq_ignore_ascii_case(b"basic")
            && let Ok(pair) = BASE64.decode(credentials.trim_ascii())
        {
            // RFC 7617 §2. The user chose the password, so it is never more than claimed.
            if let Some(password) = after(&pair, b':') {
                self.push(Cow::Owned(trim(password).to_vec()), Kind::Claimed)?;
            }
            self.push(Cow::Owned(pair), Kind::Claimed)?;
        }
        Ok(())
    }

    fn add(&mut self, bytes: &'a [u8], kind: Kind) -> Result<(), TooMany> {
        self.push(Cow::Borrowed(trim(bytes)), kind)
    }

    fn push(&mut self, bytes: Cow<'a, [u8]>, kind: Kind) -> Result<(), TooMany> {
        let credential = Credential { bytes, kind };
        let is_known = |known: &Credential<'_>| {
            known.kind >= credential.kind && known.bytes == credential.bytes
        };
        if credential.bytes.len() < WINDOW || self.0.iter().any(is_known) {
            return Ok(());
        }
        if self.0.len() >= MAX_CREDENTIALS {
            return Err(TooMany);
        }
        self.0.push(credential);
        Ok(())
    }
}

/// Without white space, quotes, and the padding of base64, which whoever passes it on may leave out.
fn trim(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.trim_ascii();
    let quoted = bytes.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let mut bytes = quoted.unwrap_or(bytes);
    while let Some(rest) = bytes.strip_suffix(b"=") {
        bytes = rest;
    }
    bytes
}

fn after(bytes: &[u8], separator: u8) -> Option<&[u8]> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    bytes.get(at.checked_add(1)?..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        Fields { cookies: true, named: vec![HeaderName::from_static("x-api-key")] }
    }

    fn found(lines: &[(&'static str, &str)]) -> Vec<(String, Kind)> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let found = read(&headers, &fields()).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        found.iter().map(|it| (text(&it.bytes), it.kind)).collect()
    }

    #[test]
    fn finds_credentials_and_nothing_else() {
        use Kind::{Claimed, Presented};
        const A: &str = "aaaaaaaaaaaaaaaa";
        const B: &str = "bbbbbbbbbbbbbbbb";
        let basic = BASE64.encode(format!("user:{A}"));
        let stripped = basic.trim_end_matches('=');
        for (name, line, expected) in [
            ("bearer", ("authorization", format!("Bearer {A}")), vec![(A, Presented)]),
            ("padded", ("authorization", format!("Bearer  {A}== ")), vec![(A, Presented)]),
            ("no scheme", ("authorization", A.to_owned()), vec![(A, Presented)]),
            (
                "basic",
                ("authorization", format!("bAsIc {basic}")),
                vec![(stripped, Presented), (A, Claimed), ("user:aaaaaaaaaaaaaaaa", Claimed)],
            ),
            ("for a proxy", ("proxy-authorization", format!("Bearer {A}")), vec![(A, Claimed)]),
            ("a proof", ("dpop", A.to_owned()), vec![(A, Claimed)]),
            (
                "cookies",
                ("cookie", format!("a={A}; theme=dark; b=\"{B}\"")),
                vec![(A, Claimed), (B, Claimed)],
            ),
            ("a named header", ("x-api-key", A.to_owned()), vec![(A, Claimed)]),
            (
                "with a scheme",
                ("x-api-key", format!("Key {A}")),
                vec![("Key aaaaaaaaaaaaaaaa", Claimed), (A, Claimed)],
            ),
            ("too short", ("authorization", "Bearer aaaaaaaaaaaaaaa".to_owned()), vec![]),
            ("empty", ("authorization", String::new()), vec![]),
            ("another header", ("x-other", A.to_owned()), vec![]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(text, kind)| (text.to_owned(), kind)).collect();
            assert_eq!(found(&[(line.0, &line.1)]), expected, "{name}");
        }
    }

    #[test]
    fn the_same_twice_counts_once_and_as_the_surer_one() {
        let twice = [
            ("authorization", "Bearer aaaaaaaaaaaaaaaa"),
            ("x-api-key", "aaaaaaaaaaaaaaaa"),
            ("cookie", "a=aaaaaaaaaaaaaaaa"),
        ];
        assert_eq!(found(&twice), [("aaaaaaaaaaaaaaaa".to_owned(), Kind::Presented)]);
    }

    #[test]
    fn more_than_anybody_needs_is_too_many() {
        let cookies = |count| {
            let pairs: Vec<_> = (0..count).map(|index| format!("n={index:016}")).collect();
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, pairs.join("; ").parse().unwrap());
            headers
        };
        assert_eq!(read(&cookies(64), &fields()).unwrap().len(), 64);
        assert_eq!(read(&cookies(65), &fields()), Err(TooMany));
        assert_eq!(read(&cookies(65), &Fields::default()), Ok(Vec::new()), "nobody asked");
    }
}
