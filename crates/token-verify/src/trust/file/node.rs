//! Reading a TOML document with the place of everything at hand.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{TrustFileError, nearest::nearest};

type Result<T> = std::result::Result<T, TrustFileError>;

/// A value and where it is.
pub(super) struct Node<'f> {
    file: &'f str,
    path: String,
    value: &'f Spanned<DeValue<'f>>,
    /// Where the complaint points to: the key if there is one, because that is what is looked for.
    at: usize,
}

/// A table whose keys are known, and a table whose keys are anybody's.
pub(super) struct Table<'f> {
    file: &'f str,
    path: String,
    at: usize,
    /// In the order of the file: rules are held in the order in which they were written.
    entries: Vec<(&'f str, Node<'f>)>,
}

impl<'f> Table<'f> {
    pub(super) fn document(file: &'f str, table: &'f DeTable<'f>) -> Self {
        Self::new(file, String::new(), 0, table)
    }

    fn new(file: &'f str, path: String, at: usize, table: &'f DeTable<'f>) -> Self {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let entries = entries
            .into_iter()
            .map(|(key, value)| {
                let name: &str = key.get_ref();
                let path = join(&path, name);
                (name, Node { file, path, value, at: key.span().start })
            })
            .collect();
        Self { file, path, at, entries }
    }

    /// Refuses keys that mean nothing: a rule that is not understood must not be a rule that is not there.
    pub(super) fn only(self, known: &[&str]) -> Result<Self> {
        let Some((name, node)) = self.entries.iter().find(|(name, _)| !known.contains(name)) else {
            return Ok(self);
        };
        Err(node.error(if is_like_a_secret(name) {
            "looks like a secret: this file holds rules, and is no place for secrets".to_owned()
        } else if let Some(meant) = nearest(name, known) {
            format!("unknown key: did you mean `{meant}`?")
        } else {
            format!("unknown key: write one of {}", list(known))
        }))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Node<'f>> {
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, node)| node)
    }

    pub(super) fn required(&self, name: &str) -> Result<&Node<'f>> {
        self.get(name).ok_or_else(|| self.error(format!("the key `{name}` is missing")))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'f str, &Node<'f>)> {
        self.entries.iter().map(|(name, node)| (*name, node))
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> TrustFileError {
        TrustFileError::new(self.file, self.at, &self.path, problem)
    }
}

impl<'f> Node<'f> {
    pub(super) fn error(&self, problem: impl Into<String>) -> TrustFileError {
        TrustFileError::new(self.file, self.at, &self.path, problem)
    }

    /// The problem with its causes, on one line.
    pub(super) fn refuse(&self, error: &dyn std::error::Error) -> TrustFileError {
        let mut problem = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            problem = format!("{problem}: {error}");
            cause = error.source();
        }
        self.error(problem)
    }

    fn expected(&self, what: &str) -> TrustFileError {
        self.error(format!("expected {what}, found {}", describe(self.value.get_ref())))
    }

    pub(super) fn value(&self) -> &'f DeValue<'f> {
        self.value.get_ref()
    }

    pub(super) fn text(&self) -> Result<&'f str> {
        self.value().as_str().ok_or_else(|| self.expected("a string"))
    }

    pub(super) fn flag(&self) -> Result<bool> {
        self.value().as_bool().ok_or_else(|| self.expected("`true` or `false`"))
    }

    /// `true`, where leaving the key out says the opposite.
    pub(super) fn switched_on(&self) -> Result<()> {
        if self.flag()? { Ok(()) } else { Err(self.error("write `true`, or leave it out")) }
    }

    pub(super) fn count(&self) -> Result<u64> {
        let integer = self.value().as_integer().ok_or_else(|| self.expected("a whole number"))?;
        u64::from_str_radix(integer.as_str(), integer.radix())
            .map_err(|_| self.error("expected a number from 0 on"))
    }

    /// The entries of an array. One that is not there is no array of none.
    pub(super) fn list(&self) -> Result<Vec<Self>> {
        let entries = self.value().as_array().ok_or_else(|| self.expected("an array"))?;
        let node = |(index, value): (usize, &'f Spanned<DeValue<'f>>)| Self {
            file: self.file,
            path: format!("{}[{index}]", self.path),
            value,
            at: value.span().start,
        };
        Ok(entries.iter().enumerate().map(node).collect())
    }

    pub(super) fn texts(&self) -> Result<Vec<&'f str>> {
        self.list()?.iter().map(Node::text).collect()
    }

    pub(super) fn table(&self) -> Result<Table<'f>> {
        let table = self.value().as_table().ok_or_else(|| self.expected("a table"))?;
        Ok(Table::new(self.file, self.path.clone(), self.at, table))
    }

    pub(super) fn is_table(&self) -> bool {
        self.value().is_table()
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let written = self.text()?;
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        match words.iter().find(|(word, _)| *word == written) {
            Some((_, meaning)) => Ok(*meaning),
            None => Err(self.unknown_word(written, &known)),
        }
    }

    pub(super) fn unknown_word(&self, written: &str, known: &[&str]) -> TrustFileError {
        self.error(match nearest(written, known) {
            Some(meant) => format!("unknown value: did you mean \"{meant}\"?"),
            None => format!("unknown value: write one of {}", quoted(known)),
        })
    }
}

fn join(path: &str, key: &str) -> String {
    let is_bare = !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let key = if is_bare { key.to_owned() } else { format!("\"{}\"", key.escape_debug()) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

fn is_like_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "password", "private", "credential"].iter().any(|word| name.contains(word))
}

const fn describe(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
