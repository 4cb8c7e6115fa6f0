//! Times as CHP writes and reads them (proxy.md sections 6 and 12).

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// Milliseconds since 1970.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `2026-11-26T19:05:34.146Z`.
pub(crate) fn iso(millis: u64) -> String {
    let time = i64::try_from(millis).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Unix milliseconds of an ISO 8601 time. Without an offset it is UTC; date, or date
/// and time, may be shortened from the right. `+` may have become a space on the way
/// through a query string.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    let text = text.trim();
    let offset = text.rfind(' ').filter(|_| text.contains('T'));
    let mended =
        offset.map(|at| [text.get(..at), text.get(at + 1..)].map(Option::unwrap_or_default).join("+"));
    let text = mended.as_deref().unwrap_or(text);
    let with_offset = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
    let found = with_offset.iter().find_map(|form| DateTime::parse_from_str(text, form).ok());
    if let Some(time) = found {
        return Some(time.timestamp_millis());
    }
    let without = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f"];
    let naive = without.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    naive.or_else(|| parse_date(text)?.and_hms_opt(0, 0, 0)).map(|time| millis_of(time.and_utc()))
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    NaiveDate::parse_from_str(&whole, "%Y-%m-%d").ok()
}

fn millis_of(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_004_times_have_milliseconds_and_a_z() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(1_795_719_934_146), "2026-11-26T19:05:34.146Z");
    }

    #[test]
    fn proxy_001_iso_8601_is_read_in_its_usual_forms_and_nothing_else() {
        for (text, expected) in [
            ("2026-11-26T19:05:34.146Z", Some(1_795_719_934_146)),
            ("2026-11-26T19:05:34Z", Some(1_795_719_934_000)),
            ("2026-11-26T20:05:34.146+01:00", Some(1_795_719_934_146)),
            ("2026-11-26T20:05:34.146 01:00", Some(1_795_719_934_146)),
            ("2026-11-26T19:05:34.146789+00:00", Some(1_795_719_934_146)),
            ("2026-11-26T19:05:34.146", Some(1_795_719_934_146)),
            ("2026-11-26 19:05:34", Some(1_795_719_934_000)),
            ("1970-01-01T00:01", Some(60_000)),
            ("1970-01-01T00:01Z", Some(60_000)),
            ("1970-01-02", Some(86_400_000)),
            ("1970-02", Some(31 * 86_400_000)),
            ("1970", Some(0)),
            ("endoftheuniverse", None),
            ("", None),
            ("2026-13-01", None),
            ("2026-11-26T", None),
        ] {
            assert_eq!(parse_iso(text), expected, "{text}");
        }
    }
}
