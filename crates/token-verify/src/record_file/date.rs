//! Dates in record files: RFC 3339, in UTC and whole seconds. Not a second longer form.

use std::time::{Duration, SystemTime};

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;
const DAYS_PER_ERA: u64 = 146_097;
/// From 0000-03-01, where the eras begin, to 1970-01-01.
const EPOCH_DAYS: u64 = 719_468;
/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

/// Reads `2027-01-31T23:59:59Z`. Years from 1970.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let in_range = year >= 1970
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let of_day = hour.saturating_mul(3600).saturating_add(minute.saturating_mul(60));
    let seconds = days_since_epoch(year, month, day)
        .saturating_mul(SECONDS_PER_DAY)
        .saturating_add(of_day)
        .saturating_add(second);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Writes what [`parse`] reads; `None` for what it does not. Fractions of a second are cut off.
pub(crate) fn format(at: SystemTime) -> Option<String> {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    if seconds > LAST_SECOND {
        return None;
    }
    let of_day = seconds % SECONDS_PER_DAY;
    let (year, month, day) = date_of(seconds / SECONDS_PER_DAY);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// `at`, as [`format`] and [`parse`] would give it back.
pub(crate) fn whole_seconds(at: SystemTime) -> Option<SystemTime> {
    parse(&format(at)?)
}

fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut out = [0_u64; 3];
    for (slot, digits) in out.iter_mut().zip(digits) {
        let part = parts.next()?;
        // `parse` alone would take a sign.
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

const fn days_in(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days of the proleptic Gregorian calendar, counted in eras of 400 years that begin on a 1st of March, so
/// that the odd day comes last.
const fn days_since_epoch(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let month_from_march = month.saturating_add(9) % 12;
    let of_year = (month_from_march.saturating_mul(153).saturating_add(2) / 5)
        .saturating_add(day)
        .saturating_sub(1);
    let day_of_era = of_era
        .saturating_mul(365)
        .saturating_add(of_era / 4)
        .saturating_sub(of_era / 100)
        .saturating_add(of_year);
    era.saturating_mul(DAYS_PER_ERA).saturating_add(day_of_era).saturating_sub(EPOCH_DAYS)
}

const fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(EPOCH_DAYS);
    let (era, of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era = of_era
        .saturating_sub(of_era / 1_460)
        .saturating_add(of_era / 36_524)
        .saturating_sub(of_era / 146_096)
        / 365;
    let before = year_of_era
        .saturating_mul(365)
        .saturating_add(year_of_era / 4)
        .saturating_sub(year_of_era / 100);
    let of_year = of_era.saturating_sub(before);
    let month_from_march = of_year.saturating_mul(5).saturating_add(2) / 153;
    let before_month = month_from_march.saturating_mul(153).saturating_add(2) / 5;
    let day = of_year.saturating_sub(before_month).saturating_add(1);
    let month = (month_from_march.saturating_add(2) % 12).saturating_add(1);
    let year = era.saturating_mul(400).saturating_add(year_of_era);
    (if month <= 2 { year.saturating_add(1) } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unix(text: &str) -> Option<u64> {
        Some(parse(text)?.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn dates_have_one_form_and_must_exist() {
        let rows = [
            ("the epoch", "1970-01-01T00:00:00Z", Some(0)),
            ("a known second", "2027-01-15T08:00:00Z", Some(1_800_000_000)),
            ("a leap day", "2024-02-29T00:00:00Z", Some(1_709_164_800)),
            ("a leap day of a century", "2000-02-29T23:59:59Z", Some(951_868_799)),
            ("the last second", "9999-12-31T23:59:59Z", Some(LAST_SECOND)),
            ("no leap day", "2023-02-29T00:00:00Z", None),
            ("no leap day of a century", "2100-02-29T00:00:00Z", None),
            ("the 31st of April", "2024-04-31T00:00:00Z", None),
            ("before the epoch", "1969-12-31T23:59:59Z", None),
            ("a leap second", "2016-12-31T23:59:60Z", None),
            ("hour 24", "2024-01-01T24:00:00Z", None),
            ("another zone", "2024-01-01T00:00:00+01:00", None),
            ("no zone", "2024-01-01T00:00:00", None),
            ("a fraction", "2024-01-01T00:00:00.5Z", None),
            ("only a date", "2024-01-01", None),
            ("a sign", "2024-01-01T+1:00:00Z", None),
            ("lower case", "2024-01-01t00:00:00z", None),
            ("month 0", "2024-00-01T00:00:00Z", None),
            ("month 13", "2024-13-01T00:00:00Z", None),
            ("other digits", "２024-01-01T00:00:00Z", None),
        ];
        for (name, text, expected) in rows {
            assert_eq!(unix(text), expected, "{name}");
        }
    }

    #[test]
    fn the_calendar_agrees_with_one_that_counts_day_by_day() {
        let mut days = 0;
        for year in 1970..2410 {
            for month in 1..=12 {
                let length = match month {
                    2 if year % 4 == 0 && year % 100 != 0 || year % 400 == 0 && month == 2 => 29,
                    2 => 28,
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                for day in 1..=length {
                    assert_eq!(days_since_epoch(year, month, day), days);
                    assert_eq!(date_of(days), (year, month, day));
                    days += 1;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..=LAST_SECOND) {
            let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap();
            prop_assert_eq!(parse(&format(at).unwrap()), Some(at));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,30}") {
            let _ = parse(&text);
        }
    }
}
