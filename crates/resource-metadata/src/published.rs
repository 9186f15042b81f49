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
use palisade_core::{Endpoints, MakeBody, ProtectedResource, Resource};

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

/// The documents and what belongs to them.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    documents: Vec<Document>,
    paths: Paths,
    facts: Facts,
    cache_control: HeaderValue,
}

#[derive(Clone, Debug)]
struct Document {
    resource: Resource,
    url: Box<str>,
    json: Bytes,
    etag: HeaderValue,
}

/// What is left in requests.
#[derive(Clone, Debug)]
enum Facts {
    /// In all of them.
    Always(ProtectedResource),
    ByPath(Endpoints<ProtectedResource>),
}

impl Published {
    /// The metadata of the one resource of this host, which owns the root.
    pub(crate) fn one(metadata: &Metadata) -> Result<Self, MetadataError> {
        let fact = fact(metadata)?;
        let mut published = Self::new(vec![Document::new(metadata)?], Facts::Always(fact));
        published.paths.set_root(Some(0));
        Ok(published)
    }

    /// The root is nobody's, but for a resource that is there.
    pub(crate) fn several(all: &[Metadata]) -> Result<Self, MetadataError> {
        let facts = all.iter().map(|metadata| Ok((metadata.resource().clone(), fact(metadata)?)));
        let facts = Endpoints::new(facts.collect::<Result<Vec<_>, _>>()?)
            .map_err(|source| MetadataError::Endpoints { source })?;
        let documents = all.iter().map(Document::new).collect::<Result<_, _>>()?;
        Ok(Self::new(documents, Facts::ByPath(facts)))
    }

    fn new(documents: Vec<Document>, facts: Facts) -> Self {
        let resources: Vec<_> =
            documents.iter().map(|document| document.resource.clone()).collect();
        let paths = Paths::of(&resources);
        Self { documents, paths, facts, cache_control: cache_control(DEFAULT_MAX_AGE) }
    }

    pub(crate) fn max_age(&mut self, age: Duration) {
        self.cache_control = cache_control(age);
    }

    pub(crate) const fn without_root(&mut self) {
        self.paths.set_root(None);
    }

    pub(crate) fn set_root(&mut self, owner: &Resource) -> Result<(), MetadataError> {
        let mut resources = self.documents.iter().map(|document| &document.resource);
        let number = resources.position(|resource| resource == owner);
        let number =
            number.ok_or_else(|| MetadataError::UnknownResource { resource: owner.clone() })?;
        let mut resources = self.documents.iter().map(|document| &document.resource);
        if let Some(taken) = resources.find(|other| other.path() == "/" && *other != owner) {
            return Err(MetadataError::RootTaken { owner: taken.clone() });
        }
        self.paths.set_root(Some(number));
        Ok(())
    }

    pub(crate) const fn leave_authorization_servers_to_service(&mut self) {
        self.paths.leave_authorization_servers_to_service();
    }

    pub(crate) fn urls(&self) -> impl ExactSizeIterator<Item = &str> {
        self.documents.iter().map(|document| &*document.url)
    }

    /// What challenges are completed with; none if no resource of ours is at `path`, or if it can be read in two
    /// ways. A guess would send clients to another resource's authorization server.
    pub(crate) fn fact(&self, path: &str) -> Option<&ProtectedResource> {
        match &self.facts {
            Facts::Always(fact) => Some(fact),
            Facts::ByPath(facts) => facts.find(path),
        }
    }

    /// The answer to a request below the well-known path; none if the request is for somewhere else.
    pub(crate) fn answer<B>(
        &self,
        request: &Parts,
        make: &impl MakeBody<B>,
    ) -> Option<Response<B>> {
        let document = match self.paths.place(request.uri.path()) {
            Place::Elsewhere => return None,
            Place::Unknown => None,
            Place::Document(number) => self.documents.get(number),
        };
        let mut answer = match (document, &request.method) {
            // Unknown places too: a browser shows a script the 404 only if the preflight went well.
            (_, &Method::OPTIONS) => preflight(),
            (Some(document), &Method::GET | &Method::HEAD) => {
                document.answer(&request.headers, &self.cache_control)
            }
            (Some(_), _) => {
                let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
                answer.headers_mut().insert(ALLOW, METHODS);
                answer
            }
            // JSON, because some clients give up on anything else.
            (None, _) => error(StatusCode::NOT_FOUND, "not_found"),
        };
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
        if request.method == Method::HEAD {
            // RFC 9110 §9.3.2: the headers of a GET, its length among them.
            *answer.body_mut() = Bytes::new();
        }
        Some(answer.map(|body| make.make_body(body)))
    }
}

impl Document {
    fn new(metadata: &Metadata) -> Result<Self, MetadataError> {
        let json = metadata.to_json()?;
        Ok(Self {
            resource: metadata.resource().clone(),
            url: metadata.url().into(),
            etag: etag(&json),
            json,
        })
    }

    fn answer(&self, request: &HeaderMap, cache_control: &HeaderValue) -> Response<Bytes> {
        let mut answer = if is_known_to_client(request, &self.etag) {
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            answer
        } else {
            json(self.json.clone())
        };
        answer.headers_mut().insert(ETAG, self.etag.clone());
        answer.headers_mut().insert(CACHE_CONTROL, cache_control.clone());
        answer
    }
}

fn fact(metadata: &Metadata) -> Result<ProtectedResource, MetadataError> {
    let scopes = metadata.scopes();
    ProtectedResource::new(metadata.url())
        .map_err(|source| MetadataError::UnreadableUrl { url: metadata.url().into(), source })?
        .challenge_scope(scopes.clone())
        .map_err(|source| MetadataError::UnreadableScopes { scopes: scopes.clone(), source })
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
