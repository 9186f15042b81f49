//! What the layers leave for the audit record.

use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;

use crate::{ClientAddr, Denial, Operation, Principal};

/// The notes of one request, shared between the layer that writes records and all layers inside it.
///
/// Request extensions do not flow back to responses, and a response never exists if the client hangs
/// up. So the outermost layer keeps one handle, leaves another in the request, and reads it whenever
/// the request ends, however it ends.
#[derive(Clone, Debug, Default)]
pub struct Trail(Arc<Mutex<TrailNotes>>);

/// What a [`Trail`] has collected.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TrailNotes {
    /// Where the request came from.
    pub client: Option<ClientAddr>,
    /// Who asked, in the latest state that a layer left.
    pub principal: Option<Principal>,
    /// What was asked for, if a protocol layer said so.
    pub operation: Option<Operation>,
    /// The refusal, if there was one. The first, should there be several.
    pub denial: Option<Denial>,
}

impl Trail {
    /// A trail without notes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The trail of a request, if somebody keeps one.
    #[must_use]
    pub fn of(request: &Parts) -> Option<&Self> {
        request.extensions.get()
    }

    /// Notes where the request came from.
    pub fn locate(&self, client: ClientAddr) {
        self.write(|notes| notes.client = Some(client));
    }

    /// Notes who asks.
    pub fn identify(&self, principal: &Principal) {
        self.write(|notes| notes.principal = Some(principal.clone()));
    }

    /// Notes what is asked for.
    pub fn name(&self, operation: &Operation) {
        self.write(|notes| notes.operation = Some(operation.clone()));
    }

    /// Notes a refusal. Only the first counts: nothing that happens later made the request fail.
    pub fn deny(&self, denial: &Denial) {
        self.write(|notes| {
            notes.denial.get_or_insert_with(|| denial.clone());
        });
    }

    /// The notes so far.
    #[must_use]
    pub fn notes(&self) -> TrailNotes {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    // The lock guards four assignments and never runs foreign code, so a poisoned one is still whole.
    fn write(&self, note: impl FnOnce(&mut TrailNotes)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
