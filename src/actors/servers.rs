//! What the rest of the hub does with user servers: look, start, stop, wait.
//!
//! A handle to the directory and the root supervisor; cheap to clone, usable from every thread.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::watch;

use super::attempts::Attempts;
use super::directory::{Directory, ServerStatus};
use super::hub::{HubActor, Supervise};
use super::pulse::{self, Ping, Pulse};
use super::server::{Asker, Begin, Identity, Recount, Restart, ServerActor, Start, StartReply, Stop};
use super::slot::Absent;
use super::supervision::Supervision;
use crate::domain::admission::Limits;
use crate::domain::culling::{Candidate, Policy};
use crate::domain::history::Step;
use crate::domain::names::{GroupName, ServerKey, ServerName, Username};
use crate::store::servers::{self, Server};

/// How often a message is sent again when the actor that should get it was just going to rest.
const TRIES: usize = 3;

/// How long a start may wait to hear whether there is room.
const LONGEST_VERDICT: Duration = Duration::from_secs(10);

/// Every user server, as one thing to talk to.
#[derive(Clone)]
pub struct Servers {
    hub: Addr<HubActor>,
    parts: Arc<Supervision>,
    asker: Option<Asker>,
}

impl Servers {
    /// A handle to the servers that `hub` supervises.
    #[must_use]
    pub fn new(hub: Addr<HubActor>, parts: Arc<Supervision>) -> Self {
        Self { hub, parts, asker: None }
    }

    /// The same servers, for what `who` asks for: `user:ada`.
    #[must_use]
    pub fn by(&self, who: &str) -> Self {
        Self { asker: Some(who.into()), ..self.clone() }
    }

    /// How the hub's parts do.
    pub async fn pulses(&self) -> Vec<Pulse> {
        let parts = &self.parts;
        let root =
            async { Pulse { actor: "hub", answered: pulse::timed(self.hub.send(Ping)).await, waiting: 0 } };
        let (root, registry, admission, activity, janitor) = tokio::join!(
            root,
            parts.registry.pulse("registry"),
            parts.admission.pulse("admission"),
            parts.activity.pulse("activity"),
            parts.janitor.pulse("janitor"),
        );
        let journal = parts.journal.slot();
        let (inspector, journal) = tokio::join!(parts.inspector.pulse("inspector"), journal.pulse("journal"));
        let journal = Pulse { waiting: parts.journal.waiting(), ..journal };
        vec![root, registry, admission, activity, janitor, inspector, journal]
    }

    /// What the server went through while its actor lived, oldest first.
    pub async fn history(&self, key: &ServerKey) -> Vec<Step> {
        match self.parts.directory.address(key) {
            // an actor that is gone has left its milestones in the journal
            Some(address) => address.send(Recount).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// What every known server is doing.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.parts.directory
    }

    /// How many servers may start and run.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.parts.now().limits.clone()
    }

    /// Which starts failed in a row.
    #[must_use]
    pub fn attempts(&self) -> &Attempts {
        &self.parts.attempts
    }

    /// What the server is doing; a server that never ran is stopped.
    #[must_use]
    pub fn status(&self, key: &ServerKey) -> ServerStatus {
        self.parts.directory.status(key).unwrap_or_default()
    }

    /// Whether the server runs, answers and is routed.
    #[must_use]
    pub fn is_ready(&self, user: &Username, server: &ServerName) -> bool {
        self.status(&ServerKey::new(user.clone(), server.clone())).ready
    }

    /// Forgets a stopped server that was removed or has another name now, and how its last run ended: a new server of
    /// that name must not inherit it.
    pub fn forget(&self, key: &ServerKey) {
        if !self.status(key).is_active() {
            self.parts.directory.remove(key);
        }
    }

    /// The server's URL path, `/user/ada/`.
    #[must_use]
    pub fn prefix(&self, key: &ServerKey) -> String {
        self.parts.prefix(key)
    }

    /// Where a browser finds the server: its path, or its whole URL with subdomains.
    #[must_use]
    pub fn url(&self, key: &ServerKey) -> String {
        self.parts.places.server_url(key)
    }

    /// The culler's rules, if there is one.
    #[must_use]
    pub fn culling(&self) -> Option<Arc<Policy>> {
        self.parts.now().culler.as_ref().map(|culler| Arc::clone(&culler.policy))
    }

    /// When the server will be culled, as things stand; `None` if it will not. What the proxy saw since the last round of
    /// `hub.activity.interval` is not in it.
    #[must_use]
    pub fn cull_at(
        &self,
        row: &Server,
        status: &ServerStatus,
        groups: &[GroupName],
    ) -> Option<DateTime<Utc>> {
        let policy = self.culling().filter(|_| status.ready)?;
        let due = policy.due(&Candidate {
            named: !row.name.is_default(),
            groups,
            started: row.started?,
            last_activity: row.last_activity,
            keep_until: row.keep_until,
        });
        due.map(|due| due.at)
    }

    /// Asks for a start with these options (`None`: those of the last start).
    ///
    /// # Errors
    /// [`Absent`] if the hub is going down.
    pub async fn start(&self, identity: Identity, options: Option<Value>) -> Result<StartReply, Absent> {
        for _ in 0..TRIES {
            let begin = self.begin(&identity).await;
            let address = self.supervised(identity.clone(), begin).await?;
            if let Ok(reply) = address.send(Start { options: options.clone(), by: self.asker.clone() }).await
            {
                return Ok(reply);
            }
        }
        Err(Absent)
    }

    /// Asks for a restart: whatever the server does, it runs anew in the end.
    ///
    /// # Errors
    /// [`Absent`] if the hub is going down.
    pub async fn restart(&self, identity: Identity) -> Result<(), Absent> {
        for _ in 0..TRIES {
            let begin = self.begin(&identity).await;
            let address = self.supervised(identity.clone(), begin).await?;
            if address.send(Restart { by: self.asker.clone() }).await.is_ok() {
                return Ok(());
            }
        }
        Err(Absent)
    }

    /// Verifies a server that the store says is running, and adopts it or cleans up after it.
    ///
    /// # Errors
    /// [`Absent`] if the hub is going down.
    pub async fn check(&self, identity: Identity) -> Result<(), Absent> {
        self.supervised(identity, Begin::Check).await.map(drop)
    }

    /// Lets an actor look after a server that the store believes to run, if none does yet; so it can be stopped.
    ///
    /// # Errors
    /// [`Absent`] if the hub is going down.
    pub async fn verify(&self, key: &ServerKey, row: &Server) -> Result<(), Absent> {
        if row.address.is_none() || self.watch(key).is_some() {
            return Ok(());
        }
        self.check(Identity { id: row.id, user_id: row.user_id, key: key.clone() }).await
    }

    /// Asks for a stop; nothing happens if nothing runs. When this returns, the status says `stop`, or that there is
    /// nothing to wait for.
    pub async fn stop(&self, key: &ServerKey) {
        if let Some(address) = self.parts.directory.address(key) {
            // an actor that is gone took its server along, or is being replaced by one that verifies it
            let _ = address.send(Stop { by: self.asker.clone() }).await;
        }
    }

    /// Follows what the server is doing; `None` if it never ran in this hub process.
    #[must_use]
    pub fn watch(&self, key: &ServerKey) -> Option<watch::Receiver<ServerStatus>> {
        self.parts.directory.watch(key)
    }

    /// Waits until a start that was asked for was let in, queued or refused, and then as [`Servers::settled`] does: who
    /// asks for a start reads the refusal, however short the time.
    pub async fn started(&self, key: &ServerKey, at_most: Duration) -> ServerStatus {
        if let Some(mut status) = self.watch(key) {
            // A verdict takes microseconds; without one, the actor died or is about to be replaced.
            let _ = tokio::time::timeout(LONGEST_VERDICT, status.wait_for(ServerStatus::is_judged)).await;
        }
        self.settled(key, at_most).await
    }

    /// Waits until nothing is under way, at most this long; the status then.
    pub async fn settled(&self, key: &ServerKey, at_most: Duration) -> ServerStatus {
        let Some(mut status) = self.watch(key) else { return ServerStatus::default() };
        // Either it settled, or the time is over, or its actor died: the status says which.
        let _ = tokio::time::timeout(at_most, status.wait_for(|now| now.pending.is_none())).await;
        status.borrow().clone()
    }

    /// Waits until the server has stopped, at most this long; the status then. A start that is under way goes on.
    pub async fn stopped(&self, key: &ServerKey, at_most: Duration) -> ServerStatus {
        let Some(mut status) = self.watch(key) else { return ServerStatus::default() };
        // Either it stopped, or the time is over, or its actor died: the status says which.
        let _ = tokio::time::timeout(at_most, status.wait_for(|now| !now.is_active())).await;
        status.borrow().clone()
    }

    /// What a new actor does first. One whose predecessor panicked may have a process, until that has been looked for.
    async fn begin(&self, identity: &Identity) -> Begin {
        if self.parts.directory.actor_of(identity).is_some() {
            return Begin::Idle; // nobody is asked to begin
        }
        let id = identity.id;
        let row = self.parts.store.read(move |db| servers::find_by_id(db, id)).await;
        // without a database nothing can be started either
        let runs = row.is_ok_and(|row| row.is_some_and(|row| row.address.is_some()));
        if runs { Begin::Check } else { Begin::Idle }
    }

    async fn supervised(&self, identity: Identity, begin: Begin) -> Result<Addr<ServerActor>, Absent> {
        if let Some(address) = self.parts.directory.actor_of(&identity) {
            return Ok(address);
        }
        self.hub.send(Supervise { identity, begin }).await.map_err(|_| Absent)
    }
}
