use std::{fmt, time::SystemTime};

use serde_json::{Map, Value};

use super::date;
use crate::json::{self, Bounds};

/// An object of flat members and short lists.
const BOUNDS: Bounds = Bounds { depth: 2, values: 512 };
const MAX_TEXT_BYTES: usize = 2048;

/// What is wrong with one line of a record file.
///
/// It names the key, and never a value: files of records hold digests and names, and errors go to logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordProblem {
    /// A value cannot be used.
    #[error("`{key}` must be {expected}")]
    InvalidValue {
        /// The key.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A key is needed.
    #[error("`{key}` is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// The line is no JSON object, or uses a name twice.
    #[error("not one JSON object in which each name is used once")]
    NotAnObject,
    /// Another line is about the same.
    #[error("`{key}` is the same as on line {first_line}")]
    Repeated {
        /// The key.
        key: &'static str,
        /// Where it was used first.
        first_line: usize,
    },
    /// Two keys contradict each other, or leave open what is meant.
    #[error("{what}")]
    Unclear {
        /// What to do about it.
        what: &'static str,
    },
    /// A key means nothing here. To pass over it could be to pass over a limit that was misspelled.
    #[error("{key} is no key of such a record")]
    UnknownKey {
        /// The key, if it looks like one.
        key: UnknownKey,
    },
}

/// The name of a key that means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKey(Box<str>);

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whatever does not look like the name of a key may be anything, a secret in the wrong place too.
        let is_name = self.0.len() <= 24
            && self.0.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'));
        if is_name {
            write!(f, "`{}`", self.0)
        } else {
            f.write_str("a name that is not shown here")
        }
    }
}

/// The members of one record, taken one by one.
pub(crate) struct Fields(Map<String, Value>);

type Taken<T> = Result<Option<T>, RecordProblem>;

impl Fields {
    pub(crate) fn read(line: &str) -> Result<Self, RecordProblem> {
        json::read_object(line.as_bytes(), BOUNDS).map(Self).ok_or(RecordProblem::NotAnObject)
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Taken<String> {
        match self.0.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) if is_text(&text) => Ok(Some(text)),
            Some(_) => Err(invalid(key, "a string of 1 to 2048 bytes without control characters")),
        }
    }

    pub(crate) fn texts(&mut self, key: &'static str) -> Result<Vec<String>, RecordProblem> {
        let error =
            || invalid(key, "a list of strings of 1 to 2048 bytes without control characters");
        match self.0.remove(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) if is_text(&text) => Ok(text),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Array(_)
                    | Value::Object(_) => Err(error()),
                })
                .collect(),
            Some(_) => Err(error()),
        }
    }

    pub(crate) fn flag(&mut self, key: &'static str) -> Taken<bool> {
        match self.0.remove(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(invalid(key, "`true` or `false`")),
        }
    }

    pub(crate) fn date(&mut self, key: &'static str) -> Taken<SystemTime> {
        match self.0.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => {
                date::parse(&text).map(Some).ok_or_else(|| not_a_date(key))
            }
            Some(_) => Err(not_a_date(key)),
        }
    }

    /// Whether the value is this word. It is taken if so.
    pub(crate) fn take_word(&mut self, key: &'static str, word: &str) -> bool {
        let is_word = self.0.get(key).is_some_and(|value| value == word);
        if is_word {
            self.0.remove(key);
        }
        is_word
    }

    /// To be called when everything that is known was taken.
    pub(crate) fn finish(self) -> Result<(), RecordProblem> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((key, _)) => Err(RecordProblem::UnknownKey { key: UnknownKey(key.into()) }),
        }
    }
}

pub(crate) const fn invalid(key: &'static str, expected: &'static str) -> RecordProblem {
    RecordProblem::InvalidValue { key, expected }
}

pub(crate) const fn missing(key: &'static str) -> RecordProblem {
    RecordProblem::MissingKey { key }
}

const fn not_a_date(key: &'static str) -> RecordProblem {
    invalid(key, "a date in UTC such as `2027-01-31T23:59:59Z`")
}

/// What may be a name, from a file or from code: visible in a record, and not without end.
pub(crate) fn is_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TEXT_BYTES && !text.contains(char::is_control)
}

/// Writes one record; members in the order in which they are added.
pub(crate) struct LineWriter(String);

impl LineWriter {
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.member(key, &Value::from(value));
    }

    pub(crate) fn texts<'a>(&mut self, key: &str, values: impl Iterator<Item = &'a str>) {
        let values: Vec<_> = values.map(|value| Value::String(value.to_owned())).collect();
        if !values.is_empty() {
            self.member(key, &Value::Array(values));
        }
    }

    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        self.member(key, &Value::Bool(value));
    }

    fn member(&mut self, key: &str, value: &Value) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&Value::from(key).to_string());
        self.0.push(':');
        self.0.push_str(&value.to_string());
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
