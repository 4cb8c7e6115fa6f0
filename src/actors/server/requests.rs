//! What others ask of a server's actor: start, stop.

use std::sync::Arc;

use actix::{Context, Handler, Message, MessageResult};
use serde_json::Value;

use super::ServerActor;
use crate::actors::directory::Progress;
use crate::domain::server_state::{Event, Pending};

/// Start the server. Does nothing unless it is stopped.
#[derive(Message)]
#[rtype(result = "StartReply")]
pub(crate) struct Start {
    /// Options of this start, `None` for those of the last one.
    pub(crate) options: Option<Value>,
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
                let requested = Progress { percent: 0, message: "Server requested".to_owned() };
                self.status.send_modify(|status| {
                    status.attempt += 1;
                    status.outcome = None;
                    status.progress = Arc::new(vec![requested]);
                });
                self.apply(Event::StartRequested, context);
                StartReply::Accepted { attempt: self.status.borrow().attempt }
            }
        })
    }
}

/// Stop the server. Accepted in every state: it cancels a start under way, and is a no-op when there is nothing to
/// stop.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stop;

impl Handler<Stop> for ServerActor {
    type Result = ();

    fn handle(&mut self, _: Stop, context: &mut Context<Self>) {
        self.apply(Event::StopRequested, context);
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
