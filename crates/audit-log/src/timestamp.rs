//! Dates as RFC 3339 writes them.

use std::time::{Duration, SystemTime};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// 0000-01-01T00:00:00Z.
const FIRST: i64 = -719_528 * MICROS_PER_DAY;
/// 9999-12-31T23:59:59.999999Z.
const LAST: i64 = 2_932_897 * MICROS_PER_DAY - 1;

/// UTC with microseconds, such as `2026-07-28T09:30:00.000250Z`.
///
/// Years have four digits (RFC 3339 §5.6), so that lines sort by date; a clock that says otherwise is
/// written as the first or the last moment that fits.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    let micros = micros_since_1970(at).clamp(FIRST, LAST);
    let (days, of_day) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
    let (year, month, day) = civil(days);
    let time = Duration::from_micros(of_day.unsigned_abs());
    let (micros, seconds) = (time.subsec_micros(), time.as_secs());
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Rounded down, before 1970 too.
fn micros_since_1970(at: SystemTime) -> i64 {
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => {
            let nanos = before.duration().as_nanos();
            i64::try_from(nanos.div_ceil(1000)).map_or(i64::MIN, i64::wrapping_neg)
        }
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year, and in eras of 400 years,
/// after which the calendar repeats.
#[expect(clippy::arithmetic_side_effects, reason = "the day is within the years 0 to 9999")]
const fn civil(days_since_1970: i64) -> (i64, i64, i64) {
    let days = days_since_1970 + 719_468; // since 0000-03-01
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, nanos: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos)).unwrap()
    }

    fn before(seconds: u64, nanos: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH.checked_sub(Duration::new(seconds, nanos)).unwrap()
    }

    #[test]
    fn writes_dates_as_rfc_3339_does() {
        for (name, at, expected) in [
            ("the epoch", at(0, 0), "1970-01-01T00:00:00.000000Z"),
            ("microseconds, rounded down", at(1, 1_999), "1970-01-01T00:00:01.000001Z"),
            ("leap day", at(1_709_164_800, 0), "2024-02-29T00:00:00.000000Z"),
            ("day after", at(1_709_251_199, 999_999_999), "2024-02-29T23:59:59.999999Z"),
            ("2000 was a leap year", at(951_782_400, 0), "2000-02-29T00:00:00.000000Z"),
            ("2100 is none", at(4_107_542_400, 0), "2100-03-01T00:00:00.000000Z"),
            ("end of 32 bits", at(2_147_483_647, 0), "2038-01-19T03:14:07.000000Z"),
            ("last that fits", at(253_402_300_799, 0), "9999-12-31T23:59:59.000000Z"),
            ("later than that", at(253_402_300_800, 0), "9999-12-31T23:59:59.999999Z"),
            ("far too late", at(1 << 60, 0), "9999-12-31T23:59:59.999999Z"),
            ("before the epoch", before(0, 1), "1969-12-31T23:59:59.999999Z"),
            ("first that fits", before(62_167_219_200, 0), "0000-01-01T00:00:00.000000Z"),
            ("earlier than that", before(62_167_219_201, 0), "0000-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(rfc3339(at), expected, "{name}");
        }
    }

    #[test]
    fn agrees_with_counting_days_one_by_one() {
        let (mut year, mut month, mut day) = (0_i64, 1_i64, 1_i64);
        for days in -719_528..2_932_897 {
            assert_eq!(civil(days), (year, month, day));
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let length = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }
}
