//! Bodies of answers that a layer gives itself.

use bytes::Bytes;

/// Makes a response body of the type that the inner service uses.
///
/// Layers never change the type of the response body, so a layer that has something to say must be able
/// to make the body that is already there. Two ways cover what is in use:
///
/// - [`FromBytes`], for bodies that convert from [`Bytes`]: axum's, `Full<Bytes>`;
/// - a closure, for all others: `|bytes| Full::new(bytes).boxed()` for boxed ones,
///   `|bytes| Body::new(Full::new(bytes))` for tonic's.
pub trait MakeBody<B> {
    /// Makes a body of these bytes.
    fn make_body(&self, bytes: Bytes) -> B;
}

/// Makes bodies by [`From<Bytes>`](From).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct FromBytes;

impl FromBytes {
    /// Makes bodies by [`From<Bytes>`](From).
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<B: From<Bytes>> MakeBody<B> for FromBytes {
    fn make_body(&self, bytes: Bytes) -> B {
        bytes.into()
    }
}

impl<B, F: Fn(Bytes) -> B> MakeBody<B> for F {
    fn make_body(&self, bytes: Bytes) -> B {
        self(bytes)
    }
}
