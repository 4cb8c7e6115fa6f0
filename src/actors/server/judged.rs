//! What a start's outcome means for later ones: failures in a row pause them (`spawner.consecutive_failure_limit`).

use log::{error, warn};
use serde_json::json;

use super::ServerActor;
use crate::domain::failed_starts::Paused;
use crate::domain::server_state::{Cause, State};

impl ServerActor {
    /// Counts the start that was under way, once it is known how it went.
    pub(super) fn judge(&mut self) {
        let failure = match &self.state {
            State::Queued
            | State::Launching { cancelled: false, .. }
            | State::Responding { .. }
            | State::Publishing { .. }
            | State::Checking => return,
            State::Ready | State::Crashed { .. } => {
                if let Some(attempt) = self.attempt.take() {
                    attempt.succeeded();
                }
                return;
            }
            State::Stopping { cause: Cause::Failed(failure), .. } => failure,
            State::Stopped | State::Delayed | State::Launching { .. } | State::Stopping { .. } => {
                self.attempt = None;
                return;
            }
        };
        let Some(attempt) = self.attempt.take() else { return };
        for begun in attempt.failed(failure) {
            self.tell_of(&begun);
        }
    }

    fn tell_of(&self, begun: &Paused) {
        let (profile, failures, seconds) = (begun.profile.as_str(), begun.failures, begun.seconds());
        let reason = begun.reason.as_str();
        let whose = match &begun.user {
            None => {
                error!(profile, failures, seconds, reason; "critical: starts of a profile are paused for everybody, they fail again and again");
                "everybody".to_owned()
            }
            Some(user) => {
                warn!(profile, user:% = user, failures, seconds, reason; "starts of a profile are paused for a user, they fail again and again");
                format!("user:{user}")
            }
        };
        let detail = json!({ "of": whose, "failures": failures, "seconds": seconds, "reason": reason });
        self.parts.journal.record("hub", "profile.pause", &format!("profile:{profile}"), Some(detail));
    }
}
