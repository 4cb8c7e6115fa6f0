//! Starts that are under way, for the count of failures in a row (`spawner.consecutive_failure_limit`).
//!
//! Shared, not an actor: every answer takes microseconds, and a panic elsewhere forgets nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::domain::failed_starts::{FailedStarts, FailurePolicy, Paused, Profile, Ticket};
use crate::domain::names::Username;
use crate::domain::server_state::{Failure, FailureKind};

/// Which starts failed in a row; cheap to clone.
#[derive(Clone)]
pub struct Attempts(Arc<Mutex<FailedStarts>>);

impl Attempts {
    /// Nothing failed yet.
    #[must_use]
    pub fn new(policy: FailurePolicy) -> Self {
        Self(Arc::new(Mutex::new(FailedStarts::new(policy))))
    }

    /// Whether failures count at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.starts().is_on()
    }

    /// All pauses.
    #[must_use]
    pub fn pauses(&self) -> Vec<Paused> {
        self.starts().pauses(Instant::now())
    }

    /// Forgets the failures of a profile.
    pub fn forget(&self, profile: &Profile) {
        self.starts().forget(profile);
    }

    pub(crate) fn paused(&self, user: &Username, profile: &Profile) -> Option<Paused> {
        self.starts().paused(user, profile, Instant::now())
    }

    pub(crate) fn begin(&self, user: &Username, profile: &Profile) -> Result<Attempt, Paused> {
        let ticket = self.starts().begin(user, profile, Instant::now())?;
        Ok(Attempt { all: self.clone(), ticket })
    }

    // A poisoned lock only says that some thread panicked while it held it: at worst a failure is not counted.
    fn starts(&self) -> MutexGuard<'_, FailedStarts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One start. Dropped without a word it counts as given up.
pub(crate) struct Attempt {
    all: Attempts,
    ticket: Ticket,
}

impl Attempt {
    pub(crate) fn succeeded(self) {
        self.all.starts().succeeded(&self.ticket);
    }

    /// The pauses that begin now.
    pub(crate) fn failed(self, failure: &Failure) -> Vec<Paused> {
        if !counts(failure) {
            return Vec::new();
        }
        let mut starts = self.all.starts();
        let pauses = starts.failed(&self.ticket, &failure.message, Instant::now());
        drop(starts);
        pauses
    }
}

impl Drop for Attempt {
    // after a success or a failure this finds nothing to give back
    fn drop(&mut self) {
        self.all.starts().given_up(&self.ticket, Instant::now());
    }
}

/// What says something about the profile. A rule or hook that says no is no failure (lifecycle.md 6.5), and the database
/// or the proxy can be away whatever is started.
fn counts(failure: &Failure) -> bool {
    let said_no = failure
        .rejection
        .as_ref()
        .is_some_and(|rejection| rejection.status < 500 || rejection.reason.is_some());
    !said_no && failure.kind != FailureKind::Hub
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::server_state::Rejection;

    #[test]
    fn life_038_rejections_and_the_hubs_own_failures_do_not_count() {
        let failed = |kind| Failure::new(kind, "x");
        for kind in
            [FailureKind::Launch, FailureKind::Exited, FailureKind::OutOfMemory, FailureKind::TimedOut]
        {
            assert!(counts(&failed(kind)), "{kind:?}");
        }
        assert!(!counts(&failed(FailureKind::Hub)));
        let rejected = |status, reason: Option<&str>| {
            let rejection = Rejection { status, reason: reason.map(str::to_owned), message_html: None };
            Failure { rejection: Some(Box::new(rejection)), ..failed(FailureKind::Hook) }
        };
        assert!(!counts(&rejected(403, None)) && !counts(&rejected(503, Some("maintenance"))));
        assert!(counts(&rejected(500, None)) && counts(&failed(FailureKind::Hook)));
    }

    #[test]
    fn a_start_whose_actor_is_gone_counts_as_given_up() {
        let pause = Duration::from_nanos(1);
        let attempts = Attempts::new(FailurePolicy { limit: 1, pause, max_pause: Duration::from_secs(60) });
        let (ada, profile) = (Username::from_stored("ada"), Profile::named("p"));
        let begin = || loop {
            if let Ok(attempt) = attempts.begin(&ada, &profile) {
                return attempt;
            }
        };
        assert!(!begin().failed(&Failure::new(FailureKind::Exited, "x")).is_empty());
        drop(begin());
        begin().succeeded();
        assert!(attempts.pauses().is_empty());
    }
}
