//! Who acts on behalf of the subject (RFC 8693 §4.1).

use palisade_core::Actor;
use serde_json::Value;

use super::{TrustError, claim::as_name};
use crate::Rejection;

/// Each actor is one more party that somebody delegated to. Longer chains do not occur.
const MAX_ACTORS: usize = 8;

const INVALID: Rejection = Rejection::InvalidClaim { claim: std::borrow::Cow::Borrowed("act") };

/// Which actors may use the tokens of an issuer.
///
/// The rule is about the current actor. Those behind it in the chain are history, which RFC 8693 §4.1
/// forbids to decide by; only how many there are is limited.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActorRule {
    /// Any, in chains of up to so many.
    Any {
        /// From 1 to 8.
        max_depth: usize,
    },
    /// None: a token with `act` is refused.
    None,
    /// One of these. An actor without an issuer is one of the token's issuer.
    OneOf {
        /// Who may act.
        actors: Vec<Actor>,
        /// From 1 to 8.
        max_depth: usize,
    },
}

impl ActorRule {
    pub(super) const fn any() -> Self {
        Self::Any { max_depth: MAX_ACTORS }
    }

    pub(super) const fn max_depth(&self) -> usize {
        match self {
            Self::Any { max_depth } | Self::OneOf { max_depth, .. } => *max_depth,
            Self::None => 0,
        }
    }

    pub(super) fn validate(&self) -> Result<(), TrustError> {
        match self {
            Self::None => Ok(()),
            Self::OneOf { actors, .. } if actors.is_empty() => Err(TrustError::EmptyList),
            Self::Any { max_depth } | Self::OneOf { max_depth, .. } => {
                if (1..=MAX_ACTORS).contains(max_depth) {
                    Ok(())
                } else {
                    Err(TrustError::NumberOfActors)
                }
            }
        }
    }

    /// The actors of a token, the current one first.
    pub(super) fn read(&self, act: Option<&Value>, issuer: &str) -> Result<Vec<Actor>, Rejection> {
        let actors = chain(act, self.max_depth())?;
        match (self, actors.first()) {
            (Self::OneOf { actors: allowed, .. }, Some(current)) => {
                let is_current = |one: &Actor| {
                    one.subject() == current.subject()
                        && one.issuer().unwrap_or(issuer) == current.issuer().unwrap_or(issuer)
                };
                if allowed.iter().any(is_current) {
                    Ok(actors)
                } else {
                    Err(Rejection::DisallowedActor)
                }
            }
            (Self::Any { .. } | Self::None | Self::OneOf { .. }, _) => Ok(actors),
        }
    }
}

fn chain(act: Option<&Value>, max_depth: usize) -> Result<Vec<Actor>, Rejection> {
    let mut actors = Vec::new();
    let mut next = act;
    while let Some(act) = next {
        if actors.len() == max_depth {
            // Of a form that we read, and more of it than we accept.
            return Err(if max_depth == MAX_ACTORS { INVALID } else { Rejection::DisallowedActor });
        }
        let act = act.as_object().ok_or(INVALID)?;
        let name = |member| act.get(member).map(|name| as_name(name).ok_or(INVALID)).transpose();
        let actor = Actor::new(name("sub")?.ok_or(INVALID)?);
        actors.push(match name("iss")? {
            Some(issuer) => actor.of_issuer(issuer),
            None => actor,
        });
        next = act.get("act");
    }
    Ok(actors)
}
