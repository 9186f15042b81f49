use std::sync::Arc;

use http::request::Parts;
use palisade_core::{
    Check, Denial, DenialKind, Principal, Reason, Resource, stack::roles::ChecksAudience,
};

use crate::{STAGE, audience::Named};

// One text for all: which audiences we know is nothing that the holder of a foreign token must learn.
pub(crate) const TEXT: &str = "the token is not meant for this resource";
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
    aliases: Vec<Named>,
    others: Vec<Resource>,
    /// The only audiences that a token may name beside ours; `None` if it may name any.
    tolerated: Option<Vec<Named>>,
}

impl AudienceCheck {
    pub(crate) fn new(primary: Resource) -> Self {
        Self(Arc::new(Rules { primary, aliases: Vec::new(), others: Vec::new(), tolerated: None }))
    }

    pub(crate) fn add_resource(self, resource: Resource) -> Self {
        self.edit(|rules| rules.others.push(resource))
    }

    pub(crate) fn add_alias(self, audience: Named) -> Self {
        self.edit(|rules| rules.aliases.push(audience))
    }

    pub(crate) fn require_sole(self) -> Self {
        self.edit(|rules| {
            rules.tolerated.get_or_insert_default();
        })
    }

    pub(crate) fn tolerate(self, audience: Named) -> Self {
        self.edit(|rules| rules.tolerated.get_or_insert_default().push(audience))
    }

    /// The resource that the layer was made for.
    pub(crate) fn primary(&self) -> &Resource {
        &self.0.primary
    }

    /// An audience of the other's that this one accepts as well, in tokens of some issuer.
    pub(crate) fn shared_with<'a>(&self, other: &'a Self) -> Option<&'a str> {
        let (ours, theirs) = (&*self.0, &*other.0);
        let is_ours = |audience: &str| ours.resource_named_by(audience).is_some();
        theirs
            .resources()
            .map(Resource::as_str)
            .find(|audience| {
                is_ours(audience) || ours.aliases.iter().any(|alias| alias.as_str() == *audience)
            })
            .or_else(|| {
                let mut aliases = theirs.aliases.iter();
                aliases
                    .find(|theirs| {
                        is_ours(theirs.as_str())
                            || ours.aliases.iter().any(|alias| alias.meets(theirs))
                    })
                    .map(Named::as_str)
            })
    }

    /// Marks the principal as meant for the resource that its audience names.
    pub(crate) fn check_principal(&self, request: &mut Parts) -> Result<(), Denial> {
        let principal = Principal::require(request, STAGE)?;
        match self.0.judge(principal) {
            Ok(resource) => {
                principal.with_checked_audience(resource.clone()).leave_in(request);
                Ok(())
            }
            Err(reason) => Err(refusal(reason)),
        }
    }

    fn edit(mut self, f: impl FnOnce(&mut Rules)) -> Self {
        f(Arc::make_mut(&mut self.0));
        self
    }
}

impl Rules {
    fn resources(&self) -> impl Iterator<Item = &Resource> {
        std::iter::once(&self.primary).chain(&self.others)
    }

    fn resource_named_by(&self, audience: &str) -> Option<&Resource> {
        self.resources().find(|resource| resource.is_named_by(audience))
    }

    /// Which resource of ours the audience names in tokens of this issuer, if any.
    fn named_by(&self, audience: &str, issuer: &str) -> Option<&Resource> {
        if self.aliases.iter().any(|alias| alias.is(audience, issuer)) {
            return Some(&self.primary);
        }
        self.resource_named_by(audience)
    }

    fn judge(&self, principal: &Principal) -> Result<&Resource, Reason> {
        let issuer = principal.issuer();
        if principal.audiences().len() == 0 {
            return Err(MISSING);
        }
        let mut audiences = principal.audiences();
        let Some(ours) = audiences.find_map(|audience| self.named_by(audience, issuer)) else {
            return Err(MISMATCH);
        };
        if let Some(tolerated) = &self.tolerated {
            let is_known = |audience: &str| {
                self.named_by(audience, issuer).is_some()
                    || tolerated.iter().any(|known| known.is(audience, issuer))
            };
            if !principal.audiences().all(is_known) {
                return Err(FOREIGN);
            }
        }
        Ok(ours)
    }
}

/// 401 and not 403: a new token is what helps, and clients ask for one on 401 only.
pub(crate) fn refusal(reason: Reason) -> Denial {
    Denial::new(STAGE, DenialKind::InvalidToken, reason)
}

impl Check for AudienceCheck {
    /// Looks at the principal and at nothing else: `Host` and the request's URI come from whoever holds
    /// the token, and would let them choose what it is compared with.
    fn check(&self, request: &mut Parts) -> Result<(), Denial> {
        self.check_principal(request)
    }
}

impl ChecksAudience for AudienceCheck {}

#[cfg(test)]
mod tests;
