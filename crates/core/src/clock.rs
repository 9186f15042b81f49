//! Where every layer reads the time.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// Tells the time.
///
/// Layers take a clock as a parameter instead of asking the operating system, so that a test decides
/// what time it is.
///
/// Wrong answers are tolerable as follows. A wall clock that is off makes tokens expire early or late by
/// as much; it never makes a layer panic, whatever it says, dates before 1970 included. A monotonic clock
/// that steps back is treated as one that stood still.
pub trait Clock {
    /// The wall clock, for everything that is compared with dates of other machines.
    fn now(&self) -> SystemTime;

    /// Time since a fixed moment in the past, never running backwards, for everything that is measured.
    fn monotonic(&self) -> Duration;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl SystemClock {
    /// The clock of the operating system.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock the others are told to use")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock the others are told to use")]
    fn monotonic(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }
}

/// A clock that moves only when it is told to. Clones share the same time.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use palisade_core::{Clock, ManualClock};
///
/// let clock = ManualClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
/// let seen_by_a_layer = clock.clone();
/// clock.advance(Duration::from_secs(61));
/// assert_eq!(seen_by_a_layer.monotonic(), Duration::from_secs(61));
/// ```
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<Hands>>);

#[derive(Clone, Copy)]
struct Hands {
    wall: SystemTime,
    monotonic: Duration,
}

impl ManualClock {
    /// A clock that stands at `wall`.
    #[must_use]
    pub fn at(wall: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Hands { wall, monotonic: Duration::ZERO })))
    }

    /// Moves both hands forward.
    pub fn advance(&self, by: Duration) {
        self.turn(|hands| {
            hands.wall = hands.wall.checked_add(by).unwrap_or(hands.wall);
            hands.monotonic = hands.monotonic.saturating_add(by);
        });
    }

    /// Sets the wall clock, forward or back, and leaves the monotonic one alone: what happens when an
    /// operator or NTP corrects the date.
    pub fn set_wall(&self, wall: SystemTime) {
        self.turn(|hands| hands.wall = wall);
    }

    fn turn(&self, f: impl FnOnce(&mut Hands)) {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn hands(&self) -> Hands {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("wall", &self.hands().wall).finish_non_exhaustive()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.hands().wall
    }

    fn monotonic(&self) -> Duration {
        self.hands().monotonic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_the_wall_clock_back_leaves_measured_time_alone() {
        let clock = ManualClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
        clock.advance(Duration::from_secs(5));
        clock.set_wall(SystemTime::UNIX_EPOCH);
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH);
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
    }

    #[test]
    fn the_system_clock_does_not_run_backwards() {
        let clock = SystemClock::new();
        assert!(clock.monotonic() <= clock.monotonic());
    }
}
