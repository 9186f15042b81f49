//! From a table to rules.

use super::{
    ProfileError,
    facts::{Facts, Keys, MissingType, Must},
    form,
};
use crate::{
    Issuer,
    trust::{ClaimRule, ClaimSource, KeyLocation, TrustedIssuer},
};

impl Facts {
    pub(super) const fn other_form(&self) -> ProfileError {
        let form = match self.issuers {
            [form, ..] => form,
            [] => "",
        };
        ProfileError::OtherForm { profile: self.name, form, advice: self.advice }
    }

    pub(super) fn rules(&self, issuer: Issuer, found: &[(&'static str, &str)]) -> TrustedIssuer {
        let keys = match self.keys {
            Keys::At(form) => KeyLocation::jwks_uri(&form::write(form, found)).ok(),
            Keys::Discovered => Some(KeyLocation::Discovery),
            Keys::Opaque => None,
        };
        let mut rules = TrustedIssuer::new(issuer).keys_at(keys.unwrap_or(KeyLocation::Supplied));
        rules.algorithms = self.algorithms.to_vec();
        rules.types.names.extend(self.types.iter().map(|&name| name.into()));
        rules.types.missing = self.missing_type == MissingType::Accepted;
        rules.subjects = self.subjects.to_vec();
        rules.clients = self.clients.to_vec();
        rules.client_rule = self.client;
        rules.scopes = self.scopes.to_vec();
        rules.roles = self.roles.to_vec();
        for (claim, must) in self.require {
            rules = rules.require_claim(ClaimSource::claim(claim), must.rule(found));
        }
        if !self.require_any.is_empty() {
            rules.alternatives.push(self.require_any.to_vec());
        }
        rules
    }
}

impl Must {
    pub(super) fn rule(&self, found: &[(&'static str, &str)]) -> ClaimRule {
        match self {
            Self::Absent => ClaimRule::Absent,
            Self::OneOf(values) => {
                ClaimRule::OneOf(values.iter().map(|&value| value.into()).collect())
            }
            Self::Present => ClaimRule::Present,
            // A place that was not found fits nothing.
            Self::The(place) => ClaimRule::OneOf(
                found
                    .iter()
                    .filter(|(name, _)| name == place)
                    .map(|(_, value)| (*value).into())
                    .collect(),
            ),
        }
    }
}
