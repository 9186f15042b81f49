//! HTTP/1.1 by hand, because clients tidy requests up.

use std::{collections::BTreeMap, fmt, net::SocketAddr};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A request, written as it is. `content-length` is added unless the request says how long its body is,
/// and `connection: close` always.
#[derive(Clone)]
pub(super) struct Raw {
    line: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Raw {
    pub(super) fn new(line: impl AsRef<[u8]>) -> Self {
        Self { line: line.as_ref().to_vec(), headers: Vec::new(), body: Vec::new() }
    }

    /// Replaces the request line.
    pub(super) fn line(mut self, line: impl AsRef<[u8]>) -> Self {
        self.line = line.as_ref().to_vec();
        self
    }

    /// One more header line.
    pub(super) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Leaves out all lines of this name.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// One line instead of all lines of this name.
    pub(super) fn replace(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).header(name, value)
    }

    pub(super) fn token(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Headers and body, for other versions of HTTP.
    pub(super) fn into_parts(self) -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
        (self.headers, self.body)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.line.clone();
        let has = |wanted: &str| {
            self.headers.iter().any(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
        };
        for (name, value) in &self.headers {
            bytes.extend([b"\r\n", name.as_bytes(), b": ", value].concat());
        }
        if !has("content-length") && !has("transfer-encoding") {
            bytes.extend(format!("\r\ncontent-length: {}", self.body.len()).as_bytes());
        }
        bytes.extend(b"\r\nconnection: close\r\n\r\n");
        bytes.extend(&self.body);
        bytes
    }

    /// Sends it on a connection of its own, and reads until the server closes that.
    pub(super) async fn send(&self, addr: SocketAddr) -> Answer {
        let stream = TcpStream::connect(addr).await.unwrap();
        let (mut reads, mut writes) = stream.into_split();
        let bytes = self.bytes();
        // Both at once, and both may fail: a server need not read what it refuses, and may answer and
        // close while we write.
        let write = async {
            let _ = writes.write_all(&bytes).await;
            writes
        };
        let read = async {
            let mut answer = Vec::new();
            let _ = reads.read_to_end(&mut answer).await;
            answer
        };
        let (_writes, answer) = tokio::join!(write, read);
        Answer::parse(&answer)
    }
}

/// A response. No answer at all has the status 0.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// Everything, as it came.
    pub(super) text: String,
}

impl Answer {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers = lines.map(|line| line.split_once(':').unwrap_or((line, "")));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        let (headers, body) = (headers.collect(), body.to_owned());
        Self { status: status.unwrap_or(0), headers, body, text }
    }

    /// The status, and the reason code where there is one.
    pub(super) fn summary(&self) -> String {
        match self.data()["reason"].as_str() {
            Some(reason) => format!("{} {reason}", self.status),
            None => self.status.to_string(),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn data(&self) -> Value {
        serde_json::from_str::<Value>(&self.body)
            .map_or(Value::Null, |body| body["error"]["data"].clone())
    }

    /// There is a challenge exactly if a client could do something about it, it is well-formed (RFC 6750 section 3,
    /// RFC 9110 section 11.2) and has what clients need, and nobody keeps it for another.
    pub(super) fn check_challenge(&self, resource_metadata: &str) {
        let challenges: Vec<_> =
            self.headers.iter().filter(|(name, _)| name == "www-authenticate").collect();
        let error = match self.data()["kind"].as_str() {
            Some("unauthenticated") => None,
            Some("invalid_token") => Some("invalid_token"),
            Some("invalid_credentials") => Some("invalid_request"),
            Some("insufficient_scope") => Some("insufficient_scope"),
            _ => return assert!(challenges.is_empty() && self.status != 401, "{self:?}"),
        };
        let [(_, challenge)] = challenges.as_slice() else { panic!("one challenge: {self:?}") };
        let parameters = challenge.strip_prefix("Bearer ").unwrap();
        let mut seen = BTreeMap::new();
        for parameter in parameters.split(", ") {
            let (name, value) = parameter.split_once('=').unwrap();
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{self:?}");
            assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{self:?}");
            assert!(!value.contains(['"', '\\', ',']), "{self:?}");
            assert!(name != "error_description" || !value.contains('='), "{self:?}");
            assert!(seen.insert(name, value).is_none(), "{name} twice: {self:?}");
        }
        assert_eq!(seen.get("error").copied(), error, "{self:?}");
        assert_eq!(seen.get("resource_metadata").copied(), Some(resource_metadata), "{self:?}");
        assert_eq!(seen.contains_key("error_description"), error.is_some(), "{self:?}");
        assert!(seen.get("scope").is_some_and(|scope| !scope.is_empty()), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
