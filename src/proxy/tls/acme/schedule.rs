//! When to renew, and when to try again. Pure: time is an argument.

use std::time::Duration;

use super::super::validity::Validity;

/// Let's Encrypt allows five failures an hour for one name.
const LONGEST: Duration = Duration::from_secs(6 * 3600);
const RATE_LIMITED: Duration = Duration::from_secs(3600);
const SHORT_LIVED: u64 = 10 * 24 * 3600;

/// A third of its life before a certificate's end, half of it if it is
/// short-lived; a little earlier by its salt, so that machines which were set
/// up at the same time do not all come at once.
pub(super) fn renew_at(validity: Validity, salt: u8) -> u64 {
    let span = validity.span();
    let rest = if span < SHORT_LIVED { span / 2 } else { span / 3 };
    let spread = (span / 30).saturating_mul(u64::from(salt)) / 256;
    validity.not_after.saturating_sub(rest).saturating_sub(spread)
}

/// `first`, doubled with each failure, up to six hours.
pub(super) fn back_off(first: Duration, failures: u32, rate_limited: bool) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let wait = first.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST.max(first));
    if rate_limited { wait.max(RATE_LIMITED) } else { wait }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86400;

    #[test]
    fn certificates_are_renewed_well_before_their_end() {
        let days = |days: u64, salt| {
            let validity = Validity { not_before: 1_000_000, not_after: 1_000_000 + days * DAY };
            renew_at(validity, salt) - 1_000_000
        };
        assert_eq!(days(90, 0), 60 * DAY);
        assert!((57 * DAY..60 * DAY).contains(&days(90, 255)));
        assert_eq!(days(6, 0), 3 * DAY);
        let odd = Validity { not_before: 10, not_after: 5 };
        assert!(renew_at(odd, 255) <= 5);
    }

    #[test]
    fn failures_are_retried_less_and_less_often_up_to_six_hours() {
        let wait = |failures| back_off(Duration::from_secs(120), failures, false).as_secs();
        let waits: Vec<u64> = (1..=5).map(wait).collect();
        assert_eq!(waits, [120, 240, 480, 960, 1920]);
        assert_eq!((wait(9), wait(1000), wait(u32::MAX)), (21600, 21600, 21600));
        assert_eq!(back_off(Duration::from_secs(120), 1, true), RATE_LIMITED);
        let within_an_hour = waits.iter().scan(0, |sum, wait| {
            *sum += wait;
            Some(*sum)
        });
        assert!(within_an_hour.filter(|at| *at < 3600).count() <= 4, "with the first try: five");
    }
}
