//! `exp`, `nbf`, `iat` (RFC 7519 §2, §4.1.4 to §4.1.6).
//!
//! Nothing here can overflow, whatever the token or the clock says: dates are whole seconds up to 2^53,
//! and sums saturate.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Number, Value};

use super::rules::Rules;
use crate::Rejection;

/// The largest number that every JSON reader reads exactly. As a date, 285 million years from now.
const MAX_SECONDS: u64 = 1 << 53;
const MAX_SECONDS_F64: f64 = 9_007_199_254_740_992.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) issued_at: Option<SystemTime>,
    pub(super) expires_at: SystemTime,
}

impl Lifetime {
    pub(super) fn check(
        claims: &Map<String, Value>,
        rules: &Rules,
        now: SystemTime,
    ) -> Result<Self, Rejection> {
        // A clock before 1970 is wrong; at 1970, every token is from the future.
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // Rounded against the token: a fraction of a second never makes it live longer.
        let expires =
            date(claims, "exp", Rounding::Down)?.ok_or(Rejection::MissingClaim { claim: "exp" })?;
        let not_before = date(claims, "nbf", Rounding::Up)?;
        let issued = date(claims, "iat", Rounding::Up)?;

        if now >= expires.saturating_add(rules.leeway) {
            return Err(Rejection::Expired);
        }
        let latest_start = now.saturating_add(rules.leeway);
        if not_before.is_some_and(|start| start > latest_start)
            || issued.is_some_and(|start| start > latest_start)
        {
            return Err(Rejection::NotYetValid);
        }
        if issued.is_some_and(|issued| issued > expires) {
            return Err(Rejection::InvalidClaim { claim: "iat" });
        }
        if let Some(max) = rules.max_lifetime {
            let issued = issued.ok_or(Rejection::MissingClaim { claim: "iat" })?;
            if expires.saturating_sub(issued) > max {
                return Err(Rejection::LivesTooLong);
            }
        }
        let to_system_time = |claim, since_1970| {
            SystemTime::UNIX_EPOCH.checked_add(since_1970).ok_or(Rejection::InvalidClaim { claim })
        };
        Ok(Self {
            issued_at: issued.map(|issued| to_system_time("iat", issued)).transpose()?,
            expires_at: to_system_time("exp", expires)?,
        })
    }
}

#[derive(Clone, Copy)]
enum Rounding {
    Down,
    Up,
}

/// Seconds since 1970. A claim that is there and is no date is never taken for one that is not there.
fn date(
    claims: &Map<String, Value>,
    claim: &'static str,
    rounding: Rounding,
) -> Result<Option<Duration>, Rejection> {
    let invalid = Rejection::InvalidClaim { claim };
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::Number(number)) => seconds(number, rounding).ok_or(invalid).map(Some),
        Some(_) => Err(invalid),
    }
}

fn seconds(number: &Number, rounding: Rounding) -> Option<Duration> {
    if let Some(whole) = number.as_u64() {
        return (whole <= MAX_SECONDS).then(|| Duration::from_secs(whole));
    }
    let value = number.as_f64().filter(|value| value.is_sign_positive())?;
    let whole = match rounding {
        Rounding::Down => value.floor(),
        Rounding::Up => value.ceil(),
    };
    if whole <= MAX_SECONDS_F64 { Duration::try_from_secs_f64(whole).ok() } else { None }
}
