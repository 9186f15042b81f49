//! How clients in use read a challenge. Each takes the field lines of a response, and gives what it finds of the
//! challenge that it would follow.
//!
//! The end-to-end suite holds those of the official SDKs against the SDKs themselves. The strict one and the one
//! that splits at commas are from their described behaviour.

use std::collections::BTreeMap;

/// What a client finds. `None` is a parameter that is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests write out what they expect")]
pub struct Found {
    /// The scheme of the challenge that is followed.
    pub scheme: String,
    /// `error`.
    pub error: Option<String>,
    /// `error_description`.
    pub error_description: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `resource_metadata`.
    pub resource_metadata: Option<String>,
    /// `realm`.
    pub realm: Option<String>,
}

impl Found {
    fn of(scheme: &str, get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            scheme: scheme.to_owned(),
            error: get("error"),
            error_description: get("error_description"),
            scope: get("scope"),
            resource_metadata: get("resource_metadata"),
            realm: get("realm"),
        }
    }
}

/// Field lines in, what is found out.
pub type Client = fn(&[&str]) -> Option<Found>;

/// All that read every parameter.
pub const CLIENTS: [(&str, Client); 5] = [
    ("TypeScript 1", typescript_1),
    ("TypeScript 2", typescript_2),
    ("Python", python),
    ("a strict grammar, as Go's", strict),
    ("splits at commas, as C#'s", split_at_commas),
];

/// The official TypeScript SDK, 1.x: the words before the first and the second space, the first of which
/// must be `bearer`; then each parameter by a search over the whole field.
#[must_use]
pub fn typescript_1(lines: &[&str]) -> Option<Found> {
    typescript(lines, &["bearer"])
}

/// The same, 2.x: DPoP is known too.
#[must_use]
pub fn typescript_2(lines: &[&str]) -> Option<Found> {
    typescript(lines, &["bearer", "dpop"])
}

fn typescript(lines: &[&str], schemes: &[&str]) -> Option<Found> {
    let field = lines.join(", ");
    let mut words = field.split(' ');
    let scheme = words.next()?;
    words.next().filter(|rest| !rest.is_empty())?;
    let is_known = schemes.contains(&scheme.to_ascii_lowercase().as_str());
    is_known.then(|| Found::of(scheme, |name| search(&field, name)))
}

/// The official Python SDK: the same search, whatever the scheme.
#[must_use]
pub fn python(lines: &[&str]) -> Option<Found> {
    let field = lines.join(", ");
    let scheme = field.split(' ').next()?.to_owned();
    Some(Found::of(&scheme, |name| search(&field, name)))
}

/// `name=` anywhere, then the longest text between quotes, or all up to white space or a comma. Nothing says
/// that the name begins there, or that it is not within a value.
fn search(field: &str, name: &str) -> Option<String> {
    let pattern = format!("{name}=");
    field.match_indices(&pattern).find_map(|(at, _)| {
        let rest = field.get(at..)?.strip_prefix(&pattern)?;
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let bare = rest.split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default();
        match quoted {
            Some((value, _)) if !value.is_empty() => Some(value.to_owned()),
            Some(_) | None => (!bare.is_empty()).then(|| bare.to_owned()),
        }
    })
}

/// Some clients know one parameter, between quotes and without space around `=`.
#[must_use]
pub fn only_metadata(lines: &[&str]) -> Option<String> {
    let field = lines.join(", ");
    let (_, rest) = field.split_once("resource_metadata=\"")?;
    rest.split_once('"').map(|(value, _)| value.to_owned()).filter(|value| !value.is_empty())
}

/// RFC 9110 §11.6.1 to the letter. One mistake in one line, and there is no challenge at all. The first one
/// is followed.
#[must_use]
pub fn strict(lines: &[&str]) -> Option<Found> {
    let mut challenges = Vec::new();
    for line in lines {
        let mut reader = Reader { rest: line.as_bytes() };
        challenges.extend(reader.challenges()?);
    }
    let (scheme, params) = challenges.into_iter().next()?;
    Some(Found::of(&scheme, |name| params.get(name).cloned()))
}

type Parsed = (String, BTreeMap<String, String>);

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    /// `1#( auth-scheme 1*SP 1#auth-param )`: a challenge without parameters is one that nobody wants.
    fn challenges(&mut self) -> Option<Vec<Parsed>> {
        let mut challenges = Vec::new();
        let mut scheme = self.token()?;
        loop {
            self.spaces()?;
            let mut params = BTreeMap::new();
            let name = self.token()?;
            self.param(&name, &mut params)?;
            let next = loop {
                if self.rest.is_empty() {
                    break None;
                }
                self.white_space();
                self.byte(b',')?;
                self.white_space();
                let token = self.token()?;
                if self.rest.first() == Some(&b' ') {
                    break Some(token);
                }
                self.param(&token, &mut params)?;
            };
            challenges.push((scheme, params));
            match next {
                Some(token) => scheme = token,
                None => return Some(challenges),
            }
        }
    }

    /// "MUST only occur once per challenge" (RFC 9110 §11.2).
    fn param(&mut self, name: &str, params: &mut BTreeMap<String, String>) -> Option<()> {
        self.byte(b'=')?;
        let value = if self.rest.first() == Some(&b'"') { self.quoted()? } else { self.token()? };
        params.insert(name.to_ascii_lowercase(), value).is_none().then_some(())
    }

    fn token(&mut self) -> Option<String> {
        let is_token =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        let length = self.rest.iter().position(|byte| !is_token(byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        String::from_utf8(token.to_vec()).ok().filter(|token| !token.is_empty())
    }

    fn quoted(&mut self) -> Option<String> {
        self.byte(b'"')?;
        let mut text = Vec::new();
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            match first {
                b'"' => return String::from_utf8(text).ok(),
                b'\\' => {
                    let (escaped, rest) = self.rest.split_first()?;
                    self.rest = rest;
                    text.push(*escaped);
                }
                b'\t' | b' '..=b'~' | 0x80.. => text.push(*first),
                _ => return None,
            }
        }
    }

    fn byte(&mut self, expected: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[expected])?;
        Some(())
    }

    fn white_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn spaces(&mut self) -> Option<()> {
        self.byte(b' ')?;
        while let [b' ', rest @ ..] = self.rest {
            self.rest = rest;
        }
        Some(())
    }
}

/// What stands behind the scheme, split at every comma, each part at its first `=`; quotes are taken off where
/// they are at both ends. The same name twice is an exception, and no challenge.
#[must_use]
pub fn split_at_commas(lines: &[&str]) -> Option<Found> {
    let (scheme, parameters) = lines.first()?.split_once(' ')?;
    let mut params = BTreeMap::new();
    for part in parameters.split(',') {
        let Some((name, value)) = part.trim().split_once('=') else {
            continue;
        };
        let value = value.trim();
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = unquoted.unwrap_or(value).to_owned();
        if params.insert(name.trim(), value).is_some() {
            return None;
        }
    }
    Some(Found::of(scheme, |name| params.get(name).cloned()))
}
