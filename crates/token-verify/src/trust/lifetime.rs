//! `exp`, `nbf`, `iat` (RFC 7519 §2, §4.1.4 to §4.1.6).
//!
//! Nothing here can overflow, whatever the token or the clock says: dates are whole seconds up to 2^53,
//! and sums saturate.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Number, Value};

use super::{Origin, Rule, TrustedIssuer};
use crate::Rejection;

/// The largest number that every JSON reader reads exactly. As a date, 285 million years from now.
const MAX_SECONDS: u64 = 1 << 53;
const MAX_SECONDS_F64: f64 = 9_007_199_254_740_992.0;

/// When a token begins and ends, in time since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    issued: Option<Duration>,
    not_before: Option<Duration>,
    expires: Option<Duration>,
}

impl Lifetime {
    /// Reads the dates. Rounded against the token: a fraction of a second never makes it live longer.
    pub(super) fn read(claims: &Map<String, Value>, origin: Origin) -> Result<Self, Rejection> {
        let expires = date(claims, "exp", Rounding::Down)?;
        if expires.is_none() && origin == Origin::Jwt {
            return Err(Rejection::missing("exp"));
        }
        let not_before = date(claims, "nbf", Rounding::Up)?;
        let issued = date(claims, "iat", Rounding::Up)?;
        Ok(Self { issued, not_before, expires })
    }

    /// Whether `now` is within it. Asked again each time a token is remembered.
    pub(crate) fn check(&self, rules: &TrustedIssuer, now: SystemTime) -> Result<(), Rejection> {
        let now = since_1970(now);
        self.check_end(rules, now)?;
        self.check_start(rules, now)?;
        self.check_order()?;
        self.check_length(rules)?;
        self.check_age(rules, now)
    }

    /// [`check`](Self::check), rule by rule.
    pub(super) fn each_check(
        &self,
        rules: &TrustedIssuer,
        now: SystemTime,
    ) -> [(Rule, Result<(), Rejection>); 5] {
        let now = since_1970(now);
        [
            (Rule::Expiry, self.check_end(rules, now)),
            (Rule::Start, self.check_start(rules, now)),
            (Rule::OrderOfDates, self.check_order()),
            (Rule::Lifetime, self.check_length(rules)),
            (Rule::Age, self.check_age(rules, now)),
        ]
    }

    fn check_end(&self, rules: &TrustedIssuer, now: Duration) -> Result<(), Rejection> {
        if self.expires.is_some_and(|expires| now >= expires.saturating_add(rules.leeway)) {
            return Err(Rejection::Expired);
        }
        Ok(())
    }

    fn check_start(&self, rules: &TrustedIssuer, now: Duration) -> Result<(), Rejection> {
        let latest_start = now.saturating_add(rules.leeway);
        let is_later = |start: Option<Duration>| start.is_some_and(|start| start > latest_start);
        if is_later(self.not_before) || is_later(self.issued) {
            return Err(Rejection::NotYetValid);
        }
        Ok(())
    }

    fn check_order(&self) -> Result<(), Rejection> {
        match (self.issued, self.expires) {
            (Some(issued), Some(expires)) if issued > expires => Err(Rejection::invalid("iat")),
            _ => Ok(()),
        }
    }

    fn check_length(&self, rules: &TrustedIssuer) -> Result<(), Rejection> {
        let Some(max) = rules.max_lifetime else { return Ok(()) };
        let issued = self.issued.ok_or_else(|| Rejection::missing("iat"))?;
        let expires = self.expires.ok_or_else(|| Rejection::missing("exp"))?;
        if expires.saturating_sub(issued) > max { Err(Rejection::LivesTooLong) } else { Ok(()) }
    }

    fn check_age(&self, rules: &TrustedIssuer, now: Duration) -> Result<(), Rejection> {
        let Some(max) = rules.max_age else { return Ok(()) };
        let issued = self.issued.ok_or_else(|| Rejection::missing("iat"))?;
        if now >= issued.saturating_add(max).saturating_add(rules.leeway) {
            return Err(Rejection::TooOld);
        }
        Ok(())
    }

    /// `exp`, `nbf` and `iat`, in time since 1970.
    pub(super) const fn dates(&self) -> [Option<Duration>; 3] {
        [self.expires, self.not_before, self.issued]
    }

    pub(super) fn issued_at(&self) -> Result<Option<SystemTime>, Rejection> {
        to_system_time("iat", self.issued)
    }

    pub(super) fn expires_at(&self) -> Result<Option<SystemTime>, Rejection> {
        to_system_time("exp", self.expires)
    }
}

/// A clock before 1970 is wrong; at 1970, every token is from the future.
pub(super) fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn to_system_time(
    claim: &'static str,
    since_1970: Option<Duration>,
) -> Result<Option<SystemTime>, Rejection> {
    since_1970
        .map(|since| {
            SystemTime::UNIX_EPOCH.checked_add(since).ok_or_else(|| Rejection::invalid(claim))
        })
        .transpose()
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
    let invalid = Rejection::invalid(claim);
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
