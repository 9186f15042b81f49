//! The request body that the inner service gets.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a request behind the layer: the very bytes that were checked, or, where nothing was
    /// read, the body as it came.
    pub struct McpBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<B> {
        Passed { #[pin] body: B },
        Read { bytes: Bytes },
    }
}

impl<B> McpBody<B> {
    /// A body that nobody read.
    pub(crate) const fn passed(body: B) -> Self {
        Self { kind: Kind::Passed { body } }
    }

    /// The bytes that were checked. Trailers are not among them: they came after the head on which the
    /// request was let in (RFC 9110 §6.5.1).
    pub(crate) const fn read(bytes: Bytes) -> Self {
        Self { kind: Kind::Read { bytes } }
    }
}

impl<B: Body<Data = Bytes>> Body for McpBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProj::Passed { body } => body.poll_frame(cx),
            KindProj::Read { bytes } if bytes.is_empty() => Poll::Ready(None),
            KindProj::Read { bytes } => Poll::Ready(Some(Ok(Frame::data(mem::take(bytes))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Passed { body } => body.is_end_stream(),
            Kind::Read { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Passed { body } => body.size_hint(),
            Kind::Read { bytes } => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
        }
    }
}

impl<B> fmt::Debug for McpBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes hold parameters, which may be secrets.
        f.write_str(match &self.kind {
            Kind::Passed { .. } => "McpBody(passed)",
            Kind::Read { .. } => "McpBody(read)",
        })
    }
}

/// Collects a body up to a limit.
///
/// Nothing is reserved for what a client only announces: `Content-Length` is cheap to write. A body that
/// comes in one piece, as most do, is not copied.
pub(crate) struct Collected {
    limit: usize,
    pieces: Pieces,
}

enum Pieces {
    One(Bytes),
    Several(BytesMut),
}

/// The limit is exceeded.
#[derive(Debug)]
pub(crate) struct TooLarge;

impl Collected {
    pub(crate) const fn up_to(limit: usize) -> Self {
        Self { limit, pieces: Pieces::One(Bytes::new()) }
    }

    pub(crate) fn push(&mut self, piece: Bytes) -> Result<(), TooLarge> {
        let collected = match &self.pieces {
            Pieces::One(bytes) => bytes.len(),
            Pieces::Several(bytes) => bytes.len(),
        };
        // INVARIANT: never more than the limit is collected, so the difference is what is left.
        if piece.len() > self.limit.saturating_sub(collected) {
            return Err(TooLarge);
        }
        match &mut self.pieces {
            Pieces::One(first) if first.is_empty() => *first = piece,
            Pieces::One(first) => {
                let mut bytes = BytesMut::from(&**first);
                bytes.extend_from_slice(&piece);
                self.pieces = Pieces::Several(bytes);
            }
            Pieces::Several(bytes) => bytes.extend_from_slice(&piece),
        }
        Ok(())
    }

    /// Takes what was collected.
    pub(crate) fn take(&mut self) -> Bytes {
        match mem::replace(&mut self.pieces, Pieces::One(Bytes::new())) {
            Pieces::One(bytes) => bytes,
            Pieces::Several(bytes) => bytes.freeze(),
        }
    }
}
