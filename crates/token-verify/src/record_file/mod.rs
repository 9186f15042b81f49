//! Files of records that an operator writes: API keys, deny lists.
//!
//! One JSON object a line. Such a file can be appended to, searched and put under version control, an error
//! has a line number, and no two tools read it differently.

mod date;
mod fields;
#[cfg(test)]
#[cfg(feature = "reload")]
mod tests;
#[cfg(feature = "reload")]
mod watch;

use std::{io::Read, path::Path, sync::Arc};

pub use self::fields::{RecordProblem, UnknownKey};
#[cfg(feature = "reload")]
pub use self::watch::{FileHealth, FileHealthHandle, FileWatcher, InvalidIntervalError};
#[cfg(feature = "reload")]
pub(crate) use self::watch::{FileTarget, check_interval};
pub(crate) use self::{
    date::{format as format_date, whole_seconds},
    fields::{Fields, LineWriter, invalid, is_text, missing},
};

/// More than any list needs that a person looks after.
pub(crate) const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// A file of records cannot be used. Nothing of it is.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFileError {
    /// There is nothing in it.
    #[error(
        "the file is empty, as a file is that is just being written; if nothing is meant, write a line that begins with `#`"
    )]
    Empty,
    /// A line cannot be used.
    #[error("line {line}: {problem}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Why.
        problem: RecordProblem,
    },
    /// The file is not text.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Read(#[source] Arc<std::io::Error>),
    /// More than 16 MiB.
    #[error("the file is larger than 16 MiB")]
    TooLarge,
    /// More records than allowed.
    #[error("the file holds more than {max} records; remove what is over, or allow more")]
    TooMany {
        /// The bound.
        max: usize,
    },
}

impl From<std::io::Error> for RecordFileError {
    fn from(error: std::io::Error) -> Self {
        Self::Read(Arc::new(error))
    }
}

/// All records of a file, with their lines, or the first error.
pub(crate) fn read_records<T>(
    text: &str,
    max: usize,
    mut read: impl FnMut(&mut Fields) -> Result<T, RecordProblem>,
) -> Result<Vec<(usize, T)>, RecordFileError> {
    // A file that is truncated to be written anew is empty for a moment, and an empty list lets everybody
    // in (or keeps everybody out).
    if text.trim().is_empty() {
        return Err(RecordFileError::Empty);
    }
    let mut records = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let text = text.trim_matches([' ', '\t', '\r']);
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if records.len() >= max {
            return Err(RecordFileError::TooMany { max });
        }
        let line = index.saturating_add(1);
        let record = Fields::read(text)
            .and_then(|mut fields| {
                let record = read(&mut fields)?;
                fields.finish()?;
                Ok(record)
            })
            .map_err(|problem| RecordFileError::Line { line, problem })?;
        records.push((line, record));
    }
    Ok(records)
}

/// Reads a file on the spot. For the start of a program.
pub(crate) fn read_file(path: &Path) -> Result<String, RecordFileError> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(bytes_to_read()).read_to_end(&mut bytes)?;
    into_text(bytes)
}

/// One more than allowed, so that what is too large is seen to be.
fn bytes_to_read() -> u64 {
    u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1)
}

fn into_text(bytes: Vec<u8>) -> Result<String, RecordFileError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(RecordFileError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|_| RecordFileError::NotText)
}
