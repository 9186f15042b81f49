//! What an issuer may say at all.

use serde_json::{Map, Value};

use super::{ClaimSource, TrustError, TrustedIssuer};

/// What an issuer may say in one claim. What it may not say is withheld: nobody inside finds the claim.
///
/// Someone who is trusted to say who a user is need not be trusted to say who is an administrator, and an
/// issuer of one company not to speak for the e-mail addresses of another.
///
/// A limit is for a whole claim: what holds the roles at `/realm_access/roles` is `realm_access`. Of places that
/// stand in for each other, as with [`scopes_from`](super::TrustedIssuer::scopes_from), limit all: what an issuer may not
/// say in one it could say in the next. So verifiers refuse rules that limit only some.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimLimit {
    /// Addresses of these domains, without their subdomains. ASCII case does not matter in a domain. The
    /// `email_verified` of the token must not say otherwise.
    EmailDomains(Vec<String>),
    /// Nothing.
    Nothing,
    /// These values. Of an array, the others are left out.
    Values(Vec<String>),
}

impl ClaimLimit {
    pub(super) fn validate(&self) -> Result<(), TrustError> {
        let is_domain =
            |domain: &String| !domain.is_empty() && domain.is_ascii() && !domain.contains('@');
        match self {
            Self::EmailDomains(domains) if domains.is_empty() || !domains.iter().all(is_domain) => {
                Err(TrustError::NotADomain)
            }
            Self::EmailDomains(_) | Self::Nothing | Self::Values(_) => Ok(()),
        }
    }

    /// Applies the limit. `None` if the claim is withheld.
    fn apply(&self, value: &Value, email_verified: Option<&Value>) -> Option<Value> {
        match self {
            Self::EmailDomains(domains) => {
                let is_verified =
                    email_verified.is_none_or(|verified| verified == &Value::Bool(true));
                let is_of_domain = value.as_str().and_then(domain_of).is_some_and(|domain| {
                    domains.iter().any(|one| one.eq_ignore_ascii_case(domain))
                });
                (is_verified && is_of_domain).then(|| value.clone())
            }
            Self::Nothing => None,
            Self::Values(allowed) => match value {
                Value::String(text) => allowed.contains(text).then(|| value.clone()),
                Value::Array(entries) => {
                    let is_allowed = |entry: &&Value| {
                        entry.as_str().is_some_and(|text| allowed.iter().any(|one| one == text))
                    };
                    Some(Value::Array(entries.iter().filter(is_allowed).cloned().collect()))
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
            },
        }
    }
}

impl TrustedIssuer {
    /// A claim that is limited for nothing: of the places of a list the first that is there counts, and an issuer
    /// that may not say it in one could leave that out and say it in the next.
    pub(super) fn evaded_limit(&self) -> Option<&ClaimSource> {
        let is_limited = |place: &&ClaimSource| {
            let claim = place.top_level();
            self.limits.iter().any(|(limited, _)| **limited == *claim)
        };
        [&self.subjects, &self.clients, &self.scopes].into_iter().find_map(|places| {
            let is_evaded = !places.iter().all(|place| is_limited(&place));
            places.iter().find(is_limited).filter(|_| is_evaded)
        })
    }
}

/// Takes from `claims` what the issuer may not say.
pub(super) fn withhold(claims: &mut Map<String, Value>, limits: &[(Box<str>, ClaimLimit)]) {
    // As the issuer said it. Were it withheld before the address is judged, "not verified" would be forgotten.
    let email_verified = claims.get("email_verified").cloned();
    for (name, limit) in limits {
        let Some(value) = claims.get(&**name) else { continue };
        match limit.apply(value, email_verified.as_ref()) {
            Some(rest) => {
                claims.insert((**name).to_owned(), rest);
            }
            None => {
                tracing::debug!(claim = &**name, "claim withheld: the issuer may not say this");
                claims.remove(&**name);
            }
        }
    }
}

/// The domain of an address with one `@`. Quoted local parts may hold a second, and two readers may not
/// agree on which of them counts.
fn domain_of(address: &str) -> Option<&str> {
    let (local, domain) = address.split_once('@')?;
    let is_plain =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
    (is_plain(local) && is_plain(domain) && !domain.contains('@')).then_some(domain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn left(limit: ClaimLimit, claims: &Value) -> Value {
        let mut claims = claims.as_object().unwrap().clone();
        withhold(&mut claims, &[("x".into(), limit)]);
        claims.remove("x").unwrap_or_default()
    }

    #[test]
    fn an_issuer_speaks_for_the_addresses_of_its_domain() {
        let limit = || ClaimLimit::EmailDomains(vec!["example.com".to_owned()]);
        for good in ["a@example.com", "a+b@EXAMPLE.com"] {
            assert_eq!(left(limit(), &json!({ "x": good })), good);
        }
        for bad in [
            "a@example.org",
            "a@sub.example.com",
            "a@example.com.evil.example",
            "a@evil.example@example.com",
            "\"a@b\"@example.com",
            "@example.com",
            "a b@example.com",
            "a@example.com\n",
            "a@\u{435}xample.com",
            "example.com",
            "",
        ] {
            assert_eq!(left(limit(), &json!({ "x": bad })), Value::Null, "{bad}");
        }
        assert_eq!(left(limit(), &json!({ "x": ["a@example.com"] })), Value::Null);
        for unverified in [json!(false), json!("true"), json!(null)] {
            let claims = json!({ "x": "a@example.com", "email_verified": unverified });
            assert_eq!(left(limit(), &claims), Value::Null);
        }
        let verified = json!({ "x": "a@example.com", "email_verified": true });
        assert_eq!(left(limit(), &verified), "a@example.com");
    }

    #[test]
    fn an_address_is_judged_by_what_the_issuer_said_in_whatever_order_the_limits_are() {
        let email = || ("email".into(), ClaimLimit::EmailDomains(vec!["example.com".to_owned()]));
        let flag = || ("email_verified".into(), ClaimLimit::Nothing);
        for limits in [[email(), flag()], [flag(), email()]] {
            let claims = json!({ "email": "a@example.com", "email_verified": false });
            let mut claims = claims.as_object().unwrap().clone();
            withhold(&mut claims, &limits);
            assert!(claims.is_empty(), "{limits:?}");
        }
    }

    #[test]
    fn of_many_values_only_the_allowed_are_left() {
        let limit = || ClaimLimit::Values(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(left(limit(), &json!({ "x": ["a", "admin", 1, "b"] })), json!(["a", "b"]));
        assert_eq!(left(limit(), &json!({ "x": "a" })), "a");
        for other in [json!("admin"), json!("a b"), json!({ "a": 1 }), json!(true)] {
            assert_eq!(left(limit(), &json!({ "x": other })), Value::Null);
        }
        assert_eq!(left(ClaimLimit::Nothing, &json!({ "x": "a" })), Value::Null);
    }
}
