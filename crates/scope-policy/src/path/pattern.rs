//! Rules by path, as a tree of segments.

use std::{collections::HashMap, ptr};

use palisade_core::is_unambiguous_path;

use super::decode;

/// The segments of a path pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern<'a>(Vec<Segment<'a>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment<'a> {
    Literal(&'a str),
    /// `{name}`: one segment, not empty.
    One,
    /// `{*name}`: all that is left, not empty.
    Rest,
}

impl<'a> Pattern<'a> {
    /// A pattern that matches this path and no other.
    pub(crate) fn exact(path: &'a str) -> Result<Self, InvalidPathError> {
        Self::of_segments(path, |text| Ok(Segment::Literal(text)))
    }

    pub(crate) fn parse(pattern: &'a str) -> Result<Self, InvalidPathError> {
        Self::of_segments(pattern, |text| {
            if text.contains(['{', '}']) { placeholder(text) } else { Ok(Segment::Literal(text)) }
        })
    }

    fn of_segments(
        path: &'a str,
        read: impl Fn(&'a str) -> Result<Segment<'a>, InvalidPathError>,
    ) -> Result<Self, InvalidPathError> {
        let path = path.strip_prefix('/').ok_or(InvalidPathError::NotAbsolute)?;
        let mut segments = Vec::new();
        let mut texts = path.split('/').peekable();
        while let Some(text) = texts.next() {
            let segment = read(text)?;
            let is_last = texts.peek().is_none();
            match segment {
                Segment::Literal(text)
                    if !is_unambiguous_path(&format!("/{text}")) || text.is_empty() && !is_last =>
                {
                    return Err(InvalidPathError::Ambiguous);
                }
                Segment::Rest if !is_last => return Err(InvalidPathError::RestNotLast),
                Segment::Literal(_) | Segment::One | Segment::Rest => segments.push(segment),
            }
        }
        Ok(Self(segments))
    }
}

fn placeholder(text: &str) -> Result<Segment<'_>, InvalidPathError> {
    let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let (name, segment) = match name.map(|name| (name, name.strip_prefix('*'))) {
        Some((_, Some(name))) => (name, Segment::Rest),
        Some((name, None)) => (name, Segment::One),
        None => return Err(InvalidPathError::Placeholder),
    };
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { Ok(segment) } else { Err(InvalidPathError::Placeholder) }
}

/// A text is no path, or no path pattern, for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPathError {
    /// A path that requests are refused for, such as one with `//`, `..`, `;` or `%2F`.
    #[error(
        "requests for this path are refused because it can be read in more than one way: leave out \
         empty and dot segments, `;`, backslashes and needless percent-encoding"
    )]
    Ambiguous,
    /// The path does not begin with `/`.
    #[error("the path does not begin with `/`")]
    NotAbsolute,
    /// Braces that are no placeholder.
    #[error(
        "a placeholder is a whole segment: write `{{name}}`, or `{{*name}}` for all that is left"
    )]
    Placeholder,
    /// A `{*rest}` with something behind it.
    #[error("`{{*rest}}` stands for all that is left: leave out what is behind it")]
    RestNotLast,
}

/// Values by path pattern. The most specific pattern wins: from left to right, a literal segment before
/// `{one}` before `{*rest}`.
#[derive(Clone, Debug)]
pub(crate) struct PathTree<V> {
    here: Option<V>,
    /// By what a decoding router sees.
    literals: HashMap<Box<[u8]>, Literal<V>>,
    one: Option<Box<Self>>,
    rest: Option<V>,
}

#[derive(Clone, Debug)]
struct Literal<V> {
    /// As the rule has it.
    spelling: Box<str>,
    tree: PathTree<V>,
}

/// How the router between us and the handler compares literal segments.
#[derive(Clone, Copy)]
enum Comparison {
    Decoded,
    Raw,
}

/// Another value stands at that place.
#[derive(Debug)]
pub(crate) struct Taken;

impl<V> PathTree<V> {
    pub(crate) fn new() -> Self {
        Self { here: None, literals: HashMap::new(), one: None, rest: None }
    }

    pub(crate) fn insert(&mut self, pattern: &Pattern<'_>, value: V) -> Result<(), Taken> {
        self.insert_at(&pattern.0, value)
    }

    fn insert_at(&mut self, segments: &[Segment<'_>], value: V) -> Result<(), Taken> {
        let place = match segments.split_first() {
            None => &mut self.here,
            Some((Segment::Rest, _)) => &mut self.rest,
            Some((Segment::One, after)) => {
                return self
                    .one
                    .get_or_insert_with(|| Box::new(Self::new()))
                    .insert_at(after, value);
            }
            Some((Segment::Literal(text), after)) => {
                let new = || Literal { spelling: (*text).into(), tree: Self::new() };
                let literal = self.literals.entry(decode(text).into()).or_insert_with(new);
                // Two spellings of a literal are one place to a router that decodes.
                if *literal.spelling != **text {
                    return Err(Taken);
                }
                return literal.tree.insert_at(after, value);
            }
        };
        match place {
            Some(_) => Err(Taken),
            None => {
                *place = Some(value);
                Ok(())
            }
        }
    }

    /// The value of the most specific pattern that matches `path`, else `otherwise`.
    ///
    /// None if that depends on whether a router decodes before it compares. Else `/files/%40all` would
    /// pass by the rule for `/files/{id}` and arrive at the handler of `/files/@all`.
    pub(crate) fn find<'a>(&'a self, path: &str, otherwise: Option<&'a V>) -> Option<&'a V> {
        let path = path.strip_prefix('/')?;
        let found = self.find_at(Some(path), Comparison::Raw).or(otherwise)?;
        if !path.contains('%') {
            return Some(found);
        }
        let decoded = self.find_at(Some(path), Comparison::Decoded).or(otherwise)?;
        ptr::eq(found, decoded).then_some(found)
    }

    /// Visits each node of the tree at most once, whatever the path: a node has one depth.
    fn find_at(&self, path: Option<&str>, comparison: Comparison) -> Option<&V> {
        let Some(path) = path else { return self.here.as_ref() };
        let (segment, after) = match path.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (path, None),
        };
        let literal = self.literals.get(&*decode(segment)).filter(|literal| match comparison {
            Comparison::Decoded => true,
            Comparison::Raw => *literal.spelling == *segment,
        });
        literal
            .and_then(|literal| literal.tree.find_at(after, comparison))
            .or_else(|| {
                let one = self.one.as_ref().filter(|_| !segment.is_empty())?;
                one.find_at(after, comparison)
            })
            .or_else(|| self.rest.as_ref().filter(|_| !path.is_empty()))
    }
}
