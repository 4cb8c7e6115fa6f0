//! One actor per user server: turns messages into events of [`State`], performs the effects, publishes the status.
//!
//! Handlers are synchronous. Whatever takes time runs as a task whose outcome comes back as a `Report`; a report of
//! an effect that was abandoned meanwhile is not accepted, and a process that it brings is ended on the spot.

mod lifecycle;
mod observed;
mod requests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, SpawnHandle};
use log::{info, warn};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::admission::{Admission, Admit, Settled};
use super::directory::{Outcome, Progress, Refusal, ServerStatus};
use super::obituary::Obituary;
use super::registry::{Publish, Unpublish};
use super::supervision::Supervision;
use crate::domain::ids::{ServerId, UserId};
use crate::domain::names::ServerKey;
use crate::domain::route_check::{Purpose, WantedRoute};
use crate::domain::server_state::{Cause, Effect, Event, Failure, FailureKind, Pending, State};
use crate::metrics::{self, Poll};
use crate::spawn::{Address, Running};
use lifecycle::Prepared;
use observed::{Before, Observed};

#[cfg(test)]
pub(crate) use requests::Crash;
pub(crate) use requests::Start;
pub use requests::{StartReply, Stop};

/// Bytes of output that a running server may leave in its log between two polls.
const LARGEST_LOG: u64 = 4 << 20;
/// How long a server that ended by itself still counts as running: what its page asks for right behind the crash gets 503
/// from the proxy, rather than a redirection to a page of the hub's that scripts would take for the answer.
const CRASHED: Duration = Duration::from_millis(50);
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
    ticket: u64,
    task: Option<JoinHandle<()>>,
    watcher: Option<JoinHandle<()>>,
    deadline: Option<SpawnHandle>,
    rest: Option<SpawnHandle>,
    polling: Option<SpawnHandle>,
    observed: Observed,
    obituary: Obituary,
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
            ticket: 0,
            task: None,
            watcher: None,
            deadline: None,
            rest: None,
            polling: None,
            observed,
            obituary,
        }
    }

    fn apply(&mut self, event: Event, context: &mut Context<Self>) {
        let before = self.state.pending();
        let seen = Before::of(&self.state, &event);
        let (state, effects) =
            std::mem::replace(&mut self.state, State::Stopped).step(event, &self.parts.deadlines);
        self.state = state;
        self.observed.see(seen, &self.state);
        for effect in effects {
            self.perform(effect, context);
        }
        if before != self.state.pending() {
            let pending = self.state.pending().map_or("none", Pending::as_str);
            info!(server:? = self.identity.key, pending, ready = self.state.is_ready(); "server changed");
        }
        self.announce();
        self.poll_while_ready(context);
        self.rest_if_stopped(context);
    }

    /// The safety net below the immediate notice of the process's end (LIFE-021); also bounds the server's log.
    fn poll_while_ready(&mut self, context: &mut Context<Self>) {
        let interval = self.parts.intervals.poll;
        if !self.state.is_ready() {
            if let Some(polling) = self.polling.take() {
                context.cancel_future(polling);
            }
        } else if self.polling.is_none() && !interval.is_zero() {
            self.polling = Some(context.run_interval(interval, |server, context| server.poll(context)));
        }
    }

    fn poll(&mut self, context: &Context<Self>) {
        let Some(running) = self.running.clone() else { return };
        if running.try_ended().is_some() {
            self.watch_process(context);
            return;
        }
        actix::spawn(async move {
            match running.truncate_log_if_large(LARGEST_LOG).await {
                Ok(true) => warn!(pid = running.id().pid; "a server's log grew too large and was cut"),
                Ok(false) => {}
                Err(failed) => {
                    warn!(pid = running.id().pid, error:% = failed; "a server's log could not be cut")
                }
            }
        });
    }

    fn perform(&mut self, effect: Effect, context: &mut Context<Self>) {
        match effect {
            Effect::Admit => self.admit(context),
            Effect::Withdraw => self.settle(),
            Effect::Launch => self.launch(context),
            Effect::Adopt => {
                let work = lifecycle::adopt(Arc::clone(&self.parts), self.identity.clone());
                self.run(context, work);
            }
            Effect::AwaitResponse => self.await_response(context),
            Effect::Publish => self.publish(context),
            Effect::Unpublish => {
                info!(server = self.identity.key.log_name().as_str(), route:% = self.parts.route(&self.identity.key); "a route is removed");
                self.parts.registry.tell(Unpublish { spec: self.parts.route(&self.identity.key) });
            }
            Effect::End => self.end(context),
            Effect::Abandon => self.abandon(),
            Effect::Deadline(after) => self.arm(after, context),
            Effect::NoDeadline => self.disarm(context),
            Effect::Keep(cause) => self.keep(cause),
        }
    }

    fn prefix(&self) -> String {
        self.parts.prefix(&self.identity.key)
    }

    /// Runs an effect that reports back; a later effect or `Abandon` makes its report void.
    fn run(&mut self, context: &Context<Self>, work: impl Future<Output = Finding> + 'static) {
        self.ticket += 1;
        let ticket = self.ticket;
        let server = context.address();
        let parts = Arc::clone(&self.parts);
        self.task = Some(actix::spawn(async move {
            let finding = work.await;
            let orphan = finding.running.clone();
            let accepted = server.send(Report { ticket, finding }).await.unwrap_or(false);
            if let (false, Some(orphan)) = (accepted, orphan) {
                warn!(pid = orphan.id().pid; "a process came too late and is ended");
                orphan.stop(&parts.ladder.of_a_start()).await;
            }
        }));
    }

    fn abandon(&mut self) {
        self.ticket += 1;
        // A launch is left to finish: its process, if any, must be known to be ended.
        if let Some(task) = self.task.take().filter(|_| self.running.is_some()) {
            task.abort();
        }
    }

    fn admit(&mut self, context: &Context<Self>) {
        let admission = self.parts.admission.clone();
        let key = self.identity.key.clone();
        let server = context.address();
        let metrics = Arc::clone(&self.parts.metrics);
        let asked = Instant::now();
        self.run(context, async move {
            match admission.ask(Admit(key)).await {
                Ok(Admission::Admitted) => Event::Admitted.into(),
                Ok(Admission::Refused(refusal)) => {
                    Observed::refused(&metrics, refusal.retry_after, asked);
                    Finding { refusal: Some(refusal), ..Event::Refused.into() }
                }
                Ok(Admission::Queued { ahead, turn }) => {
                    let message = format!("Waiting for a free place: {ahead} before you");
                    server.do_send(Note(Progress { percent: 5, message }));
                    if turn.await.is_ok() {
                        Event::Admitted.into()
                    } else {
                        Finding::refused("The queue was lost; try again.")
                    }
                }
                Err(absent) => Finding::refused(&absent.to_string()),
            }
        });
    }

    fn settle(&mut self) {
        let running = self.state.is_ready();
        self.parts.admission.tell(Settled { key: self.identity.key.clone(), running });
    }

    fn launch(&mut self, context: &Context<Self>) {
        self.running = None;
        self.note(Progress { percent: 50, message: "Spawning server...".to_owned() });
        let order = lifecycle::Order {
            identity: self.identity.clone(),
            options: self.options.clone(),
            prepared: self.prepared.clone(),
        };
        self.run(context, lifecycle::launch(Arc::clone(&self.parts), order));
    }

    fn await_response(&mut self, context: &Context<Self>) {
        let (Some(running), Some(address)) = (self.running.clone(), self.address.clone()) else { return };
        let work = lifecycle::await_response(Arc::clone(&self.parts), self.prefix(), running, address);
        self.run(context, work);
    }

    fn publish(&mut self, context: &Context<Self>) {
        self.watch_process(context);
        let Some(address) = self.address.clone() else { return };
        let key = &self.identity.key;
        let route =
            WantedRoute { target: format!("http://{address}"), purpose: Purpose::Server(key.clone()) };
        let route = Publish { spec: self.parts.route(key), route };
        info!(server = key.log_name().as_str(), route:% = route.spec, target = route.route.target.as_str(); "a route is added");
        let registry = self.parts.registry.clone();
        let is_new = self.state == State::Publishing { check: false };
        let metrics = Some(Arc::clone(&self.parts.metrics)).filter(|_| is_new);
        self.run(context, async move {
            let asked = Instant::now();
            let answer = registry.ask(route).await;
            if let Some(metrics) = metrics {
                metrics.route_added(metrics::Outcome::of(matches!(answer, Ok(Ok(())))), asked.elapsed());
            }
            match answer {
                Ok(Ok(())) => Event::Published.into(),
                Ok(Err(refused)) => Event::PublishFailed(hub_failure(refused)).into(),
                Err(absent) => Event::PublishFailed(hub_failure(absent)).into(),
            }
        });
    }

    /// Reports the end of the process the moment it happens.
    fn watch_process(&mut self, context: &Context<Self>) {
        let Some(running) = self.running.clone() else { return };
        let server = context.address();
        let watched = actix::spawn(async move {
            let failure = lifecycle::ended(&running).await;
            server.do_send(Gone { pid: running.id().pid, failure });
        });
        if let Some(old) = self.watcher.replace(watched) {
            old.abort();
        }
    }

    fn end(&mut self, context: &Context<Self>) {
        if let Some(watcher) = self.watcher.take() {
            watcher.abort();
        }
        self.prepared = None;
        let ladder = match self.state {
            State::Stopping { cause: Cause::Cancelled | Cause::Failed(_) } => self.parts.ladder.of_a_start(),
            _ => self.parts.ladder,
        };
        let work =
            lifecycle::end(Arc::clone(&self.parts), self.identity.clone(), self.running.clone(), ladder);
        self.run(context, work);
    }

    fn arm(&mut self, after: Duration, context: &mut Context<Self>) {
        self.disarm(context);
        let passed = context.run_later(after, |server, context| {
            server.deadline = None;
            server.apply(Event::DeadlinePassed, context);
        });
        self.deadline = Some(passed);
    }

    fn disarm(&mut self, context: &mut Context<Self>) {
        if let Some(deadline) = self.deadline.take() {
            context.cancel_future(deadline);
        }
    }

    fn keep(&mut self, cause: Cause) {
        let key = &self.identity.key;
        let outcome = match cause {
            Cause::Requested => Outcome::Stopped,
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

    fn note(&mut self, progress: Progress) {
        self.status.send_modify(|status| Arc::make_mut(&mut status.progress).push(progress));
    }

    fn announce(&mut self) {
        let (pending, ready) = (self.state.pending(), self.state.is_ready());
        let pid = self.running.as_ref().map(|running| running.id().pid);
        self.status.send_modify(|status| {
            status.pending = pending;
            status.ready = ready;
            status.pid = pid;
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

fn hub_failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Hub, format!("The hub could not publish the server's address: {error}"))
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
        for task in [self.task.take(), self.watcher.take()].into_iter().flatten() {
            // A launch under way reports to nobody and ends what it started; everything else may stop here.
            if self.running.is_some() {
                task.abort();
            }
        }
    }
}

/// What an effect found out.
pub(crate) struct Finding {
    event: Event,
    running: Option<Running>,
    address: Option<Address>,
    prepared: Option<Arc<Prepared>>,
    refusal: Option<Refusal>,
}

impl From<Event> for Finding {
    fn from(event: Event) -> Self {
        Self { event, running: None, address: None, prepared: None, refusal: None }
    }
}

impl Finding {
    fn refused(message: &str) -> Self {
        let refusal = Refusal { message: message.to_owned(), retry_after: None };
        Self { refusal: Some(refusal), ..Event::Refused.into() }
    }
}

#[derive(Message)]
#[rtype(result = "bool")]
struct Report {
    ticket: u64,
    finding: Finding,
}

impl Handler<Report> for ServerActor {
    type Result = bool;

    fn handle(&mut self, report: Report, context: &mut Context<Self>) -> bool {
        if report.ticket != self.ticket {
            return false;
        }
        let finding = report.finding;
        self.task = None;
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

#[derive(Message)]
#[rtype(result = "()")]
struct Note(Progress);

impl Handler<Note> for ServerActor {
    type Result = ();

    fn handle(&mut self, Note(progress): Note, _: &mut Context<Self>) {
        self.note(progress);
    }
}

/// The watched process is gone.
#[derive(Message)]
#[rtype(result = "()")]
struct Gone {
    pid: i32,
    failure: Failure,
}

impl Handler<Gone> for ServerActor {
    type Result = ();

    fn handle(&mut self, gone: Gone, context: &mut Context<Self>) {
        self.parts.metrics.poll(Poll::Stopped, Duration::ZERO);
        let pause = if self.state.is_ready() { CRASHED } else { Duration::ZERO };
        context.run_later(pause, move |server, context| {
            if server.running.as_ref().is_some_and(|running| running.id().pid == gone.pid) {
                server.apply(Event::ProcessEnded(gone.failure), context);
            }
        });
    }
}
