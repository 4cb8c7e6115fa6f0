//! One actor per user server: turns messages into events of [`State`], performs the effects, publishes the status.
//!
//! Handlers are synchronous. Whatever takes time runs as a task whose outcome comes back as a `Report`; a report of
//! an effect that was abandoned meanwhile is not accepted, and a process that it brings is ended on the spot.

mod admittance;
mod effects;
mod history;
mod judged;
mod lifecycle;
mod observed;
mod prepare;
mod remains;
mod reports;
mod requests;
mod rules;
mod used;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, AsyncContext, Context, SpawnHandle};
use log::{info, warn};
use serde_json::Value;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::attempts::Attempt;
use super::directory::{Outcome, Progress, ServerStatus};
use super::obituary::Obituary;
use super::supervision::Supervision;
use crate::domain::history::{self as past, History};
use crate::domain::ids::{ServerId, UserId};
use crate::domain::names::ServerKey;
use crate::domain::restart::Restarts;
use crate::domain::server_state::{Cause, Deadlines, Event, Pending, State};
use crate::spawn::{Address, Running};
use observed::{Before, Observed};
use prepare::Prepared;

pub use history::STATE_CHANGED;
pub(crate) use history::{Asker, Recount};
#[cfg(test)]
pub(crate) use requests::Crash;
pub use requests::StartReply;
pub(crate) use requests::{Cull, Poll, Restart, Start, Stop};
pub use rules::StartRules;
pub(crate) use used::Used;

/// How long a stopped server keeps its actor.
const REST_AFTER: Duration = Duration::from_secs(60);

/// Which server this is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its row; keys files and processes.
    pub id: ServerId,
    /// Its owner's row.
    pub user_id: UserId,
    /// Its names, as URLs show them.
    pub key: ServerKey,
}

/// What a new actor does first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// Nothing runs.
    Idle,
    /// The store says that it runs: verify and adopt it, or clean up.
    Check,
}

/// Supervises one server.
pub struct ServerActor {
    parts: Arc<Supervision>,
    identity: Identity,
    begin: Begin,
    state: State,
    status: watch::Sender<ServerStatus>,
    options: Option<Value>,
    prepared: Option<Arc<Prepared>>,
    running: Option<Running>,
    address: Option<Address>,
    /// Dropped to end the hooks of a start that is given up.
    hooks: Option<oneshot::Sender<()>>,
    /// Tells how the start goes.
    teller: Option<JoinHandle<()>>,
    ticket: u64,
    /// The task under way asks for admission.
    seeks: bool,
    /// How many were said to be ahead in line.
    told: Option<usize>,
    task: Option<JoinHandle<()>>,
    watcher: Option<JoinHandle<()>>,
    deadline: Option<SpawnHandle>,
    rest: Option<SpawnHandle>,
    restarts: Restarts,
    /// The start under way, once it is let in.
    attempt: Option<Attempt>,
    observed: Observed,
    history: History,
    asker: Option<Asker>,
    obituary: Obituary,
    given_up: lifecycle::GivenUp,
    /// When usage was last looked at, and of which process.
    looked: Option<(Instant, i32)>,
}

impl ServerActor {
    pub(crate) fn new(
        parts: Arc<Supervision>,
        identity: Identity,
        begin: Begin,
        status: watch::Sender<ServerStatus>,
        obituary: Obituary,
    ) -> Self {
        let (metrics, events) = (Arc::clone(&parts.metrics), parts.events.clone());
        let observed = Observed::new(identity.key.clone(), metrics, events);
        Self {
            parts,
            identity,
            begin,
            state: State::Stopped,
            status,
            options: None,
            prepared: None,
            running: None,
            address: None,
            hooks: None,
            teller: None,
            ticket: 0,
            seeks: false,
            told: None,
            task: None,
            watcher: None,
            deadline: None,
            rest: None,
            restarts: Restarts::default(),
            attempt: None,
            observed,
            history: History::default(),
            asker: None,
            obituary,
            given_up: lifecycle::GivenUp::default(),
            looked: None,
        }
    }

    fn apply(&mut self, event: Event, context: &mut Context<Self>) {
        let before = self.state.pending();
        let was = past::word(&self.state);
        let seen = Before::of(&self.state, &event);
        let (state, effects) =
            std::mem::replace(&mut self.state, State::Stopped).step(event, &self.deadlines());
        self.state = state;
        if matches!(self.state, State::Launching { cancelled: true, .. }) {
            self.hooks = None;
        }
        self.observed.see(seen, &self.state);
        for effect in effects {
            self.perform(effect, context);
        }
        self.remember(was);
        if before != self.state.pending() {
            let pending = self.state.pending().map_or("none", Pending::as_str);
            info!(server:? = self.identity.key, pending, ready = self.state.is_ready(); "server changed");
        }
        self.judge();
        if self.state.is_ready() {
            // what only a start needs, the server's token among it
            self.prepared = None;
        }
        self.announce();
        self.rest_if_stopped(context);
    }

    /// Those of the configuration, with the timeouts of this start once they are known.
    fn deadlines(&self) -> Deadlines {
        let now = self.parts.now();
        let usual = now.deadlines;
        let Some(prepared) = &self.prepared else { return usual };
        let margin = usual.response.saturating_sub(now.servers.http_timeout);
        Deadlines {
            start: prepared.settings.start_timeout,
            response: prepared.settings.http_timeout.saturating_add(margin),
            ..usual
        }
    }

    fn keep(&mut self, cause: Cause) {
        let key = &self.identity.key;
        let outcome = match cause {
            Cause::Requested => Outcome::Stopped,
            Cause::Culled(why) => Outcome::Culled(why),
            Cause::Cancelled => Outcome::Cancelled,
            Cause::Failed(failure) => {
                warn!(server:? = key, reason = failure.message.as_str(); "start failed");
                Outcome::Failed(Arc::new(failure))
            }
            Cause::Ended(failure) => {
                warn!(server:? = key, reason = failure.message.as_str(); "server ended by itself");
                Outcome::Ended(Arc::new(failure))
            }
        };
        self.running = None;
        self.status.send_modify(|status| status.outcome = Some(outcome));
    }

    /// A new attempt, for those who watch.
    fn begin_attempt(&mut self, first: Progress) {
        self.status.send_modify(|status| {
            status.attempt += 1;
            status.outcome = None;
            status.progress = Arc::new(vec![first]);
        });
    }

    fn note(&mut self, progress: Progress) {
        self.status.send_modify(|status| Arc::make_mut(&mut status.progress).push(progress));
    }

    fn announce(&mut self) {
        let (pending, ready) = (self.state.pending(), self.state.is_ready());
        if pending != Some(Pending::Spawn)
            && let Some(teller) = self.teller.take()
        {
            teller.abort();
        }
        let pid = self.running.as_ref().map(|running| running.id().pid);
        let waits = self.state == State::Queued;
        self.status.send_modify(|status| {
            status.place = status.place.filter(|_| waits);
            status.pending = pending;
            status.ready = ready;
            status.pid = pid;
            status.usage = status.usage.filter(|_| pid.is_some());
            if ready {
                status.outcome = Some(Outcome::Ready);
            }
        });
    }

    /// A stopped server needs no actor; the reason why it stopped stays in the directory if it failed.
    fn rest_if_stopped(&mut self, context: &mut Context<Self>) {
        if let Some(rest) = self.rest.take() {
            context.cancel_future(rest);
        }
        if self.state == State::Stopped {
            self.rest = Some(context.run_later(REST_AFTER, |server, context| {
                server.obituary.rest();
                if server.status.borrow().failure().is_none() {
                    server.parts.directory.rest(&server.identity);
                }
                context.stop();
            }));
        }
    }
}

impl Actor for ServerActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        match self.begin {
            Begin::Idle => self.rest_if_stopped(context),
            Begin::Check => self.apply(Event::CheckRequested, context),
        }
    }
}

impl Drop for ServerActor {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::SeqCst);
        if let Some(teller) = self.teller.take() {
            teller.abort();
        }
        for task in [self.task.take(), self.watcher.take()].into_iter().flatten() {
            // A launch under way reports to nobody and ends what it started; everything else may stop here.
            if self.running.is_some() || self.seeks {
                task.abort();
            }
        }
    }
}
