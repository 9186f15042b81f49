use std::ops::Range;

/// A file does not say whom to trust.
///
/// It names the place and says what to do. It repeats names of keys, and no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}{}: {problem}", in_path(.path))]
pub struct TrustFileError {
    line: usize,
    column: usize,
    path: String,
    problem: String,
}

impl TrustFileError {
    pub(super) fn new(file: &str, at: usize, path: &str, problem: impl Into<String>) -> Self {
        let before = file.get(..at).unwrap_or(file);
        let line_start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
        let lines = before.matches('\n').count().saturating_add(1);
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        Self {
            line: lines,
            column: column.saturating_add(1),
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    /// What the parser says, without the line that it quotes: a line may hold what nobody must read.
    pub(super) fn syntax(file: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |Range { start, .. }| start);
        Self::new(file, at, "", format!("not TOML: {}", error.message()))
    }

    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column, in characters, from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// The key, with those that it is in, such as `issuer[0].require.tid`. Empty for the file as a whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

fn in_path(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(", `{path}`") }
}
