#![expect(clippy::arithmetic_side_effects, reason = "tests may panic")]

use proptest::prelude::*;

use super::*;

/// The same limit, told as simply as possible: a bucket of nanoseconds that time fills.
struct Twin {
    interval: u128,
    full: u128,
    held: u128,
    last: u128,
}

impl Twin {
    fn new(quota: &Quota) -> Self {
        let interval = u128::from(quota.interval_nanos().get());
        let full = interval * u128::from(quota.burst_size().get());
        Self { interval, full, held: full, last: 0 }
    }

    fn take(&mut self, units: u32, now: u64) -> Verdict {
        self.held = (self.held + u128::from(now) - self.last).min(self.full);
        self.last = now.into();
        let price = self.interval * u128::from(units);
        if price <= self.held {
            self.held -= price;
            Verdict::Allowed(self.standing(self.interval - self.held % self.interval))
        } else {
            Verdict::Refused(self.standing(price - self.held))
        }
    }

    fn standing(&self, window: u128) -> Standing {
        Standing {
            remaining: (self.held / self.interval).try_into().unwrap(),
            window: Duration::from_nanos(window.try_into().unwrap()),
        }
    }
}

pub(crate) fn any_quota() -> impl Strategy<Value = Quota> {
    (0..3, 1..500_u32, 1..20_u32).prop_map(|(period, units, burst)| {
        let units = NonZeroU32::new(units).unwrap();
        let quota = match period {
            0 => Quota::per_second(units),
            1 => Quota::per_minute(units),
            _ => Quota::per_hour(units),
        };
        quota.burst(NonZeroU32::new(burst).unwrap())
    })
}

proptest! {
    /// Admission, units left and waiting times, to the nanosecond.
    #[test]
    fn decides_as_a_bucket_that_time_fills(
        quota in any_quota(),
        steps in prop::collection::vec((0..3_000_u64, 1..25_u32), 1..80),
    ) {
        let mut twin = Twin::new(&quota);
        let (mut bucket, mut now) = (None, 0);
        for (thousandths, units) in steps {
            now += quota.interval_nanos().get() * thousandths / 1_000;
            match Charge::new(&quota, Cost::new(units)) {
                Ok(charge) => {
                    let verdict = charge.apply(&mut bucket, Moment(now));
                    prop_assert_eq!(verdict, twin.take(units, now));
                }
                Err(why) => {
                    prop_assert_eq!(why, NoCharge::NeverEnough);
                    prop_assert!(units > quota.burst_size().get());
                }
            }
        }
    }
}

fn n(units: u32) -> NonZeroU32 {
    NonZeroU32::new(units).unwrap()
}

#[test]
fn rl_06_costs_of_nothing_and_of_too_much_never_reach_the_algorithm() {
    let quota = Quota::per_second(n(10));
    for (cost, expected) in [
        (0, Err(NoCharge::Free)),
        (1, Ok(())),
        (10, Ok(())),
        (11, Err(NoCharge::NeverEnough)),
        (u32::MAX, Err(NoCharge::NeverEnough)),
    ] {
        assert_eq!(Charge::new(&quota, Cost::new(cost)).map(|_| ()), expected, "{cost}");
    }
}

#[test]
fn rl_06_nothing_overflows_at_the_end_of_time() {
    for quota in [
        Quota::per_hour(n(1)).burst(n(u32::MAX)),
        Quota::per_second(n(u32::MAX)),
        Quota::per_second(n(1)),
    ] {
        let all = Charge::new(&quota, Cost::new(quota.burst_size().get())).unwrap();
        let mut bucket = None;
        let end = Moment(Moment::LAST);
        assert!(matches!(all.apply(&mut bucket, end), Verdict::Allowed(_)), "{quota:?}");
        let Verdict::Refused(standing) = all.apply(&mut bucket, end) else {
            panic!("{quota:?} passed twice")
        };
        assert_eq!((standing.remaining, standing.window), (0, quota.refill_time()), "{quota:?}");
    }
}

#[test]
fn rl_06_a_clock_beyond_all_bounds_is_one_that_stands_still() {
    struct Broken;
    impl Clock for Broken {
        fn now(&self) -> std::time::SystemTime {
            std::time::SystemTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::MAX
        }
    }
    assert_eq!(Moment::now(&Broken), Moment(Moment::LAST));
}
