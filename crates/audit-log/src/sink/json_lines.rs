use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use ::tracing::{error, warn};

use super::AuditSink;
use crate::AuditRecord;

/// Writes every record as one line of JSON, as [`AuditRecord::to_json`] makes it.
///
/// A line goes to the writer in one call and the writer is flushed after each, so that lines of several
/// threads, and of several processes that append to one file, do not mix. The request that ends waits for
/// that: if your disk may stall, use a writer that hands over to a thread.
///
/// # What you do not get
///
/// Nothing is synced to the disk: a line survives the end of the process, not of the machine. A record that
/// cannot be written is lost, counted in [`failures`](Self::failures) and reported through `tracing`, once
/// when writing begins to fail and once when it works again. The request is answered all the same.
///
/// # Rotation
///
/// The file is opened once. Rotate it by copying and truncating, or restart after moving it away: the sink
/// does not notice that a file was moved or deleted.
pub struct JsonLinesSink<W> {
    output: Mutex<Output<W>>,
    failures: AtomicU64,
}

struct Output<W> {
    writer: W,
    /// The last line was cut off: end it before the next begins.
    torn: bool,
    /// Records lost since writing began to fail.
    lost: u64,
}

impl JsonLinesSink<File> {
    /// Appends to a file, which is created for the eyes of its owner only (`0600` on Unix) if it does not
    /// exist. The permissions of a file that exists are left as they are.
    ///
    /// If the file ends in the middle of a line, as after a crash, the first record starts a new one.
    ///
    /// Put it where only the service may write: whoever can replace the file decides where records go.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn append(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let torn = ends_within_a_line(&mut file)?;
        Ok(Self::starting(file, torn))
    }
}

/// Pipes and terminals have no end to look at.
fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

impl<W: Write> JsonLinesSink<W> {
    /// Writes to anything that can be written to.
    pub const fn new(writer: W) -> Self {
        Self::starting(writer, false)
    }
}

impl<W> JsonLinesSink<W> {
    const fn starting(writer: W, torn: bool) -> Self {
        Self { output: Mutex::new(Output { writer, torn, lost: 0 }), failures: AtomicU64::new(0) }
    }

    /// How many records could not be written, since the start. To read it later, keep an `Arc` of the sink.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// The writer. For tests, and to close it in an orderly way.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.output.into_inner().unwrap_or_else(PoisonError::into_inner).writer
    }
}

impl<W: Write + Send> AuditSink for JsonLinesSink<W> {
    fn record(&self, record: &AuditRecord) {
        let mut line = record.to_json();
        line.push('\n');
        let change = self.output.lock().unwrap_or_else(PoisonError::into_inner).write_line(line);
        // Not under the lock: the subscriber is foreign code and may well write here itself.
        match change {
            Change::None => {}
            Change::Failed(None) => self.count_failure(),
            Change::Failed(Some(error)) => {
                self.count_failure();
                error!(%error, "audit records cannot be written and are lost");
            }
            Change::Recovered { lost } => warn!(lost, "audit records are written again"),
        }
    }
}

impl<W> JsonLinesSink<W> {
    fn count_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a line changed.
enum Change {
    None,
    /// With the error if it is the first in a row.
    Failed(Option<io::Error>),
    Recovered {
        lost: u64,
    },
}

impl<W: Write> Output<W> {
    fn write_line(&mut self, mut line: String) -> Change {
        if self.torn {
            line.insert(0, '\n');
        }
        // Set first, in case the writer panics: then nobody knows how much of the line is there.
        let was_torn = std::mem::replace(&mut self.torn, true);
        match write_all(&mut self.writer, line.as_bytes()) {
            Ok(()) => {
                self.torn = false;
                match std::mem::take(&mut self.lost) {
                    0 => Change::None,
                    lost => Change::Recovered { lost },
                }
            }
            Err((written, error)) => {
                self.torn = was_torn && written == 0 || written > 0;
                let first = self.lost == 0;
                self.lost = self.lost.saturating_add(1);
                Change::Failed(first.then_some(error))
            }
        }
    }
}

/// As [`Write::write_all`] and [`Write::flush`], but tells how much was written before an error.
fn write_all<W: Write>(writer: &mut W, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0_usize;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match writer.write(rest) {
            Ok(0) => return Err((written, ErrorKind::WriteZero.into())),
            Ok(count) => written = written.saturating_add(count),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    writer.flush().map_err(|error| (written, error))
}

impl<W> fmt::Debug for JsonLinesSink<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLinesSink").field("failures", &self.failures()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
