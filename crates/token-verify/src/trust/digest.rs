//! A name for a set of rules, that changes whenever a rule does.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    ActorRule, ClaimLimit, ClaimRule, ClaimSource, KeyLocation, SenderConstraint, TrustedIssuer,
    issuer::ClientRule,
};
use crate::AddressPolicy;

impl TrustedIssuer {
    /// SHA-256 over all rules, in lower-case hex. The same rules have the same digest, on every machine and
    /// with every release of this crate that understands them the same way.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut fields = Fields::new("palisade-trusted-issuer-1");
        fields.text("issuer", self.issuer.as_str());
        match &self.keys {
            KeyLocation::Discovery => fields.text("keys", "discovery"),
            KeyLocation::Inline(set) => fields.text("keys-inline", set),
            KeyLocation::JwksUri(url) => fields.text("keys-jwks-uri", url.as_str()),
            KeyLocation::Supplied => fields.text("keys", "supplied"),
        }
        fields.all("algorithm", self.algorithms.iter().map(|algorithm| algorithm.as_str()));
        fields.all("type", self.types.names.iter().map(|name| name.to_ascii_lowercase()));
        fields.text("type-may-be-missing", if self.types.missing { "yes" } else { "no" });
        for (source, rule) in &self.requirements {
            fields.source("require", source);
            match rule {
                ClaimRule::Absent => fields.text("rule", "absent"),
                ClaimRule::OneOf(values) => fields.all("one-of", values.iter().map(canonical)),
                ClaimRule::Present => fields.text("rule", "present"),
            }
        }
        for places in &self.alternatives {
            fields.text("require-any", &places.len().to_string());
            for source in places {
                fields.source("any", source);
            }
        }
        fields.text("leeway-ns", &self.leeway.as_nanos().to_string());
        for (name, limit) in [("max-lifetime-ns", self.max_lifetime), ("max-age-ns", self.max_age)]
        {
            fields.all(name, limit.iter().map(|limit| limit.as_nanos().to_string()));
        }
        let lists = [
            ("audience", &self.audiences),
            ("subject", &self.subjects),
            ("client", &self.clients),
            ("scope", &self.scopes),
            ("role", &self.roles),
        ];
        for (name, sources) in lists {
            for source in sources {
                fields.source(name, source);
            }
        }
        fields.text(
            "client-rule",
            match self.client_rule {
                ClientRule::Optional => "optional",
                ClientRule::Required => "required",
            },
        );
        fields.all("scope-prefix", self.scope_prefix.iter());
        for (in_token, requested) in &self.scope_map {
            fields.all("scope-map", [&**in_token, requested.as_str()]);
        }
        fields.text("actor-depth", &self.actors.max_depth().to_string());
        if let ActorRule::OneOf { actors, .. } = &self.actors {
            for actor in actors {
                fields.all("actor", [actor.issuer().unwrap_or_default(), actor.subject()]);
            }
        }
        fields.text(
            "sender-constraint",
            match self.sender_constraint {
                SenderConstraint::Optional => "optional",
                SenderConstraint::Required => "required",
            },
        );
        fields.text(
            "addresses",
            match self.addresses {
                AddressPolicy::AllowPrivate => "private",
                AddressPolicy::PublicOnly => "public",
            },
        );
        for (claim, limit) in &self.limits {
            match limit {
                ClaimLimit::EmailDomains(domains) => {
                    fields.text("limit-email", claim);
                    fields.all("domain", domains.iter().map(|domain| domain.to_ascii_lowercase()));
                }
                ClaimLimit::Nothing => fields.text("limit-nothing", claim),
                ClaimLimit::Values(values) => {
                    fields.text("limit-values", claim);
                    fields.all("value", values);
                }
            }
        }
        fields.finish()
    }
}

/// Fields with their lengths, so that no two lists of fields are the same bytes.
pub(super) struct Fields(Sha256);

impl Fields {
    pub(super) fn new(purpose: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.bytes(purpose);
        fields
    }

    fn bytes(&mut self, text: &str) {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(text);
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.all(name, [value]);
    }

    fn all(&mut self, name: &str, values: impl IntoIterator<Item = impl AsRef<str>>) {
        let values: Vec<_> = values.into_iter().collect();
        self.bytes(name);
        self.0.update(u64::try_from(values.len()).unwrap_or(u64::MAX).to_be_bytes());
        for value in values {
            self.bytes(value.as_ref());
        }
    }

    fn source(&mut self, name: &str, source: &ClaimSource) {
        self.all(name, [source.as_str(), source.form()]);
    }

    pub(super) fn finish(self) -> String {
        let mut hex = String::with_capacity(64);
        for byte in self.0.finalize() {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

/// JSON with sorted members, whatever order the build of `serde_json` keeps them in.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            let members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(entries) => {
            format!("[{}]", entries.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use palisade_core::Actor;
    use serde_json::json;

    use super::*;
    use crate::{Issuer, SignatureAlgorithm, testing::ISSUER};

    fn issuer() -> TrustedIssuer {
        TrustedIssuer::new(Issuer::parse(ISSUER).unwrap())
    }

    fn claim(name: &str) -> ClaimSource {
        ClaimSource::parse(name).unwrap()
    }

    #[test]
    fn every_rule_changes_the_digest() {
        let second = Duration::from_secs(1);
        let inline = |set: &str| KeyLocation::Inline(set.into());
        let variants = [
            issuer(),
            TrustedIssuer::new(Issuer::parse("https://as.example/").unwrap()),
            issuer().keys_at(KeyLocation::Supplied),
            issuer().keys_at(inline("a")),
            issuer().keys_at(inline("b")),
            issuer().keys_at(KeyLocation::jwks_uri("https://as.example/jwks").unwrap()),
            issuer().algorithms([SignatureAlgorithm::ES256]).unwrap(),
            issuer().accept_type("JWT").unwrap(),
            issuer().accept_missing_type(),
            issuer().require_claim(claim("a"), ClaimRule::Present),
            issuer().require_claim(claim("a"), ClaimRule::Absent),
            issuer().require_claim(claim("a"), ClaimRule::equals("b")),
            issuer().require_claim(claim("a"), ClaimRule::equals(json!({ "b": 1 }))),
            issuer().require_claim(claim("a"), ClaimRule::OneOf(vec![json!("b"), json!("c")])),
            issuer().require_rfc9068(),
            issuer().require_any_claim([claim("a")]).unwrap(),
            issuer().require_any_claim([claim("a"), claim("b")]).unwrap(),
            issuer()
                .require_any_claim([claim("a")])
                .unwrap()
                .require_any_claim([claim("b")])
                .unwrap(),
            issuer().leeway(second).unwrap(),
            issuer().max_lifetime(second),
            issuer().max_age(second),
            issuer().audiences_from([claim("a")]).unwrap(),
            issuer().subjects_from([claim("a")]).unwrap(),
            issuer().clients_from([claim("a")]).unwrap(),
            issuer().scopes_from([claim("a")]).unwrap(),
            issuer().scopes_from([claim("a").member_names()]).unwrap(),
            issuer().roles_from([claim("a")]).unwrap(),
            issuer().map_scope("a", "b").unwrap(),
            issuer().map_scope("b", "a").unwrap(),
            issuer().scope_prefix("a").unwrap(),
            issuer().actors(ActorRule::None).unwrap(),
            issuer().actors(ActorRule::Any { max_depth: 1 }).unwrap(),
            issuer()
                .actors(ActorRule::OneOf { actors: vec![Actor::new("a")], max_depth: 1 })
                .unwrap(),
            issuer().sender_constraint(SenderConstraint::Required),
            issuer().addresses(AddressPolicy::AllowPrivate),
            issuer().limit_claim("a", ClaimLimit::Nothing).unwrap(),
            issuer().limit_claim("a", ClaimLimit::Values(vec!["b".into()])).unwrap(),
            issuer().limit_claim("a", ClaimLimit::EmailDomains(vec!["b".into()])).unwrap(),
        ];
        let digests: HashSet<_> = variants.iter().map(TrustedIssuer::digest).collect();
        assert_eq!(digests.len(), variants.len());
        assert_eq!(issuer().digest(), issuer().digest());
    }

    #[test]
    fn the_digest_is_the_same_tomorrow() {
        assert_eq!(issuer().digest().len(), 64);
        let one =
            issuer().require_claim(claim("a"), ClaimRule::equals(json!({ "x": 1, "b": [2] })));
        let two =
            issuer().require_claim(claim("a"), ClaimRule::equals(json!({ "b": [2], "x": 1 })));
        assert_eq!(one.digest(), two.digest());
        // A record written by one release is read with the next. Whoever changes this changes the meaning of
        // old records, and the number in the purpose.
        assert_eq!(
            issuer().digest(),
            "9c0e812feb5cc9b40638c41a6dc5bac758c481997fb80ff7529ecf68d353e27e"
        );
    }
}
