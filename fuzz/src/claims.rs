//! RFC 7519 §4.1, RFC 9068 §2.2 and RFC 8693 §4.1, as a list of questions.

use std::{collections::BTreeSet, time::Duration};

use palisade_token_verify::{
    Issuer,
    fuzzing::Facts,
    trust::{ClaimRule, ClaimSource, TrustedIssuer},
};

use crate::{
    base64url,
    json::{self, Bounds, Json},
};

pub const NOW: u64 = 1_800_000_000;
const LEEWAY: u64 = 30;
const MAX_LIFETIME: u64 = 7200;
const MAX_AGE: u64 = 5400;

/// What the twin knows by heart.
pub fn rules() -> TrustedIssuer {
    let claim = |name| ClaimSource::parse(name).unwrap();
    TrustedIssuer::new(Issuer::parse("https://as.example").unwrap())
        .subjects_from([claim("oid"), claim("sub")])
        .unwrap()
        .scopes_from([claim("scope"), claim("scp")])
        .unwrap()
        .roles_from([claim("/realm/roles")])
        .unwrap()
        .require_claim(claim("use"), ClaimRule::equals("access"))
        .require_claim(claim("nonce"), ClaimRule::Absent)
        .max_lifetime(Duration::from_secs(MAX_LIFETIME))
        .max_age(Duration::from_secs(MAX_AGE))
}

/// What the twin thinks of a payload. `None`: it does not want to say, because a date has a fraction that two
/// readers of numbers may round to different seconds.
pub fn claims(bytes: &[u8]) -> Option<Option<Facts>> {
    let Some(claims) = json::object(bytes, &Bounds { depth: 32, values: 4096 }) else {
        return Some(None);
    };
    for name in ["exp", "nbf", "iat"] {
        if let Some(Json::Number(text)) = claims.get(name)
            && text.len() > 17
        {
            return None;
        }
    }
    Some(judge(&claims))
}

fn judge(claims: &Json) -> Option<Facts> {
    if claims.get("iss")?.text()? != "https://as.example" {
        return None;
    }
    let expires = date(claims, "exp", f64::floor)??;
    let not_before = date(claims, "nbf", f64::ceil)?;
    // `max_lifetime` and `max_age` cannot be told without.
    let issued = date(claims, "iat", f64::ceil)??;
    if NOW >= expires + LEEWAY
        || not_before.is_some_and(|start| start > NOW + LEEWAY)
        || issued > NOW + LEEWAY
        || issued > expires
        || expires - issued > MAX_LIFETIME
        || NOW >= issued + MAX_AGE + LEEWAY
    {
        return None;
    }
    let subject = match optional_name(claims, "oid")? {
        Some(subject) => subject,
        None => optional_name(claims, "sub")??,
    };
    let audiences = match claims.get("aud")? {
        Json::Array(entries) if entries.is_empty() || entries.len() > 64 => return None,
        Json::Array(entries) => entries.iter().map(name).collect::<Option<Vec<_>>>()?,
        one => vec![name(one)?],
    };
    if claims.get("use")?.text()? != "access" || claims.get("nonce").is_some() {
        return None;
    }
    Some(Facts {
        actors: actors(claims)?,
        audiences,
        confirmation: match claims.get("cnf") {
            None => None,
            Some(cnf) => Some(confirmation(cnf)?),
        },
        client: optional_name(claims, "client_id")?,
        expires: Some(expires),
        issued: Some(issued),
        roles: roles(claims)?,
        scopes: scopes(claims)?,
        subject,
        token_id: optional_name(claims, "jti")?,
    })
}

/// Outer `None`: there, and no date.
fn date(claims: &Json, name: &str, round: fn(f64) -> f64) -> Option<Option<u64>> {
    match claims.get(name) {
        None => Some(None),
        Some(Json::Number(text)) => {
            if let Ok(whole) = text.parse::<u64>() {
                return (whole <= 1 << 53).then_some(Some(whole));
            }
            let value: f64 = text.parse().unwrap();
            if value.is_sign_negative() || round(value) > 9_007_199_254_740_992.0 {
                return None;
            }
            Some(Some(round(value) as u64))
        }
        Some(_) => None,
    }
}

fn name(value: &Json) -> Option<String> {
    let text = value.text()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// Outer `None`: there, and no name.
fn optional_name(claims: &Json, claim: &str) -> Option<Option<String>> {
    match claims.get(claim) {
        None => Some(None),
        Some(value) => name(value).map(Some),
    }
}

fn scopes(claims: &Json) -> Option<BTreeSet<String>> {
    let scope = claims.get("scope").map(scopes_of);
    let scp = claims.get("scp").map(scopes_of);
    match (scope, scp) {
        (None, None) => Some(BTreeSet::new()),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(one), Some(two)) => (one? == two.clone()?).then_some(two?),
    }
}

fn scopes_of(value: &Json) -> Option<BTreeSet<String>> {
    let words: Vec<String> = match value {
        Json::Text(text) if text.is_empty() => Vec::new(),
        Json::Text(text) => text.split(' ').map(str::to_owned).collect(),
        Json::Array(entries) if entries.len() <= 1024 => {
            entries.iter().map(|entry| entry.text().map(str::to_owned)).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let is_scope = |word: &String| {
        !word.is_empty()
            && word.chars().all(|char| matches!(char, '!'..='~') && char != '"' && char != '\\')
    };
    words.iter().all(is_scope).then(|| words.into_iter().collect())
}

/// RFC 9449 §6.1, RFC 8705 §3.1, and nothing beside them.
fn confirmation(cnf: &Json) -> Option<[Option<[u8; 32]>; 2]> {
    let Json::Object(members) = cnf else { return None };
    if members.is_empty() || members.iter().any(|(name, _)| name != "jkt" && name != "x5t#S256") {
        return None;
    }
    let digest = |name| match cnf.get(name) {
        None => Some(None),
        Some(value) => {
            let bytes: [u8; 32] = base64url::decode(value.text()?)?.try_into().ok()?;
            Some(Some(bytes))
        }
    };
    Some([digest("jkt")?, digest("x5t#S256")?])
}

fn roles(claims: &Json) -> Option<Vec<String>> {
    match claims.get("realm").and_then(|realm| realm.get("roles")) {
        None => Some(Vec::new()),
        Some(Json::Array(entries)) if entries.len() <= 1024 => entries.iter().map(name).collect(),
        Some(Json::Text(text)) => {
            let words: Vec<_> = text
                .split([' ', '\t', '\n', '\r', '\u{c}'])
                .filter(|word| !word.is_empty())
                .collect();
            let is_name = |word: &&str| !word.chars().any(char::is_control);
            (words.len() <= 1024 && words.iter().all(is_name))
                .then(|| words.into_iter().map(str::to_owned).collect())
        }
        Some(_) => None,
    }
}

fn actors(claims: &Json) -> Option<Vec<(String, Option<String>)>> {
    let mut actors = Vec::new();
    let mut next = claims.get("act");
    while let Some(act) = next {
        if !matches!(act, Json::Object(_)) || actors.len() == 8 {
            return None;
        }
        actors.push((name(act.get("sub")?)?, optional_name(act, "iss")?));
        next = act.get("act");
    }
    Some(actors)
}
