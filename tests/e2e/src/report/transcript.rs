//! What was sent and seen, line by line.

use std::{collections::BTreeMap, fmt::Write};

use http::Method;
use serde_json::Value;

use super::story::{Kind, Story, member};
use crate::wire::{Credential, Exchange, Message, Party};

/// Values that differ with each run, or are secret.
const RANDOM: &[&str] = &["code_challenge", "dpop_jkt", "nonce", "state"];
/// What is worth to be seen of a registration.
const REGISTERED: &[&str] =
    &["application_type", "grant_types", "response_types", "scope", "token_endpoint_auth_method"];

pub(super) fn of(story: &Story) -> String {
    let mut text = String::new();
    let mut documents = Vec::new();
    for exchange in story.exchanges() {
        if exchange.kind() == Kind::Person {
            continue;
        }
        let _ = writeln!(text, "{}", request(exchange));
        for line in details(story, exchange) {
            let _ = writeln!(text, "  > {line}");
        }
        let _ = write!(text, "  < {}", answer(exchange));
        if exchange.kind() == Kind::ResourceMetadata && exchange.is_success() {
            let document = document(&exchange.answer);
            if !documents.contains(&document) {
                let _ = write!(text, " {document}");
                documents.push(document);
            }
        }
        text.push('\n');
    }
    story.named(&text)
}

fn request(exchange: &Exchange) -> String {
    let party = match exchange.to {
        Party::Server => "server",
        Party::Issuer => "issuer",
    };
    let mut facts = Vec::new();
    if exchange.kind() == Kind::Mcp {
        facts.extend(exchange.operation());
    }
    facts.extend(exchange.header("mcp-protocol-version").map(|version| format!("MCP {version}")));
    facts.extend(exchange.header("origin").map(|origin| format!("from {origin}")));
    match &exchange.credential {
        Credential::None => {}
        Credential::Basic(client) => facts.push(format!("Basic {client}")),
        Credential::Token(scheme, token) => facts.push(format!("{scheme} {token}")),
        Credential::Other(scheme) => facts.push(format!("{scheme} …")),
    }
    if exchange.header("dpop").is_some() {
        facts.push("with proof".to_owned());
    }
    let facts = if facts.is_empty() { String::new() } else { format!("  {}", facts.join(", ")) };
    format!("{} {party}{}{facts}", exchange.method, exchange.path())
}

fn details(story: &Story, exchange: &Exchange) -> Vec<String> {
    let mut lines = Vec::new();
    if exchange.method == Method::OPTIONS {
        let asked = ["access-control-request-method", "access-control-request-headers"];
        lines.extend(
            asked.iter().filter_map(|name| Some(format!("{name}: {}", exchange.header(name)?))),
        );
    }
    match &exchange.message {
        Message::Form(pairs) => lines.push(parameters(story, pairs.iter().cloned())),
        Message::Json(json) if exchange.kind() == Kind::Registration => {
            lines.push(registration(json));
        }
        Message::Json(_) | Message::None => {}
    }
    if let Some((_, query)) = exchange.target.split_once('?') {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        lines.push(parameters(story, pairs));
    }
    lines
}

fn parameters(story: &Story, pairs: impl Iterator<Item = (String, String)>) -> String {
    let is_registered = story.of(Kind::Registration).next().is_some();
    let shown = pairs.map(|(key, value)| {
        let is_random = RANDOM.contains(&key.as_str()) || key == "client_id" && is_registered;
        let value = if is_random { "…" } else { &value };
        if value.contains(' ') { format!("{key}=\"{value}\"") } else { format!("{key}={value}") }
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn registration(json: &Value) -> String {
    let members = REGISTERED.iter().filter_map(|name| Some((name, json.get(name)?)));
    members.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn answer(exchange: &Exchange) -> String {
    let Some(status) = exchange.status else { return "no answer".to_owned() };
    let mut text = status.as_u16().to_string();
    let challenges = exchange.answer_headers.get_all("www-authenticate");
    for challenge in challenges.iter().filter_map(|value| value.to_str().ok()) {
        let _ = write!(text, " www-authenticate: {challenge}");
    }
    if let Some(grant) = &exchange.grant {
        let audience = member(&grant.claims, "aud").unwrap_or("nobody");
        let scope = member(&grant.claims, "scope").unwrap_or("nothing");
        let _ = write!(
            text,
            " {}, {}, for {audience}, with \"{scope}\"",
            grant.token, grant.token_type
        );
        if let Some(refresh) = &grant.refresh_token {
            let _ = write!(text, ", and {refresh}");
        }
    }
    if let Some((error, description)) = exchange.refused_on_the_way_back() {
        let _ = write!(text, " {error}: {description}");
    }
    if let Some(error) = member(&exchange.answer, "error") {
        let _ = write!(text, " {error}");
        if let Some(description) = member(&exchange.answer, "error_description") {
            let _ = write!(text, ": {description}");
        }
    }
    if exchange.kind() == Kind::Mcp && exchange.answer_header("mcp-session-id").is_some() {
        text.push_str(" mcp-session-id: …");
    }
    text
}

/// Whether serde_json keeps the order of members depends on what else is compiled.
fn document(answer: &Value) -> String {
    let members: BTreeMap<_, _> = answer.as_object().into_iter().flatten().collect();
    serde_json::to_string(&members).unwrap_or_default()
}
