use std::{
    collections::HashMap,
    fmt,
    future::{Ready, ready},
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use super::{ApiKeyId, ApiKeyRecord};
use crate::record_file::{self, RecordFileError, RecordProblem};

const DEFAULT_MAX_KEYS: usize = 100_000;

/// Finds the records of keys, wherever they are stored.
///
/// # For implementors
///
/// Look up by the id, and by nothing else: the secret is compared afterwards, in constant time. The id is
/// text of a stranger in a checked form; bound how many lookups of unknown ones you let through to a database.
/// A record that is out of date keeps a withdrawn key alive for as long. `Ok(None)` is believed and becomes a
/// 401; where you do not know, say [`ApiKeyStoreError`], which becomes a 503.
pub trait ApiKeyStore {
    /// Resolves to the record, if there is one.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the client hangs up, and must allow that.
    type Find: Future<Output = Result<Option<ApiKeyRecord>, ApiKeyStoreError>>;

    /// Finds the record of one key.
    fn find(&self, id: ApiKeyId) -> Self::Find;
}

/// The place where keys are stored cannot be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the store of API keys cannot be asked")]
#[non_exhaustive]
pub struct ApiKeyStoreError {
    /// When it makes sense to ask again.
    pub retry_after: Option<Duration>,
}

impl ApiKeyStoreError {
    /// No answer, and perhaps an idea when there will be one.
    #[must_use]
    pub const fn new(retry_after: Option<Duration>) -> Self {
        Self { retry_after }
    }
}

/// Keys that are in memory: from code, or from a file. Cheap to clone; clones are the same keys.
///
/// # The file
///
/// One JSON object a line, as [`ApiKeyRecord::to_line`] writes it; empty lines and lines that begin with `#`
/// are passed over. A file of which one line is wrong is not used at all.
///
/// | key | needed | what |
/// |---|---|---|
/// | `id` | yes | 16 letters and digits, no two alike |
/// | `sha256` | yes | of the whole key, in hex |
/// | `subject` | yes | the owner |
/// | `audiences` | yes | the resources that it is good for, a list |
/// | `issued_at` | yes | a date such as `2027-01-31T23:59:59Z` |
/// | `expires_at` | yes | a date, or `never` |
/// | `not_before` | | a date |
/// | `scope` | | scopes with one space between each two |
/// | `client_id`, `label` | | text |
/// | `roles` | | a list |
/// | `disabled` | | `true` switches the key off |
#[derive(Clone)]
pub struct MemoryApiKeys(Arc<Shared>);

struct Shared {
    records: RwLock<HashMap<ApiKeyId, ApiKeyRecord>>,
    max: usize,
}

/// A record cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddApiKeyError {
    /// There is a record of that id.
    #[error("there is a key with the id `{id}` already; remove it first")]
    Duplicate {
        /// The id.
        id: ApiKeyId,
    },
    /// No more fit in.
    #[error("there are {max} keys, and no more fit in; remove some, or allow more")]
    Full {
        /// The bound.
        max: usize,
    },
}

impl MemoryApiKeys {
    /// No keys, and room for 100,000.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_MAX_KEYS)
    }

    /// No keys, and room for `max`.
    #[must_use]
    pub fn with_capacity(max: usize) -> Self {
        Self(Arc::new(Shared { records: RwLock::default(), max }))
    }

    /// The keys of a file, read on the spot. For the start of a program.
    ///
    /// # Errors
    ///
    /// [`RecordFileError`] if the file cannot be read or any line cannot be used.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, RecordFileError> {
        let keys = Self::new();
        keys.replace_from_text(&record_file::read_file(path.as_ref())?)?;
        Ok(keys)
    }

    /// Adds a key, at once.
    ///
    /// # Errors
    ///
    /// [`AddApiKeyError`] if its id is taken, or there is no room.
    pub fn add(&self, record: ApiKeyRecord) -> Result<(), AddApiKeyError> {
        let mut records = self.write();
        if records.contains_key(&record.id()) {
            return Err(AddApiKeyError::Duplicate { id: record.id() });
        }
        if records.len() >= self.0.max {
            return Err(AddApiKeyError::Full { max: self.0.max });
        }
        records.insert(record.id(), record);
        Ok(())
    }

    /// Removes a key, at once, and gives back its record.
    #[must_use = "tells whether there was one"]
    pub fn remove(&self, id: ApiKeyId) -> Option<ApiKeyRecord> {
        self.write().remove(&id)
    }

    /// Replaces all keys by those of a text in the form of the file, at once and as a whole.
    ///
    /// # Errors
    ///
    /// [`RecordFileError`] if any line cannot be used. Then all keys stay as they were.
    pub fn replace_from_text(&self, text: &str) -> Result<(), RecordFileError> {
        let mut records = HashMap::new();
        let mut lines = HashMap::new();
        for (line, record) in record_file::read_records(text, self.0.max, ApiKeyRecord::read)? {
            // Which of two would count would depend on their order.
            if let Some(first_line) = lines.insert(record.id(), line) {
                let problem = RecordProblem::Repeated { key: "id", first_line };
                return Err(RecordFileError::Line { line, problem });
            }
            records.insert(record.id(), record);
        }
        let replaced = std::mem::replace(&mut *self.write(), records);
        // Outside the lock: many records take a while to drop.
        drop(replaced);
        Ok(())
    }

    /// Follows a file.
    #[cfg(feature = "reload")]
    pub fn watch(&self, path: impl Into<std::path::PathBuf>) -> record_file::FileWatcher {
        record_file::FileWatcher::new(path.into(), Box::new(self.clone()))
    }

    /// All records, in no order.
    #[must_use]
    pub fn records(&self) -> Vec<ApiKeyRecord> {
        self.0.records.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Nothing that can panic halfway happens under the lock, so a poisoned one guards whole records.
    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<ApiKeyId, ApiKeyRecord>> {
        self.0.records.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "reload")]
impl record_file::FileTarget for MemoryApiKeys {
    fn take(&self, text: &str) -> Result<(), RecordFileError> {
        self.replace_from_text(text)
    }

    fn confirm(&self) {}
}

impl Default for MemoryApiKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl ApiKeyStore for MemoryApiKeys {
    type Find = Ready<Result<Option<ApiKeyRecord>, ApiKeyStoreError>>;

    fn find(&self, id: ApiKeyId) -> Self::Find {
        let records = self.0.records.read().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(records.get(&id).cloned()))
    }
}

impl fmt::Debug for MemoryApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.0.records.read().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("MemoryApiKeys").field("len", &len).finish_non_exhaustive()
    }
}
