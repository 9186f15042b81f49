//! The HTTP interface: which path and method means what. No sockets here.

mod introspect;
mod jwks;
mod metadata;
mod token;

use std::future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, SERVER};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::Value;

use crate::issuer::State;

/// Many times what any token request needs.
pub(crate) const MAX_BODY_BYTES: usize = 16 * 1024;

/// What goes back: all of it, or the beginning of what never ends.
pub(crate) enum Reply {
    Endless(Response<Bytes>),
    Whole(Response<Bytes>),
}

pub(crate) fn answer(
    state: &Arc<State>,
    request: Request<Bytes>,
) -> impl Future<Output = Reply> + Send + use<> {
    let (head, body) = request.into_parts();
    let answer = route(state, &head, &body);
    async move {
        match answer {
            Answer::Endless(response) => Reply::Endless(signed(response)),
            Answer::Later(delay, response) => {
                tokio::time::sleep(delay).await;
                Reply::Whole(signed(response))
            }
            Answer::Never => future::pending().await,
            Answer::Now(response) => Reply::Whole(signed(response)),
        }
    }
}

/// Whoever meets this server by accident should learn what it is.
fn signed(mut response: Response<Bytes>) -> Response<Bytes> {
    let name = HeaderValue::from_static("palisade-test-issuer (not for production)");
    response.headers_mut().insert(SERVER, name);
    response
}

pub(crate) fn refuse(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

enum Answer {
    Endless(Response<Bytes>),
    Later(Duration, Response<Bytes>),
    Never,
    Now(Response<Bytes>),
}

#[derive(Clone, Copy)]
enum Endpoint {
    Authorization,
    Introspection,
    Jwks,
    Metadata,
    Token,
}

impl Endpoint {
    fn find(state: &State, path: &str) -> Option<Self> {
        const OAUTH: &str = "/.well-known/oauth-authorization-server";
        const OPENID: &str = "/.well-known/openid-configuration";

        // RFC 8414 section 3.1 puts the issuer's path behind the well-known one, OpenID Connect
        // Discovery before it.
        let within = path.strip_prefix(state.path.as_str());
        let behind = |well_known: &str| path.strip_prefix(well_known) == Some(state.path.as_str());
        if behind(OAUTH) || behind(OPENID) || within == Some(OPENID) {
            return Some(Self::Metadata);
        }
        match within {
            Some("/authorize") => Some(Self::Authorization),
            Some("/introspect") => Some(Self::Introspection),
            Some("/jwks") => Some(Self::Jwks),
            Some("/token") => Some(Self::Token),
            _ => None,
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Authorization | Self::Jwks | Self::Metadata => "GET",
            Self::Introspection | Self::Token => "POST",
        }
    }
}

fn route(state: &Arc<State>, head: &Parts, body: &[u8]) -> Answer {
    let Some(endpoint) = Endpoint::find(state, head.uri.path()) else {
        return Answer::Now(refuse(StatusCode::NOT_FOUND));
    };
    if head.method != endpoint.method() {
        let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(endpoint.method()));
        return Answer::Now(response);
    }
    match endpoint {
        Endpoint::Authorization => Answer::Now(no_authorization()),
        Endpoint::Introspection => Answer::Now(introspect::answer(state, &head.headers, body)),
        Endpoint::Jwks => jwks::answer(state, &head.headers),
        Endpoint::Metadata => Answer::Now(json("application/json", &metadata::document(state))),
        Endpoint::Token => Answer::Now(token::answer(state, &head.headers, body)),
    }
}

/// Nobody can log in here. There is no redirect URI to send the error to that anyone had registered.
fn no_authorization() -> Response<Bytes> {
    let error = serde_json::json!({ "error": "unsupported_response_type" });
    let mut response = json("application/json", &error);
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn json(content_type: &'static str, document: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(document.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
