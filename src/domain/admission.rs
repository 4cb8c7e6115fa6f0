//! How many servers may start and run at once (`hub.limits`, lifecycle.md 6.1).

/// What happens to a start when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It is refused with 429.
    Reject,
    /// It waits for its turn.
    Queue,
}

/// The limits; 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Servers that may be starting at once.
    pub starting: u32,
    /// Servers that may be starting or running at once.
    pub active: u32,
    /// The range of `Retry-After`, in seconds, both ends included.
    pub retry_after: (u32, u32),
    /// What happens when there is no room.
    pub when_full: WhenFull,
}

/// How many there are now, without the one that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupancy {
    /// Starting.
    pub starting: usize,
    /// Starting or running.
    pub active: usize,
}

/// Whether one more may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Admit,
    /// Too many are starting: a moment later there is room.
    TooManyStarting,
    /// Too many are running.
    TooManyActive,
}

impl Limits {
    /// Whether one more may start.
    #[must_use]
    pub fn judge(&self, now: Occupancy) -> Verdict {
        let reached =
            |limit: u32, count: usize| limit > 0 && usize::try_from(limit).is_ok_and(|limit| count >= limit);
        if reached(self.starting, now.starting) {
            Verdict::TooManyStarting
        } else if reached(self.active, now.active) {
            Verdict::TooManyActive
        } else {
            Verdict::Admit
        }
    }

    /// A `Retry-After` inside the range, chosen by `random`.
    #[must_use]
    pub fn retry_after_seconds(&self, random: u32) -> u32 {
        let (low, high) = self.retry_after;
        let width = high.saturating_sub(low).saturating_add(1);
        low.saturating_add(random.checked_rem(width).unwrap_or_default())
    }

    /// What a refused person reads when too many are starting: up to 90 s rounded up to tens of seconds, else minutes.
    #[must_use]
    pub fn busy_message(seconds: u32) -> String {
        let human = if seconds <= 90 {
            format!("{} seconds", seconds.div_ceil(10) * 10)
        } else {
            format!("{} minutes", seconds.div_ceil(60))
        };
        format!("Too many servers are starting right now. Try again in {human}.")
    }

    /// What a refused person reads when too many are running.
    #[must_use]
    pub fn full_message() -> String {
        "The limit of active servers is reached. Try again in a few minutes.".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { starting: 2, active: 3, retry_after: (30, 60), when_full: WhenFull::Reject };

    #[test]
    fn life_013_and_014_the_limits_count_the_others() {
        assert_eq!(LIMITS.judge(Occupancy { starting: 1, active: 2 }), Verdict::Admit);
        assert_eq!(LIMITS.judge(Occupancy { starting: 2, active: 2 }), Verdict::TooManyStarting);
        assert_eq!(LIMITS.judge(Occupancy { starting: 0, active: 3 }), Verdict::TooManyActive);
        let none = Limits { starting: 0, active: 0, ..LIMITS };
        assert_eq!(none.judge(Occupancy { starting: 9999, active: 9999 }), Verdict::Admit);
    }

    #[test]
    fn cfg_037_retry_after_stays_inside_its_range() {
        let seconds: Vec<u32> = (0..1000).map(|random| LIMITS.retry_after_seconds(random)).collect();
        assert_eq!((seconds.iter().min(), seconds.iter().max()), (Some(&30), Some(&60)));
        let fixed = Limits { retry_after: (5, 5), ..LIMITS };
        assert_eq!(fixed.retry_after_seconds(u32::MAX), 5);
    }

    #[test]
    fn the_message_rounds_as_people_do() {
        assert!(Limits::busy_message(31).contains("40 seconds"));
        assert!(Limits::busy_message(91).contains("2 minutes"));
    }
}
