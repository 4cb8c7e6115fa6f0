//! Whether the hub's parts answer, and how much waits for them: for `orrery status` and SIGUSR1.
//!
//! actix does not tell how long a mailbox is. What counts is how long an actor needs to get to the end of it, which a
//! question that it answers at once shows; and how many questions it still owes an answer.

use std::time::{Duration, Instant};

use actix::{Context, Handler, Message};

use super::activity::ActivityActor;
use super::admission::AdmissionActor;
use super::hub::HubActor;
use super::inspector::InspectorActor;
use super::janitor::JanitorActor;
use super::journal::JournalActor;
use super::registry::RegistryActor;

/// How long an actor may take before it is called silent.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Answer at once.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Ping;

macro_rules! answer {
    ($($actor:ty),*) => {
        $(impl Handler<Ping> for $actor {
            type Result = ();

            fn handle(&mut self, _: Ping, _: &mut Context<Self>) {}
        })*
    };
}

answer!(HubActor, RegistryActor, AdmissionActor, ActivityActor, JanitorActor, InspectorActor, JournalActor);

/// How one actor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Which.
    pub actor: &'static str,
    /// How long everything in its mailbox took; `None` if it did not answer in time, or is being replaced.
    pub answered: Option<Duration>,
    /// Questions that it has not answered yet.
    pub waiting: usize,
}

/// How long `question` takes, if it is answered in time.
pub(crate) async fn timed<E>(question: impl Future<Output = Result<(), E>>) -> Option<Duration> {
    let asked = Instant::now();
    let answered = tokio::time::timeout(PATIENCE, question).await;
    matches!(answered, Ok(Ok(()))).then(|| asked.elapsed())
}
