//! What a token says where a rule looks, as far as it may be shown.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::{
    Rule,
    text::{list, shown, span},
};
use crate::{
    SignatureAlgorithm,
    keys::{StaticKeys, VerificationKey},
    trust::{
        Origin, TrustedIssuer,
        lifetime::{Lifetime, since_1970},
    },
};

/// Whether the text of a rule says more than the rejection if it fails.
pub(super) const fn is_told_by_value(rule: &Rule) -> bool {
    matches!(rule, Rule::Expiry | Rule::Start)
}

/// What the token says where a rule looks.
pub(super) fn text_of(
    rule: &Rule,
    rules: &TrustedIssuer,
    claims: &Map<String, Value>,
    at: SystemTime,
) -> String {
    match rule {
        Rule::Binding if claims.contains_key("cnf") => {
            "bound to a key (`cnf`), which the request must prove".to_owned()
        }
        Rule::Binding => "not bound to a key".to_owned(),
        Rule::Dates => "`exp`, and `nbf` and `iat` if there, are dates".to_owned(),
        Rule::Expiry => date_text(claims, "exp", 0, at),
        Rule::Start => {
            format!("{}; {}", date_text(claims, "nbf", 1, at), date_text(claims, "iat", 2, at))
        }
        Rule::OrderOfDates => "`iat` is not after `exp`".to_owned(),
        Rule::Lifetime => limit_text("lifetime", rules.max_lifetime),
        Rule::Age => limit_text("age", rules.max_age),
        Rule::Subject => "there is one".to_owned(),
        Rule::Scopes => scopes_text(rules, claims),
        Rule::Audience => match rules.audiences(claims, Origin::Jwt) {
            Ok(audiences) => {
                format!("{}; whether that is this service is decided elsewhere", list(audiences))
            }
            Err(rejection) => rejection.to_string(),
        },
        Rule::Client => match rules.client(claims) {
            Ok(Some(client)) => shown(client),
            Ok(None) => "none, and none is needed".to_owned(),
            Err(rejection) => rejection.to_string(),
        },
        Rule::TokenId => "a name, or not there".to_owned(),
        Rule::Roles => "names, or not there".to_owned(),
        Rule::Actors if claims.contains_key("act") => "the actor may act".to_owned(),
        Rule::Actors => "nobody acts for the subject".to_owned(),
        Rule::Requirement(place) => format!("{} is as required", shown(place)),
        Rule::Form
        | Rule::Header
        | Rule::Payload
        | Rule::Issuer
        | Rule::Algorithm
        | Rule::Type
        | Rule::SignatureForm
        | Rule::Key
        | Rule::Signature
        | Rule::Other => String::new(),
    }
}

fn date_text(claims: &Map<String, Value>, name: &str, index: usize, at: SystemTime) -> String {
    let dates = Lifetime::read(claims, Origin::Jwt).map(|lifetime| lifetime.dates());
    let Some(date) = dates.ok().and_then(|dates| *dates.get(index)?) else {
        return format!("`{name}` is not there");
    };
    let now = since_1970(at);
    if now >= date {
        format!("`{name}` was {} before", span(now.saturating_sub(date)))
    } else {
        format!("`{name}` is {} ahead", span(date.saturating_sub(now)))
    }
}

fn limit_text(what: &str, max: Option<Duration>) -> String {
    match max {
        Some(max) => format!("the {what} is at most {}", span(max)),
        None => format!("the {what} is not limited"),
    }
}

fn scopes_text(rules: &TrustedIssuer, claims: &Map<String, Value>) -> String {
    match rules.scopes(claims) {
        Ok(scopes) => list(scopes.iter().map(|scope| scope.as_str().to_owned())),
        Err(rejection) => rejection.to_string(),
    }
}

pub(super) fn types(rules: &TrustedIssuer) -> String {
    let missing = if rules.types.missing { ", or none" } else { "" };
    format!("{}{missing}", list(&rules.types.names))
}

/// The names of the keys for an algorithm.
pub(super) fn names_of(keys: &StaticKeys, algorithm: SignatureAlgorithm) -> String {
    let fitting = keys.iter().filter(|key| key.algorithm() == algorithm);
    let mut names: Vec<_> = fitting.map(|key| key.kid().unwrap_or("(without a name)")).collect();
    names.sort_unstable();
    list(names)
}

pub(super) fn key_named<'a>(keys: &'a StaticKeys, kid: &str) -> Option<&'a VerificationKey> {
    keys.iter().find(|key| key.kid() == Some(kid))
}
