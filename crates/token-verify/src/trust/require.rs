//! Claims that must be there, must not, or must have a value.

use serde_json::{Map, Value};

use super::ClaimSource;
use crate::Rejection;

/// What must hold of one claim.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClaimRule {
    /// It is not there. ID tokens betray themselves by `nonce` or `at_hash`.
    Absent,
    /// It has one of these values, exactly.
    OneOf(Vec<Value>),
    /// It is there, and not `null`.
    Present,
}

impl ClaimRule {
    /// It has this value, exactly: `token_use` is `access`, `tid` is our tenant.
    pub fn equals(value: impl Into<Value>) -> Self {
        Self::OneOf(vec![value.into()])
    }

    pub(super) fn check(
        &self,
        source: &ClaimSource,
        claims: &Map<String, Value>,
    ) -> Result<(), Rejection> {
        let wrong = || Rejection::WrongClaim { claim: source.as_str().to_owned().into() };
        match (self, source.find(claims)) {
            (Self::Absent, None) => Ok(()),
            (Self::Absent, Some(_)) => Err(wrong()),
            (Self::OneOf(_) | Self::Present, None | Some(Value::Null)) => Err(source.missing()),
            (Self::OneOf(values), Some(value)) => {
                if values.contains(value) {
                    Ok(())
                } else {
                    Err(wrong())
                }
            }
            (Self::Present, Some(_)) => Ok(()),
        }
    }
}
