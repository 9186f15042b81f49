//! Takes one thing away from answers, to show that it was needed.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderName, HeaderValue, Method, StatusCode};

/// What a server withholds while it runs: nothing, until it is told. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Withheld(Arc<Mutex<Option<Part>>>);

/// A header of some answers, or one item in its list.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests make it")]
pub struct Part {
    /// Of which answers.
    pub of: Answers,
    /// The header.
    pub header: &'static str,
    /// The item; all of the header if there is none.
    pub item: Option<&'static str>,
}

/// Which answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests make it")]
pub enum Answers {
    /// Those to `OPTIONS`, of the endpoint.
    Preflights,
    /// Those of the endpoint with this status.
    Of(StatusCode),
    /// All of the endpoint, but not to `OPTIONS`.
    Calls,
    /// Those to `OPTIONS`, of the metadata document.
    MetadataPreflights,
    /// The metadata document.
    Metadata,
}

impl Withheld {
    /// Withholds this from now on.
    pub fn set(&self, part: Option<Part>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = part;
    }

    /// A middleware, outside all that sets headers.
    pub(super) async fn take(self, request: Request, next: Next) -> Response {
        let is_preflight = request.method() == Method::OPTIONS;
        let is_metadata = request.uri().path().starts_with("/.well-known/");
        let mut response = next.run(request).await;
        let part = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Part { of, header, item }) = part else { return response };
        let is_meant = match of {
            Answers::Preflights => is_preflight && !is_metadata,
            Answers::Calls => !is_preflight && !is_metadata,
            Answers::Of(status) => !is_preflight && !is_metadata && response.status() == status,
            Answers::MetadataPreflights => is_preflight && is_metadata,
            Answers::Metadata => !is_preflight && is_metadata,
        };
        if is_meant {
            without(response.headers_mut(), &HeaderName::from_static(header), item);
        }
        response
    }
}

fn without(headers: &mut http::HeaderMap, name: &HeaderName, item: Option<&str>) {
    let values: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    let Some(item) = item else { return };
    let items = values.iter().filter_map(|value| value.to_str().ok());
    let items = items.flat_map(|value| value.split(',')).map(str::trim);
    let rest: Vec<&str> = items.filter(|one| !one.eq_ignore_ascii_case(item)).collect();
    if let Ok(rest) = HeaderValue::from_str(&rest.join(", ")) {
        headers.insert(name, rest);
    }
}
