//! What is being asked for.

use std::{borrow::Cow, fmt, sync::Arc};

use http::request::Parts;

use crate::Trail;

/// What a request asks for: a protocol, a name within it and, for some names, a target.
///
/// | request | protocol | name | target |
/// |---|---|---|---|
/// | `GET /files/7` | `http` | `GET` | `/files/7` |
/// | gRPC call | `http` | `POST` | `/package.Service/Method` |
/// | what a protocol layer found in a body | its own | its own | its own |
///
/// The protocol is part of the identity. Without it, a message that calls its method `GET` and its
/// target `/files/7` would be covered by a rule that somebody wrote for the HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    protocol: &'static str,
    name: Cow<'static, str>,
    target: Option<Arc<str>>,
}

impl Operation {
    /// The protocol of operations that are told by HTTP method and path.
    pub const HTTP: &'static str = "http";

    /// An operation of some protocol, on nothing in particular.
    pub fn new(protocol: &'static str, name: impl Into<Cow<'static, str>>) -> Self {
        Self { protocol, name: name.into(), target: None }
    }

    /// An HTTP operation.
    pub fn http(method: impl Into<Cow<'static, str>>, path: impl Into<Arc<str>>) -> Self {
        Self::new(Self::HTTP, method).with_target(path)
    }

    /// The same operation on this target.
    #[must_use]
    pub fn with_target(mut self, target: impl Into<Arc<str>>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// The protocol that the name belongs to.
    #[must_use]
    pub const fn protocol(&self) -> &'static str {
        self.protocol
    }

    /// The name of the operation, such as `GET` or `tools/call`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the operation is about, such as a path or the name of a tool.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// The operation of a request: what a protocol layer left, else HTTP method and path.
    ///
    /// The path is the raw one of the request line, neither decoded nor resolved. Override headers such
    /// as `X-HTTP-Method-Override` or `X-Original-URL` are never read.
    #[must_use]
    pub fn of(request: &Parts) -> Cow<'_, Self> {
        match request.extensions.get() {
            Some(left) => Cow::Borrowed(left),
            None => Cow::Owned(Self::http(method_name(&request.method), request.uri.path())),
        }
    }

    /// Leaves the operation for the layers inside, and for the record. For layers that read a protocol.
    pub fn leave_in(self, request: &mut Parts) {
        if let Some(trail) = Trail::of(request) {
            trail.name(&self);
        }
        request.extensions.insert(self);
    }
}

/// The method without an allocation where it is a known one.
fn method_name(method: &http::Method) -> Cow<'static, str> {
    const KNOWN: [&str; 9] =
        ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
    match KNOWN.iter().find(|known| **known == method.as_str()) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(method.as_str().to_owned()),
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Some(target) => write!(f, "{} {target}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_request_is_told_by_method_and_path_until_a_layer_says_more() {
        let (mut parts, ()) = Request::get("/files/7?x=1").body(()).unwrap().into_parts();
        assert_eq!(*Operation::of(&parts), Operation::http("GET", "/files/7"));
        Operation::new("rpc", "call").leave_in(&mut parts);
        assert_eq!(*Operation::of(&parts), Operation::new("rpc", "call"));
    }

    #[test]
    fn pth_05_override_headers_are_not_read() {
        let (parts, ()) = Request::get("/a")
            .header("x-http-method-override", "DELETE")
            .header("x-original-url", "/b")
            .body(())
            .unwrap()
            .into_parts();
        assert_eq!(*Operation::of(&parts), Operation::http("GET", "/a"));
        let (parts, ()) = Request::builder().method("get").uri("/a").body(()).unwrap().into_parts();
        assert_ne!(*Operation::of(&parts), Operation::http("GET", "/a"), "methods have case");
    }

    #[test]
    fn a_message_cannot_pose_as_an_http_request() {
        assert_ne!(Operation::new("rpc", "GET").with_target("/a"), Operation::http("GET", "/a"));
    }
}
