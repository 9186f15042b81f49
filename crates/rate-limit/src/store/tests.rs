#![expect(clippy::arithmetic_side_effects, reason = "tests may panic")]

use std::{collections::HashMap, num::NonZeroU32, thread};

use proptest::prelude::*;

use super::*;
use crate::{Cost, Quota};

const SECOND: u64 = 1_000_000_000;

fn n(units: u32) -> NonZeroU32 {
    NonZeroU32::new(units).unwrap()
}

fn at(nanos: u64) -> Moment {
    Moment::of_nanos(nanos)
}

fn buckets(max_keys: usize) -> Buckets {
    Buckets::new(NonZeroUsize::new(max_keys).unwrap())
}

/// Ten at once, one more every six minutes.
fn one(quota: &Quota) -> Charge {
    Charge::new(quota, Cost::ONE).unwrap()
}

fn hourly() -> Quota {
    Quota::per_hour(n(10))
}

fn allowed((verdict, _): (Verdict, Charged)) -> bool {
    matches!(verdict, Verdict::Allowed(_))
}

proptest! {
    /// Sharing a table, forgetting and being remembered change no decision.
    #[test]
    fn keys_in_one_table_are_as_keys_alone(
        steps in prop::collection::vec((0..20_u32, 0..2 * SECOND, 1..8_u32), 1..300),
    ) {
        let quota = Quota::per_second(n(3)).burst(n(7));
        let buckets = buckets(1_000);
        let mut alone = HashMap::<u32, FullAt>::new();
        let mut now = 0;
        for (key, delay, units) in steps {
            now += delay;
            let charge = Charge::new(&quota, Cost::new(units)).unwrap();
            let expected = charge.apply(alone.entry(key).or_default(), at(now));
            let charged = buckets.charge(&key, || None, charge, at(now));
            prop_assert_eq!(charged, (expected, Charged::OwnBucket));
        }
    }
}

#[test]
fn rl_03_an_offender_stays_refused_however_many_newcomers_knock() {
    let (quota, buckets) = (hourly(), buckets(1_000));
    let charge = one(&quota);
    for _ in 0..10 {
        assert!(allowed(buckets.charge(&0, || None, charge, at(0))));
    }
    let mut admitted = 0;
    for newcomer in 1..=200_000_u64 {
        // 200 seconds in all: nobody's unit is back before the end.
        let now = at(newcomer * SECOND / 1_000);
        admitted += u32::from(allowed(buckets.charge(&newcomer, || None, charge, now)));
        if newcomer % 100 == 0 {
            assert!(!allowed(buckets.charge(&0, || None, charge, now)), "after {newcomer}");
        }
    }
    // 999 found room, and the others have one bucket of ten.
    assert_eq!(admitted, 999 + 10);
    assert_eq!((buckets.len(), buckets.overflowed()), (1_000, 200_000 - 999));
}

#[test]
fn rl_03_memory_is_bounded_whatever_the_number_of_parts() {
    let quota = hourly();
    for max_keys in [1, 2, 1_000, 1_024, 5_000, 10_001] {
        let buckets = buckets(max_keys);
        for key in 0..30_000 {
            buckets.charge(&key, || Some(-key), one(&quota), at(0));
        }
        assert!(buckets.len() <= max_keys, "{max_keys}: {}", buckets.len());
        assert!(buckets.len() * 10 >= max_keys * 9, "{max_keys}: {}", buckets.len());
        assert!(buckets.groups.len() <= max_keys.div_ceil(16), "{max_keys}");
    }
}

#[test]
fn full_buckets_are_forgotten_a_few_at_a_time() {
    let (quota, buckets) = (Quota::per_second(n(1)), buckets(1_000));
    for key in 0..1_000 {
        buckets.charge(&key, || None, one(&quota), at(0));
    }
    // One second later all of them are full again.
    for key in 1_000..1_010 {
        let before = buckets.len();
        let charged = buckets.charge(&key, || None, one(&quota), at(SECOND));
        assert_eq!(charged.1, Charged::OwnBucket);
        assert!(buckets.len() + 32 > before, "one newcomer pays for few");
    }
    assert!(buckets.len() < 800, "{}", buckets.len());
    for key in 1_010..1_100 {
        buckets.charge(&key, || None, one(&quota), at(SECOND));
    }
    assert_eq!(buckets.len(), 100, "only the live ones are left");
    assert_eq!(buckets.overflowed(), 0);
}

#[test]
fn what_is_forgotten_is_not_what_is_owed() {
    let (quota, buckets) = (Quota::per_second(n(2)), buckets(40));
    let two = Charge::new(&quota, Cost::new(2)).unwrap();
    // Every other key owes two units, the rest one.
    for key in 0..40 {
        let charge = if key % 2 == 0 { two } else { one(&quota) };
        buckets.charge(&key, || None, charge, at(0));
    }
    // Those that owed one are full now. Newcomers take their places.
    let now = at(SECOND / 2);
    for key in 100..120 {
        assert_eq!(buckets.charge(&key, || None, two, now).1, Charged::OwnBucket, "{key}");
    }
    for key in (0..40).step_by(2) {
        assert!(!allowed(buckets.charge(&key, || None, two, now)), "{key} was forgotten");
    }
    for key in 100..120 {
        assert!(!allowed(buckets.charge(&key, || None, two, now)), "{key} was forgotten");
    }
}

#[test]
fn rl_03_without_room_groups_are_charged_apart_and_then_all_together() {
    // 32 keys and two groups.
    let (quota, buckets) = (hourly(), buckets(32));
    for key in 0..32 {
        buckets.charge(&(0, key), || None, one(&quota), at(0));
    }
    let admitted = |group: u32| {
        let of_group = |key| buckets.charge(&(group, key), || Some((group, 0)), one(&quota), at(0));
        (1_000..1_100).filter(|key| allowed(of_group(*key))).count()
    };
    assert_eq!([admitted(1), admitted(2)], [10, 10], "each group has a bucket");
    assert_eq!([admitted(3), admitted(4)], [10, 0], "the others have one");
    assert_eq!(admitted(1), 0);
}

#[test]
fn exactly_the_burst_passes_whatever_the_number_of_threads() {
    let quota = Quota::per_hour(n(100));
    let buckets = buckets(10);
    let admitted = |charge: &(dyn Fn() -> (Verdict, Charged) + Sync)| -> usize {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..2_000).filter(|_| allowed(charge())).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        })
    };
    assert_eq!(admitted(&|| buckets.charge(&"key", || None, one(&quota), at(0))), 100);
    assert_eq!(admitted(&|| buckets.charge_keyless(one(&quota), at(0))), 100);
}

#[test]
fn rl_06_a_clock_that_steps_back_is_one_that_stands_still() {
    let (quota, buckets) = (Quota::per_second(n(1)), buckets(10));
    let hour = 3_600 * SECOND;
    for (name, now, expected) in [
        ("first", hour, true),
        ("refused an hour before", 0, false),
        ("and when time goes on", hour + SECOND, true),
        ("refused just before", hour + SECOND - 1, false),
    ] {
        assert_eq!(
            allowed(buckets.charge(&"a", || None, one(&quota), at(now))),
            expected,
            "{name}"
        );
        assert_eq!(allowed(buckets.charge_keyless(one(&quota), at(now))), expected, "{name}");
    }
    let wait = |(verdict, _)| match verdict {
        Verdict::Allowed(_) => panic!("allowed"),
        Verdict::Refused(standing) => standing.window,
    };
    // Nobody waits for the hour that was lost.
    assert_eq!(wait(buckets.charge(&"a", || None, one(&quota), at(0))).as_secs(), 1);
    assert_eq!(wait(buckets.charge_keyless(one(&quota), at(0))).as_secs(), 1);
}
