//! What a server went through: its last states, when, why, and who asked.
//!
//! The newest steps are kept; older ones are in the journal, where only milestones are written down.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::server_state::{Cause, State};

/// How many steps are kept: a few starts and stops, whatever happens in between.
pub const MOST: usize = 32;
/// The longest reason, in characters.
const LONGEST: usize = 500;

/// A server came into a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: DateTime<Utc>,
    /// Which state, as [`word`] names it.
    pub state: &'static str,
    /// Why, as a sentence for people.
    pub reason: Option<String>,
    /// Who asked: `user:ada`, `service:culler`; `None` if nobody did.
    pub by: Option<Arc<str>>,
}

/// The last steps of one server, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History(VecDeque<Step>);

impl History {
    /// Adds a step, and forgets the oldest one if there are too many.
    pub fn push(&mut self, mut step: Step) {
        step.reason = step.reason.map(|reason| shortened(&reason));
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(step);
    }

    /// The steps, oldest first.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        self.0.iter().cloned().collect()
    }

    /// When the server came into the state in which it is.
    #[must_use]
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.0.back().map(|step| step.at)
    }
}

fn shortened(reason: &str) -> String {
    match reason.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", reason.get(..end).unwrap_or_default()),
        None => reason.to_owned(),
    }
}

/// One word for a state.
#[must_use]
pub const fn word(state: &State) -> &'static str {
    match state {
        State::Stopped => "stopped",
        State::Queued => "queued",
        State::Launching { cancelled: true, .. } => "cancelling",
        State::Launching { .. } => "launching",
        State::Responding { .. } => "responding",
        State::Publishing { .. } => "publishing",
        State::Ready | State::Crashed { .. } => "ready",
        State::Stopping { .. } => "stopping",
        State::Delayed => "delayed",
        State::Checking => "checking",
    }
}

/// Whether the journal is to know of a step; the others follow from these within moments.
#[must_use]
pub fn is_milestone(word: &str) -> bool {
    !matches!(word, "queued" | "responding" | "publishing")
}

/// Why a state began, as far as the state itself tells.
#[must_use]
pub fn why(state: &State) -> Option<String> {
    let said = match state {
        State::Stopping { cause: Cause::Requested, again: Some(_) } => "a restart was asked for",
        State::Stopping { cause: Cause::Requested, again: None } => "a stop was asked for",
        State::Stopping { cause: Cause::Cancelled, .. } | State::Launching { cancelled: true, .. } => {
            "the start was cancelled"
        }
        State::Stopping { cause: Cause::Culled(why), .. } => why,
        State::Stopping { cause: Cause::Failed(failure) | Cause::Ended(failure), .. } => &failure.message,
        State::Launching { again: true, .. } => "another program took its port; one more try",
        State::Publishing { check: true, .. } => "it answers",
        State::Checking => "the hub, or its part for this server, started anew",
        _ => return None,
    };
    Some(said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::server_state::{Failure, FailureKind};

    fn step(state: &'static str, reason: Option<String>) -> Step {
        Step { at: DateTime::UNIX_EPOCH, state, reason, by: None }
    }

    #[test]
    fn a_history_keeps_the_newest_steps_only() {
        let mut history = History::default();
        assert_eq!(history.since(), None);
        for number in 0..100 {
            history.push(step("ready", Some(number.to_string())));
        }
        let steps = history.steps();
        assert_eq!(steps.len(), MOST);
        assert_eq!(steps.last().unwrap().reason.as_deref(), Some("99"));
        assert_eq!(history.since(), Some(DateTime::UNIX_EPOCH));
    }

    #[test]
    fn a_long_reason_is_cut_between_two_letters() {
        let mut history = History::default();
        history.push(step("stopped", Some("ä".repeat(10_000))));
        let reason = history.steps().remove(0).reason.unwrap();
        assert_eq!(reason.chars().count(), LONGEST + 1);
    }

    #[test]
    fn what_ended_a_server_is_the_reason_of_its_stop() {
        let failure = Failure::new(FailureKind::Exited, "It was killed by signal 9");
        let stopping = |cause, again| why(&State::Stopping { cause, again });
        assert_eq!(stopping(Cause::Ended(failure), None).as_deref(), Some("It was killed by signal 9"));
        assert_eq!(stopping(Cause::Culled("idle".to_owned()), None).as_deref(), Some("idle"));
        assert_eq!(stopping(Cause::Requested, None).as_deref(), Some("a stop was asked for"));
        let again = Some(std::time::Duration::ZERO);
        assert_eq!(stopping(Cause::Requested, again).as_deref(), Some("a restart was asked for"));
        assert_eq!(why(&State::Ready), None);
    }

    #[test]
    fn the_journal_hears_of_beginnings_and_ends() {
        let told = ["launching", "cancelling", "ready", "stopping", "stopped", "delayed", "checking"];
        assert!(told.into_iter().all(is_milestone));
        assert!(!["queued", "responding", "publishing"].into_iter().any(is_milestone));
    }
}
