//! Times as the REST API writes and reads them (rest-api.md 1.11, 4.8). Always UTC, always whole microseconds: that
//! is what every database keeps.

use chrono::{
    DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, SubsecRound, TimeDelta, Timelike, Utc,
};

/// The text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Not a valid timestamp: '{0}'. Write it like 2026-01-02T03:04:05Z")]
pub struct TimestampError(String);

/// Cuts a time down to whole microseconds.
#[must_use]
pub fn truncate(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

/// `2026-01-02T03:04:05.678901Z`; without the fraction if it is zero.
#[must_use]
pub fn format(time: DateTime<Utc>) -> String {
    let time = truncate(time);
    let precision = if time.nanosecond() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    time.to_rfc3339_opts(precision, true)
}

/// Reads ISO 8601 and RFC 3339 as clients write them: a date, or date and time with `T` or a space between them,
/// with or without seconds and a fraction, with `Z`, an offset or none (then it is UTC).
///
/// # Errors
/// If it is anything else, or outside the years 1 to 9999.
pub fn parse(text: &str) -> Result<DateTime<Utc>, TimestampError> {
    // the message may be logged: a stranger must not choose its length
    read(text.trim()).ok_or_else(|| TimestampError(text.chars().take(40).collect()))
}

fn read(text: &str) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_at_checked("YYYY-MM-DD".len())?;
    let date = read_date(date)?;
    let (time, offset) = match rest.strip_prefix(['T', 't', ' ']) {
        Some(rest) => read_time_and_offset(rest)?,
        None if rest.is_empty() => (NaiveTime::MIN, TimeDelta::zero()),
        None => return None,
    };
    let utc = NaiveDateTime::new(date, time).checked_sub_signed(offset)?;
    let first = NaiveDate::from_ymd_opt(1, 1, 1)?;
    let last = NaiveDate::from_ymd_opt(9999, 12, 31)?;
    (first..=last).contains(&utc.date()).then(|| utc.and_utc())
}

fn read_date(text: &str) -> Option<NaiveDate> {
    let [year, month, day] = split(text, '-')?;
    NaiveDate::from_ymd_opt(i32::try_from(digits(year, 4)?).ok()?, digits(month, 2)?, digits(day, 2)?)
}

fn read_time_and_offset(text: &str) -> Option<(NaiveTime, TimeDelta)> {
    let end = text.find(['Z', 'z', '+', '-', ' ', 'U']).unwrap_or(text.len());
    let (time, offset) = text.split_at_checked(end)?;
    Some((read_time(time)?, read_offset(offset.trim_start())?))
}

fn read_time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, microseconds(fraction)?),
        None => (text, 0),
    };
    if let Some([hour, minute, second]) = split(clock, ':') {
        return NaiveTime::from_hms_micro_opt(
            digits(hour, 2)?,
            digits(minute, 2)?,
            digits(second, 2)?,
            fraction,
        );
    }
    let [hour, minute] = split(text, ':')?;
    NaiveTime::from_hms_opt(digits(hour, 2)?, digits(minute, 2)?, 0)
}

/// The first six digits after the point.
fn microseconds(fraction: &str) -> Option<u32> {
    let all_digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let six: String = fraction.chars().chain("00000".chars()).take(6).collect();
    if all_digits { digits(&six, 6) } else { None }
}

/// `Z`, `UTC`, nothing, `+HH`, `+HHMM` or `+HH:MM`.
fn read_offset(text: &str) -> Option<TimeDelta> {
    if matches!(text, "" | "Z" | "z" | "UTC") {
        return Some(TimeDelta::zero());
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let (hours, minutes) = (digits(hours, 2)?, if rest.len() == 2 { 0 } else { digits(minutes, 2)? });
    let within_a_day = hours < 24 && minutes < 60;
    within_a_day.then(|| TimeDelta::minutes(sign * i64::from(hours * 60 + minutes)))
}

/// Exactly `N` parts.
fn split<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    let parts: Vec<&str> = text.split(separator).collect();
    parts.try_into().ok()
}

/// The number that exactly `count` digits stand for.
fn digits(text: &str, count: usize) -> Option<u32> {
    let fine = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if fine { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reread(text: &str) -> Option<String> {
        parse(text).ok().map(format)
    }

    #[test]
    fn rest_019_times_end_in_z_and_have_no_empty_fraction() {
        let time = |micros| DateTime::from_timestamp_micros(micros).unwrap();
        assert_eq!(format(time(1_767_323_045_678_901)), "2026-01-02T03:04:05.678901Z");
        assert_eq!(format(time(1_767_323_045_000_000)), "2026-01-02T03:04:05Z");
        assert_eq!(format(time(1_767_323_045_000_100)), "2026-01-02T03:04:05.000100Z");
        let nanos = DateTime::from_timestamp(1_767_323_045, 999).unwrap();
        assert_eq!(format(nanos), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn clients_may_write_times_in_many_ways() {
        for (text, expected) in [
            ("2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.678901Z"),
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
            ("2026-01-02 03:04:05.5", "2026-01-02T03:04:05.500000Z"),
            ("2026-01-02t03:04:05,123456789z", "2026-01-02T03:04:05.123456Z"),
            ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
            ("2026-01-02T03:04:05.25-0330", "2026-01-02T06:34:05.250000Z"),
            ("2026-01-01T23:04:05 -02", "2026-01-02T01:04:05Z"),
            ("2026-01-02T03:04", "2026-01-02T03:04:00Z"),
            ("2026-01-02T03:04+01:00", "2026-01-02T02:04:00Z"),
            ("2026-01-02 03:04:05 UTC", "2026-01-02T03:04:05Z"),
            (" 2026-01-02 ", "2026-01-02T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(reread(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "garbage",
            "2026",
            "2026-1-2",
            "2026-13-01",
            "2025-02-29",
            "+026-01-02",
            "2026-01-02T",
            "2026-01-02X03:04:05",
            "2026-01-02T24:00:00",
            "2026-01-02T03:60:00",
            "2026-01-02T03:04:61",
            "2026-01-02T03:04:05.",
            "2026-01-02T03:04:05.1x",
            "2026-01-02T03:04.5",
            "2026-01-02T03:04:05+24:00",
            "2026-01-02T03:04:05+1",
            "2026-01-02T03:04:05+01:",
            "2026-01-02T03:04:05+01:0",
            "2026-01-02T03:04:05ZZ",
            "2026-01-02T03:04:05Z+01:00",
            "2026-01-02T03:04:05 CET",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2026-01-0é",
        ] {
            assert_eq!(reread(text), None, "{text}");
        }
        let refusal = parse("garbage").unwrap_err().to_string();
        assert!(refusal.starts_with("Not a valid timestamp: 'garbage'"), "{refusal}");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000) {
            let time = DateTime::from_timestamp_micros(micros).unwrap();
            prop_assert_eq!(parse(&format(time)), Ok(time));
        }

        #[test]
        fn reading_never_panics(text in ".{0,40}", near in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,+Zé -]{0,20}") {
            let _ = parse(&text);
            let _ = parse(&near);
        }
    }
}
