//! Who acts on behalf of the subject (RFC 8693 §4.1).

use palisade_core::Actor;
use serde_json::Value;

use super::claims::identifier;
use crate::Rejection;

/// Each actor is one more party that somebody delegated to. Chains of this length do not occur.
const MAX_ACTORS: usize = 8;

const INVALID: Rejection = Rejection::InvalidClaim { claim: "act" };

/// The actors, the current one first.
pub(super) fn actors(act: Option<&Value>) -> Result<Vec<Actor>, Rejection> {
    let mut actors = Vec::new();
    let mut next = act;
    while let Some(act) = next {
        if actors.len() == MAX_ACTORS {
            return Err(INVALID);
        }
        let act = act.as_object().ok_or(INVALID)?;
        let subject = identifier(act.get("sub"), "act")?.ok_or(INVALID)?;
        let actor = Actor::new(subject);
        actors.push(match identifier(act.get("iss"), "act")? {
            Some(issuer) => actor.of_issuer(issuer),
            None => actor,
        });
        next = act.get("act");
    }
    Ok(actors)
}
