//! Where records go.

mod json_lines;
mod tracing;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

pub use self::{json_lines::JsonLinesSink, tracing::TracingSink};
use crate::AuditRecord;

/// Takes records and keeps them somewhere.
///
/// Implemented for closures `Fn(&AuditRecord)`, for an `Arc` of a sink, so that you can keep a handle, and
/// for pairs of sinks, each of which gets every record.
///
/// Wrong answers are tolerable as follows. A sink that loses records loses them; the request is not
/// affected, which is why there is no error to return: a sink knows best whether to count, to report or to
/// retry. A sink that blocks holds up a worker thread of the server: hand the record to a queue if keeping
/// it may take long. A sink that panics loses the record; the panic is caught, because a record may be
/// written while another panic unwinds. Whatever a record holds is *not* escaped, see [`AuditRecord`].
pub trait AuditSink: Send + Sync {
    /// Takes the record of a request that has ended. Called exactly once per request, from whatever thread
    /// polled or dropped it last, possibly outside of any runtime.
    fn record(&self, record: &AuditRecord);
}

impl<F: Fn(&AuditRecord) + Send + Sync> AuditSink for F {
    fn record(&self, record: &AuditRecord) {
        self(record);
    }
}

impl<S: AuditSink + ?Sized> AuditSink for Arc<S> {
    fn record(&self, record: &AuditRecord) {
        (**self).record(record);
    }
}

impl<A: AuditSink, B: AuditSink> AuditSink for (A, B) {
    fn record(&self, record: &AuditRecord) {
        // The failure of one is no reason for the other to miss a record.
        contain_panic(|| self.0.record(record));
        contain_panic(|| self.1.record(record));
    }
}

/// Runs a sink. The panic hook has already reported what is caught here.
pub(crate) fn contain_panic(run: impl FnOnce()) {
    // A sink is shared by all requests and responsible for its own state: poisoning included.
    let _ = catch_unwind(AssertUnwindSafe(run));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::json::tests::record;

    #[test]
    fn each_of_two_sinks_gets_every_record_whatever_the_other_does() {
        let seen = Arc::new(AtomicUsize::new(0));
        let count = {
            let seen = Arc::clone(&seen);
            Arc::new(move |_: &AuditRecord| {
                seen.fetch_add(1, Ordering::Relaxed);
            })
        };
        let panics = |_: &AuditRecord| panic!("the sink panicked");
        let sink: Arc<dyn AuditSink> = Arc::new((Arc::clone(&count), (panics, count)));
        sink.record(&record());
        assert_eq!(seen.load(Ordering::Relaxed), 2);
        (panics, sink).record(&record());
        assert_eq!(seen.load(Ordering::Relaxed), 4);
    }
}
