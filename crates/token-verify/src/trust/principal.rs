//! From the claims of a token to a [`Principal`], by the rules of its issuer.

use std::{sync::Arc, time::SystemTime};

use palisade_core::{Actor, Confirmation, Principal, ScopeSet, ScopeToken};
use serde_json::{Map, Value};

use super::{
    ClaimRule, ClaimSource, Rule, SenderConstraint, TrustedIssuer, claim::as_name,
    issuer::ClientRule, lifetime::Lifetime, limit::withhold,
};
use crate::{Claims, Rejection, confirmation::read_confirmation};

const MAX_AUDIENCES: usize = 64;

/// How we know that the issuer said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It answered when we asked about a token (RFC 7662 §2.2, where nothing but `active` is required). What no answer
    /// has to say is not required here either; the verifier and the audience check make up for it.
    #[cfg(feature = "introspection")]
    Introspection,
    /// It signed a JWT.
    Jwt,
}

/// Who was named, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) principal: Principal,
    /// Asked again whenever the principal is remembered.
    pub(crate) lifetime: Lifetime,
}

impl TrustedIssuer {
    /// Checks everything that must be checked but the audience, which is another layer's decision.
    ///
    /// The claims are the issuer's: whoever calls this has verified a signature or asked the issuer.
    pub(crate) fn judge(
        &self,
        mut claims: Map<String, Value>,
        origin: Origin,
        digest: &Arc<str>,
        now: SystemTime,
    ) -> Result<Claimed, Rejection> {
        // A limit that hides `nonce` from us does not make an access token of an ID token.
        let said = (!self.limits.is_empty()).then(|| claims.clone());
        withhold(&mut claims, &self.limits);
        let confirmation = self.binding(&claims)?;
        let lifetime = Lifetime::read(&claims, origin)?;
        lifetime.check(self, now)?;
        let mut principal =
            Principal::assert_verified(self.issuer.to_shared(), self.subject(&claims)?)
                .scopes(self.scopes(&claims)?)
                .trust_digest(Arc::clone(digest));
        for audience in self.audiences(&claims, origin)? {
            principal = principal.add_audience(audience);
        }
        if let Some(client_id) = self.client(&claims)? {
            principal = principal.client_id(client_id);
        }
        if let Some(token_id) = token_id(&claims)? {
            principal = principal.token_id(token_id);
        }
        if let Some(confirmation) = confirmation {
            principal = principal.confirmation(confirmation);
        }
        for role in self.roles(&claims)? {
            principal = principal.add_role(role);
        }
        for actor in self.acting(&claims)? {
            principal = principal.add_actor(actor);
        }
        self.check_requirements(said.as_ref().unwrap_or(&claims), &claims)?;
        if let Some(issued_at) = lifetime.issued_at()? {
            principal = principal.issued_at(issued_at);
        }
        if let Some(expires_at) = lifetime.expires_at()? {
            principal = principal.expires_at(expires_at);
        }
        Ok(Claimed { principal: principal.with_claims(Claims::new(claims)).build(), lifetime })
    }

    /// Every check of [`judge`](Self::judge), in its order, each whatever the others say. `claims` are what
    /// the issuer may say, of what it `said`.
    pub(super) fn each_check(
        &self,
        said: &Map<String, Value>,
        claims: &Map<String, Value>,
        origin: Origin,
        now: SystemTime,
    ) -> Vec<(Rule, Result<(), Rejection>)> {
        let mut checks = vec![(Rule::Binding, self.binding(claims).map(drop))];
        match Lifetime::read(claims, origin) {
            Ok(lifetime) => {
                checks.push((Rule::Dates, Ok(())));
                checks.extend(lifetime.each_check(self, now));
            }
            Err(rejection) => checks.push((Rule::Dates, Err(rejection))),
        }
        checks.extend([
            (Rule::Subject, self.subject(claims).map(drop)),
            (Rule::Scopes, self.scopes(claims).map(drop)),
            (Rule::Audience, self.audiences(claims, origin).map(drop)),
            (Rule::Client, self.client(claims).map(drop)),
            (Rule::TokenId, token_id(claims).map(drop)),
            (Rule::Roles, self.roles(claims).map(drop)),
            (Rule::Actors, self.acting(claims).map(drop)),
        ]);
        checks.extend(self.requirements.iter().map(|(source, rule)| {
            let result = check_requirement(source, rule, said, claims);
            (Rule::Requirement(source.as_str().into()), result)
        }));
        checks.extend(self.alternatives.iter().map(|places| {
            let names: Vec<_> = places.iter().map(ClaimSource::as_str).collect();
            let rule = Rule::Requirement(names.join(" or ").into());
            (rule, check_alternatives(places, claims))
        }));
        checks
    }

    /// What the token is bound to must be understood here. That its sender has the keys is checked by the
    /// layer, for tokens of every kind.
    fn binding(&self, claims: &Map<String, Value>) -> Result<Option<Confirmation>, Rejection> {
        match (claims.get("cnf"), self.sender_constraint) {
            (Some(cnf), _) => read_confirmation(cnf).map(Some),
            (None, SenderConstraint::Optional) => Ok(None),
            (None, SenderConstraint::Required) => Err(Rejection::NotBound),
        }
    }

    /// A string or an array of strings. One bad entry spoils all: a reader that skips it sees another token.
    pub(super) fn audiences<'a>(
        &self,
        claims: &'a Map<String, Value>,
        origin: Origin,
    ) -> Result<Vec<&'a str>, Rejection> {
        let Some((source, value)) =
            self.audiences.iter().find_map(|source| Some((source, source.find(claims)?)))
        else {
            return match origin {
                #[cfg(feature = "introspection")]
                Origin::Introspection => Ok(Vec::new()),
                Origin::Jwt => Err(missing(&self.audiences)),
            };
        };
        let audiences = match value {
            Value::Array(entries) if (1..=MAX_AUDIENCES).contains(&entries.len()) => {
                entries.iter().map(as_name).collect()
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => as_name(value).map(|audience| vec![audience]),
        };
        audiences.ok_or_else(|| source.invalid())
    }

    fn subject<'a>(&self, claims: &'a Map<String, Value>) -> Result<&'a str, Rejection> {
        first_name(&self.subjects, claims)?.ok_or_else(|| missing(&self.subjects))
    }

    pub(super) fn client<'a>(
        &self,
        claims: &'a Map<String, Value>,
    ) -> Result<Option<&'a str>, Rejection> {
        let client = first_name(&self.clients, claims)?;
        match (client, self.client_rule) {
            (None, ClientRule::Required) => Err(missing(&self.clients)),
            (client, ClientRule::Optional | ClientRule::Required) => Ok(client),
        }
    }

    pub(super) fn scopes(&self, claims: &Map<String, Value>) -> Result<ScopeSet, Rejection> {
        let mut found = Vec::new();
        for source in &self.scopes {
            if let Some(scopes) = source.scopes(claims)? {
                found.push((source, scopes));
            }
        }
        // Two names of one thing. An issuer that says both says the same, or nobody knows which it meant.
        let named = |name| found.iter().find(|(source, _)| source.as_str() == name);
        if let (Some((_, scope)), Some((source, scp))) = (named("scope"), named("scp"))
            && scope != scp
        {
            return Err(source.invalid());
        }
        let scopes = found.into_iter().next().map(|(_, scopes)| scopes).unwrap_or_default();
        self.as_requested(scopes)
    }

    /// In the form that clients ask for.
    fn as_requested(&self, scopes: ScopeSet) -> Result<ScopeSet, Rejection> {
        if self.scope_map.is_empty() && self.scope_prefix.is_none() {
            return Ok(scopes);
        }
        let prefix = self.scope_prefix.as_deref().unwrap_or_default();
        scopes
            .iter()
            .filter_map(|scope| {
                if let Some(requested) = self.scope_map.get(scope.as_str()) {
                    return Some(Ok(requested.clone()));
                }
                match ScopeToken::parse(&format!("{prefix}{scope}")) {
                    // Requests mean something else by it, which this token does not say.
                    Ok(scope) if self.scope_map.values().any(|known| *known == scope) => None,
                    Ok(scope) => Some(Ok(scope)),
                    Err(_) => Some(Err(Rejection::invalid("scope"))),
                }
            })
            .collect()
    }

    fn roles<'a>(&self, claims: &'a Map<String, Value>) -> Result<Vec<&'a str>, Rejection> {
        let mut roles = Vec::new();
        for source in &self.roles {
            roles.extend(source.names(claims)?.unwrap_or_default());
        }
        Ok(roles)
    }

    fn acting(&self, claims: &Map<String, Value>) -> Result<Vec<Actor>, Rejection> {
        self.actors.read(claims.get("act"), self.issuer.as_str())
    }

    fn check_requirements(
        &self,
        said: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<(), Rejection> {
        self.requirements
            .iter()
            .try_for_each(|(source, rule)| check_requirement(source, rule, said, claims))?;
        self.alternatives.iter().try_for_each(|places| check_alternatives(places, claims))
    }
}

/// What must not be there must not have been `said`; all else must be among the `claims` that are left of it.
fn check_requirement(
    source: &ClaimSource,
    rule: &ClaimRule,
    said: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Result<(), Rejection> {
    rule.check(source, if *rule == ClaimRule::Absent { said } else { claims })
}

fn check_alternatives(
    places: &[ClaimSource],
    claims: &Map<String, Value>,
) -> Result<(), Rejection> {
    let says_something =
        |source: &ClaimSource| source.find(claims).is_some_and(|value| !is_empty(value));
    if places.iter().any(says_something) { Ok(()) } else { Err(missing(places)) }
}

/// One string. An array that holds the right issuer would name others as well.
pub(crate) fn issuer_of(claims: &Map<String, Value>) -> Result<&str, Rejection> {
    match claims.get("iss") {
        Some(Value::String(issuer)) => Ok(issuer),
        Some(_) => Err(Rejection::invalid("iss")),
        None => Err(Rejection::missing("iss")),
    }
}

fn token_id(claims: &Map<String, Value>) -> Result<Option<&str>, Rejection> {
    const JTI: &ClaimSource = &ClaimSource::claim("jti");
    JTI.name(claims)
}

/// Whether a claim that is there grants nothing: an empty list is what a limit leaves of roles that the issuer may not
/// give.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim_ascii().is_empty(),
        Value::Array(entries) => entries.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn first_name<'a>(
    sources: &[ClaimSource],
    claims: &'a Map<String, Value>,
) -> Result<Option<&'a str>, Rejection> {
    for source in sources {
        if let Some(name) = source.name(claims)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The place that is asked for first is the one to tell.
fn missing(sources: &[ClaimSource]) -> Rejection {
    sources.first().map_or(Rejection::missing("sub"), ClaimSource::missing)
}
