//! One `[[issuer]]` table.

use std::time::Duration;

use palisade_core::Actor;
use serde_json::Value;
use toml::de::DeValue;

use super::{
    TrustFileError,
    node::{Node, Table},
};
use crate::{
    AddressPolicy, Issuer, SignatureAlgorithm,
    keys::{StaticKeys, holds_private_members},
    trust::{
        ActorRule, ClaimLimit, ClaimRule, ClaimSource, KeyLocation, Profile, SenderConstraint,
        TrustedIssuer,
    },
};

type Result<T> = std::result::Result<T, TrustFileError>;

pub(super) const KEYS: [&str; 25] = [
    "accept_missing_type",
    "actors",
    "addresses",
    "algorithms",
    "audiences",
    "clients",
    "issuer",
    "jwks",
    "jwks_uri",
    "keys",
    "leeway_seconds",
    "limits",
    "max_age_seconds",
    "max_lifetime_seconds",
    "profile",
    "require",
    "require_any",
    "require_rfc9068",
    "roles",
    "scope_map",
    "scope_prefix",
    "scopes",
    "sender_constraint",
    "subjects",
    "types",
];

pub(super) fn read(table: &Table<'_>) -> Result<TrustedIssuer> {
    let mut rules = start(table)?;
    if let Some(keys) = key_location(table)? {
        rules = rules.keys_at(keys);
    }
    rules = accepted(table, rules)?;
    rules = required(table, rules)?;
    rules = places(table, rules)?;
    rules = scopes(table, rules)?;
    if let Some(node) = table.get("actors") {
        rules = rules.actors(actors(node)?).map_err(|error| node.refuse(&error))?;
    }
    if let Some(node) = table.get("sender_constraint") {
        rules = rules.sender_constraint(node.choice(&[
            ("optional", SenderConstraint::Optional),
            ("required", SenderConstraint::Required),
        ])?);
    }
    if let Some(node) = table.get("addresses") {
        rules = rules.addresses(node.choice(&[
            ("private", AddressPolicy::AllowPrivate),
            ("public", AddressPolicy::PublicOnly),
        ])?);
    }
    if let Some(node) = table.get("limits") {
        for (claim, node) in node.table()?.entries() {
            rules = rules.limit_claim(claim, limit(node)?).map_err(|error| node.refuse(&error))?;
        }
    }
    Ok(rules)
}

fn start(table: &Table<'_>) -> Result<TrustedIssuer> {
    let node = table.required("issuer")?;
    let issuer = node.text()?;
    let Some(written) = table.get("profile") else {
        let issuer = Issuer::parse(issuer).map_err(|error| node.refuse(&error))?;
        return Ok(TrustedIssuer::new(issuer));
    };
    profile(written)?.trust(issuer).map_err(|error| node.refuse(&error))
}

fn profile(node: &Node<'_>) -> Result<Profile> {
    let table =
        if node.is_table() { Some(node.table()?.only(&["client_id", "name"])?) } else { None };
    let client_id = table.as_ref().and_then(|table| table.get("client_id"));
    let profile = named(match &table {
        Some(table) => table.required("name")?,
        None => node,
    })?;
    match (profile, client_id) {
        (Profile::Google { .. }, Some(id)) => Ok(Profile::Google { client_id: id.text()?.into() }),
        (Profile::Google { .. }, None) => Err(node.error(
            "the profile `google` needs your OAuth client: write \
             `profile = { name = \"google\", client_id = \"...\" }`",
        )),
        (_, Some(id)) => Err(id.error("this profile has no client")),
        (profile, None) => Ok(profile),
    }
}

fn named(node: &Node<'_>) -> Result<Profile> {
    let name = node.text()?;
    Profile::named(name).ok_or_else(|| node.unknown_word(name, &Profile::names()))
}

fn key_location(table: &Table<'_>) -> Result<Option<KeyLocation>> {
    let mut location = None;
    for (name, node) in table.entries() {
        let found = match name {
            "keys" => node.choice(&[("discovery", false), ("supplied", true)]).map(|supplied| {
                if supplied { KeyLocation::Supplied } else { KeyLocation::Discovery }
            })?,
            "jwks_uri" => {
                KeyLocation::jwks_uri(node.text()?).map_err(|error| node.refuse(&error))?
            }
            "jwks" => inline(node)?,
            _ => continue,
        };
        if location.replace(found).is_some() {
            return Err(node.error(
                "there is a second place of the keys: keep one of `keys`, `jwks_uri` and `jwks`",
            ));
        }
    }
    Ok(location)
}

/// Read now, because now there is a line to point to. What is in it is repeated nowhere.
fn inline(node: &Node<'_>) -> Result<KeyLocation> {
    let set = node.text()?;
    if holds_private_members(set) {
        return Err(node.error(
            "the set holds a private or a symmetric key: whoever reads this file can sign tokens with it. \
             Replace the key at once, and write the public one",
        ));
    }
    StaticKeys::from_jwks_json(set).map_err(|error| node.refuse(&error))?;
    Ok(KeyLocation::Inline(set.into()))
}

fn accepted(table: &Table<'_>, mut rules: TrustedIssuer) -> Result<TrustedIssuer> {
    if let Some(node) = table.get("algorithms") {
        let algorithms: Vec<_> = node.list()?.iter().map(algorithm).collect::<Result<_>>()?;
        rules = rules.algorithms(algorithms).map_err(|error| node.refuse(&error))?;
    }
    if let Some(node) = table.get("types") {
        for node in node.list()? {
            rules = rules.accept_type(node.text()?).map_err(|error| node.refuse(&error))?;
        }
    }
    if let Some(node) = table.get("accept_missing_type") {
        node.switched_on()?;
        rules = rules.accept_missing_type();
    }
    if let Some(node) = table.get("leeway_seconds") {
        rules = rules.leeway(seconds(node)?).map_err(|error| node.refuse(&error))?;
    }
    if let Some(node) = table.get("max_lifetime_seconds") {
        rules = rules.max_lifetime(seconds(node)?);
    }
    if let Some(node) = table.get("max_age_seconds") {
        rules = rules.max_age(seconds(node)?);
    }
    Ok(rules)
}

fn algorithm(node: &Node<'_>) -> Result<SignatureAlgorithm> {
    let name = node.text()?;
    SignatureAlgorithm::from_name(name).ok_or_else(|| {
        let known: Vec<_> = SignatureAlgorithm::ALL.iter().map(|known| known.as_str()).collect();
        node.unknown_word(name, &known)
    })
}

fn seconds(node: &Node<'_>) -> Result<Duration> {
    node.count().map(Duration::from_secs)
}

fn required(table: &Table<'_>, mut rules: TrustedIssuer) -> Result<TrustedIssuer> {
    if let Some(node) = table.get("require_rfc9068") {
        node.switched_on()?;
        rules = rules.require_rfc9068();
    }
    if let Some(node) = table.get("require") {
        for (claim, node) in node.table()?.entries() {
            let claim = ClaimSource::parse(claim).map_err(|error| node.refuse(&error))?;
            rules = rules.require_claim(claim, claim_rule(node)?);
        }
    }
    if let Some(node) = table.get("require_any") {
        for node in node.list()? {
            rules =
                rules.require_any_claim(sources(&node)?).map_err(|error| node.refuse(&error))?;
        }
    }
    Ok(rules)
}

fn claim_rule(node: &Node<'_>) -> Result<ClaimRule> {
    if !node.is_table() {
        return Ok(ClaimRule::OneOf(vec![json(node)?]));
    }
    let table = node.table()?.only(&["absent", "one_of", "present"])?;
    let mut rules = table.entries();
    let rule = match rules.next() {
        Some(("absent", node)) => node.switched_on().map(|()| ClaimRule::Absent)?,
        Some(("one_of", node)) => {
            let values: Vec<_> = node.list()?.iter().map(json).collect::<Result<_>>()?;
            if values.is_empty() {
                return Err(node.error("the list is empty: name at least one value"));
            }
            ClaimRule::OneOf(values)
        }
        Some((_, node)) => node.switched_on().map(|()| ClaimRule::Present)?,
        None => return Err(node.error("write one of `absent`, `one_of`, `present`")),
    };
    match rules.next() {
        Some((_, node)) => Err(node.error("a claim has one rule: keep one")),
        None => Ok(rule),
    }
}

/// A claim's value. JSON has no dates, and no `inf`.
fn json(node: &Node<'_>) -> Result<Value> {
    match node.value() {
        DeValue::String(text) => Ok(Value::from(&**text)),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map(Value::from)
            .map_err(|_| node.error("the number is too large")),
        DeValue::Float(float) => float
            .as_str()
            .parse()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map(Value::Number)
            .ok_or_else(|| node.error("claims are no such numbers")),
        DeValue::Boolean(flag) => Ok(Value::Bool(*flag)),
        DeValue::Datetime(_) => {
            Err(node.error("claims are no dates: write a string, or the seconds since 1970"))
        }
        DeValue::Array(_) => {
            node.list()?.iter().map(json).collect::<Result<Vec<_>>>().map(Value::from)
        }
        DeValue::Table(_) => node
            .table()?
            .entries()
            .map(|(name, node)| Ok((name.to_owned(), json(node)?)))
            .collect::<Result<serde_json::Map<_, _>>>()
            .map(Value::Object),
    }
}

fn places(table: &Table<'_>, mut rules: TrustedIssuer) -> Result<TrustedIssuer> {
    for (name, node) in table.entries() {
        let changed = match name {
            "audiences" => rules.clone().audiences_from(sources(node)?),
            "clients" => rules.clone().clients_from(sources(node)?),
            "roles" => rules.clone().roles_from(sources(node)?),
            "scopes" => rules.clone().scopes_from(sources(node)?),
            "subjects" => rules.clone().subjects_from(sources(node)?),
            _ => continue,
        };
        rules = changed.map_err(|error| node.refuse(&error))?;
    }
    Ok(rules)
}

fn sources(node: &Node<'_>) -> Result<Vec<ClaimSource>> {
    node.list()?.iter().map(source).collect()
}

fn source(node: &Node<'_>) -> Result<ClaimSource> {
    let parse =
        |node: &Node<'_>| ClaimSource::parse(node.text()?).map_err(|error| node.refuse(&error));
    if node.is_table() {
        let table = node.table()?.only(&["member_names"])?;
        return parse(table.required("member_names")?).map(ClaimSource::member_names);
    }
    parse(node)
}

fn scopes(table: &Table<'_>, mut rules: TrustedIssuer) -> Result<TrustedIssuer> {
    if let Some(node) = table.get("scope_map") {
        for (requested, node) in node.table()?.entries() {
            rules =
                rules.map_scope(requested, node.text()?).map_err(|error| node.refuse(&error))?;
        }
    }
    if let Some(node) = table.get("scope_prefix") {
        rules = rules.scope_prefix(node.text()?).map_err(|error| node.refuse(&error))?;
    }
    Ok(rules)
}

fn actors(node: &Node<'_>) -> Result<ActorRule> {
    if !node.is_table() {
        return node.choice(&[("none", ())]).map(|()| ActorRule::None);
    }
    let table = node.table()?.only(&["max_depth", "one_of"])?;
    let depth = table.required("max_depth")?;
    // Too many for this machine are too many for the rule.
    let max_depth = usize::try_from(depth.count()?).unwrap_or(usize::MAX);
    let Some(node) = table.get("one_of") else { return Ok(ActorRule::Any { max_depth }) };
    let actors = node.list()?.iter().map(actor).collect::<Result<_>>()?;
    Ok(ActorRule::OneOf { actors, max_depth })
}

fn actor(node: &Node<'_>) -> Result<Actor> {
    let table = node.table()?.only(&["issuer", "subject"])?;
    let actor = Actor::new(table.required("subject")?.text()?);
    match table.get("issuer") {
        Some(issuer) => Ok(actor.of_issuer(issuer.text()?)),
        None => Ok(actor),
    }
}

fn limit(node: &Node<'_>) -> Result<ClaimLimit> {
    if !node.is_table() {
        return node.choice(&[("nothing", ())]).map(|()| ClaimLimit::Nothing);
    }
    let table = node.table()?.only(&["domains", "values"])?;
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    match (table.get("domains"), table.get("values")) {
        (Some(domains), None) => domains.texts().map(owned).map(ClaimLimit::EmailDomains),
        (None, Some(values)) => values.texts().map(owned).map(ClaimLimit::Values),
        (Some(_), Some(node)) => Err(node.error("a claim has one limit: keep one")),
        (None, None) => {
            Err(table.error("write `\"nothing\"`, `{ domains = [..] }` or `{ values = [..] }`"))
        }
    }
}
