//! What every known server is doing now, readable without asking an actor.
//!
//! Each server actor publishes its own [`ServerStatus`]; pages, REST and event streams read or watch it. A server that
//! never ran in this hub process has no entry: it is stopped.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use actix::Addr;
use tokio::sync::watch;

use super::server::{Identity, ServerActor};
use crate::domain::admission::Place;
use crate::domain::ids::ServerId;
use crate::domain::names::{GroupName, ServerKey};
use crate::domain::server_state::{Failure, Pending};
use crate::domain::usage::Usage;
use crate::store::servers::Server;

/// One line of a start's progress (rest-api.md 4.7); the final events are made by the web layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// 0 to 100.
    pub percent: u8,
    /// What is being done.
    pub message: String,
}

/// Why nothing was started although a start was asked for (lifecycle.md 6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A sentence for the person who asked.
    pub message: String,
    /// Seconds for the `Retry-After` header, when the hub is just busy.
    pub retry_after: Option<u32>,
    /// There would be room, but starts are not taken now: 503 in place of 429.
    pub closed: bool,
}

/// How the last attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It became ready.
    Ready,
    /// Stopped on request.
    Stopped,
    /// Stopped because nobody used it, or because of its age: what its owner is told.
    Culled(String),
    /// The start was cancelled.
    Cancelled,
    /// There was no room.
    Refused(Refusal),
    /// The start failed.
    Failed(Arc<Failure>),
    /// It ran, and ended by itself.
    Ended(Arc<Failure>),
}

/// What one server is doing.
#[derive(Debug, Clone, Default)]
pub struct ServerStatus {
    /// What is under way.
    pub pending: Option<Pending>,
    /// Runs, answers, is routed.
    pub ready: bool,
    /// Counts starts of this actor; a waiter recognises its own by it.
    pub attempt: u64,
    /// The process, while there is one.
    pub pid: Option<i32>,
    /// The owner's groups, as they were when the server was let in or found running.
    pub groups: Arc<[GroupName]>,
    /// Its place in line, while it waits for room.
    pub place: Option<Place>,
    /// What the running attempt has reported so far.
    pub progress: Arc<Vec<Progress>>,
    /// How the last attempt ended, until the next one.
    pub outcome: Option<Outcome>,
    /// What it used at the last look, where somebody tells.
    pub usage: Option<Usage>,
}

impl ServerStatus {
    /// Ready or pending.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.ready || self.pending.is_some()
    }

    /// Whether a start that was asked for was let in, queued or refused: each leaves a second line of progress, or ends
    /// the attempt.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.pending != Some(Pending::Spawn) || self.progress.len() > 1
    }

    /// What a start that is under way does now.
    #[must_use]
    pub fn start_step(&self) -> Option<&str> {
        let under_way = matches!(self.pending, Some(Pending::Spawn | Pending::Check));
        self.progress.last().filter(|_| under_way).map(|step| step.message.as_str())
    }

    /// The reason of a failed start, while it is the last thing that happened.
    #[must_use]
    pub fn failure(&self) -> Option<&Arc<Failure>> {
        match &self.outcome {
            Some(Outcome::Failed(failure)) if !self.is_active() => Some(failure),
            _ => None,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Entry {
    /// Its row: a server of the same name that was made after this one was removed is another one.
    pub(crate) id: ServerId,
    pub(crate) address: Addr<ServerActor>,
    pub(crate) status: watch::Receiver<ServerStatus>,
}

/// Every server that has an actor, or had one and left a reason to be remembered.
#[derive(Clone, Default)]
pub struct Directory(Arc<RwLock<HashMap<ServerKey, Entry>>>);

impl Directory {
    /// What the server is doing; `None` if it never ran in this hub process.
    #[must_use]
    pub fn status(&self, key: &ServerKey) -> Option<ServerStatus> {
        self.read(|entries| entries.get(key).map(|entry| entry.status.borrow().clone()))
    }

    /// Whether the server runs, or is about to. One that the store believes to run and that nobody looks after yet may:
    /// the hub has just started, or its actor has just panicked.
    #[must_use]
    pub fn may_run(&self, key: &ServerKey, row: &Server) -> bool {
        self.status(key).map_or(row.address.is_some(), |status| status.is_active())
    }

    /// Follows what the server is doing.
    #[must_use]
    pub fn watch(&self, key: &ServerKey) -> Option<watch::Receiver<ServerStatus>> {
        self.read(|entries| entries.get(key).map(|entry| entry.status.clone()))
    }

    /// The servers for which `wanted` holds.
    pub fn select(&self, wanted: impl Fn(&ServerStatus) -> bool) -> Vec<ServerKey> {
        self.read(|entries| {
            let chosen = entries.iter().filter(|(_, entry)| wanted(&entry.status.borrow()));
            chosen.map(|(key, _)| key.clone()).collect()
        })
    }

    /// Looks at each of them.
    pub fn each(&self, mut look: impl FnMut(&ServerKey, &ServerStatus)) {
        self.read(|entries| entries.iter().for_each(|(key, entry)| look(key, &entry.status.borrow())));
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<(ServerKey, ServerStatus)> {
        self.read(|entries| {
            entries.iter().map(|(key, entry)| (key.clone(), entry.status.borrow().clone())).collect()
        })
    }

    /// The actors of the servers that are ready.
    pub(crate) fn ready(&self) -> Vec<Addr<ServerActor>> {
        self.read(|entries| {
            let ready = entries.values().filter(|entry| entry.status.borrow().ready);
            ready.map(|entry| entry.address.clone()).collect()
        })
    }

    pub(crate) fn address(&self, key: &ServerKey) -> Option<Addr<ServerActor>> {
        self.read(|entries| entries.get(key).map(|entry| entry.address.clone()))
    }

    /// The living actor of exactly this server.
    pub(crate) fn actor_of(&self, identity: &Identity) -> Option<Addr<ServerActor>> {
        let of_row = |entry: &&Entry| entry.id == identity.id && entry.address.connected();
        self.read(|entries| entries.get(&identity.key).filter(of_row).map(|entry| entry.address.clone()))
    }

    pub(crate) fn insert(&self, key: ServerKey, entry: Entry) {
        self.write(|entries| entries.insert(key, entry));
    }

    /// Forgets a server whose actor rests, unless another one has taken its name.
    pub(crate) fn rest(&self, identity: &Identity) {
        self.write(|entries| {
            if entries.get(&identity.key).is_some_and(|entry| entry.id == identity.id) {
                entries.remove(&identity.key);
            }
        });
    }

    /// Forgets whichever server has this name.
    pub(crate) fn remove(&self, key: &ServerKey) {
        self.write(|entries| entries.remove(key));
    }

    // A poisoned lock only says that some thread panicked while it held it; the map itself is always whole.
    fn read<T>(&self, look: impl FnOnce(&HashMap<ServerKey, Entry>) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut HashMap<ServerKey, Entry>) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_only_while_a_start_is_under_way() {
        let progress = Arc::new(vec![Progress { percent: 50, message: "Spawning server...".to_owned() }]);
        let step = |pending| {
            let status = ServerStatus { pending, progress: progress.clone(), ..ServerStatus::default() };
            status.start_step().map(str::to_owned)
        };
        assert_eq!(step(Some(Pending::Spawn)).as_deref(), Some("Spawning server..."));
        assert_eq!((step(Some(Pending::Stop)), step(None)), (None, None));
    }
}
