//! The answers that the layer gives itself. None of them depends on anything that a request says but its
//! path, its method and `If-None-Match`: nobody can make a shared cache hold a document for others.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
        IF_NONE_MATCH,
    },
    request::Parts,
};
use palisade_core::{MakeBody, ProtectedResource, ScopeSet};

use crate::{
    Metadata, MetadataError,
    well_known::{Paths, Place},
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// A constant, where echoing what was asked for would have to vary with it. `*` stands for every header
/// but `Authorization` (Fetch, "CORS-preflight fetch"), which clients send along although nobody asked.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static("*, Authorization");
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("86400");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(3600);

/// The document and what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    document: Bytes,
    etag: HeaderValue,
    cache_control: HeaderValue,
    pub(crate) paths: Paths,
    pub(crate) fact: ProtectedResource,
}

impl Published {
    pub(crate) fn new(metadata: &Metadata) -> Result<Self, MetadataError> {
        let document = metadata.to_json()?;
        let fact =
            ProtectedResource::new(metadata.url()).challenge_scope(metadata.scopes().clone());
        Ok(Self {
            etag: etag(&document),
            cache_control: cache_control(DEFAULT_MAX_AGE),
            paths: Paths::of(metadata.resource()),
            document,
            fact,
        })
    }

    pub(crate) fn challenge_scope(&mut self, scopes: ScopeSet) {
        self.fact = self.fact.clone().challenge_scope(scopes);
    }

    pub(crate) fn max_age(&mut self, age: Duration) {
        self.cache_control = cache_control(age);
    }

    /// The answer to a request below the well-known path; none if the request is for somewhere else.
    pub(crate) fn answer<B>(
        &self,
        request: &Parts,
        make: &impl MakeBody<B>,
    ) -> Option<Response<B>> {
        let mut answer = match (self.paths.place(request.uri.path()), &request.method) {
            (Place::Elsewhere, _) => return None,
            // Unknown places too: a browser shows a script the 404 only if the preflight went well.
            (Place::Document | Place::Unknown, &Method::OPTIONS) => preflight(),
            (Place::Document, &Method::GET | &Method::HEAD) => self.document(&request.headers),
            (Place::Document, _) => {
                let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
                answer.headers_mut().insert(ALLOW, METHODS);
                answer
            }
            // JSON, because some clients give up on anything else.
            (Place::Unknown, _) => error(StatusCode::NOT_FOUND, "not_found"),
        };
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
        if request.method == Method::HEAD {
            // RFC 9110 §9.3.2: the headers of a GET, its length among them.
            *answer.body_mut() = Bytes::new();
        }
        Some(answer.map(|body| make.make_body(body)))
    }

    fn document(&self, request: &HeaderMap) -> Response<Bytes> {
        let mut answer = if is_known_to_client(request, &self.etag) {
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            answer
        } else {
            json(self.document.clone())
        };
        answer.headers_mut().insert(ETAG, self.etag.clone());
        answer.headers_mut().insert(CACHE_CONTROL, self.cache_control.clone());
        answer
    }
}

fn preflight() -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    headers.insert(ALLOW, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE);
    answer
}

fn error(status: StatusCode, code: &'static str) -> Response<Bytes> {
    let mut answer = json(format!(r#"{{"error":"{code}"}}"#).into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    answer
}

fn json(body: Bytes) -> Response<Bytes> {
    let length = HeaderValue::from(body.len());
    let mut answer = Response::new(body);
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}

/// Whether `If-None-Match` names the tag. The comparison is the weak one (RFC 9110 §13.1.2).
fn is_known_to_client(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let lines = request.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).any(|tag| {
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
    })
}

fn cache_control(age: Duration) -> HeaderValue {
    // Digits and constants are always a field value.
    HeaderValue::try_from(format!("public, max-age={}", age.as_secs())).unwrap_or(NO_STORE)
}

/// A strong tag: other bytes, other tag, the same on every instance of the service. FNV-1a will do, as the
/// only one who could look for a collision is the one who writes the document.
fn etag(document: &[u8]) -> HeaderValue {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    let hash =
        document.iter().fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
    // Digits between quotes are always a field value.
    HeaderValue::try_from(format!("\"{hash:032x}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_fnv_1a() {
        // Test vectors of draft-eastlake-fnv.
        for (text, expected) in [
            ("", "\"6c62272e07bb014262b821756295c58d\""),
            ("a", "\"d228cb696f1a8caf78912b704e4a8964\""),
            ("foobar", "\"343e1662793c64bf6f0d3597ba446f18\""),
        ] {
            assert_eq!(etag(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn if_none_match_is_a_list_compared_weakly() {
        let etag = HeaderValue::from_static("\"x\"");
        for (name, lines, expected) in [
            ("none", &[][..], false),
            ("the tag", &["\"x\""], true),
            ("weak", &["W/\"x\""], true),
            ("in a list", &["\"a\", \"x\" , \"b\""], true),
            ("in the second line", &["\"a\"", "\"x\""], true),
            ("anything", &["*"], true),
            ("another", &["\"y\""], false),
            ("without quotes", &["x"], false),
            ("lower-case weak", &["w/\"x\""], false),
            ("empty", &[""], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_NONE_MATCH, HeaderValue::from_static(line));
            }
            assert_eq!(is_known_to_client(&headers, &etag), expected, "{name}");
        }
    }
}
