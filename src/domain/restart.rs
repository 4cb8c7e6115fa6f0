//! Whether a server that ended by itself is started again, and when (`spawner.restart`).
//!
//! The pause doubles with each crash within the window, and when there were too many, the server stays stopped until
//! somebody starts it: a server that crashes at once cannot load the machine.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::backoff::Backoff;

/// Which servers are started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// None.
    Never,
    /// Those that ended with a status other than 0, or by a signal.
    OnFailure,
}

/// What the configuration says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// `spawner.restart`.
    pub restart: Restart,
    /// `spawner.restart_limit`: restarts within the window; 0 for none at all.
    pub limit: usize,
    /// `spawner.restart_window`.
    pub window: Duration,
    /// `spawner.restart_delay`: the pause before the first restart.
    pub delay: Duration,
    /// `spawner.restart_max_delay`: the longest pause.
    pub max_delay: Duration,
}

impl RestartPolicy {
    fn backoff(&self) -> Backoff {
        // never at once: zero means that somebody asked for it
        Backoff { first: self.delay, shortest: Duration::from_millis(1), longest: self.max_delay }
    }
}

/// The restarts of one server within the window.
#[derive(Debug, Clone, Default)]
pub struct Restarts(VecDeque<Instant>);

impl Restarts {
    /// The process ended at `now` with this exit status (`None`: by a signal, or nobody knows): how long to wait before
    /// it is started again, `None` to leave it.
    pub fn after_end(
        &mut self,
        policy: &RestartPolicy,
        exit_status: Option<i32>,
        now: Instant,
    ) -> Option<Duration> {
        if policy.restart == Restart::Never || exit_status == Some(0) {
            return None;
        }
        let old = |earlier: &Instant| now.saturating_duration_since(*earlier) >= policy.window;
        while self.0.front().is_some_and(old) {
            self.0.pop_front();
        }
        if self.0.len() >= policy.limit {
            return None;
        }
        let earlier = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.push_back(now);
        Some(policy.backoff().pause(earlier))
    }

    /// Somebody started it: what was before does not count any more.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const POLICY: RestartPolicy = RestartPolicy {
        restart: Restart::OnFailure,
        limit: 5,
        window: Duration::from_secs(600),
        delay: SECOND,
        max_delay: Duration::from_secs(6),
    };

    #[test]
    fn the_pause_doubles_up_to_its_limit_and_then_the_server_is_left() {
        let (mut restarts, now) = (Restarts::default(), Instant::now());
        let pauses: Vec<_> = (0..7).map(|_| restarts.after_end(&POLICY, Some(1), now)).collect();
        let seconds: Vec<_> = pauses.iter().map(|pause| pause.map(|pause| pause.as_secs())).collect();
        assert_eq!(seconds, [Some(1), Some(2), Some(4), Some(6), Some(6), None, None]);
    }

    #[test]
    fn crashes_outside_the_window_and_before_a_start_by_hand_do_not_count() {
        let (mut restarts, now) = (Restarts::default(), Instant::now());
        while restarts.after_end(&POLICY, None, now).is_some() {}
        assert_eq!(restarts.after_end(&POLICY, None, now + POLICY.window), Some(SECOND));
        while restarts.after_end(&POLICY, None, now + POLICY.window).is_some() {}
        restarts.forget();
        assert_eq!(restarts.after_end(&POLICY, None, now + POLICY.window), Some(SECOND));
    }

    #[test]
    fn a_clean_exit_is_no_failure_and_never_means_never() {
        let now = Instant::now();
        assert_eq!(Restarts::default().after_end(&POLICY, Some(0), now), None);
        let never = RestartPolicy { restart: Restart::Never, ..POLICY };
        assert_eq!(Restarts::default().after_end(&never, Some(1), now), None);
        let none = RestartPolicy { limit: 0, ..POLICY };
        assert_eq!(Restarts::default().after_end(&none, Some(1), now), None);
    }

    #[test]
    fn no_pause_is_zero() {
        let hasty = RestartPolicy { delay: Duration::ZERO, ..POLICY };
        assert!(!Restarts::default().after_end(&hasty, Some(1), Instant::now()).unwrap().is_zero());
    }
}
