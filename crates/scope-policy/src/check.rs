use std::{fmt, sync::Arc};

use http::request::Parts;
use palisade_core::{
    Check, Denial, DenialKind, Operation, Principal, Reason, is_unambiguous_path,
    stack::roles::Authorizes,
};

use crate::{Decision, RequireScopes, STAGE};

const AUDIENCE_UNCHECKED: Reason =
    Reason::new("audience_unchecked", "no layer outside this one checked the audience");
const NOT_ALLOWED: Reason = Reason::new("operation_not_allowed", "this operation is not allowed");
const PATH_AMBIGUOUS: Reason =
    Reason::new("path_ambiguous", "the path can be read in more than one way");
const SCOPE_MISSING: Reason =
    Reason::new("scope_missing", "the token grants too little for this operation");

/// The check of [`ScopePolicyLayer`](crate::ScopePolicyLayer), from
/// [`into_check`](crate::ScopePolicyLayer::into_check). Cheap to clone.
pub struct ScopeCheck<P> {
    policy: Arc<P>,
    audience: Audience,
}

#[derive(Clone, Copy, Debug)]
enum Audience {
    MustBeChecked,
    MayBeUnchecked,
}

impl<P> ScopeCheck<P> {
    pub(crate) fn new(policy: P) -> Self {
        Self { policy: Arc::new(policy), audience: Audience::MustBeChecked }
    }

    pub(crate) fn insecure_accept_unchecked_audience(mut self) -> Self {
        self.audience = Audience::MayBeUnchecked;
        self
    }
}

impl<P: RequireScopes> Check for ScopeCheck<P> {
    fn check(&self, request: &mut Parts) -> Result<(), Denial> {
        let principal = Principal::require(request, STAGE)?;
        // Scopes of a token that was meant for somebody else mean what they mean to somebody else.
        match (self.audience, principal.checked_audience()) {
            (Audience::MustBeChecked, None) => {
                return Err(Denial::new(STAGE, DenialKind::Misconfigured, AUDIENCE_UNCHECKED));
            }
            (Audience::MustBeChecked, Some(_)) | (Audience::MayBeUnchecked, _) => {}
        }
        let operation = Operation::of(request);
        // Before any rule is looked at: a rule and a router that read the same path differently are a
        // way around the rule.
        if operation.protocol() == Operation::HTTP
            && !is_unambiguous_path(operation.target().unwrap_or_default())
        {
            return Err(Denial::new(STAGE, DenialKind::BadRequest, PATH_AMBIGUOUS));
        }
        match self.policy.decide(&operation, principal.scopes()) {
            Decision::Allowed => Ok(()),
            // Not `insufficient_scope`: clients would ask for more scopes for ever.
            Decision::Denied => Err(Denial::new(STAGE, DenialKind::Forbidden, NOT_ALLOWED)),
            Decision::InsufficientScope(needed) => {
                Err(Denial::new(STAGE, DenialKind::InsufficientScope, SCOPE_MISSING)
                    .with_required_scopes(needed))
            }
        }
    }
}

impl<P> Authorizes for ScopeCheck<P> {}

impl<P> Clone for ScopeCheck<P> {
    fn clone(&self) -> Self {
        Self { policy: Arc::clone(&self.policy), audience: self.audience }
    }
}

impl<P> fmt::Debug for ScopeCheck<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeCheck").field("audience", &self.audience).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
