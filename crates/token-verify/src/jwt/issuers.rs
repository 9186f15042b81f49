//! The issuers of a verifier, each with its rules and its keys.

use std::{collections::HashMap, fmt, sync::Arc};

use crate::{keys::AnyKeySource, trust::TrustedIssuer};

/// Found by the name that a token gives, byte for byte.
#[derive(Clone, Default)]
pub(super) struct Issuers(HashMap<Box<str>, Arc<Trusted>>);

/// One issuer. Its keys are reached through it only: a name of a key means nothing outside its issuer
/// (RFC 8725bis §3.8).
pub(super) struct Trusted {
    pub(super) rules: Arc<TrustedIssuer>,
    pub(super) keys: Arc<dyn AnyKeySource>,
    /// Of all issuers of the verifier together.
    pub(super) digest: Arc<str>,
}

impl Issuers {
    pub(super) fn get(&self, issuer: &str) -> Option<&Arc<Trusted>> {
        self.0.get(issuer)
    }

    /// `keys` are in the order of `rules`.
    pub(super) fn new(
        rules: impl IntoIterator<Item = (Arc<TrustedIssuer>, Arc<dyn AnyKeySource>)>,
        digest: &Arc<str>,
    ) -> Self {
        let with_name = |(rules, keys): (Arc<TrustedIssuer>, _)| {
            let name = rules.issuer().as_str().into();
            (name, Arc::new(Trusted { rules, keys, digest: Arc::clone(digest) }))
        };
        Self(rules.into_iter().map(with_name).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Trusted> {
        self.0.values().map(|trusted| &**trusted)
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|trusted| &trusted.rules)).finish()
    }
}
