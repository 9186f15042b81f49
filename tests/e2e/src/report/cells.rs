//! One row of the table.

use super::story::{Kind, Story, member};
use crate::{
    server::WRITE,
    wire::{Credential, Exchange, Message},
};

const NOTHING: &str = "–";

pub(super) fn of(story: &Story) -> Vec<String> {
    let grants: Vec<&Exchange> = story.grants().collect();
    let refused = story.exchanges().iter().position(|exchange| {
        exchange.status.is_some_and(|status| status == 403) && exchange.kind() == Kind::Mcp
    });
    vec![
        discovers(story),
        asks_for(story),
        grants.first().map_or_else(|| NOTHING.to_owned(), |grant| gets(story, grant)),
        calls(story, "whoami"),
        refused
            .and_then(|at| story.exchanges().get(at))
            .and_then(Exchange::challenge)
            .map_or_else(|| NOTHING.to_owned(), needs),
        steps_up(story, refused),
    ]
}

/// How it was challenged, and which documents it found.
fn discovers(story: &Story) -> String {
    let challenged = story.exchanges().iter().find(|exchange| {
        exchange.kind() == Kind::Mcp && exchange.status.is_some_and(|status| status == 401)
    });
    let challenged = challenged.map(|exchange| {
        let operation = exchange.operation().map(|name| format!(" `{name}`")).unwrap_or_default();
        format!("401 to {}{operation}", exchange.method)
    });
    let found = [Kind::ResourceMetadata, Kind::IssuerMetadata].into_iter().map(|kind| {
        let tried = story.of(kind).take_while(|exchange| !exchange.is_success()).count();
        let found = story.of(kind).find(|exchange| exchange.is_success())?;
        let tried = if tried == 0 { String::new() } else { format!(" after {tried} × 404") };
        let document = found.path().rsplit_once("/.well-known/").map_or("", |(_, name)| name);
        Some(format!("`…/{document}`{tried}"))
    });
    let steps: Vec<String> = challenged.into_iter().chain(found.flatten()).collect();
    if steps.is_empty() { NOTHING.to_owned() } else { steps.join(", ") }
}

/// The scopes of the first request that names some, and how the client is known.
fn asks_for(story: &Story) -> String {
    let registered = story.of(Kind::Registration).find(|exchange| exchange.is_success());
    let registered = registered.map(|exchange| {
        let scope = match &exchange.message {
            Message::Json(json) => member(json, "scope").filter(|scope| !scope.is_empty()),
            Message::None | Message::Form(_) => None,
        };
        scope.map_or_else(|| "registers".to_owned(), |scope| format!("registers for `{scope}`"))
    });
    let asked = story.exchanges().iter().find(|exchange| {
        matches!(exchange.kind(), Kind::Authorization)
            || exchange.parameter("grant_type").is_some_and(|grant| grant == "client_credentials")
    });
    let asked = asked.map(|exchange| {
        let scope = exchange.parameter("scope");
        let scope = scope.map_or_else(|| "no scope".to_owned(), |scope| format!("`{scope}`"));
        let resource = exchange.parameter("resource");
        let resource = resource.map_or_else(
            || "**no resource**".to_owned(),
            |resource| format!("`{}`", story.named(&resource)),
        );
        format!("{scope} for {resource}")
    });
    let steps: Vec<String> = registered.into_iter().chain(asked).collect();
    if steps.is_empty() { NOTHING.to_owned() } else { steps.join(", then asks for ") }
}

fn gets(story: &Story, exchange: &Exchange) -> String {
    let Some(grant) = &exchange.grant else { return NOTHING.to_owned() };
    let audience = member(&grant.claims, "aud")
        .map_or_else(|| "nobody".to_owned(), |audience| story.named(audience));
    let scope = member(&grant.claims, "scope").unwrap_or("nothing");
    let bound = if grant.claims.pointer("/cnf/jkt").is_some() { ", bound to its key" } else { "" };
    let refresh = if grant.refresh_token.is_some() { ", and a refresh token" } else { "" };
    format!("{} for `{audience}` with `{scope}`{bound}{refresh}", grant.token_type)
}

fn calls(story: &Story, tool: &str) -> String {
    story.calls(tool).last().map_or_else(|| NOTHING.to_owned(), answer)
}

fn answer(exchange: &Exchange) -> String {
    let status = exchange
        .status
        .map_or_else(|| "no answer".to_owned(), |status| status.as_u16().to_string());
    match &exchange.credential {
        Credential::Token(scheme, token) => format!("{status} with {scheme} `{token}`"),
        Credential::None => format!("{status} without a token"),
        Credential::Basic(_) | Credential::Other(_) => format!("{status} with another credential"),
    }
}

/// The scopes that a challenge names.
fn needs(challenge: &str) -> String {
    let scope = challenge.split_once("scope=\"").and_then(|(_, rest)| rest.split('"').next());
    scope.map_or_else(|| NOTHING.to_owned(), |scope| format!("needs `{scope}`"))
}

fn steps_up(story: &Story, refused: Option<usize>) -> String {
    let Some(refused) = refused else { return NOTHING.to_owned() };
    let after = || story.exchanges().iter().skip(refused.saturating_add(1));
    let last = story.calls("delete_everything").last();
    let asked = after().find(|exchange| {
        matches!(exchange.kind(), Kind::Authorization | Kind::Token)
            && exchange.parameter("scope").is_some()
    });
    let asked = asked.and_then(|exchange| exchange.parameter("scope"));
    match (asked, last) {
        (Some(scope), Some(call)) if call.is_success() => {
            format!("asks for `{scope}`: {}", answer(call))
        }
        (Some(scope), _) if scope.contains(WRITE) => {
            format!("**no**: asks for `{scope}` and does not get it")
        }
        _ if after().any(|exchange| exchange.kind() == Kind::Token) => {
            "**no**: gets another token like the first".to_owned()
        }
        _ => "**no**: gives up".to_owned(),
    }
}
