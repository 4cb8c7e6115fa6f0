//! One actor per managed service: turns messages into events of [`State`], performs the effects, publishes the status.
//!
//! Rebuilt after a panic from the directory, which remembers plan and process: the process runs on.

pub(super) mod process;

use std::sync::Arc;
use std::time::Instant;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, SpawnHandle};
use log::{error, info, warn};
use tokio::sync::watch;

use super::obituary::Obituary;
use super::services::{ServiceEntry, ServicePlan, ServiceStatus};
use super::supervision::Supervision;
use crate::domain::service_state::{Effect, Event, Phase, State};
use crate::spawn::{Exit, ReadyError, Running, wait_ready};

/// Supervises one managed service.
pub struct ServiceActor {
    parts: Arc<Supervision>,
    plan: Arc<ServicePlan>,
    state: State,
    status: Arc<watch::Sender<ServiceStatus>>,
    running: Option<Running>,
    pause: Option<SpawnHandle>,
    obituary: Obituary,
}

impl ServiceActor {
    pub(crate) fn new(parts: Arc<Supervision>, entry: &ServiceEntry, obituary: Obituary) -> Self {
        let reported = entry.status.borrow().first.is_some();
        Self {
            parts,
            plan: Arc::clone(&entry.plan),
            state: State::new(entry.plan.policy, reported),
            status: Arc::clone(&entry.status),
            running: None,
            pause: None,
            obituary,
        }
    }

    fn name(&self) -> &str {
        &self.plan.name
    }

    fn apply(&mut self, event: Event, context: &mut Context<Self>) {
        for effect in self.state.step(event, Instant::now()) {
            self.perform(effect, context);
        }
        let (phase, running) = (self.state.phase(), self.running.clone());
        self.status.send_modify(|status| {
            status.phase = phase;
            status.running = running;
        });
    }

    fn perform(&mut self, effect: Effect, context: &mut Context<Self>) {
        match effect {
            Effect::Launch => self.launch(context),
            Effect::AwaitAnswer => self.await_answer(context),
            Effect::Pause(pause) => {
                info!(service = self.name(), pause:? = pause; "a service is started again after a pause");
                self.pause = Some(context.run_later(pause, |service, context| {
                    service.pause = None;
                    service.apply(Event::PauseOver, context);
                }));
            }
            Effect::CancelPause => {
                if let Some(pause) = self.pause.take() {
                    context.cancel_future(pause);
                }
            }
            Effect::EndProcess => self.end_process(context),
            Effect::Report(first) => self.status.send_modify(|status| status.first = Some(first)),
        }
    }

    /// Runs to its end even when this actor does not: a process that nobody takes is ended.
    fn launch(&mut self, context: &Context<Self>) {
        self.status.send_modify(|status| status.starts += 1);
        if self.status.borrow().starts > 1 {
            self.parts.metrics.service_restarted(self.name());
        }
        let (parts, plan, service) = (Arc::clone(&self.parts), Arc::clone(&self.plan), context.address());
        actix::spawn(async move {
            let outcome = process::launch(&parts, &plan).await;
            let orphan = outcome.as_ref().ok().cloned();
            if service.send(Launched(outcome)).await.is_err()
                && let Some(orphan) = orphan
            {
                warn!(service = plan.name.as_str(), pid = orphan.id().pid; "a process came too late and is ended");
                process::end(&parts, &plan.name, &orphan).await;
            }
        });
    }

    fn watch_process(&self, running: &Running, context: &Context<Self>) {
        let (running, service, name) = (running.clone(), context.address(), self.plan.name.clone());
        let patience = self.parts.now().ladder.terminate;
        actix::spawn(async move {
            let exit = running.ended().await;
            process::end_children(&name, &running, patience).await;
            service.do_send(Exited { pid: running.id().pid, exit });
        });
    }

    fn await_answer(&self, context: &Context<Self>) {
        let (Some(url), Some(running)) = (self.plan.ready.clone(), self.running.clone()) else { return };
        let (service, timeout) = (context.address(), self.plan.timeout);
        actix::spawn(async move {
            let pid = running.id().pid;
            match wait_ready(&url, timeout, running.ended()).await {
                Ok(_) => service.do_send(Asked { pid, event: Event::Answered, trouble: String::new() }),
                Err(late @ ReadyError::TimedOut { .. }) => {
                    service.do_send(Asked { pid, event: Event::Silent, trouble: late.to_string() });
                }
                // the one who watches the process tells
                Err(ReadyError::Ended { .. }) => {}
            }
        });
    }

    fn end_process(&self, context: &Context<Self>) {
        let Some(running) = self.running.clone() else { return };
        let (parts, service, plan) = (Arc::clone(&self.parts), context.address(), Arc::clone(&self.plan));
        actix::spawn(async move {
            let exit = process::end(&parts, &plan.name, &running).await;
            // the one who watches the process tells of its end; but one that survives everything is not waited for
            if running.try_ended().is_none() {
                service.do_send(Exited { pid: running.id().pid, exit });
            }
        });
    }

    fn trouble(&self, trouble: String) {
        self.status.send_modify(|status| status.trouble = trouble);
    }

    fn is_of(&self, pid: i32) -> bool {
        self.running.as_ref().is_some_and(|running| running.id().pid == pid)
    }
}

impl Actor for ServiceActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let last = self.status.borrow().clone();
        match last.running.filter(|running| running.try_ended().is_none()) {
            Some(running) => {
                info!(service = self.name(), pid = running.id().pid; "a service's process is taken over");
                self.watch_process(&running, context);
                self.running = Some(running);
                self.apply(Event::Adopted, context);
            }
            // one that the policy left ended stays so
            None if last.phase == Phase::Ended => {}
            None => self.apply(Event::Begin, context),
        }
        if self.parts.services.directory.is_stopping() {
            self.apply(Event::Stop, context);
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Launched(Result<Running, String>);

impl Handler<Launched> for ServiceActor {
    type Result = ();

    fn handle(&mut self, Launched(outcome): Launched, context: &mut Context<Self>) {
        match outcome {
            Ok(running) => {
                info!(service = self.name(), pid = running.id().pid; "a service runs");
                self.watch_process(&running, context);
                self.running = Some(running);
                self.apply(Event::Launched, context);
            }
            Err(trouble) => {
                error!(service = self.name(), error = trouble.as_str(); "a service cannot be started");
                self.trouble(trouble);
                self.apply(Event::NotLaunched, context);
            }
        }
    }
}

/// The process is gone.
#[derive(Message)]
#[rtype(result = "()")]
struct Exited {
    pid: i32,
    exit: Exit,
}

impl Handler<Exited> for ServiceActor {
    type Result = ();

    fn handle(&mut self, gone: Exited, context: &mut Context<Self>) {
        if !self.is_of(gone.pid) {
            return;
        }
        let Some(running) = self.running.take() else { return };
        if self.state.phase() == Phase::Stopping {
            info!(service = self.name(), exit:% = gone.exit; "a service has ended");
        } else {
            error!(service = self.name(), pid = gone.pid, exit:% = gone.exit; "a service ended by itself");
            self.trouble(format!("it ended: {}", gone.exit));
        }
        let (parts, plan) = (Arc::clone(&self.parts), Arc::clone(&self.plan));
        actix::spawn(async move { process::forget(&parts, &plan.name, running.id()).await });
        self.apply(Event::Exited { success: gone.exit.status == Some(0) }, context);
    }
}

/// It was asked how it is.
#[derive(Message)]
#[rtype(result = "()")]
struct Asked {
    pid: i32,
    event: Event,
    trouble: String,
}

impl Handler<Asked> for ServiceActor {
    type Result = ();

    fn handle(&mut self, asked: Asked, context: &mut Context<Self>) {
        if !self.is_of(asked.pid) {
            return;
        }
        if asked.event == Event::Answered {
            info!(service = self.name(); "a service answers");
        } else {
            error!(service = self.name(), error = asked.trouble.as_str(); "a service runs, but does not answer");
        }
        self.trouble(asked.trouble);
        self.apply(asked.event, context);
    }
}

/// End for good.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct StopService;

impl Handler<StopService> for ServiceActor {
    type Result = ();

    fn handle(&mut self, _: StopService, context: &mut Context<Self>) {
        self.apply(Event::Stop, context);
    }
}

/// The service is managed no longer, or another way: this actor is not needed any more.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Retire;

impl Handler<Retire> for ServiceActor {
    type Result = ();

    fn handle(&mut self, _: Retire, context: &mut Context<Self>) {
        self.obituary.rest();
        context.stop();
    }
}

/// Panic, to prove that the hub replaces the actor.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Crash;

#[cfg(test)]
impl Handler<Crash> for ServiceActor {
    type Result = ();

    fn handle(&mut self, _: Crash, _: &mut Context<Self>) {
        panic!("asked to");
    }
}
