//! The reader of `Forwarded`, for fuzz targets.

use std::num::NonZeroUsize;

use http::{HeaderMap, HeaderValue, header::FORWARDED};

use super::forwarded::{Scheme, rightmost_proto};

/// A scheme, or the code of the refusal. Nothing if no request can have such lines.
#[must_use]
pub fn forwarded(header: &[u8], trusted_hops: u8) -> Option<&'static str> {
    let mut headers = HeaderMap::new();
    for line in header.split(|byte| *byte == b'\n') {
        headers.append(FORWARDED, HeaderValue::from_bytes(line).ok()?);
    }
    let found = rightmost_proto(&headers, NonZeroUsize::new(trusted_hops.into())?);
    Some(match found {
        Ok(Scheme::Http) => "http",
        Ok(Scheme::Https) => "https",
        Err(rejection) => rejection.code(),
    })
}
