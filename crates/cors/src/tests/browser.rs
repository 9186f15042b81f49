//! A browser, as far as CORS goes: what Fetch says of requests and responses of another origin.

use std::{collections::BTreeSet, convert::Infallible};

use http::{HeaderMap, HeaderName, Method, Request, Response, header};
use tower::{Service, ServiceExt};

/// A script on a page, and the browser around it.
pub(super) struct Page {
    pub(super) origin: &'static str,
    /// Headers that are lost on the way from the service to the page: one name of a list, or a whole header.
    pub(super) loses: &'static str,
}

/// Why a script gets nothing to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Preflight,
    Method,
    Header,
    Answer,
}

impl Page {
    pub(super) const fn at(origin: &'static str) -> Self {
        Self { origin, loses: "" }
    }

    /// `fetch(url, {method, headers})`: the status, and the headers that the script may read.
    pub(super) async fn fetch<S>(
        &self,
        service: &S,
        method: Method,
        headers: &[(&'static str, &'static str)],
    ) -> Result<(u16, HeaderMap), Refused>
    where
        S: Service<Request<String>, Response = Response<String>, Error = Infallible> + Clone,
    {
        let unsafe_names: BTreeSet<String> = headers
            .iter()
            .filter(|(name, value)| !is_safelisted_header(name, value))
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        let is_simple = [Method::GET, Method::HEAD, Method::POST].contains(&method);
        if !is_simple || !unsafe_names.is_empty() {
            self.preflight(service, &method, &unsafe_names, is_simple).await?;
        }
        let mut request = Request::builder().method(method).uri("/").header("origin", self.origin);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = service.clone().oneshot(request.body(String::new()).unwrap()).await.unwrap();
        let (parts, _) = response.into_parts();
        if !self.is_allowed(&parts.headers) {
            return Err(Refused::Answer);
        }
        let exposed = self.list(&parts.headers, header::ACCESS_CONTROL_EXPOSE_HEADERS);
        let readable = |name: &HeaderName| {
            is_safelisted_answer(name) || exposed.contains("*") || exposed.contains(name.as_str())
        };
        let headers = parts.headers.iter().filter(|(name, _)| readable(name));
        Ok((parts.status.as_u16(), headers.map(|(n, v)| (n.clone(), v.clone())).collect()))
    }

    /// Fetch, "CORS-preflight fetch". Never with credentials: those need a permission that is never given.
    async fn preflight<S>(
        &self,
        service: &S,
        method: &Method,
        names: &BTreeSet<String>,
        is_simple: bool,
    ) -> Result<(), Refused>
    where
        S: Service<Request<String>, Response = Response<String>, Error = Infallible> + Clone,
    {
        let mut request = Request::options("/")
            .header("origin", self.origin)
            .header("access-control-request-method", method.as_str());
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            request = request.header("access-control-request-headers", names.join(","));
        }
        let answer = service.clone().oneshot(request.body(String::new()).unwrap()).await.unwrap();
        if !answer.status().is_success() || !self.is_allowed(answer.headers()) {
            return Err(Refused::Preflight);
        }
        let methods = self.list(answer.headers(), header::ACCESS_CONTROL_ALLOW_METHODS);
        let method = method.as_str().to_ascii_lowercase();
        if !is_simple && !methods.contains(&method) && !methods.contains("*") {
            return Err(Refused::Method);
        }
        let allowed = self.list(answer.headers(), header::ACCESS_CONTROL_ALLOW_HEADERS);
        let is_allowed = |name: &String| {
            allowed.contains(name) || (allowed.contains("*") && name != "authorization")
        };
        if names.iter().all(is_allowed) { Ok(()) } else { Err(Refused::Header) }
    }

    /// Fetch, "CORS check".
    fn is_allowed(&self, headers: &HeaderMap) -> bool {
        let lines: Vec<_> = headers
            .get_all(header::ACCESS_CONTROL_ALLOW_ORIGIN)
            .iter()
            .filter(|_| self.loses != "access-control-allow-origin")
            .collect();
        matches!(lines.as_slice(), [line] if *line == "*" || *line == self.origin)
    }

    fn list(&self, headers: &HeaderMap, name: HeaderName) -> BTreeSet<String> {
        let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap());
        let items =
            lines.flat_map(|line| line.split(',')).map(|item| item.trim().to_ascii_lowercase());
        items.filter(|item| item != self.loses).collect()
    }
}

/// Fetch, "CORS-safelisted request-header", without `range`.
fn is_safelisted_header(name: &str, value: &str) -> bool {
    let is_unsafe_byte =
        |byte: u8| (byte < 0x20 && byte != b'\t') || b"\"():<>?@[\\]{}\x7f".contains(&byte);
    let is_safe = value.len() <= 128 && !value.bytes().any(is_unsafe_byte);
    match name.to_ascii_lowercase().as_str() {
        "accept" | "accept-language" | "content-language" => is_safe,
        "content-type" => {
            let essence = value.split(';').next().unwrap_or_default().trim();
            let forms = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
            is_safe && forms.contains(&essence)
        }
        _ => false,
    }
}

/// Fetch, "CORS-safelisted response-header name".
fn is_safelisted_answer(name: &HeaderName) -> bool {
    [
        header::CACHE_CONTROL,
        header::CONTENT_LANGUAGE,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::EXPIRES,
        header::LAST_MODIFIED,
        header::PRAGMA,
    ]
    .contains(name)
}
