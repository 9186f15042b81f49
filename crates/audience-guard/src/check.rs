use std::sync::Arc;

use http::request::Parts;
use palisade_core::{
    Check, Denial, DenialKind, Principal, Reason, Resource, stack::roles::ChecksAudience,
};

use crate::{STAGE, audience::Audience};

// One text for all: which audiences we know is nothing that the holder of a foreign token must learn.
const TEXT: &str = "the token is not meant for this resource";
const FOREIGN: Reason = Reason::new("audience_foreign", TEXT);
const MISMATCH: Reason = Reason::new("audience_mismatch", TEXT);
const MISSING: Reason = Reason::new("audience_missing", TEXT);

/// The check of [`AudienceGuardLayer`](crate::AudienceGuardLayer), from
/// [`into_check`](crate::AudienceGuardLayer::into_check). Cheap to clone.
#[derive(Clone, Debug)]
pub struct AudienceCheck(Arc<Rules>);

#[derive(Clone, Debug)]
struct Rules {
    primary: Resource,
    /// Further names of `primary`.
    aliases: Vec<Audience>,
    others: Vec<Resource>,
    /// The only audiences that a token may name beside ours; `None` if it may name any.
    tolerated: Option<Vec<Audience>>,
}

impl AudienceCheck {
    pub(crate) fn new(primary: Resource) -> Self {
        Self(Arc::new(Rules { primary, aliases: Vec::new(), others: Vec::new(), tolerated: None }))
    }

    pub(crate) fn add_resource(self, resource: Resource) -> Self {
        self.edit(|rules| rules.others.push(resource))
    }

    pub(crate) fn add_alias(self, audience: Audience) -> Self {
        self.edit(|rules| rules.aliases.push(audience))
    }

    pub(crate) fn require_sole(self) -> Self {
        self.edit(|rules| {
            rules.tolerated.get_or_insert_default();
        })
    }

    pub(crate) fn tolerate(self, audience: Audience) -> Self {
        self.edit(|rules| rules.tolerated.get_or_insert_default().push(audience))
    }

    fn edit(mut self, f: impl FnOnce(&mut Rules)) -> Self {
        f(Arc::make_mut(&mut self.0));
        self
    }
}

impl Rules {
    /// Which resource of ours the audience names, if any.
    fn named_by(&self, audience: &str) -> Option<&Resource> {
        if self.primary.is_named_by(audience) || self.aliases.iter().any(|alias| alias.is(audience))
        {
            return Some(&self.primary);
        }
        self.others.iter().find(|resource| resource.is_named_by(audience))
    }

    fn judge(&self, principal: &Principal) -> Result<&Resource, Reason> {
        if principal.audiences().len() == 0 {
            return Err(MISSING);
        }
        let Some(ours) = principal.audiences().find_map(|audience| self.named_by(audience)) else {
            return Err(MISMATCH);
        };
        if let Some(tolerated) = &self.tolerated {
            let is_known = |audience: &str| {
                self.named_by(audience).is_some()
                    || tolerated.iter().any(|known| known.is(audience))
            };
            if !principal.audiences().all(is_known) {
                return Err(FOREIGN);
            }
        }
        Ok(ours)
    }
}

impl Check for AudienceCheck {
    /// Looks at the principal and at nothing else: `Host` and the request's URI come from whoever holds
    /// the token, and would let them choose what it is compared with.
    fn check(&self, request: &mut Parts) -> Result<(), Denial> {
        let principal = Principal::require(request, STAGE)?;
        match self.0.judge(principal) {
            Ok(resource) => {
                principal.with_checked_audience(resource.clone()).leave_in(request);
                Ok(())
            }
            Err(reason) => Err(Denial::new(STAGE, DenialKind::InvalidToken, reason)),
        }
    }
}

impl ChecksAudience for AudienceCheck {}

#[cfg(test)]
mod tests;
