//! How the end of a server is shown to those who may start it.

use crate::actors::directory::{Outcome, ServerStatus};
use crate::domain::server_state::Pending;
use crate::web::render::pages::{Failure, ServerState};

/// What the server is doing, in the words of pages.
#[must_use]
pub fn state(status: &ServerStatus) -> ServerState {
    match (status.pending, status.ready, &status.outcome) {
        (Some(Pending::Stop), _, _) => ServerState::Stopping,
        (Some(Pending::Spawn | Pending::Check), _, _) => ServerState::Starting,
        (None, true, _) => ServerState::Running,
        (None, false, Some(Outcome::Failed(_) | Outcome::Ended(_))) => ServerState::Failed,
        (None, false, _) => ServerState::Stopped,
    }
}

/// Why the server is not running, if that is not what somebody wanted.
#[must_use]
pub fn of(status: &ServerStatus) -> Option<Failure> {
    if status.is_active() {
        return None;
    }
    match status.outcome.as_ref()? {
        Outcome::Failed(failure) | Outcome::Ended(failure) => Some(Failure {
            message: Some(failure.message.clone()),
            message_html: failure.rejection.as_ref().and_then(|rejection| rejection.message_html.clone()),
            log: failure.last_lines.clone(),
            ..Failure::default()
        }),
        Outcome::Refused(refusal) => {
            Some(Failure { message: Some(refusal.message.clone()), ..Failure::default() })
        }
        Outcome::Culled(why) => Some(Failure { message: Some(why.clone()), ..Failure::default() }),
        Outcome::Ready | Outcome::Stopped | Outcome::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::server_state::{self, FailureKind, Rejection};

    fn status(outcome: Outcome) -> ServerStatus {
        ServerStatus { outcome: Some(outcome), ..ServerStatus::default() }
    }

    #[test]
    fn a_failed_start_is_shown_with_its_last_lines() {
        let mut failure = server_state::Failure::new(FailureKind::Exited, "it ended with status 1");
        failure.last_lines = vec!["no module".to_owned()];
        let failed = status(Outcome::Failed(Arc::new(failure)));
        assert_eq!(state(&failed), ServerState::Failed);
        let shown = of(&failed).unwrap();
        assert_eq!((shown.message.as_deref(), shown.log.len()), (Some("it ended with status 1"), 1));
    }

    #[test]
    fn a_refusals_markup_is_shown_on_every_page_as_in_the_event_stream() {
        let way = Some("<a href=\"/hub/logout\">Sign out</a>".to_owned());
        let rejection = Rejection { status: 403, reason: None, message_html: way.clone() };
        let mut failure = server_state::Failure::new(FailureKind::Launch, "sign in again");
        failure.rejection = Some(Box::new(rejection));
        assert_eq!(of(&status(Outcome::Failed(Arc::new(failure)))).unwrap().message_html, way);
    }

    #[test]
    fn what_failed_before_is_not_shown_while_the_next_start_is_under_way() {
        let failure = Arc::new(server_state::Failure::new(FailureKind::Exited, "it ended"));
        let again = ServerStatus { pending: Some(Pending::Spawn), ..status(Outcome::Failed(failure)) };
        assert_eq!(state(&again), ServerState::Starting);
        assert!(of(&again).is_none());
    }

    #[test]
    fn a_wanted_stop_is_no_failure() {
        assert_eq!(state(&status(Outcome::Stopped)), ServerState::Stopped);
        assert!(of(&status(Outcome::Stopped)).is_none());
        assert!(of(&status(Outcome::Cancelled)).is_none());
    }
}
