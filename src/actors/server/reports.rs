//! What comes back from an effect, and from the process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Context, Handler, Message};

use super::ServerActor;
use super::prepare::Prepared;
use crate::actors::attempts::Attempt;
use crate::actors::directory::{Outcome, Progress, Refusal};
use crate::domain::failed_starts::Paused;
use crate::domain::names::GroupName;
use crate::domain::notice::Closed;
use crate::domain::server_state::{Event, Failure, State};
use crate::metrics::Poll;
use crate::spawn::{Address, Running, looks_like_port_conflict};

/// What an effect found out.
pub(crate) struct Finding {
    pub(super) event: Event,
    pub(super) running: Option<Running>,
    pub(super) address: Option<Address>,
    pub(super) prepared: Option<Arc<Prepared>>,
    pub(super) refusal: Option<Refusal>,
    /// The owner's groups, if they were looked up.
    pub(super) groups: Option<Arc<[GroupName]>>,
    /// What counts how the start goes, if it was let in.
    pub(super) attempt: Option<Attempt>,
}

impl From<Event> for Finding {
    fn from(event: Event) -> Self {
        Self {
            event,
            running: None,
            address: None,
            prepared: None,
            refusal: None,
            groups: None,
            attempt: None,
        }
    }
}

impl Finding {
    /// The operator lets no server start now.
    pub(super) fn closed(why: Closed) -> Self {
        let Closed { message, retry_after } = why;
        let refusal = Refusal { message, retry_after: Some(retry_after), closed: true };
        Self { refusal: Some(refusal), ..Event::Refused.into() }
    }

    /// Too many starts like this one failed.
    pub(super) fn paused(why: &Paused) -> Self {
        let refusal = Refusal { message: why.sentence(), retry_after: Some(why.seconds()), closed: true };
        Self { refusal: Some(refusal), ..Event::Refused.into() }
    }

    pub(super) fn refused(message: &str) -> Self {
        let refusal = Refusal { message: message.to_owned(), retry_after: None, closed: false };
        Self { refusal: Some(refusal), ..Event::Refused.into() }
    }
}

#[derive(Message)]
#[rtype(result = "bool")]
pub(super) struct Report {
    pub(super) ticket: u64,
    pub(super) finding: Finding,
}

impl Handler<Report> for ServerActor {
    type Result = bool;

    fn handle(&mut self, report: Report, context: &mut Context<Self>) -> bool {
        if report.ticket != self.ticket {
            return false;
        }
        let finding = report.finding;
        self.task = None;
        self.seeks = false;
        if finding.attempt.is_some() {
            self.attempt = finding.attempt;
        }
        if let Some(groups) = finding.groups {
            self.status.send_modify(|status| status.groups = groups);
        }
        if let Some(prepared) = finding.prepared {
            self.prepared = Some(prepared);
        }
        if let (Some(running), Some(address)) = (finding.running, finding.address) {
            self.running = Some(running);
            self.address = Some(address);
        }
        if let Some(refusal) = finding.refusal {
            self.status.send_modify(|status| status.outcome = Some(Outcome::Refused(refusal)));
        }
        self.apply(finding.event, context);
        true
    }
}

/// The hooks of a start are through: from now on its own timeout counts.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Tuned(pub(super) Arc<Prepared>);

impl Handler<Tuned> for ServerActor {
    type Result = ();

    fn handle(&mut self, Tuned(prepared): Tuned, context: &mut Context<Self>) {
        if matches!(self.state, State::Launching { cancelled: false, .. }) {
            self.arm(prepared.settings.start_timeout, context);
            self.prepared = Some(prepared);
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Note(pub(super) Progress);

impl Handler<Note> for ServerActor {
    type Result = ();

    fn handle(&mut self, Note(progress): Note, _: &mut Context<Self>) {
        self.note(progress);
    }
}

/// The watched process is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Gone {
    pub(super) pid: i32,
    pub(super) failure: Failure,
}

impl Handler<Gone> for ServerActor {
    type Result = ();

    fn handle(&mut self, gone: Gone, context: &mut Context<Self>) {
        if self.running.as_ref().is_none_or(|running| running.id().pid != gone.pid) {
            return;
        }
        self.parts.metrics.poll(Poll::Stopped, Duration::ZERO);
        let failure = gone.failure;
        let publishes = matches!(self.state, State::Publishing { .. });
        if publishes && looks_like_port_conflict(&failure.last_lines) {
            return self.apply(Event::PortTaken(failure), context);
        }
        // only what ran is started again by itself: a start that fails would fail again
        let again = if self.state.runs() {
            let policy = self.parts.now().servers.restart;
            self.restarts.after_end(&policy, failure.exit_status, Instant::now())
        } else {
            None
        };
        self.apply(Event::ProcessEnded { failure, again }, context);
    }
}

/// The database keeps this effect waiting.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct DatabaseAway {
    pub(super) ticket: u64,
}

impl Handler<DatabaseAway> for ServerActor {
    type Result = ();

    fn handle(&mut self, away: DatabaseAway, context: &mut Context<Self>) {
        if away.ticket == self.ticket {
            self.apply(Event::DatabaseAway, context);
        }
    }
}
