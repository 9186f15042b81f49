use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use ::tracing::{Level, subscriber::with_default};
use palisade_core::{Denial, DenialKind, Operation, Principal, Reason, ScopeSet};
use tracing_subscriber::fmt;

use super::*;
use crate::{Outcome, json::tests::record};

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the sink makes of a record, as the plainest of formats shows it.
fn shown(record: &AuditRecord, level: Level) -> String {
    let output = Output::default();
    let writer = output.clone();
    let subscriber = fmt()
        .with_max_level(level)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    with_default(subscriber, || TracingSink::new().record(record));
    let bytes = output.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn an_event_has_the_fields_that_are_known() {
    assert_eq!(
        shown(&record(), Level::INFO),
        " INFO palisade::audit: request ended outcome=\"answered\" status=200 protocol=\"http\" \
         operation=\"GET\" operation_target=\"/a\" method=\"GET\" path=\"/a\" bytes_in=0 \
         bytes_out=5 duration_us=1234\n"
    );
    let mut denied = record();
    let reason = Reason::new("few", "x");
    denied.outcome = Outcome::Denied(
        Denial::new("scope-policy", DenialKind::InsufficientScope, reason)
            .with_required_scopes(ScopeSet::parse("a b").unwrap())
            .with_source(io::Error::other("why")),
    );
    let event = shown(&denied, Level::INFO);
    let fields = "outcome=\"denied\" status=200 stage=\"scope-policy\" kind=\"insufficient_scope\" \
                  reason=\"few\" required_scopes=\"a b\" cause=\"why\"";
    assert!(event.contains(fields), "{event}");
}

#[test]
fn an_event_that_nobody_wants_is_not_made() {
    assert_eq!(shown(&record(), Level::WARN), "");
}

#[test]
fn log_01_to_03_and_05_a_text_can_neither_break_the_line_nor_add_a_field() {
    let text = "x outcome=\"denied\"\r\n\x1b[2J\u{9b}\u{202e}\u{2028} INFO palisade::audit";
    let mut hostile = record();
    hostile.path = text.to_owned();
    hostile.user_agent = Some(text.to_owned());
    hostile.operation = Operation::new("rpc", text).with_target(text);
    hostile.principal =
        Some(Principal::assert_verified(text, text).client_id(text).token_id(text).build());
    let event = shown(&hostile, Level::INFO);
    assert!(event.is_ascii(), "{event:?}");
    assert_eq!(event.matches(|c: char| c.is_control()).count(), 1, "{event:?}");
    assert_eq!(event.matches(" outcome=\"").count(), 1, "{event}");
}

#[test]
fn what_was_withheld_is_counted_and_is_absent_if_there_was_nothing() {
    let mut record = record();
    assert!(!shown(&record, Level::INFO).contains("withheld"));
    let trail = palisade_core::Trail::new();
    trail.withhold(Some("https://up.example"));
    record.withheld = trail.notes().withheld;
    assert!(shown(&record, Level::INFO).contains("withheld=1"));
}
