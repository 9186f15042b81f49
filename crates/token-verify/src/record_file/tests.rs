use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use palisade_core::Principal;

use super::*;
use crate::deny_list::{DenyList, WhenStale};

/// A file of its own for each test, gone with it.
struct TestFile(PathBuf);

impl TestFile {
    fn with(text: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("palisade-record-file-{}-{number}", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        file.write(text);
        file
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        std::fs::write(&self.0, content).unwrap();
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const ALICE: &str = "{\"subject\":\"alice\"}\n";
const BOB: &str = "{\"subject\":\"bob\"}\n";

fn denied(list: &DenyList) -> [bool; 2] {
    ["alice", "bob"]
        .map(|name| list.check(&Principal::assert_verified("https://as", name).build()).is_err())
}

#[tokio::test]
async fn a_change_counts_when_it_was_seen_twice() {
    let file = TestFile::with(ALICE);
    let (list, feed) = DenyList::from_file(&file.0).unwrap();
    assert_eq!(denied(&list), [true, false]);
    let mut watcher = feed.watch(&file.0);
    watcher.look().await;
    watcher.look().await;
    // Half a file, as it looks between two writes.
    file.write("# every");
    watcher.look().await;
    assert_eq!(denied(&list), [true, false], "seen once");
    file.write(BOB);
    watcher.look().await;
    assert_eq!(denied(&list), [true, false], "another one, seen once");
    watcher.look().await;
    assert_eq!(denied(&list), [false, true]);
    assert_eq!(watcher.health().current().loads(), 2);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_keeps_the_last_good_records_and_says_so() {
    let file = TestFile::with(ALICE);
    let list = DenyList::new();
    let mut watcher = list.feed(WhenStale::KeepLastGood).watch(&file.0);
    let health = watcher.health();
    assert_eq!(denied(&list), [true, true], "nothing was read yet, so nobody comes in");
    watcher.look().await;
    watcher.look().await;
    assert_eq!(denied(&list), [true, false]);

    let empty = RecordFileError::Empty.to_string();
    let large = vec![b'#'; MAX_FILE_BYTES + 1];
    let rows: [(&str, &[u8], &str); 5] = [
        ("empty", b"", &empty),
        (
            "a bad line",
            b"{\"subject\":\"bob\"}\n{",
            "line 2: not one JSON object in which each name is used once",
        ),
        (
            "another bad line",
            b"\n\n{\"subjct\":\"bob\"}",
            "line 3: the line denies nothing; name a `subject`, `client_id`, `token_id`, `address` or `issuer`",
        ),
        ("no text", b"\xff\xfe", "the file is not UTF-8 text"),
        ("too large", &large, "the file is larger than 16 MiB"),
    ];
    for (name, content, expected) in rows {
        file.write(content);
        for _ in 0..3 {
            watcher.look().await;
        }
        let problem = health.current().problem().map(ToString::to_string);
        assert_eq!(problem.as_deref(), Some(expected), "{name}");
        assert_eq!(denied(&list), [true, false], "{name}");
    }
    std::fs::remove_file(&file.0).unwrap();
    watcher.look().await;
    let problem = health.current().problem().map(ToString::to_string);
    assert_eq!(problem.as_deref(), Some("the file cannot be read"));
    assert_eq!(denied(&list), [true, false]);

    file.write(ALICE);
    watcher.look().await;
    assert!(health.current().problem().is_none(), "the file is as it was");
    file.write(BOB);
    watcher.look().await;
    watcher.look().await;
    assert_eq!(denied(&list), [false, true]);
    assert_eq!(health.current().loads(), 2);
}

#[test]
fn a_service_does_not_start_with_a_list_that_it_does_not_understand() {
    let file = TestFile::with("{");
    assert!(matches!(DenyList::from_file(&file.0), Err(RecordFileError::Line { line: 1, .. })));
    let missing = file.0.with_extension("missing");
    assert!(matches!(DenyList::from_file(missing), Err(RecordFileError::Read(_))));
}

#[tokio::test(start_paused = true)]
async fn rev_01_a_changed_file_counts_within_a_second() {
    let file = TestFile::with(ALICE);
    let (list, feed) = DenyList::from_file(&file.0).unwrap();
    let watcher = feed.watch(&file.0);
    file.write(BOB);
    tokio::time::timeout(Duration::from_secs(1), watcher.run()).await.unwrap_err();
    assert_eq!(denied(&list), [false, true]);
}

#[tokio::test]
async fn intervals_are_more_than_nothing_and_at_most_a_day() {
    let list = DenyList::new();
    let day = Duration::from_secs(24 * 60 * 60);
    for (interval, good) in
        [(Duration::ZERO, false), (Duration::from_nanos(1), true), (day, true), (day * 2, false)]
    {
        let watcher = list.feed(WhenStale::KeepLastGood).watch("x").interval(interval);
        assert_eq!(watcher.is_ok(), good, "{interval:?}");
    }
}

#[tokio::test]
async fn api_keys_follow_a_file_too() {
    use crate::api_key::MemoryApiKeys;

    let keys = MemoryApiKeys::new();
    let hash = "0".repeat(64);
    let line = format!(
        "{{\"id\":\"aaaaaaaaaaaaaaaa\",\"sha256\":\"{hash}\",\"subject\":\"alice\",\"audiences\":[\"x\"],\
         \"issued_at\":\"2027-01-01T00:00:00Z\",\"expires_at\":\"never\"}}"
    );
    let file = TestFile::with(&line);
    let mut watcher = keys.watch(&file.0);
    watcher.look().await;
    watcher.look().await;
    assert_eq!(keys.records().len(), 1);
    file.write("");
    watcher.look().await;
    watcher.look().await;
    assert_eq!(keys.records().len(), 1);
    assert!(watcher.health().current().problem().is_some());
}

/// A named pipe that nobody writes to hangs as a file on a network does.
#[cfg(unix)]
#[test]
fn a_file_that_never_answers_holds_one_thread_however_often_it_is_looked_at() {
    let pipe = TestFile::with("");
    std::fs::remove_file(&pipe.0).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe.0).status().unwrap().success());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(2)
        .build()
        .unwrap();
    let list = DenyList::new();
    let mut watcher = list.feed(WhenStale::KeepLastGood).watch(&pipe.0);
    let health = watcher.health();
    let other_work = runtime.block_on(async {
        for _ in 0..3 {
            tokio::join!(watcher.look(), tokio::time::advance(Duration::from_secs(6)));
            assert!(health.current().problem().is_some());
        }
        let (sender, receiver) = std::sync::mpsc::channel();
        tokio::task::spawn_blocking(move || sender.send(()));
        receiver.recv_timeout(Duration::from_secs(5))
    });
    // Whoever waits for a writer has one now, and reads to the end.
    let writer = std::fs::OpenOptions::new().read(true).write(true).open(&pipe.0).unwrap();
    std::fs::write(&pipe.0, ALICE).unwrap();
    runtime.block_on(async { tokio::task::spawn_blocking(|| ()).await.unwrap() });
    drop(writer);
    assert_eq!(other_work, Ok(()), "there is a thread left for others");

    std::fs::remove_file(&pipe.0).unwrap();
    pipe.write(BOB);
    runtime.block_on(async {
        watcher.look().await;
        watcher.look().await;
    });
    assert_eq!(denied(&list), [false, true], "what was read too late is not believed");
}
