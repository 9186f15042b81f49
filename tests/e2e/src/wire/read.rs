//! What is kept of messages: no secret.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{Exchange, Grant, Log, Message, record::name};

const SECRETS: &[&str] = &[
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "id_token",
    "refresh_token",
    "registration_access_token",
    "token",
];

pub(super) fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
}

/// Members of the top level: OAuth has no others.
pub(super) fn hide_members(json: &mut Value) {
    let Some(members) = json.as_object_mut() else { return };
    for (name, value) in members {
        if is_secret(name) {
            *value = "…".into();
        }
    }
}

impl Log {
    /// Names the tokens of an answer.
    pub(super) fn grant(&mut self, answer: &Value) -> Option<Grant> {
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let access = text("access_token")?;
        let refresh_token =
            text("refresh_token").map(|token| named(&mut self.refresh_tokens, "refresh", token));
        Some(Grant {
            token: named(&mut self.access_tokens, "token", access),
            claims: claims(access).unwrap_or_default(),
            token_type: text("token_type").unwrap_or_default().to_owned(),
            refresh_token,
        })
    }
}

fn named(all: &mut Vec<String>, kind: &str, token: &str) -> String {
    if !all.iter().any(|known| known == token) {
        all.push(token.to_owned());
    }
    name(all, kind, token).unwrap_or_default()
}

/// What a JWT says. Nobody verifies it here: the server does.
fn claims(jwt: &str) -> Option<Value> {
    let payload = jwt.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

impl Exchange {
    /// The path that was asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A parameter of the query, or of the form.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        let form = match &self.message {
            Message::Form(pairs) => pairs.as_slice(),
            Message::None | Message::Json(_) => &[],
        };
        query.chain(form.iter().cloned()).find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A header of the request.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header of the answer.
    #[must_use]
    pub fn answer_header(&self, name: &str) -> Option<&str> {
        self.answer_headers.get(name)?.to_str().ok()
    }

    /// The challenge of the answer, whole.
    #[must_use]
    pub fn challenge(&self) -> Option<&str> {
        self.answer_header("www-authenticate")
    }

    /// The method of a JSON-RPC message, with the name of the tool: `tools/call whoami`.
    #[must_use]
    pub fn operation(&self) -> Option<String> {
        let Message::Json(message) = &self.message else { return None };
        let method = message.get("method")?.as_str()?;
        let name = message.pointer("/params/name").and_then(Value::as_str);
        Some(name.map_or_else(|| method.to_owned(), |name| format!("{method} {name}")))
    }
}
