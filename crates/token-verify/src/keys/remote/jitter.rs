//! Instances that were started together must not ask the issuer together for ever.

use std::time::Duration;

/// Where the odds come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Jitter {
    #[cfg(test)]
    Fixed(u16),
    Random,
}

impl Jitter {
    /// Up to a tenth sooner: a set is fetched again before its time is over.
    pub(super) fn sooner(self, interval: Duration) -> Duration {
        interval.saturating_sub(part(interval, 10, self.draw()))
    }

    /// Up to a quarter later: what failed is not tried more often than promised.
    pub(super) fn later(self, wait: Duration) -> Duration {
        wait.saturating_add(part(wait, 4, self.draw()))
    }

    fn draw(self) -> u16 {
        match self {
            #[cfg(test)]
            Self::Fixed(drawn) => drawn,
            // Without a random number there is no jitter, and all else goes on.
            Self::Random => getrandom::u32().map_or(0, |number| {
                let [high, low, ..] = number.to_be_bytes();
                u16::from_be_bytes([high, low])
            }),
        }
    }
}

/// `drawn` parts in 65536, of the part of a duration.
fn part(of: Duration, divisor: u32, drawn: u16) -> Duration {
    of.saturating_mul(u32::from(drawn))
        .checked_div(divisor.saturating_mul(0x1_0000))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_has_bounds_on_the_safe_side() {
        const MINUTE: Duration = Duration::from_secs(60);
        assert_eq!(Jitter::Fixed(0).sooner(MINUTE), MINUTE);
        assert_eq!(Jitter::Fixed(0x8000).sooner(MINUTE), Duration::from_secs(57));
        assert_eq!(Jitter::Fixed(0).later(MINUTE), MINUTE);
        assert_eq!(Jitter::Fixed(0x8000).later(MINUTE), Duration::from_millis(67_500));
        let tenth = Jitter::Fixed(u16::MAX).sooner(MINUTE);
        assert!(tenth >= Duration::from_secs(54) && tenth < Duration::from_millis(54_001));
        for _ in 0..100 {
            let (sooner, later) = (Jitter::Random.sooner(MINUTE), Jitter::Random.later(MINUTE));
            assert!((Duration::from_secs(54)..=MINUTE).contains(&sooner), "{sooner:?}");
            assert!((MINUTE..=Duration::from_secs(75)).contains(&later), "{later:?}");
        }
    }

    #[test]
    fn two_instances_do_not_keep_step() {
        let drawn: Vec<_> = (0..16).map(|_| Jitter::Random.draw()).collect();
        assert!(drawn.iter().any(|other| *other != drawn[0]), "{drawn:?}");
    }
}
