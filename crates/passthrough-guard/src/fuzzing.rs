//! What is read and what is found, for fuzz targets.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::AUTHORIZATION};
use palisade_core::{Principal, SystemClock, Trail};

use crate::{
    OutboundLayer, PassthroughError,
    credentials::{self, Fields},
    key::Key,
    watched::Watched,
};

/// Whether a request with this header field is refused while one that was let in with this `Authorization` is in
/// the works. Nothing if no request can have such fields, or the search is given up.
#[must_use]
pub fn is_refused(authorization: &[u8], name: &'static str, value: &[u8]) -> Option<bool> {
    let fields = Fields::default();
    let clock = Arc::new(SystemClock::new());
    let watched = Watched::new(Key::draw().ok()?, fields, clock, Duration::ZERO, 0);
    let watched = Arc::new(watched);
    let trail = Trail::new();
    let arrived =
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(authorization).ok()?)]);
    watched.watch(&trail, &credentials::read(&arrived, &watched.fields).ok()?);
    trail.identify(&Principal::assert_verified("https://as.example", "alice").build());
    let value = HeaderValue::from_bytes(value).ok()?;
    let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
    match OutboundLayer::new(watched).check(&Method::GET, &Uri::from_static("/"), &headers) {
        Ok(()) => Some(false),
        Err(PassthroughError::Carries { .. }) => Some(true),
        Err(PassthroughError::TooLarge) => None,
    }
}
