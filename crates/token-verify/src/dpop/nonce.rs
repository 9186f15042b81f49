//! Nonces of ours for proofs (RFC 9449 §8, §9), without a memory.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const MIN_SECRET_BYTES: usize = 32;
const DEFAULT_PERIOD: Duration = Duration::from_secs(120);
const MAX_PERIOD: Duration = Duration::from_secs(3600);
const CONTEXT: &[u8] = b"palisade dpop nonce 1";

/// Makes nonces that clients must put into their proofs, so that nobody can make proofs for later.
///
/// A nonce is an HMAC of the time, rounded down to a period. Nothing is stored, and all instances that
/// share a secret accept each other's nonces. Those of the current period and its two neighbours are
/// accepted: the one before, because clients hold it; the one after, because another instance's clock may
/// be ahead. So a nonce lives between one and three periods.
///
/// # What it does not protect against
///
/// A nonce is the same for all clients and may be used often. It bounds how old a proof can be; that each
/// proof counts once is up to the [`ReplayStore`](super::ReplayStore).
#[derive(Clone)]
pub struct ServerNonces {
    secret: Arc<Zeroizing<Vec<u8>>>,
    period: Duration,
}

/// [`ServerNonces`] cannot be made like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerNoncesError {
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: pass a secret instead")]
    NoRandomness,
    /// Shorter than a second or longer than an hour.
    #[error("the period of nonces is not between one second and one hour")]
    PeriodOutOfRange,
    /// Less than 32 bytes.
    #[error("the secret for nonces is shorter than 32 bytes: take 32 random ones")]
    SecretTooShort,
}

/// What a nonce in a proof is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Current,
    /// Good, but the client should have a newer one.
    Aging,
    Refused,
}

impl ServerNonces {
    /// With a random secret of this process. Proofs for another instance, or from before a restart, cost their
    /// clients one more round trip.
    ///
    /// # Errors
    ///
    /// [`ServerNoncesError::NoRandomness`] if the operating system has no random bytes.
    pub fn generate() -> Result<Self, ServerNoncesError> {
        let mut secret = Zeroizing::new(vec![0; MIN_SECRET_BYTES]);
        getrandom::fill(&mut secret).map_err(|_| ServerNoncesError::NoRandomness)?;
        Ok(Self { secret: Arc::new(secret), period: DEFAULT_PERIOD })
    }

    /// With a secret that several instances share.
    ///
    /// # Errors
    ///
    /// [`ServerNoncesError::SecretTooShort`] below 32 bytes.
    pub fn with_secret(secret: &[u8]) -> Result<Self, ServerNoncesError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(ServerNoncesError::SecretTooShort);
        }
        let secret = Arc::new(Zeroizing::new(secret.to_vec()));
        Ok(Self { secret, period: DEFAULT_PERIOD })
    }

    /// How often the nonce changes; every two minutes if not set.
    ///
    /// # Errors
    ///
    /// [`ServerNoncesError::PeriodOutOfRange`] below one second and above one hour.
    pub fn rotate_every(mut self, period: Duration) -> Result<Self, ServerNoncesError> {
        if period < Duration::from_secs(1) || period > MAX_PERIOD {
            return Err(ServerNoncesError::PeriodOutOfRange);
        }
        self.period = period;
        Ok(self)
    }

    /// The nonce to hand out now. `None` cannot happen: HMAC takes secrets of every length.
    pub(super) fn current(&self, audience: &str, now: SystemTime) -> Option<String> {
        self.nonce(audience, self.period_of(now))
    }

    pub(super) fn judge(&self, nonce: &str, audience: &str, now: SystemTime) -> Standing {
        let period = self.period_of(now);
        let is =
            |period: u64| self.nonce(audience, period).is_some_and(|ours| same_text(&ours, nonce));
        if is(period) || is(period.saturating_add(1)) {
            Standing::Current
        } else if period.checked_sub(1).is_some_and(is) {
            Standing::Aging
        } else {
            Standing::Refused
        }
    }

    fn period_of(&self, now: SystemTime) -> u64 {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        seconds.checked_div(self.period.as_secs()).unwrap_or_default()
    }

    /// The audience is part of it, so that services which share a secret do not share nonces.
    fn nonce(&self, audience: &str, period: u64) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        mac.update(CONTEXT);
        mac.update(&period.to_be_bytes());
        mac.update(audience.as_bytes());
        Some(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
}

/// In constant time: a nonce is a MAC, and must not be found out byte by byte.
fn same_text(ours: &str, theirs: &str) -> bool {
    ours.as_bytes().ct_eq(theirs.as_bytes()).into()
}

impl fmt::Debug for ServerNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerNonces").field("period", &self.period).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::instant;

    const HERE: &str = "https://mcp.example";
    const START: i64 = 1_800_000_000;

    fn nonces() -> ServerNonces {
        ServerNonces::with_secret(&[7; 32]).unwrap()
    }

    #[test]
    fn pop_06_a_nonce_ages_and_dies() {
        let nonce = nonces().current(HERE, instant(START)).unwrap();
        let rows = [
            ("a clock that is ahead of ours made it", -1, Standing::Current),
            ("a clock that is far ahead of ours made it", -121, Standing::Refused),
            ("new", 0, Standing::Current),
            ("last second of its period", 119, Standing::Current),
            ("first second of the next", 120, Standing::Aging),
            ("last second of the next", 239, Standing::Aging),
            ("too old", 240, Standing::Refused),
        ];
        for (name, later, expected) in rows {
            let now = instant(START + later);
            assert_eq!(nonces().judge(&nonce, HERE, now), expected, "{name}");
        }
    }

    #[test]
    fn pop_06_nonces_of_others_are_nothing() {
        let now = instant(START);
        let ours = nonces();
        let other_secret = ServerNonces::with_secret(&[8; 32]).unwrap();
        let generated = ServerNonces::generate().unwrap();
        let other_period = nonces().rotate_every(Duration::from_secs(60)).unwrap();
        let good = ours.current(HERE, now).unwrap();
        for (name, nonce) in [
            ("another secret", other_secret.current(HERE, now).unwrap()),
            ("generated", generated.current(HERE, now).unwrap()),
            ("another service", ours.current("https://other.example", now).unwrap()),
            ("another period", other_period.current(HERE, now).unwrap()),
            ("empty", String::new()),
            ("cut off", good.get(1..).unwrap().to_owned()),
            ("longer", format!("{good}A")),
        ] {
            assert_eq!(ours.judge(&nonce, HERE, now), Standing::Refused, "{name}");
        }
        assert_eq!(ours.judge(&good, HERE, now), Standing::Current);
    }

    #[test]
    fn a_clock_before_1970_is_no_reason_to_panic() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        let nonce = nonces().current(HERE, before).unwrap();
        assert_eq!(nonces().judge(&nonce, HERE, before), Standing::Current);
    }

    #[test]
    fn settings_out_of_range_are_errors() {
        assert_eq!(
            ServerNonces::with_secret(&[7; 31]).unwrap_err(),
            ServerNoncesError::SecretTooShort
        );
        for period in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(3601)] {
            let error = nonces().rotate_every(period).unwrap_err();
            assert_eq!(error, ServerNoncesError::PeriodOutOfRange, "{period:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = [b'S'; 32];
        let shown = format!("{:?}", ServerNonces::with_secret(&secret).unwrap());
        assert_eq!(shown, "ServerNonces { period: 120s, .. }");
    }
}
