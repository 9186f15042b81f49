//! What an operation needs, and whether somebody has it.

use std::{borrow::Cow, sync::Arc};

use palisade_core::{Operation, ScopeSet, ScopeToken};

/// What an operation needs.
///
/// A list that came out empty is no permission: an empty [`All`](Self::All), an empty
/// [`AnyOf`](Self::AnyOf) and an empty alternative within it are never satisfied. Whoever wants to let
/// everyone pass has to say so: [`WithoutScopes`](Self::WithoutScopes).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "policies answer with it, so every case must be known")]
pub enum Requirement<'a> {
    /// Every scope of the set.
    All(Cow<'a, ScopeSet>),
    /// Every scope of at least one of the sets.
    AnyOf(Cow<'a, [ScopeSet]>),
    /// Nobody may do this, whatever the scopes.
    Deny,
    /// Every principal may do this, whatever the scopes.
    WithoutScopes,
}

impl Requirement<'_> {
    /// The same requirement, independent of the policy that it came from.
    #[must_use]
    pub fn into_owned(self) -> Requirement<'static> {
        match self {
            Self::All(needed) => Requirement::All(Cow::Owned(needed.into_owned())),
            Self::AnyOf(alternatives) => Requirement::AnyOf(Cow::Owned(alternatives.into_owned())),
            Self::Deny => Requirement::Deny,
            Self::WithoutScopes => Requirement::WithoutScopes,
        }
    }

    /// The same requirement, without a copy.
    pub(crate) fn borrowed(&self) -> Requirement<'_> {
        match self {
            Self::All(needed) => Requirement::All(Cow::Borrowed(needed)),
            Self::AnyOf(alternatives) => Requirement::AnyOf(Cow::Borrowed(alternatives)),
            Self::Deny => Requirement::Deny,
            Self::WithoutScopes => Requirement::WithoutScopes,
        }
    }

    /// Decides, given a way to tell whether a scope is granted.
    fn decide(&self, is_granted: impl Fn(&ScopeToken) -> bool) -> Decision {
        match self {
            Self::All(needed) => decide_any(std::slice::from_ref(&**needed), is_granted),
            Self::AnyOf(alternatives) => decide_any(alternatives, is_granted),
            Self::Deny => Decision::Denied,
            Self::WithoutScopes => Decision::Allowed,
        }
    }
}

fn decide_any(alternatives: &[ScopeSet], is_granted: impl Fn(&ScopeToken) -> bool) -> Decision {
    let missing = |needed: &&ScopeSet| needed.iter().filter(|scope| !is_granted(scope)).count();
    // Of several equally near, `min_by_key` takes the first: the same request gets the same challenge.
    match alternatives.iter().filter(|needed| !needed.is_empty()).min_by_key(missing) {
        None => Decision::Denied,
        Some(nearest) if missing(&nearest) == 0 => Decision::Allowed,
        Some(nearest) => Decision::InsufficientScope(nearest.clone()),
    }
}

impl From<ScopeSet> for Requirement<'_> {
    fn from(needed: ScopeSet) -> Self {
        Self::All(Cow::Owned(needed))
    }
}

impl<'a> From<&'a ScopeSet> for Requirement<'a> {
    fn from(needed: &'a ScopeSet) -> Self {
        Self::All(Cow::Borrowed(needed))
    }
}

/// Whether a principal may do what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever asks must account for every answer")]
pub enum Decision {
    /// Yes.
    Allowed,
    /// No, and no scope would help.
    Denied,
    /// No, but with all of these scopes it would be yes.
    InsufficientScope(ScopeSet),
}

impl Decision {
    /// Whether the answer is yes.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        *self == Self::Allowed
    }
}

/// Knows which scopes an operation needs.
///
/// [`ScopePolicy`](crate::ScopePolicy) is a table of rules. A closure is a policy too:
///
/// ```
/// use palisade_core::{Operation, ScopeSet};
/// use palisade_scope_policy::{RequireScopes, Requirement};
///
/// let read = ScopeSet::parse("files:read")?;
/// let policy = move |operation: &Operation| match (operation.protocol(), operation.name()) {
///     (Operation::HTTP, "GET") => read.clone().into(),
///     _ => Requirement::Deny,
/// };
/// let granted = ScopeSet::parse("files:read mail")?;
/// assert!(policy.decide(&Operation::http("GET", "/"), &granted).is_allowed());
/// assert!(!policy.decide(&Operation::http("PUT", "/"), &granted).is_allowed());
/// # Ok::<_, palisade_core::InvalidScopeError>(())
/// ```
///
/// # Wrong answers
///
/// [`Requirement::Deny`] is the safe one. Too few scopes, or `true` from
/// [`is_granted`](Self::is_granted), open what should be closed. A panic ends the request before it
/// reaches the service.
pub trait RequireScopes {
    /// What the operation needs. Must not block.
    ///
    /// Look at the [protocol](Operation::protocol) before the name: a message of another protocol may
    /// call its method `GET`.
    fn requirement(&self, operation: &Operation) -> Requirement<'_>;

    /// Whether somebody who was granted `granted` counts as having `scope`.
    ///
    /// Unless a policy says otherwise, only the very same scope counts, byte for byte.
    fn is_granted(&self, scope: &ScopeToken, granted: &ScopeSet) -> bool {
        granted.contains(scope.as_str())
    }

    /// Decides. The layer asks this once for each request.
    ///
    /// Also for handlers that want to show only what the principal may do. The layer refuses ambiguous
    /// paths before it asks; whoever asks about paths of strangers has to do the same.
    ///
    /// Of several alternatives that are not satisfied, the answer names the one with the fewest missing
    /// scopes, and of several such the first.
    fn decide(&self, operation: &Operation, granted: &ScopeSet) -> Decision {
        self.requirement(operation).decide(|scope| self.is_granted(scope, granted))
    }
}

impl<F: Fn(&Operation) -> Requirement<'static>> RequireScopes for F {
    fn requirement(&self, operation: &Operation) -> Requirement<'_> {
        self(operation)
    }
}

impl<P: RequireScopes + ?Sized> RequireScopes for Arc<P> {
    fn requirement(&self, operation: &Operation) -> Requirement<'_> {
        (**self).requirement(operation)
    }

    fn is_granted(&self, scope: &ScopeToken, granted: &ScopeSet) -> bool {
        (**self).is_granted(scope, granted)
    }

    fn decide(&self, operation: &Operation, granted: &ScopeSet) -> Decision {
        (**self).decide(operation, granted)
    }
}

#[cfg(test)]
mod tests;
