//! The claims: out of reach before the signature is verified, a [`Principal`] after.

use std::{fmt, time::SystemTime};

use palisade_core::{Principal, ScopeSet, ScopeToken};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Issuer,
    act::actors,
    compact::decode_object,
    rules::{Profile, Rules, ScopeClaim},
    time::Lifetime,
};
use crate::{Rejection, crypto::SignatureVerified};

const MAX_AUDIENCES: usize = 64;

/// What a token claims, before anybody knows whether it is true.
pub(super) struct UnverifiedClaims(Map<String, Value>);

impl UnverifiedClaims {
    pub(super) fn read(part: &str) -> Result<Self, Rejection> {
        decode_object(part, "the payload is not a JSON object in base64url without duplicates")
            .map(Self)
    }

    /// Refuses tokens of others before a key is looked up, so that nobody can make us ask an issuer for
    /// keys with tokens that it never made.
    pub(super) fn check_issuer(&self, issuer: &Issuer) -> Result<(), Rejection> {
        match self.0.get("iss") {
            Some(Value::String(claimed)) if claimed == issuer.as_str() => Ok(()),
            Some(Value::String(_)) => Err(Rejection::WrongIssuer),
            // An array that holds the right one would name others as well.
            Some(_) => Err(Rejection::InvalidClaim { claim: "iss" }),
            None => Err(Rejection::MissingClaim { claim: "iss" }),
        }
    }

    /// The claims, now that the signature over these very bytes is known to be right.
    pub(super) fn trust(self, _: SignatureVerified) -> Claims {
        Claims(self.0)
    }
}

/// The claims of a verified token, for handlers that need more than a
/// [`Principal`] says: `principal.claims::<Claims>()`.
///
/// They are verified in that the issuer said so. Whether a claim means something here is yours to know:
/// beyond what the [`Principal`] has, nothing looked at them.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All claims.
    #[must_use]
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All claims as a type of your own.
    ///
    /// # Errors
    ///
    /// Whatever the type's `Deserialize` finds wrong.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.0.clone()))
    }

    /// Checks everything that must be checked but the audience, which is another layer's decision.
    pub(super) fn into_principal(
        self,
        rules: &Rules,
        now: SystemTime,
    ) -> Result<Principal, Rejection> {
        let claims = &self.0;
        // RFC 9449 §7.2, RFC 8705 §3: a bound token without its proof is a stolen one. That we cannot
        // check a binding is no reason to ignore it.
        if claims.contains_key("cnf") {
            return Err(Rejection::BoundToKey);
        }
        let lifetime = Lifetime::check(claims, rules, now)?;
        let subject = required(claims, "sub")?;
        let audiences = audiences(claims)?;
        let scopes = scopes(claims, rules.scope_claim)?;
        let client_id = identifier(claims.get(rules.client_id_claim), rules.client_id_claim)?;
        let token_id = identifier(claims.get("jti"), "jti")?;
        let actors = actors(claims.get("act"))?;
        if rules.profile == Profile::Rfc9068 {
            client_id.ok_or(Rejection::MissingClaim { claim: rules.client_id_claim })?;
            token_id.ok_or(Rejection::MissingClaim { claim: "jti" })?;
            lifetime.issued_at.ok_or(Rejection::MissingClaim { claim: "iat" })?;
        }

        let mut principal = Principal::assert_verified(rules.issuer.to_shared(), subject)
            .scopes(scopes)
            .expires_at(lifetime.expires_at);
        for audience in audiences {
            principal = principal.add_audience(audience);
        }
        for actor in actors {
            principal = principal.add_actor(actor);
        }
        if let Some(issued_at) = lifetime.issued_at {
            principal = principal.issued_at(issued_at);
        }
        if let Some(client_id) = client_id {
            principal = principal.client_id(client_id);
        }
        if let Some(token_id) = token_id {
            principal = principal.token_id(token_id);
        }
        Ok(principal.with_claims(self).build())
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claims").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}

/// A claim that names somebody or something. If it is there, it is a string that can be a name: not
/// empty, and without characters that end a line or a string elsewhere.
pub(super) fn identifier<'a>(
    value: Option<&'a Value>,
    claim: &'static str,
) -> Result<Option<&'a str>, Rejection> {
    match value {
        None => Ok(None),
        Some(Value::String(name)) if !name.is_empty() && !name.contains(char::is_control) => {
            Ok(Some(name))
        }
        Some(_) => Err(Rejection::InvalidClaim { claim }),
    }
}

fn required<'a>(claims: &'a Map<String, Value>, claim: &'static str) -> Result<&'a str, Rejection> {
    identifier(claims.get(claim), claim)?.ok_or(Rejection::MissingClaim { claim })
}

/// A string or an array of strings. One bad entry spoils all: a reader that skips it sees another token.
fn audiences(claims: &Map<String, Value>) -> Result<Vec<&str>, Rejection> {
    const INVALID: Rejection = Rejection::InvalidClaim { claim: "aud" };

    match claims.get("aud") {
        Some(Value::Array(entries)) => {
            if entries.is_empty() || entries.len() > MAX_AUDIENCES {
                return Err(INVALID);
            }
            entries.iter().map(|entry| identifier(Some(entry), "aud")?.ok_or(INVALID)).collect()
        }
        _ => required(claims, "aud").map(|audience| vec![audience]),
    }
}

fn scopes(claims: &Map<String, Value>, from: ScopeClaim) -> Result<ScopeSet, Rejection> {
    let scope = claims.get("scope").map(|scope| scope_list(scope, "scope")).transpose()?;
    let scp = match from {
        ScopeClaim::Scope => None,
        ScopeClaim::ScopeOrScp => claims.get("scp").map(scp_list).transpose()?,
    };
    match (scope, scp) {
        (Some(scope), Some(scp)) if scope != scp => Err(Rejection::InvalidClaim { claim: "scp" }),
        (Some(scopes), _) | (None, Some(scopes)) => Ok(scopes),
        (None, None) => Ok(ScopeSet::empty()),
    }
}

fn scope_list(value: &Value, claim: &'static str) -> Result<ScopeSet, Rejection> {
    value
        .as_str()
        .and_then(|list| ScopeSet::parse(list).ok())
        .ok_or(Rejection::InvalidClaim { claim })
}

fn scp_list(value: &Value) -> Result<ScopeSet, Rejection> {
    const INVALID: Rejection = Rejection::InvalidClaim { claim: "scp" };

    let Some(entries) = value.as_array() else {
        return scope_list(value, "scp");
    };
    entries
        .iter()
        .map(|entry| entry.as_str().and_then(|scope| ScopeToken::parse(scope).ok()).ok_or(INVALID))
        .collect()
}
