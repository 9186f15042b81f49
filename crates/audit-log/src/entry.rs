//! The one record of each request, from its arrival to its end.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, Version,
    header::{CONTENT_LENGTH, USER_AGENT},
    request::Parts,
};
use http_body::Body;
use palisade_core::{ClientAddr, Clock, Denial, Operation, Principal, Trail};

use crate::{AuditRecord, AuditSink, Outcome, TraceContext, sink::contain_panic};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// What all requests share.
pub(crate) struct Recorder {
    pub(crate) sink: Arc<dyn AuditSink>,
    pub(crate) clock: Arc<dyn Clock + Send + Sync>,
}

impl Recorder {
    /// Takes down what is known on arrival, and leaves a trail in the request.
    pub(crate) fn open(self: &Arc<Self>, request: &mut Parts) -> Pending {
        let entry = Entry {
            recorder: Arc::clone(self),
            trail: begin_trail(request),
            at: self.clock.now(),
            started: self.clock.monotonic(),
            method: request.method.clone(),
            uri: request.uri.clone(),
            version: request.version,
            user_agent: request.headers.get(USER_AGENT).cloned(),
            trace: TraceContext::of(&request.headers),
            bytes_in: AtomicU64::new(0),
        };
        Pending { entry: Arc::new(entry), answer: None, bytes_out: 0, state: State::Waiting }
    }
}

/// The trail of the request, with what layers outside this one already left.
///
/// A trail that is there belongs to another audit layer outside. It is shared: a second one would hide
/// from that layer all that is noted from here on.
fn begin_trail(request: &mut Parts) -> Trail {
    let trail = request.extensions.get_or_insert_default::<Trail>().clone();
    if let Some(client) = ClientAddr::of(request) {
        trail.locate(client);
    }
    if let Some(principal) = request.extensions.get::<Principal>() {
        trail.identify(principal);
    }
    if let Some(operation) = request.extensions.get::<Operation>() {
        trail.name(operation);
    }
    trail
}

/// What is known about one request. Shared with its body, which may be read by another task.
pub(crate) struct Entry {
    recorder: Arc<Recorder>,
    trail: Trail,
    at: SystemTime,
    started: Duration,
    method: Method,
    uri: Uri,
    version: Version,
    user_agent: Option<HeaderValue>,
    trace: Option<TraceContext>,
    bytes_in: AtomicU64,
}

impl Entry {
    pub(crate) fn received(&self, bytes: u64) {
        // No other memory depends on the count.
        self.bytes_in.fetch_add(bytes, Ordering::Relaxed);
    }
}

// Not derived: the URI may hold a token in its query.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("at", &self.at).finish_non_exhaustive()
    }
}

/// A record that is still to be written.
///
/// INVARIANT: whatever happens to it, exactly one record is written. It has one owner at a time, first the
/// response future, then the response body; all ways to end it take it by value, and what is left is
/// `Drop`.
#[derive(Debug)]
pub(crate) struct Pending {
    entry: Arc<Entry>,
    answer: Option<Answer>,
    bytes_out: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing of the inner service is running.
    Waiting,
    /// The inner service is running. If this is seen afterwards, it panicked.
    Running,
    /// The body ended as it should.
    Complete,
    /// The service or its body returned an error.
    Failed,
}

/// The head of the response.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    grpc_status: Option<u16>,
    denial: Option<Denial>,
    /// After how many bytes a server stops to poll the body.
    length: Option<u64>,
}

impl Pending {
    pub(crate) fn entry(&self) -> Arc<Entry> {
        Arc::clone(&self.entry)
    }

    /// Runs code of the inner service, and remembers if it never came back.
    ///
    /// Asking whether the thread is panicking when the record is dropped would not do: a layer outside
    /// may catch the panic first and drop the future later.
    pub(crate) fn watch<T>(&mut self, run: impl FnOnce() -> T) -> T {
        self.state = State::Running;
        let result = run();
        self.state = State::Waiting;
        result
    }

    /// There is a response. Gives the record back if the body has still to be sent.
    pub(crate) fn answer<B: Body>(mut self, response: &Response<B>) -> Option<Self> {
        self.answer = Some(Answer {
            status: response.status(),
            grpc_status: grpc_status(response.headers()),
            denial: response.extensions().get().cloned(),
            length: length(&self.entry.method, response),
        });
        // Servers never poll such a body.
        if response.body().is_end_stream() {
            self.complete();
            return None;
        }
        Some(self)
    }

    pub(crate) fn sent(&mut self, bytes: u64) {
        self.bytes_out = self.bytes_out.saturating_add(bytes);
    }

    pub(crate) fn trailers(&mut self, trailers: &HeaderMap) {
        if let Some(answer) = &mut self.answer
            && let Some(status) = grpc_status(trailers)
        {
            answer.grpc_status = Some(status);
        }
    }

    pub(crate) fn complete(mut self) {
        self.state = State::Complete;
    }

    pub(crate) fn fail(mut self) {
        self.state = State::Failed;
    }

    fn outcome(&self, denial: Option<Denial>) -> Outcome {
        if let Some(denial) = denial {
            return Outcome::Denied(denial);
        }
        match (self.state, &self.answer) {
            (State::Running, _) => Outcome::Panicked,
            (State::Failed, None) => Outcome::Failed,
            (State::Failed, Some(answer)) => Outcome::BodyFailed(answer.status),
            (State::Complete, Some(answer)) => Outcome::Answered(answer.status),
            (State::Waiting, Some(answer))
                if answer.length.is_some_and(|length| self.bytes_out >= length) =>
            {
                Outcome::Answered(answer.status)
            }
            (State::Waiting | State::Complete, _) => Outcome::Abandoned,
        }
    }

    fn record(&self) -> AuditRecord {
        let entry = &*self.entry;
        let notes = entry.trail.notes();
        let answered = self.answer.as_ref();
        // The trail first: a layer outside the one that refused may have replaced the response.
        let denial = notes.denial.or_else(|| answered.and_then(|answer| answer.denial.clone()));
        AuditRecord {
            at: entry.at,
            elapsed: entry.recorder.clock.monotonic().saturating_sub(entry.started),
            outcome: self.outcome(denial),
            status: answered.map(|answer| answer.status),
            grpc_status: answered.and_then(|answer| answer.grpc_status),
            principal: notes.principal,
            operation: notes.operation.unwrap_or_else(|| {
                Operation::http(entry.method.as_str().to_owned(), entry.uri.path())
            }),
            client: notes.client,
            method: entry.method.clone(),
            path: entry.uri.path().to_owned(),
            version: entry.version,
            user_agent: entry
                .user_agent
                .as_ref()
                .map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()),
            bytes_in: entry.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out,
            trace: entry.trace,
            withheld: notes.withheld,
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // This may run while a panic unwinds, where a second one would abort the process.
        contain_panic(|| self.entry.recorder.sink.record(&self.record()));
    }
}

/// How many bytes of its body a response has, as far as a server is concerned: it drops the body after
/// that many, without asking whether there are more. Without this, every such response would look like
/// one that the client abandoned.
fn length<B: Body>(method: &Method, response: &Response<B>) -> Option<u64> {
    let status = response.status();
    // RFC 9110 §6.4.1: these never have content, whatever their body says.
    let has_no_content = *method == Method::HEAD
        || status.is_informational()
        || matches!(status.as_u16(), 204 | 304)
        || (*method == Method::CONNECT && status.is_success());
    if has_no_content {
        return Some(0);
    }
    let declared = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    declared.and_then(|text| text.parse().ok()).or_else(|| response.body().size_hint().exact())
}

fn grpc_status(headers: &HeaderMap) -> Option<u16> {
    headers.get(GRPC_STATUS)?.to_str().ok()?.parse().ok()
}
