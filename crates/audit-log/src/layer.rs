use std::{fmt, sync::Arc};

use palisade_core::{Clock, SystemClock, stack::roles::Audits};
use tower_layer::Layer;

use crate::{AuditLog, AuditSink, entry::Recorder};

/// Records every request. See the [crate docs](crate).
///
/// Sink and clock are behind an `Arc`, so that neither is part of the type of every service, future and
/// body around. That costs one call through a table per record.
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct AuditLogLayer {
    recorder: Arc<Recorder>,
}

impl AuditLogLayer {
    /// A layer that gives records to `sink`.
    pub fn new(sink: impl AuditSink + 'static) -> Self {
        let recorder = Recorder { sink: Arc::new(sink), clock: Arc::new(SystemClock::new()) };
        Self { recorder: Arc::new(recorder) }
    }

    /// Changes where the time comes from.
    pub fn with_clock(self, clock: impl Clock + Send + Sync + 'static) -> Self {
        let recorder = Recorder { sink: Arc::clone(&self.recorder.sink), clock: Arc::new(clock) };
        Self { recorder: Arc::new(recorder) }
    }
}

impl Audits for AuditLogLayer {}

impl<S> Layer<S> for AuditLogLayer {
    type Service = AuditLog<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuditLog::new(inner, Arc::clone(&self.recorder))
    }
}

impl fmt::Debug for AuditLogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLogLayer").finish_non_exhaustive()
    }
}
