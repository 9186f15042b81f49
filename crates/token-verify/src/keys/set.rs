//! The usable keys of one JWK Set.

use std::{collections::HashMap, sync::Arc};

use super::{KeyHint, VerificationKey};

/// The keys that were left after the import. Never changes: another set replaces it.
#[derive(Debug)]
pub(super) struct KeySet {
    named: HashMap<Box<str>, Arc<VerificationKey>>,
    /// A key without a name, if it is the only key.
    nameless: Option<Arc<VerificationKey>>,
    /// Why others were left out, one reason each.
    #[cfg_attr(
        not(feature = "remote-keys"),
        expect(dead_code, reason = "for events of fetched sets")
    )]
    dropped: Vec<&'static str>,
}

/// What a set knows about a hint.
#[derive(Debug)]
pub(super) enum Found {
    Key(Arc<VerificationKey>),
    /// Not in this set; perhaps in the next.
    Nothing,
    /// A newer set would not help: the name is taken by a key for another algorithm, or there is no
    /// name and several keys fit.
    Unfit,
}

impl KeySet {
    /// Keys with distinct names. `nameless` is dropped if it is not alone.
    pub(super) fn new(named: Vec<VerificationKey>, nameless: Vec<VerificationKey>) -> Self {
        let named: HashMap<_, _> =
            named.into_iter().filter_map(|key| Some((key.kid.clone()?, Arc::new(key)))).collect();
        let mut nameless = nameless.into_iter();
        let nameless = match (named.is_empty(), nameless.next(), nameless.next()) {
            (true, Some(only), None) => Some(Arc::new(only)),
            _ => None,
        };
        Self { named, nameless, dropped: Vec::new() }
    }

    pub(super) fn with_dropped(self, dropped: Vec<&'static str>) -> Self {
        Self { dropped, ..self }
    }

    /// Why keys of the document were left out of the set.
    #[cfg(feature = "remote-keys")]
    pub(super) fn dropped(&self) -> &[&'static str] {
        &self.dropped
    }

    pub(super) fn len(&self) -> usize {
        self.keys().count()
    }

    /// The keys of this set that are not in `other`, by name.
    #[cfg(feature = "remote-keys")]
    pub(super) fn keys_not_in<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = &'a VerificationKey> {
        self.keys().map(|key| &**key).filter(|key| match key.kid() {
            Some(kid) => !other.named.contains_key(kid),
            None => other.nameless.is_none(),
        })
    }

    /// The key of that name.
    #[cfg(feature = "jwks-client-rs")]
    pub(super) fn get(&self, kid: &str) -> Option<&Arc<VerificationKey>> {
        self.named.get(kid)
    }

    pub(super) fn find(&self, hint: &KeyHint<'_>) -> Found {
        match hint.kid {
            Some(kid) => match self.named.get(kid) {
                Some(key) if key.algorithm() == hint.algorithm => Found::Key(Arc::clone(key)),
                Some(_) => Found::Unfit,
                None => Found::Nothing,
            },
            None => self.find_without_name(hint),
        }
    }

    /// Without a name there is a key only if it cannot be another one.
    fn find_without_name(&self, hint: &KeyHint<'_>) -> Found {
        let mut fitting = self.keys().filter(|key| key.algorithm() == hint.algorithm);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Found::Key(Arc::clone(only)),
            (Some(_), Some(_)) => Found::Unfit,
            (None, _) => Found::Nothing,
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Arc<VerificationKey>> {
        self.named.values().chain(&self.nameless)
    }
}
