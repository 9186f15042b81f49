//! A scanner for JSON text that keeps nothing (RFC 8259).
//!
//! Why not `serde_json`? Because what its visitors see depends on features that any crate in the build
//! can switch on: with `arbitrary_precision` a number arrives as a map with a private key, and an object
//! that spells that key in the body arrives as a number. A check that reads the body differently from
//! the service behind it is no check. This scanner has no features. It is tested against `serde_json`,
//! which stands for what most services use:
//!
//! - what the scanner accepts, `serde_json` accepts, with the same keys and strings;
//! - what `serde_json` accepts and the scanner refuses is a name used twice in an object, a name that
//!   is private to `serde_json`, more than [`MAX_DEPTH`] levels, or more than [`MAX_OPEN_NAMES`] names.
//!
//! *Deviation*: a number too large for `f64`, such as `1e400`, is well-formed here.

use std::{borrow::Cow, collections::HashSet};

/// How deep objects and arrays may nest. Half of what `serde_json` takes, so that it is never the
/// service behind that gives up first.
pub(crate) const MAX_DEPTH: usize = 64;

/// How many names all objects that are open at one place may have. They are kept to find the second
/// use of a name, so this bounds the memory of a scan, whatever the size of the body.
pub(crate) const MAX_OPEN_NAMES: usize = 10_000;

/// Names with a meaning of their own to `serde_json`: a service that uses it may see a number, or the
/// parsed text of a string, where the body has an object.
const PRIVATE_TO_SERDE_JSON: &str = "$serde_json::private::";

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("the same name is used twice in an object")]
    DuplicateName,
    #[error("a name in an object is private to a parser")]
    PrivateName,
    #[error("the text is not JSON")]
    Syntax,
    #[error("objects and arrays are nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("objects have more than {MAX_OPEN_NAMES} names")]
    TooManyNames,
}

/// A string between its quotes, with its escapes. They are known to be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawString<'a>(&'a str);

impl<'a> RawString<'a> {
    /// The string that is meant.
    pub(crate) fn decode(self) -> Cow<'a, str> {
        let Some((plain, escaped)) = self.0.split_once('\\') else {
            return Cow::Borrowed(self.0);
        };
        let mut text = String::with_capacity(self.0.len());
        text.push_str(plain);
        let mut rest = escaped;
        // INVARIANT: `Scanner::string` made the value and read each escape with the same function.
        while let Some((character, tail)) = read_escape(rest) {
            text.push(character);
            let Some((plain, escaped)) = tail.split_once('\\') else {
                text.push_str(tail);
                break;
            };
            text.push_str(plain);
            rest = escaped;
        }
        Cow::Owned(text)
    }
}

/// A value, as far as anybody here asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Number(&'a str),
    String(RawString<'a>),
    /// A boolean, an object or an array.
    Other,
}

/// Reads a text from front to back.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    open_names: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, open_names: 0 }
    }

    /// The next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.step();
        }
        self.byte()
    }

    /// Reads an object and hands each name to `member`, which reads the value.
    ///
    /// Names are compared as what they mean: `"n\u0061me"` is a second `"name"`.
    pub(crate) fn object<E: From<JsonError>>(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(b'{')?;
        self.descend()?;
        let mut names = HashSet::new();
        if self.peek() != Some(b'}') {
            loop {
                self.expect(b'"')?;
                let name = self.string()?.decode();
                if name.starts_with(PRIVATE_TO_SERDE_JSON) {
                    return Err(JsonError::PrivateName.into());
                }
                self.expect(b':')?;
                member(self, &name)?;
                if !names.insert(name) {
                    return Err(JsonError::DuplicateName.into());
                }
                self.open_names = self.open_names.saturating_add(1);
                if self.open_names > MAX_OPEN_NAMES {
                    return Err(JsonError::TooManyNames.into());
                }
                if self.peek() != Some(b',') {
                    break;
                }
                self.step();
            }
        }
        self.open_names = self.open_names.saturating_sub(names.len());
        self.ascend();
        Ok(self.expect(b'}')?)
    }

    /// Reads any value.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, JsonError> {
        match self.peek() {
            Some(b'{') => self.object(|scanner, _| scanner.value().map(drop))?,
            Some(b'[') => self.array()?,
            Some(b'"') => {
                self.step();
                return self.string().map(Value::String);
            }
            Some(b'-' | b'0'..=b'9') => return self.number().map(Value::Number),
            Some(b'n') => return self.literal("null").map(|()| Value::Null),
            Some(b't') => self.literal("true")?,
            Some(b'f') => self.literal("false")?,
            _ => return Err(JsonError::Syntax),
        }
        Ok(Value::Other)
    }

    /// Makes sure that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(JsonError::Syntax),
        }
    }

    fn array(&mut self) -> Result<(), JsonError> {
        self.expect(b'[')?;
        self.descend()?;
        if self.peek() != Some(b']') {
            self.value()?;
            while self.peek() == Some(b',') {
                self.step();
                self.value()?;
            }
        }
        self.ascend();
        self.expect(b']')
    }

    /// Reads a string whose opening quote is read.
    fn string(&mut self) -> Result<RawString<'a>, JsonError> {
        let start = self.at;
        loop {
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.step();
                    let (_, tail) = read_escape(self.rest()).ok_or(JsonError::Syntax)?;
                    self.at = self.text.len().saturating_sub(tail.len());
                }
                Some(0..=0x1F) | None => return Err(JsonError::Syntax),
                Some(_) => self.step(),
            }
        }
        let raw = self.text.get(start..self.at).ok_or(JsonError::Syntax)?;
        self.step();
        Ok(RawString(raw))
    }

    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        self.step_over(b"-");
        if self.byte() == Some(b'0') {
            self.step();
        } else {
            self.digits()?;
        }
        if self.step_over(b".") {
            self.digits()?;
        }
        if self.step_over(b"eE") {
            self.step_over(b"+-");
            self.digits()?;
        }
        self.text.get(start..self.at).ok_or(JsonError::Syntax)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.step_over(b"0123456789") {
            return Err(JsonError::Syntax);
        }
        while self.step_over(b"0123456789") {}
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Result<(), JsonError> {
        if !self.rest().starts_with(word) {
            return Err(JsonError::Syntax);
        }
        self.at = self.at.saturating_add(word.len());
        Ok(())
    }

    fn descend(&mut self) -> Result<(), JsonError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH { Err(JsonError::TooDeep) } else { Ok(()) }
    }

    const fn ascend(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(JsonError::Syntax);
        }
        self.step();
        Ok(())
    }

    fn step_over(&mut self, any_of: &[u8]) -> bool {
        let found = self.byte().is_some_and(|byte| any_of.contains(&byte));
        if found {
            self.step();
        }
        found
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    const fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }
}

/// Reads what follows a backslash: the character it stands for, and the text after it.
///
/// Half a surrogate pair stands for nothing and is refused, as `serde_json` does.
fn read_escape(text: &str) -> Option<(char, &str)> {
    let mut characters = text.chars();
    let plain = match characters.next()? {
        kept @ ('"' | '\\' | '/') => kept,
        'b' => '\u{8}',
        'f' => '\u{C}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return read_unicode_escape(characters.as_str()),
        _ => return None,
    };
    Some((plain, characters.as_str()))
}

fn read_unicode_escape(text: &str) -> Option<(char, &str)> {
    let (first, tail) = read_unit(text)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, tail));
    }
    let (second, tail) = read_unit(tail.strip_prefix("\\u")?)?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, tail))
}

fn read_unit(text: &str) -> Option<(u16, &str)> {
    let (digits, tail) = text.split_at_checked(4)?;
    // `from_str_radix` alone would take `+123`.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((u16::from_str_radix(digits, 16).ok()?, tail))
}

#[cfg(test)]
mod tests;
