//! What others ask of a server's actor: start, stop.

use actix::{Context, Handler, Message, MessageResult};
use serde_json::Value;

use super::{Asker, ServerActor};
use crate::actors::directory::Progress;
use crate::domain::server_state::{Event, Pending};
use crate::spawn::Running;

/// Start the server. Does nothing unless it is stopped.
#[derive(Message)]
#[rtype(result = "StartReply")]
pub(crate) struct Start {
    /// Options of this start, `None` for those of the last one.
    pub(crate) options: Option<Value>,
    /// Who asks.
    pub(crate) by: Option<Asker>,
}

/// What a request to start met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartReply {
    /// This attempt began.
    Accepted {
        /// The status' `attempt`.
        attempt: u64,
    },
    /// Something is under way.
    Pending(Pending),
    /// It runs.
    Ready,
}

impl Handler<Start> for ServerActor {
    type Result = MessageResult<Start>;

    fn handle(&mut self, start: Start, context: &mut Context<Self>) -> Self::Result {
        MessageResult(match (self.state.pending(), self.state.is_ready()) {
            (Some(pending), _) => {
                self.observed.already_pending();
                StartReply::Pending(pending)
            }
            (None, true) => StartReply::Ready,
            (None, false) => {
                self.options = start.options;
                self.restarts.forget();
                self.begin_attempt(requested());
                self.apply_for(start.by, Event::StartRequested, context);
                StartReply::Accepted { attempt: self.status.borrow().attempt }
            }
        })
    }
}

/// Stop the server. Accepted in every state: it cancels a start under way, and is a no-op when there is nothing to
/// stop.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Stop {
    /// Who asks.
    pub(crate) by: Option<Asker>,
}

impl Handler<Stop> for ServerActor {
    type Result = ();

    fn handle(&mut self, stop: Stop, context: &mut Context<Self>) {
        self.apply_for(stop.by, Event::StopRequested, context);
    }
}

/// Run the server anew. Accepted in every state: one that runs or stops is started again once it has stopped, one that
/// is stopped starts, one that is starting goes on.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Restart {
    /// Who asks.
    pub(crate) by: Option<Asker>,
}

impl Handler<Restart> for ServerActor {
    type Result = ();

    fn handle(&mut self, restart: Restart, context: &mut Context<Self>) {
        self.restarts.forget();
        if !self.state.is_active() {
            self.options = None;
            self.begin_attempt(requested());
        }
        self.apply_for(restart.by, Event::RestartRequested, context);
    }
}

/// Stop because nobody uses the server; says whether it does. Nothing happens unless it runs.
#[derive(Message)]
#[rtype(result = "bool")]
pub(crate) struct Cull(pub(crate) String);

impl Handler<Cull> for ServerActor {
    type Result = bool;

    fn handle(&mut self, Cull(why): Cull, context: &mut Context<Self>) -> bool {
        let runs = self.state.runs();
        self.apply_for(Some("culler".into()), Event::CullRequested(why), context);
        runs
    }
}

fn requested() -> Progress {
    Progress { percent: 0, message: "Server requested".to_owned() }
}

/// Look whether the process's end was missed. The process, if it runs.
#[derive(Message)]
#[rtype(result = "Option<Running>")]
pub(crate) struct Poll;

impl Handler<Poll> for ServerActor {
    type Result = Option<Running>;

    fn handle(&mut self, _: Poll, context: &mut Context<Self>) -> Self::Result {
        let running = self.running.clone().filter(|_| self.state.runs())?;
        if running.try_ended().is_none() {
            return Some(running);
        }
        self.watch_process(context);
        None
    }
}

/// Panic, to prove that the hub rebuilds the actor from the store.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Crash;

#[cfg(test)]
impl Handler<Crash> for ServerActor {
    type Result = ();

    fn handle(&mut self, _: Crash, _: &mut Context<Self>) {
        panic!("asked to");
    }
}
