use std::{sync::Arc, thread};

use serde_json::Value;

use super::*;
use crate::json::tests::record;

/// A file in a directory of its own, gone with the value.
struct Place(std::path::PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("palisade-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.join("audit.jsonl")
    }

    fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(self.file()).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_record_is_a_line() {
    let sink = JsonLinesSink::new(Vec::new());
    sink.record(&record());
    sink.record(&record());
    let expected = format!("{0}\n{0}\n", record().to_json());
    assert_eq!(String::from_utf8(sink.into_inner()).unwrap(), expected);
}

#[test]
fn lines_of_many_threads_and_sinks_stay_whole() {
    const EACH: usize = 50;

    let place = Place::new("threads");
    // Two sinks on one file, as two processes would have.
    let sinks = [0, 1].map(|_| Arc::new(JsonLinesSink::append(place.file()).unwrap()));
    thread::scope(|scope| {
        for index in 0..8_usize {
            let sink = Arc::clone(&sinks[index % 2]);
            scope.spawn(move || {
                let mut record = record();
                record.path = format!("/{index}").repeat(500);
                (0..EACH).for_each(|_| sink.record(&record));
            });
        }
    });
    let lines = place.lines();
    assert_eq!(lines.len(), 8 * EACH);
    for line in lines {
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["outcome"], "answered");
    }
}

#[test]
fn appends_to_what_is_there_and_ends_a_torn_line() {
    for (name, before, whole_lines) in [
        ("empty", "", 0),
        ("whole", "{}\n", 1),
        ("torn", "{}\n{\"v\":1,\"ti", 2),
        ("torn at once", "{", 1),
    ] {
        let place = Place::new(&name.replace(' ', "-"));
        std::fs::write(place.file(), before).unwrap();
        let sink = JsonLinesSink::append(place.file()).unwrap();
        sink.record(&record());
        sink.record(&record());
        let lines = place.lines();
        assert_eq!(lines.len(), whole_lines + 2, "{name}: {lines:?}");
        assert_eq!(lines[whole_lines..], [record().to_json(), record().to_json()], "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new("mode");
    JsonLinesSink::append(place.file()).unwrap();
    assert_eq!(std::fs::metadata(place.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_at_once() {
    let place = Place::new("missing");
    let error = JsonLinesSink::append(place.0.join("no/such/directory")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// A disk that is full now and then: how many bytes each call may write, `None` for an error.
#[derive(Default)]
struct Disk {
    written: Vec<u8>,
    quotas: Vec<Option<usize>>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let quota = if self.quotas.is_empty() { Some(bytes.len()) } else { self.quotas.remove(0) };
        let count = quota.ok_or(ErrorKind::StorageFull)?.min(bytes.len());
        self.written.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_cannot_be_written_is_counted_and_harms_no_other_record() {
    let whole = record().to_json();
    let torn = whole.get(..5).unwrap();
    for (name, quotas, failures, expected) in [
        ("works", vec![], 0, format!("{whole}\n{whole}\n{whole}\n")),
        ("in pieces", vec![Some(5), Some(7)], 0, format!("{whole}\n{whole}\n{whole}\n")),
        ("nothing of the first", vec![None], 1, format!("{whole}\n{whole}\n")),
        ("part of the first", vec![Some(5), None], 1, format!("{torn}\n{whole}\n{whole}\n")),
        ("accepts nothing", vec![Some(0)], 1, format!("{whole}\n{whole}\n")),
        ("part, then nothing", vec![Some(5), None, None], 2, format!("{torn}\n{whole}\n")),
    ] {
        let sink = JsonLinesSink::new(Disk { quotas, ..Disk::default() });
        for _ in 0..3 {
            sink.record(&record());
        }
        assert_eq!(sink.failures(), failures, "{name}");
        assert_eq!(String::from_utf8(sink.into_inner().written).unwrap(), expected, "{name}");
    }
}

#[test]
fn failing_and_working_again_are_reported_once_each() {
    let sink = JsonLinesSink::new(Disk {
        quotas: vec![None, None, Some(usize::MAX), None],
        ..Disk::default()
    });
    let mut changes = Vec::new();
    for _ in 0..6 {
        let line = String::from("x\n");
        changes.push(match sink.output.lock().unwrap().write_line(line) {
            Change::None => "none".to_owned(),
            Change::Failed(None) => "failed".to_owned(),
            Change::Failed(Some(error)) => format!("{:?}", error.kind()),
            Change::Recovered { lost } => format!("recovered {lost}"),
        });
    }
    let expected = ["StorageFull", "failed", "recovered 2", "StorageFull", "recovered 1", "none"];
    assert_eq!(changes, expected);
}

#[test]
fn a_writer_that_panics_does_not_silence_the_sink() {
    struct PanicsOnce(bool, Vec<u8>);

    impl Write for PanicsOnce {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(std::mem::replace(&mut self.0, true), "the writer panicked");
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let sink = JsonLinesSink::new(PanicsOnce(false, Vec::new()));
    super::super::contain_panic(|| sink.record(&record()));
    sink.record(&record());
    // Nobody knows how much of the first line was written, so the second begins a new one.
    let expected = format!("\n{}\n", record().to_json());
    assert_eq!(String::from_utf8(sink.into_inner().1).unwrap(), expected);
}
