//! Scopes that imply other scopes.

use std::collections::{BTreeSet, HashMap};

use palisade_core::{ScopeSet, ScopeToken};

/// Which scopes stand in for which. Nothing is derived from how scopes are written: `files:*` is a scope
/// like any other until the table says more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hierarchy {
    /// All scopes that imply the key, directly or not, so that a request follows no chains.
    broader: HashMap<ScopeToken, BTreeSet<ScopeToken>>,
}

/// The new pair would make two scopes imply each other.
#[derive(Debug)]
pub(crate) struct Cycle;

impl Hierarchy {
    pub(crate) fn add(&mut self, broad: ScopeToken, narrow: ScopeToken) -> Result<(), Cycle> {
        if broad == narrow || self.implies(&narrow, &broad) {
            return Err(Cycle);
        }
        let mut above = self.broader.get(&broad).cloned().unwrap_or_default();
        above.insert(broad);
        for known in self.broader.values_mut().filter(|known| known.contains(&narrow)) {
            known.extend(above.iter().cloned());
        }
        self.broader.entry(narrow).or_default().extend(above);
        Ok(())
    }

    fn implies(&self, broad: &ScopeToken, narrow: &ScopeToken) -> bool {
        self.broader.get(narrow).is_some_and(|above| above.contains(broad))
    }

    /// Whether something in `granted` implies `scope`.
    pub(crate) fn is_implied(&self, scope: &ScopeToken, granted: &ScopeSet) -> bool {
        let above = self.broader.get(scope);
        above.is_some_and(|above| above.iter().any(|broad| granted.contains(broad.as_str())))
    }
}
