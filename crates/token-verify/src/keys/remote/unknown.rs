//! The memory of names that no key has (attack JWK-08).
//!
//! That a key does not exist is known only from a set that was fetched after somebody asked for it. So names are
//! remembered in the order of fetches: asked since the last one began, asked before the one under way began, and
//! confirmed by the last one that ended well. Only a confirmed name is a forged or a dead one; of any other nobody has
//! heard yet, and its token may be good.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::keys::KeyHint;

/// Names per generation. What comes when it is full is not remembered, and not judged.
pub(super) const MAX_NAMES: usize = 4096;
/// Names of keys that were withdrawn. An issuer has 100 keys at most.
const MAX_WITHDRAWN: usize = 1024;

pub(super) struct UnknownNames {
    /// Keyed: strangers choose the names, and must not choose the numbers.
    hasher: RandomState,
    names: Mutex<Names>,
}

#[derive(Debug, Default)]
struct Names {
    asked: HashSet<u64>,
    in_flight: HashSet<u64>,
    confirmed: HashSet<u64>,
    /// Which set confirmed them.
    confirmed_by: u64,
    withdrawn: HashSet<u64>,
    lookups: u64,
}

impl UnknownNames {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), names: Mutex::default() }
    }

    /// A name was asked for that is in no set. The next fetch that ends well decides about it.
    pub(super) fn note(&self, hint: &KeyHint<'_>) {
        let name = self.number(hint.kid());
        let mut names = self.lock();
        names.lookups = names.lookups.saturating_add(1);
        insert(&mut names.asked, name, MAX_NAMES);
    }

    /// What is known about a name that is not in the set that is numbered `set`.
    ///
    /// INVARIANT: the caller looked into that set. A newer one may have the key, so its word about other names counts
    /// only for those who looked into it.
    pub(super) fn verdict(&self, hint: &KeyHint<'_>, set: u64) -> Verdict {
        let name = self.number(hint.kid());
        let names = self.lock();
        let is_confirmed = names.confirmed.contains(&name) || names.withdrawn.contains(&name);
        if names.confirmed_by == set && is_confirmed {
            Verdict::Dead
        } else {
            Verdict::NeverHeardOf
        }
    }

    /// A fetch begins: it decides about all names that were asked for before.
    pub(super) fn begin(&self) {
        let mut names = self.lock();
        let asked = std::mem::take(&mut names.asked);
        for name in asked {
            insert(&mut names.in_flight, name, MAX_NAMES);
        }
    }

    /// The fetch brought the set that is numbered `set`. `published` are all names in it, also those of keys that
    /// cannot be used; `withdrawn` are no longer in it.
    pub(super) fn confirm<'a>(
        &self,
        set: u64,
        published: impl Iterator<Item = Option<&'a str>>,
        withdrawn: impl Iterator<Item = Option<&'a str>>,
    ) {
        let mut names = self.lock();
        names.confirmed = std::mem::take(&mut names.in_flight);
        names.confirmed_by = set;
        // At most as many as a set has keys. Who looks one up has not found it among those that can be used.
        names.confirmed.extend(published.map(|kid| self.number(kid)));
        for kid in withdrawn {
            let name = self.number(kid);
            insert(&mut names.withdrawn, name, MAX_WITHDRAWN);
        }
    }

    /// How many look-ups found nothing, since this was last asked.
    pub(super) fn take_lookups(&self) -> u64 {
        std::mem::take(&mut self.lock().lookups)
    }

    fn number(&self, kid: Option<&str>) -> u64 {
        self.hasher.hash_one(kid)
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        // No code of others runs under it, so a poisoned lock holds whole sets all the same.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known about a name that is in no set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The issuer was asked after somebody had asked for it, or has withdrawn it, or its key cannot be used.
    Dead,
    /// The issuer was not asked since. It may have it.
    NeverHeardOf,
}

fn insert(names: &mut HashSet<u64>, name: u64, max: usize) {
    if names.len() < max {
        names.insert(name);
    }
}

#[cfg(test)]
mod tests {
    use std::iter::empty;

    use super::*;
    use crate::crypto::SignatureAlgorithm;

    fn hint(kid: &str) -> KeyHint<'_> {
        KeyHint { kid: Some(kid), algorithm: SignatureAlgorithm::ES256 }
    }

    impl UnknownNames {
        fn ask(&self, hint: &KeyHint<'_>, set: u64) -> Verdict {
            self.note(hint);
            self.verdict(hint, set)
        }
    }

    #[test]
    fn jwk_08_a_name_is_dead_only_after_a_fetch_that_began_after_the_question() {
        let names = UnknownNames::new();
        assert_eq!(names.ask(&hint("a"), 1), Verdict::NeverHeardOf);
        names.begin();
        assert_eq!(names.ask(&hint("b"), 1), Verdict::NeverHeardOf, "asked during the fetch");
        names.confirm(2, empty(), empty());
        assert_eq!(names.ask(&hint("a"), 2), Verdict::Dead);
        assert_eq!(names.ask(&hint("b"), 2), Verdict::NeverHeardOf);
        assert_eq!(names.ask(&hint("a"), 1), Verdict::NeverHeardOf, "who looked into an older set");
        // A fetch that fails decides nothing, and forgets nothing.
        names.begin();
        names.begin();
        names.confirm(3, empty(), empty());
        assert_eq!(names.ask(&hint("b"), 3), Verdict::Dead);
        assert_eq!(names.take_lookups(), 6);
        assert_eq!(names.take_lookups(), 0);
    }

    #[test]
    fn jwk_08_the_memory_is_bounded_and_full_it_judges_nobody() {
        let names = UnknownNames::new();
        for n in 0..3 * MAX_NAMES {
            names.ask(&hint(&n.to_string()), 1);
        }
        assert_eq!(names.lock().asked.len(), MAX_NAMES);
        names.begin();
        for n in 0..3 * MAX_NAMES {
            names.ask(&hint(&format!("more {n}")), 1);
        }
        names.begin();
        assert_eq!(names.lock().in_flight.len(), MAX_NAMES);
        names.confirm(2, empty(), empty());
        assert_eq!(names.ask(&hint("0"), 2), Verdict::Dead);
        assert_eq!(names.ask(&hint(&(3 * MAX_NAMES - 1).to_string()), 2), Verdict::NeverHeardOf);
    }
}
