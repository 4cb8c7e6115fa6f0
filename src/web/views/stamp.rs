//! Times in models (rest-api.md 1.11).

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::domain::timestamp;

/// A time, shown in UTC and without a fraction that is zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stamp(pub DateTime<Utc>);

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&timestamp::format(self.0))
    }
}

/// A time that may be unset: then `null`.
#[must_use]
pub fn stamp(time: Option<DateTime<Utc>>) -> Option<Stamp> {
    time.map(Stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_019_times_end_in_z_and_a_zero_fraction_is_left_out() {
        let at = |micros| DateTime::from_timestamp_micros(micros).unwrap();
        assert_eq!(
            serde_json::to_string(&stamp(Some(at(1_500_000)))).unwrap(),
            "\"1970-01-01T00:00:01.500000Z\""
        );
        assert_eq!(serde_json::to_string(&stamp(Some(at(1_000_000)))).unwrap(), "\"1970-01-01T00:00:01Z\"");
        assert_eq!(serde_json::to_string(&stamp(None)).unwrap(), "null");
    }
}
