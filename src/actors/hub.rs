//! The root supervisor: creates the other actors, learns at once when one is gone, and rebuilds it.
//!
//! What an actor is rebuilt from is written in its own module. The hub itself keeps nothing that could not be made
//! again; if it dies, `app.rs` ends the process, and the next one adopts every running server.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, MessageResult};
use log::{error, info};
use tokio::sync::watch;

use super::activity::ActivityActor;
use super::admission::AdmissionActor;
use super::culler::CullerActor;
use super::directory::{Entry, ServerStatus};
use super::inspector::InspectorActor;
use super::janitor::JanitorActor;
use super::journal::JournalActor;
use super::obituary::{Died, Obituary, Who};
use super::registry::RegistryActor;
use super::server::{Begin, Identity, ServerActor};
use super::service::ServiceActor;
use super::services::ServiceEntry;
use super::supervision::Supervision;

/// How long the hub waits before it rebuilds an actor, so that one that panics at once does not spin.
const REBUILD_DELAY: Duration = Duration::from_millis(20);

/// The actors of which there is one.
const SINGLE: [Who; 7] =
    [Who::Registry, Who::Admission, Who::Activity, Who::Janitor, Who::Inspector, Who::Journal, Who::Culler];

/// How long it waits at most between two questions to a database that is away.
const LONGEST_REBUILD_DELAY: Duration = Duration::from_secs(2);

/// The root supervisor.
pub struct HubActor {
    supervision: Arc<Supervision>,
}

impl HubActor {
    /// Starts the hub and with it the single actors, which can be asked as soon as this returns.
    #[must_use]
    pub fn start_with(supervision: Arc<Supervision>) -> Addr<Self> {
        Self::create(|context| {
            let hub = Self { supervision };
            for who in SINGLE {
                hub.build(&who, context);
            }
            hub
        })
    }

    fn build(&self, who: &Who, context: &Context<Self>) {
        let obituary = Obituary::new(context.address().recipient(), who.clone());
        let parts = &self.supervision;
        match who {
            Who::Registry => {
                let actor = RegistryActor::new(Arc::clone(parts), obituary);
                parts.registry.fill(actor.start());
            }
            Who::Admission => {
                let limits = parts.now().limits.clone();
                let actor = AdmissionActor::new(limits, &parts.directory, obituary);
                parts.admission.fill(actor.start());
            }
            Who::Activity => parts.activity.fill(ActivityActor::new(parts, obituary).start()),
            Who::Janitor => parts.janitor.fill(JanitorActor::new(parts, obituary).start()),
            Who::Inspector => parts.inspector.fill(InspectorActor::new(parts, obituary).start()),
            Who::Journal => parts.journal.slot().fill(JournalActor::new(parts, obituary).start()),
            Who::Culler => parts.culling.fill(CullerActor::new(parts, obituary).start()),
            Who::Service(name) => {
                if let Some(entry) = parts.services.directory.entry(name) {
                    self.build_service(entry, obituary);
                }
            }
            // Its identity must come from the store; see `Died`.
            Who::Server(_) => {}
        }
    }

    fn build_service(&self, entry: ServiceEntry, obituary: Obituary) {
        let address = ServiceActor::new(Arc::clone(&self.supervision), &entry, obituary).start();
        self.supervision.services.directory.insert(ServiceEntry { address: Some(address), ..entry });
    }

    fn supervise(&self, identity: Identity, begin: Begin, context: &Context<Self>) -> Addr<ServerActor> {
        let obituary = Obituary::new(context.address().recipient(), Who::Server(identity.key.clone()));
        let (sender, status) = watch::channel(ServerStatus::default());
        let (id, key) = (identity.id, identity.key.clone());
        let address =
            ServerActor::new(Arc::clone(&self.supervision), identity, begin, sender, obituary).start();
        self.supervision.directory.insert(key, Entry { id, address: address.clone(), status });
        address
    }
}

impl Actor for HubActor {
    type Context = Context<Self>;
}

impl Handler<Died> for HubActor {
    type Result = ();

    fn handle(&mut self, died: Died, context: &mut Context<Self>) {
        if died.at_rest {
            return;
        }
        error!(who:? = died.who; "an actor panicked and is rebuilt");
        self.supervision.metrics.actor_restarted(died.who.kind());
        match died.who {
            Who::Server(key) => {
                self.supervision.directory.remove(&key);
                self.supervision
                    .registry
                    .tell(super::registry::Unpublish { spec: self.supervision.route(&key) });
                let supervision = Arc::clone(&self.supervision);
                let hub = context.address();
                actix::spawn(async move {
                    let mut pause = REBUILD_DELAY;
                    loop {
                        tokio::time::sleep(pause).await;
                        match supervision.identity_of(&key).await {
                            Ok(Some(identity)) => {
                                return hub.do_send(Supervise { identity, begin: Begin::Check });
                            }
                            Ok(None) => {
                                return info!(server:? = key; "its row is gone too: nothing to rebuild");
                            }
                            Err(failed) => {
                                error!(server:? = key, error:% = failed; "cannot rebuild a server's actor yet")
                            }
                        }
                        pause = (pause * 2).min(LONGEST_REBUILD_DELAY);
                    }
                });
            }
            who => {
                context.run_later(REBUILD_DELAY, move |hub, context| hub.build(&who, context));
            }
        }
    }
}

/// Give this server an actor, unless it has one.
#[derive(Message)]
#[rtype(result = "Addr<ServerActor>")]
pub(crate) struct Supervise {
    pub(crate) identity: Identity,
    pub(crate) begin: Begin,
}

impl Handler<Supervise> for HubActor {
    type Result = MessageResult<Supervise>;

    fn handle(&mut self, wanted: Supervise, context: &mut Context<Self>) -> Self::Result {
        let alive = self.supervision.directory.actor_of(&wanted.identity);
        MessageResult(alive.unwrap_or_else(|| self.supervise(wanted.identity, wanted.begin, context)))
    }
}

/// Start this managed service, and keep it running.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct SuperviseService {
    pub(crate) entry: ServiceEntry,
}

impl Handler<SuperviseService> for HubActor {
    type Result = ();

    fn handle(&mut self, wanted: SuperviseService, context: &mut Context<Self>) {
        let who = Who::Service(wanted.entry.plan.name.clone());
        self.build_service(wanted.entry, Obituary::new(context.address().recipient(), who));
    }
}
