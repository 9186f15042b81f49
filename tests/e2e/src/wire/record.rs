//! Records a request when it arrives, and its answer when that begins.

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use tower::BoxError;

use super::{Credential, Exchange, Log, Message, Party, Wire};

const MAX_BYTES: usize = 4 << 20;
/// In the place of a proof of possession, which nobody needs to see.
const PROOF: HeaderValue = HeaderValue::from_static("proof");

impl Exchange {
    /// Whether the answer is a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| status.is_success())
    }
}

/// A middleware for everything that a party is asked.
pub(crate) async fn record(wire: Wire, party: Party, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = whole(body).await else { return plain(StatusCode::PAYLOAD_TOO_LARGE) };
    let index = wire.log().arrived(party, &parts, &body);

    let response = next.run(Request::from_parts(parts, Body::from(body))).await;

    let (parts, body) = response.into_parts();
    // A stream is none of our business, and would end here.
    let is_json = parts.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        value.to_str().is_ok_and(|value| value.starts_with("application/json"))
    });
    if !is_json {
        wire.log().answered(index, &parts, &[]);
        return Response::from_parts(parts, body);
    }
    let Ok(body) = whole(body).await else { return plain(StatusCode::BAD_GATEWAY) };
    wire.log().answered(index, &parts, &body);
    Response::from_parts(parts, Body::from(body))
}

impl Log {
    fn arrived(&mut self, to: Party, parts: &http::request::Parts, body: &[u8]) -> usize {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let mut headers = parts.headers.clone();
        let credential = self.credential(&headers);
        headers.remove(header::AUTHORIZATION);
        let elsewhere: Vec<&[u8]> = headers
            .values()
            .map(|value| value.as_bytes())
            .chain([target.as_bytes(), body])
            .collect();
        let token_is_astray = self
            .access_tokens
            .iter()
            .any(|token| elsewhere.iter().any(|text| contains(text, token.as_bytes())));
        if let Some(proof) = headers.get_mut("dpop") {
            *proof = PROOF;
        }
        self.exchanges.push(Exchange {
            to,
            method: parts.method.clone(),
            target: self.without_tokens(target),
            message: self.message(&headers, body),
            headers,
            credential,
            token_is_astray,
            status: None,
            answer_headers: HeaderMap::new(),
            answer: Value::Null,
            grant: None,
        });
        self.exchanges.len().saturating_sub(1)
    }

    fn answered(&mut self, index: usize, parts: &http::response::Parts, body: &[u8]) {
        let mut answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let grant = self.grant(&answer);
        super::read::hide_members(&mut answer);
        // The log was taken meanwhile: the answer belongs to nobody any more.
        let Some(exchange) = self.exchanges.get_mut(index) else { return };
        exchange.status = Some(parts.status);
        exchange.answer_headers = parts.headers.clone();
        exchange.answer = answer;
        exchange.grant = grant;
    }

    fn without_tokens(&self, target: String) -> String {
        let tokens = self.access_tokens.iter().enumerate();
        tokens
            .fold(target, |target, (index, token)| target.replace(token, &numbered("token", index)))
    }

    fn credential(&self, headers: &HeaderMap) -> Credential {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Credential::None };
        let value = String::from_utf8_lossy(value.as_bytes());
        let Some((scheme, rest)) = value.split_once(' ') else {
            return Credential::Other(value.into_owned());
        };
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = STANDARD.decode(rest).unwrap_or_default();
            let decoded = String::from_utf8_lossy(&decoded).into_owned();
            let id = decoded.split(':').next().unwrap_or_default();
            return Credential::Basic(id.to_owned());
        }
        match name(&self.access_tokens, "token", rest) {
            Some(token) => Credential::Token(scheme.to_owned(), token),
            None => Credential::Other(scheme.to_owned()),
        }
    }

    fn message(&self, headers: &HeaderMap, body: &[u8]) -> Message {
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if content_type.starts_with("application/json") {
            serde_json::from_slice(body).map_or(Message::None, Message::Json)
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            let pairs = url::form_urlencoded::parse(body).into_owned();
            Message::Form(pairs.map(|(key, value)| self.shown(key, value)).collect())
        } else {
            Message::None
        }
    }

    fn shown(&self, key: String, value: String) -> (String, String) {
        let value = match key.as_str() {
            "refresh_token" => {
                name(&self.refresh_tokens, "refresh", &value).unwrap_or_else(|| "…".to_owned())
            }
            _ if super::read::is_secret(&key) => "…".to_owned(),
            _ => value,
        };
        (key, value)
    }
}

/// `token-2` for the second.
pub(super) fn name(all: &[String], kind: &str, one: &str) -> Option<String> {
    let index = all.iter().position(|token| token == one)?;
    Some(numbered(kind, index))
}

fn numbered(kind: &str, index: usize) -> String {
    format!("{kind}-{}", index.saturating_add(1))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

async fn whole(body: Body) -> Result<Bytes, BoxError> {
    Ok(Limited::new(body, MAX_BYTES).collect().await?.to_bytes())
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
