//! How long to wait before something that failed is tried again: the pause doubles with each failure, up to a limit.

use std::time::Duration;

/// The pauses of one kind of retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// No pause is shorter: what fails at once must not keep the machine busy.
    pub shortest: Duration,
    /// No pause is longer.
    pub longest: Duration,
}

impl Backoff {
    /// The pause after `earlier` failures and one more.
    #[must_use]
    pub fn pause(&self, earlier: u32) -> Duration {
        let factor = 2_u32.checked_pow(earlier).unwrap_or(u32::MAX);
        self.first.max(self.shortest).saturating_mul(factor).min(self.longest).max(self.shortest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_limit() {
        let second = Duration::from_secs(1);
        let backoff = Backoff { first: second, shortest: second / 100, longest: second * 6 };
        let pauses: Vec<u64> = (0..5).map(|earlier| backoff.pause(earlier).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 6, 6]);
        assert_eq!(Backoff { first: Duration::ZERO, ..backoff }.pause(0), second / 100);
        assert_eq!(Backoff { longest: Duration::ZERO, ..backoff }.pause(9), second / 100);
    }

    proptest! {
        #[test]
        fn no_pause_leaves_its_bounds_or_is_shorter_than_the_one_before(first: u32, longest: u32, earlier: u32) {
            let shortest = Duration::from_millis(10);
            let backoff = Backoff {
                first: Duration::from_micros(first.into()),
                shortest,
                longest: Duration::from_micros(longest.into()),
            };
            let pause = backoff.pause(earlier);
            prop_assert!(pause >= shortest && pause <= backoff.longest.max(shortest));
            prop_assert!(pause >= backoff.pause(earlier / 2));
        }
    }
}
