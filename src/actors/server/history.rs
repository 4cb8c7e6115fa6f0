//! What the server went through, for `orrery explain`: the last steps in memory, milestones in the journal.

use actix::{Context, Handler, Message, MessageResult};
use chrono::Utc;
use serde_json::json;

use super::ServerActor;
use crate::actors::directory::Outcome;
use crate::domain::history::{self, Step};
use crate::domain::server_state::{Event, State};

/// How the journal calls a change of a server's state.
pub const STATE_CHANGED: &str = "server.state";

impl ServerActor {
    /// Applies what somebody asked for.
    pub(super) fn apply_for(&mut self, by: Option<Asker>, event: Event, context: &mut Context<Self>) {
        self.asker = by;
        self.apply(event, context);
        self.asker = None;
    }

    /// Writes down the state that the server is in now, unless it was in it before.
    pub(super) fn remember(&mut self, was: &'static str) {
        let state = history::word(&self.state);
        if state == was {
            return;
        }
        let step = Step { at: Utc::now(), state, reason: self.reason(), by: self.asker.clone() };
        if history::is_milestone(state) {
            let target = format!("server:{}", self.identity.key.full_name());
            let detail = json!({
                "from": was,
                "to": state,
                "reason": step.reason,
                "by": step.by.as_deref(),
            });
            self.parts.journal.record("hub", STATE_CHANGED, &target, Some(detail));
        }
        self.history.push(step);
    }

    fn reason(&self) -> Option<String> {
        let status = self.status.borrow();
        let said = match &self.state {
            State::Queued if self.asker.is_none() => "it is started again".to_owned(),
            State::Queued => "a start was asked for".to_owned(),
            State::Ready | State::Crashed { .. } => {
                format!("it answers; process {}", self.running.as_ref().map_or(0, |running| running.id().pid))
            }
            State::Delayed => status.progress.last()?.message.clone(),
            State::Stopped => match status.outcome.as_ref()? {
                Outcome::Ready => return None,
                Outcome::Stopped => "as asked".to_owned(),
                Outcome::Culled(why) => why.clone(),
                Outcome::Cancelled => "the start was cancelled".to_owned(),
                Outcome::Refused(refusal) => refusal.message.clone(),
                Outcome::Failed(failure) | Outcome::Ended(failure) => failure.message.clone(),
            },
            other => return history::why(other),
        };
        Some(said)
    }
}

/// Who asked for something, as the journal writes it: `user:ada`.
pub(crate) type Asker = std::sync::Arc<str>;

/// Tell what you went through.
#[derive(Message)]
#[rtype(result = "Vec<Step>")]
pub(crate) struct Recount;

impl Handler<Recount> for ServerActor {
    type Result = MessageResult<Recount>;

    fn handle(&mut self, _: Recount, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.history.steps())
    }
}
