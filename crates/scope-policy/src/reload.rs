//! Policies that change while requests are served.

use std::sync::{Arc, PoisonError, RwLock};

use palisade_core::{Operation, ScopeSet, ScopeToken};

use crate::{Decision, RequireScopes, Requirement};

/// A policy that can be replaced while it is in use. Clones share it.
///
/// Each request is judged by one policy as a whole, the old or the new one, never by the rules of one
/// and the hierarchy of the other.
///
/// ```
/// use palisade_core::Operation;
/// use palisade_scope_policy::{ReloadablePolicy, ScopePolicy, ScopePolicyLayer};
///
/// let list = Operation::http("GET", "/files");
/// let policy = ScopePolicy::deny_all().allow(list.clone(), "files:read")?.build()?;
/// let policy = ReloadablePolicy::new(policy);
/// let layer = ScopePolicyLayer::new(policy.clone());
/// // Later, somewhere else:
/// policy.replace(ScopePolicy::deny_all().allow(list, "files:list")?.build()?);
/// # let _ = layer;
/// # Ok::<_, palisade_scope_policy::InvalidPolicyError>(())
/// ```
#[derive(Debug)]
pub struct ReloadablePolicy<P>(Arc<RwLock<Arc<P>>>);

impl<P> ReloadablePolicy<P> {
    /// Begins with this policy.
    #[must_use]
    pub fn new(policy: P) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(policy))))
    }

    /// Judges requests by this policy from now on. A request that is being judged is not disturbed.
    pub fn replace(&self, policy: P) {
        let policy = Arc::new(policy);
        let replaced = {
            let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, policy)
        };
        // Outside the lock: a large policy takes a while to drop.
        drop(replaced);
    }

    /// The policy of this moment.
    #[must_use]
    pub fn current(&self) -> Arc<P> {
        // Nothing but an assignment happens under the lock, so a poisoned one guards a whole policy.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<P> Clone for ReloadablePolicy<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: RequireScopes> RequireScopes for ReloadablePolicy<P> {
    fn requirement(&self, operation: &Operation) -> Requirement<'_> {
        self.current().requirement(operation).into_owned()
    }

    fn is_granted(&self, scope: &ScopeToken, granted: &ScopeSet) -> bool {
        self.current().is_granted(scope, granted)
    }

    fn decide(&self, operation: &Operation, granted: &ScopeSet) -> Decision {
        // INVARIANT: one policy for the whole decision. The provided method would ask for the current
        // one twice.
        self.current().decide(operation, granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScopePolicy;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).unwrap()
    }

    #[test]
    fn scp_09_a_decision_is_made_by_one_policy_as_a_whole() {
        /// Implies its own scope by anything, and is replaced in the middle of a decision.
        struct Generation {
            scope: &'static str,
            meanwhile: Box<dyn Fn()>,
        }
        impl RequireScopes for Generation {
            fn requirement(&self, _: &Operation) -> Requirement<'_> {
                (self.meanwhile)();
                set(self.scope).into()
            }

            fn is_granted(&self, scope: &ScopeToken, _: &ScopeSet) -> bool {
                scope.as_str() == self.scope
            }
        }

        let policy = ReloadablePolicy::new(Generation { scope: "x", meanwhile: Box::new(|| ()) });
        let writer = policy.clone();
        let replace =
            move || writer.replace(Generation { scope: "new", meanwhile: Box::new(|| ()) });
        policy.replace(Generation { scope: "old", meanwhile: Box::new(replace) });

        let operation = Operation::http("GET", "/a");
        assert!(policy.decide(&operation, &set("x")).is_allowed(), "judged by a mixture");
        assert_eq!(policy.current().scope, "new");
        assert!(policy.decide(&operation, &set("x")).is_allowed());
    }

    #[test]
    fn a_replaced_policy_has_no_say_any_more() {
        let operation = Operation::http("GET", "/a");
        let policy = |scope: &str| {
            ScopePolicy::deny_all().allow(operation.clone(), scope).unwrap().build().unwrap()
        };
        let reloadable = ReloadablePolicy::new(policy("old"));
        assert!(reloadable.decide(&operation, &set("old")).is_allowed());
        reloadable.replace(policy("new"));
        assert!(!reloadable.decide(&operation, &set("old")).is_allowed());
        assert!(reloadable.decide(&operation, &set("new")).is_allowed());
        assert_eq!(reloadable.requirement(&operation), set("new").into());
    }
}
