//! How refusals look.

use http::{HeaderName, HeaderValue, Method, Response, header::CONTENT_TYPE, request::Parts};

use crate::Denial;

pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Gives a refusal its look: body, content type, status if another error status suits better.
///
/// A renderer cannot lose what matters. After it ran, [`Denial::into_response`] writes
/// `WWW-Authenticate`, `Retry-After` and `Cache-Control`, and corrects a status that is no error, unless the
/// response is marked as [`RefusedInBody`].
///
/// To answer with detail of your own, put it into the denial as its
/// [`source`](std::error::Error::source) and downcast it here.
pub trait RenderDenial<B> {
    /// Makes the response. Must not panic; it runs for every stranger.
    fn render(&self, denial: &Denial, request: &Parts) -> Response<B>;
}

impl<B, F: Fn(&Denial, &Parts) -> Response<B>> RenderDenial<B> for F {
    fn render(&self, denial: &Denial, request: &Parts) -> Response<B> {
        self(denial, request)
    }
}

/// Marks a 200 whose body is a refusal, in a protocol whose clients look for it nowhere else.
///
/// A renderer leaves it in the extensions of its response. It is honoured for a status of 200 and for kinds of
/// refusals that have a challenge, and for nothing else: a client that has to wait, or may never do what it asks
/// for, is told by the status. The challenge stays in the header, and the denial in the response's extensions
/// and in the record.
///
/// # What you give up
///
/// Proxies, dashboards and clients that do not know the body see a success. Never answer so where somebody else
/// asks for permission, as the `auth_request` of nginx does: a 200 is a yes there.
///
/// ```
/// use http::{Request, Response, request::Parts};
/// use palisade_core::{Denial, DenialKind, Reason, RefusedInBody};
///
/// let renderer = |_: &Denial, _: &Parts| {
///     let mut response = Response::new("{\"refused\":true}");
///     response.extensions_mut().insert(RefusedInBody::new());
///     response
/// };
/// let (request, ()) = Request::new(()).into_parts();
/// let answer = |kind| {
///     let denial = Denial::new("example", kind, Reason::new("no", "no"));
///     denial.into_response(&renderer, &request)
/// };
/// let refused = answer(DenialKind::InsufficientScope);
/// assert_eq!(refused.status(), 200);
/// assert!(refused.headers().contains_key("www-authenticate"));
/// assert_eq!(answer(DenialKind::Forbidden).status(), 403);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RefusedInBody;

impl RefusedInBody {
    /// The mark.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

/// Status and headers, no body; for gRPC requests a gRPC status in the headers ("trailers-only").
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PlainRenderer;

impl PlainRenderer {
    /// Status and headers, no body.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<B: Default> RenderDenial<B> for PlainRenderer {
    fn render(&self, denial: &Denial, request: &Parts) -> Response<B> {
        let mut response = Response::new(B::default());
        if is_grpc(request) {
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert(GRPC_STATUS, HeaderValue::from(u16::from(denial.kind().grpc_code())));
            if let Ok(message) = HeaderValue::try_from(percent_encode(denial.reason().text())) {
                headers.insert(GRPC_MESSAGE, message);
            }
        } else {
            *response.status_mut() = denial.kind().status();
        }
        response
    }
}

/// Whether the request is a gRPC one. gRPC-Web is not: it frames its status in the body, so refuse
/// inside the layer that translates it.
///
/// gRPC calls are POST requests. Whatever else says that it is gRPC is not, and must not make a refusal look
/// like a 200: a proxy that asks this service whether a request may pass, as `auth_request` of nginx does,
/// asks with GET and with the headers of the client, and takes a 200 for a yes.
#[must_use]
pub fn is_grpc(request: &Parts) -> bool {
    if request.method != Method::POST {
        return false;
    }
    let content_type = request.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type
        .and_then(|value| value.strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// `grpc-message` is percent-encoded: everything outside printable ASCII, and `%` itself.
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | 0..=0x1F | 0x7F.. => out.push_str(&format!("%{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::{DenialKind, Reason};

    #[test]
    fn tells_grpc_from_its_neighbours() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=x", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/json", false),
            ("", false),
        ] {
            let request = Request::post("/").header(CONTENT_TYPE, content_type).body(()).unwrap();
            assert_eq!(is_grpc(&request.into_parts().0), expected, "{content_type}");
        }
    }

    #[test]
    fn a_request_that_is_no_call_is_refused_in_http_whatever_it_says_it_is() {
        for method in ["GET", "HEAD", "OPTIONS", "PUT", "post"] {
            let request = Request::builder()
                .method(method)
                .header(CONTENT_TYPE, "application/grpc")
                .body(())
                .unwrap();
            let denial = Denial::new("test", DenialKind::Forbidden, Reason::new("no", "no"));
            let (request, ()) = request.into_parts();
            let response: Response<()> = denial.into_response(&PlainRenderer::new(), &request);
            assert_eq!(response.status(), 403, "{method}");
            assert!(!response.headers().contains_key(GRPC_STATUS), "{method}");
        }
    }

    #[test]
    fn grpc_messages_are_percent_encoded() {
        assert_eq!(percent_encode("50% of é\n"), "50%25 of %C3%A9%0A");
    }
}
