//! The effects of a server's state machine, performed: each that takes time runs as a task and reports back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix::{AsyncContext, Context};
use log::{info, warn};
use tokio::sync::oneshot;

use super::remains::{self, Remains, Waiting};
use super::reports::{Finding, Gone, Note, Report, Tuned};
use super::{ServerActor, admittance, lifecycle};
use crate::actors::admission::Settled;
use crate::actors::directory::{Outcome, Progress};
use crate::actors::registry::{Publish, Unpublish};
use crate::domain::route_check::{Purpose, WantedRoute};
use crate::domain::server_state::{Cause, Effect, Event, Failure, FailureKind, State};
use crate::metrics;

impl ServerActor {
    pub(super) fn perform(&mut self, effect: Effect, context: &mut Context<Self>) {
        match effect {
            Effect::Begin(pause) => self.begin_again(pause),
            Effect::Admit => self.admit(context),
            Effect::Withdraw => self.settle(),
            Effect::Launch => self.launch(context),
            Effect::Adopt => {
                let work =
                    remains::adopt(Arc::clone(&self.parts), self.identity.clone(), self.waiting(context));
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
        self.seeks = false;
        let ticket = self.ticket;
        let server = context.address();
        let parts = Arc::clone(&self.parts);
        self.task = Some(actix::spawn(async move {
            let finding = work.await;
            let orphan = finding.running.clone();
            let accepted = server.send(Report { ticket, finding }).await.unwrap_or(false);
            if let (false, Some(orphan)) = (accepted, orphan) {
                warn!(pid = orphan.id().pid; "a process came too late and is ended");
                orphan.stop(&parts.now().ladder.of_a_start()).await;
            }
        }));
    }

    /// For the effect that comes next.
    fn waiting(&self, context: &Context<Self>) -> Waiting {
        Waiting { server: context.address().recipient(), ticket: self.ticket + 1 }
    }

    fn abandon(&mut self) {
        self.ticket += 1;
        self.given_up.store(true, Ordering::SeqCst);
        self.hooks = None;
        // A launch is left to finish: its process, if any, must be known to be ended.
        if let Some(task) = self.task.take().filter(|_| self.running.is_some() || self.seeks) {
            task.abort();
        }
    }

    /// A start that nobody asked for just now: a crash that is restarted, or a restart.
    fn begin_again(&mut self, pause: Duration) {
        let ended = match &self.status.borrow().outcome {
            Some(Outcome::Ended(failure)) => format!("{}; ", failure.message.trim_end_matches('.')),
            _ => String::new(),
        };
        let message = match pause {
            Duration::ZERO => format!("{ended}starting again"),
            pause => format!("{ended}starting again in {} seconds", pause.as_secs_f64().ceil()),
        };
        self.options = None;
        self.begin_attempt(Progress { percent: 0, message });
    }

    fn admit(&mut self, context: &Context<Self>) {
        let work = admittance::seek(
            Arc::clone(&self.parts),
            self.identity.clone(),
            self.options.clone(),
            context.address(),
        );
        self.told = None;
        self.run(context, work);
        self.seeks = true;
    }

    fn settle(&mut self) {
        let (running, groups) = (self.state.is_ready(), Arc::clone(&self.status.borrow().groups));
        self.parts.admission.tell(Settled { key: self.identity.key.clone(), running, groups });
    }

    fn launch(&mut self, context: &Context<Self>) {
        self.running = None;
        self.note(Progress { percent: 50, message: "Spawning server...".to_owned() });
        self.given_up = Arc::new(AtomicBool::new(false));
        let (held, cancelled) = oneshot::channel();
        self.hooks = Some(held);
        let server = context.address();
        let order = lifecycle::Order {
            identity: self.identity.clone(),
            options: self.options.clone(),
            prepared: self.prepared.clone(),
            given_up: Arc::clone(&self.given_up),
            cancelled,
            tuned: Box::new(move |prepared| server.do_send(Tuned(prepared))),
        };
        self.run(context, lifecycle::launch(Arc::clone(&self.parts), order));
        if self.teller.is_none() {
            self.tell(context);
        }
    }

    /// Lets the hook `progress` speak as long as the start lasts.
    fn tell(&mut self, context: &Context<Self>) {
        let (parts, identity, server) = (Arc::clone(&self.parts), self.identity.clone(), context.address());
        if !parts.now().servers.rules.tells() {
            return;
        }
        self.teller = Some(actix::spawn(async move {
            let now = parts.now();
            let rules = &now.servers.rules;
            rules.tell(&parts, &identity, |progress| server.do_send(Note(progress))).await;
        }));
    }

    fn http_timeout(&self) -> Duration {
        let prepared = self.prepared.as_ref().map(|prepared| prepared.settings.http_timeout);
        prepared.unwrap_or_else(|| self.parts.now().servers.http_timeout)
    }

    fn await_response(&mut self, context: &Context<Self>) {
        let (Some(running), Some(address)) = (self.running.clone(), self.address.clone()) else { return };
        let ladder = self.parts.now().ladder;
        let ladder = if self.state == State::Checking { ladder } else { ladder.of_a_start() };
        let work = lifecycle::await_response(self.http_timeout(), self.prefix(), (running, address), ladder);
        self.run(context, work);
    }

    fn publish(&mut self, context: &Context<Self>) {
        self.watch_process(context);
        let Some(address) = self.address.clone() else { return };
        let key = &self.identity.key;
        let route = WantedRoute { target: address.target(), purpose: Purpose::Server(key.clone()) };
        let route = Publish { spec: self.parts.route(key), route };
        info!(server = key.log_name().as_str(), route:% = route.spec, target = route.route.target.as_str(); "a route is added");
        let registry = self.parts.registry.clone();
        let is_new = matches!(self.state, State::Publishing { check: false, .. });
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
    pub(super) fn watch_process(&mut self, context: &Context<Self>) {
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
            State::Stopping { cause: Cause::Cancelled | Cause::Failed(_), .. } => {
                self.parts.now().ladder.of_a_start()
            }
            _ => self.parts.now().ladder,
        };
        let failure = match &self.state {
            State::Stopping { cause: Cause::Failed(failure) | Cause::Ended(failure), .. } => {
                Some(failure.clone())
            }
            _ => None,
        };
        let waiting = self.waiting(context);
        let remains = Remains { running: self.running.clone(), ladder, failure, waiting };
        let work = remains::end(Arc::clone(&self.parts), self.identity.clone(), remains);
        self.run(context, work);
    }

    pub(super) fn arm(&mut self, after: Duration, context: &mut Context<Self>) {
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
}

fn hub_failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Hub, format!("The hub could not publish the server's address: {error}"))
}
