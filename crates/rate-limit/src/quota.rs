//! How much may pass.

use std::{
    borrow::Cow,
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use thiserror::Error;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// No burst takes longer than this to come back, a hundred years.
///
/// INVARIANT: interval × burst stays far below 2^64 nanoseconds. governor multiplies the two unchecked.
pub(crate) const LONGEST_REFILL_NANOS: u64 = 100 * 365 * 24 * 60 * 60 * NANOS_PER_SECOND;

/// How many units may pass, at once and in the long run, and the name under which clients are told.
///
/// A quota is a bucket that holds a *burst* of units and is refilled evenly at a *rate*. A request takes
/// as many units as it [costs](crate::Cost), one unless you say otherwise, and is refused if they are not
/// there. What is refused takes nothing.
///
/// In any stretch of time *w*, at most burst + rate × *w* units pass.
///
/// ```
/// use std::num::NonZeroU32;
/// use palisade_rate_limit::Quota;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let n = |n| NonZeroU32::new(n).expect("not zero");
/// // Ten a second in the long run, twenty at once after a rest of two seconds.
/// let quota = Quota::per_minute(n(600)).burst(n(20)).named("search")?;
/// assert_eq!(quota.burst_size().get(), 20);
/// assert_eq!(quota.refill_time().as_secs(), 2);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "a quota limits nothing until a layer has it"]
pub struct Quota {
    name: Cow<'static, str>,
    burst: NonZeroU32,
    /// Nanoseconds until one unit is back, rounded up: never more passes than was asked for.
    interval: NonZeroU64,
}

impl Quota {
    /// So many units a second, all of them at once if nobody asked for a second.
    pub const fn per_second(units: NonZeroU32) -> Self {
        Self::per(NANOS_PER_SECOND, units, "per-second")
    }

    /// So many units a minute, all of them at once if nobody asked for a minute.
    pub const fn per_minute(units: NonZeroU32) -> Self {
        Self::per(NANOS_PER_SECOND.saturating_mul(60), units, "per-minute")
    }

    /// So many units an hour, all of them at once if nobody asked for an hour.
    pub const fn per_hour(units: NonZeroU32) -> Self {
        Self::per(NANOS_PER_SECOND.saturating_mul(3_600), units, "per-hour")
    }

    const fn per(nanos: u64, units: NonZeroU32, name: &'static str) -> Self {
        let interval = match NonZeroU64::new(nanos.div_ceil(units.get() as u64)) {
            Some(interval) => interval,
            None => NonZeroU64::MIN,
        };
        Self { name: Cow::Borrowed(name), burst: units, interval }
    }

    /// So many units at once, at the same rate.
    ///
    /// A burst that would take more than a hundred years to come back is cut to what comes back in a
    /// hundred years. [`burst_size`](Self::burst_size) tells.
    pub const fn burst(mut self, units: NonZeroU32) -> Self {
        let refill = (units.get() as u128).saturating_mul(self.interval.get() as u128);
        self.burst = match LONGEST_REFILL_NANOS.checked_div(self.interval.get()) {
            Some(most) if refill > LONGEST_REFILL_NANOS as u128 => most_units(most),
            _ => units,
        };
        self
    }

    /// The name of the policy in `RateLimit` and `RateLimit-Policy`, in records and in errors. Without
    /// it, the policy is called after its period: `per-second`, `per-minute`, `per-hour`.
    ///
    /// Clients see it, so it should say what is limited and nothing about your plans. Limits around the
    /// same service should have different names: clients tell them apart by name alone.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicyNameError`] if the name is empty, longer than 64 bytes, or not printable ASCII
    /// without `"` and `\`. "Strings are limited to characters in the ASCII range 0x20-0x7E" (RFC 9651
    /// §3.3.3); the two would need escapes that clients forget to undo.
    pub fn named(
        mut self,
        name: impl Into<Cow<'static, str>>,
    ) -> Result<Self, InvalidPolicyNameError> {
        const LONGEST: usize = 64;
        let name = name.into();
        if name.is_empty() {
            return Err(InvalidPolicyNameError::Empty);
        }
        if name.len() > LONGEST {
            return Err(InvalidPolicyNameError::TooLong);
        }
        if !name.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
            return Err(InvalidPolicyNameError::NotPlainAscii);
        }
        self.name = name;
        Ok(self)
    }

    /// The name of the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many units may pass at once.
    #[must_use]
    pub const fn burst_size(&self) -> NonZeroU32 {
        self.burst
    }

    /// How long it takes until one unit is back.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval.get())
    }

    /// How long it takes until an empty bucket is full.
    #[must_use]
    pub const fn refill_time(&self) -> Duration {
        Duration::from_nanos(self.interval.get().saturating_mul(self.burst.get() as u64))
    }

    pub(crate) const fn interval_nanos(&self) -> NonZeroU64 {
        self.interval
    }
}

/// `units`, as far as they can be counted.
#[expect(clippy::cast_possible_truncation, reason = "compared first; `try_from` is not const")]
const fn most_units(units: u64) -> NonZeroU32 {
    if units >= u32::MAX as u64 {
        return NonZeroU32::MAX;
    }
    match NonZeroU32::new(units as u32) {
        Some(units) => units,
        None => NonZeroU32::MIN,
    }
}

/// The name of a policy cannot be written into a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidPolicyNameError {
    /// There is no name.
    #[error("the policy name is empty; give it one character at least")]
    Empty,
    /// The name has a character that a header cannot carry, or not without escapes.
    #[error("the policy name must be printable ASCII without `\"` and `\\`")]
    NotPlainAscii,
    /// The name is longer than 64 bytes.
    #[error("the policy name is longer than 64 bytes; it is sent with every response")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(units: u32) -> NonZeroU32 {
        NonZeroU32::new(units).unwrap()
    }

    #[test]
    fn rates_are_rounded_down_never_up() {
        for (name, quota, interval_nanos, burst) in [
            ("one a second", Quota::per_second(n(1)), 1_000_000_000, 1),
            ("three a second", Quota::per_second(n(3)), 333_333_334, 3),
            ("seven a minute", Quota::per_minute(n(7)), 8_571_428_572, 7),
            ("one an hour", Quota::per_hour(n(1)), 3_600_000_000_000, 1),
            ("all there is", Quota::per_second(n(u32::MAX)), 1, u32::MAX),
            ("burst", Quota::per_minute(n(600)).burst(n(20)), 100_000_000, 20),
        ] {
            assert_eq!(quota.interval().as_nanos(), interval_nanos, "{name}");
            assert_eq!(quota.burst_size().get(), burst, "{name}");
        }
    }

    #[test]
    fn rl_06_no_burst_overflows_the_time_line() {
        let hundred_years = Duration::from_nanos(LONGEST_REFILL_NANOS);
        let endless = Quota::per_hour(n(1)).burst(n(u32::MAX));
        assert_eq!(endless.burst_size().get(), 876_000);
        assert_eq!(endless.refill_time(), hundred_years);
        let long = Quota::per_hour(n(1)).burst(n(876_000));
        assert_eq!(long, endless);
        assert!(Quota::per_hour(n(1)).burst(n(876_001)).refill_time() <= hundred_years);
        let wide = Quota::per_second(n(u32::MAX)).burst(n(u32::MAX));
        assert_eq!(wide.burst_size().get(), u32::MAX, "short intervals have room for every burst");
    }

    #[test]
    fn rl_09_a_policy_name_that_no_header_can_carry_is_an_error() {
        use InvalidPolicyNameError::{Empty, NotPlainAscii, TooLong};
        for (name, expected) in [
            ("search", Ok(())),
            ("per minute; q=9, w=1", Ok(())),
            (&"x".repeat(64), Ok(())),
            ("", Err(Empty)),
            (&"x".repeat(65), Err(TooLong)),
            ("say \"hi\"", Err(NotPlainAscii)),
            ("back\\slash", Err(NotPlainAscii)),
            ("line\r\nset-cookie: a=b", Err(NotPlainAscii)),
            ("tab\t", Err(NotPlainAscii)),
            ("del\u{7f}", Err(NotPlainAscii)),
            ("zürich", Err(NotPlainAscii)),
        ] {
            let outcome = Quota::per_second(n(1)).named(name.to_owned());
            assert_eq!(outcome.map(|quota| assert_eq!(quota.name(), name)), expected, "{name:?}");
        }
    }
}
