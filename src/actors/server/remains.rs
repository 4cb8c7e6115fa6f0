//! What is left of an earlier run: finding the process that the database names, ending it, cleaning up after it.
//!
//! None of it gives up because the database is away for a while: a server that runs is not ended for that, and no
//! token outlives its server. The actor is told of each delay, and waits that much longer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::Recipient;
use chrono::Utc;
use log::{error, info, warn};
use serde_json::Value;

use super::Identity;
use super::prepare::revoke;
use super::reports::{DatabaseAway, Finding};
use crate::actors::addresses;
use crate::actors::supervision::Supervision;
use crate::domain::server_state::{Event, Failure, FailureKind};
use crate::metrics::Poll;
use crate::spawn::{ProcessId, Running, StopLadder};
use crate::store::{Db, StoreError, servers, users};

/// How often something is tried again that the database refuses for good.
const TRIES: u32 = 5;
/// The first pause before something is tried again; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a stop may take before it is written down that one is under way.
const QUICK_STOP: Duration = Duration::from_millis(250);
/// The mark in a server's `state` that it was being stopped.
const ENDING: &str = "ending";

/// Whom to tell that the database keeps an effect waiting, and of which effect.
pub(super) struct Waiting {
    pub(super) server: Recipient<DatabaseAway>,
    pub(super) ticket: u64,
}

impl Waiting {
    /// Tries until the database answers, or refuses for good.
    async fn for_database<T, W, F>(&self, identity: &Identity, mut attempt: W) -> Result<T, StoreError>
    where
        W: FnMut() -> F,
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut pause = FIRST_PAUSE;
        let mut refused = 0;
        loop {
            let failed = match attempt().await {
                Ok(done) => return Ok(done),
                Err(failed) => failed,
            };
            refused += u32::from(!failed.may_pass());
            if refused >= TRIES {
                return Err(failed);
            }
            warn!(server:? = identity.key, error:% = failed; "the database keeps a server waiting");
            self.server.do_send(DatabaseAway { ticket: self.ticket });
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Finds the process that the store names.
pub(super) async fn adopt(parts: Arc<Supervision>, identity: Identity, waiting: Waiting) -> Finding {
    find(&parts, &identity, &waiting).await
}

async fn find(parts: &Supervision, identity: &Identity, waiting: &Waiting) -> Finding {
    let not_adopted = |reason: &str| -> Finding {
        Event::NotAdopted(Failure::new(FailureKind::Exited, reason.to_owned())).into()
    };
    let (id, user_id) = (identity.id, identity.user_id);
    let read = || {
        parts.store.read(move |db| {
            Ok::<_, StoreError>((servers::find_by_id(db, id)?, users::groups_of(db, user_id)?))
        })
    };
    let (row, groups) = match waiting.for_database(identity, read).await {
        Ok((Some(row), groups)) => (row, groups),
        Ok((None, _)) => return not_adopted("its row was removed"),
        Err(failed) => {
            error!(server:? = identity.key, error:% = failed; "a server could not be looked up");
            return not_adopted("the hub's database did not say where it runs");
        }
    };
    let ending = row.state.get(ENDING).is_some();
    let process = addresses::process(&row.state);
    let address =
        process.as_ref().zip(row.address).and_then(|(process, row)| addresses::of_row(&row, process));
    let (Some(process), Some(address)) = (process, address) else {
        return not_adopted("it was still starting when the hub stopped");
    };
    let asked = Instant::now();
    let found = parts.spawner.adopt(&process).await;
    let running = if matches!(found, Ok(Some(_))) { Poll::Running } else { Poll::Stopped };
    parts.metrics.poll(running, asked.elapsed());
    match found {
        Ok(Some(running)) => Finding {
            running: Some(running),
            address: Some(address),
            groups: Some(groups.into()),
            // what somebody asked the hub for before it ended is done by this one
            ..if ending { Event::StopRequested } else { Event::Adopted }.into()
        },
        Ok(None) => Event::NotAdopted(ended_meanwhile(parts, &process).await).into(),
        Err(failed) => not_adopted(&failed.to_string()),
    }
}

/// How a process ended while the hub was not there, as far as somebody wrote it down.
async fn ended_meanwhile(parts: &Supervision, process: &ProcessId) -> Failure {
    let gone = "it ended while the hub was not running";
    match parts.spawner.how_ended(process).await {
        None => Failure::new(FailureKind::Exited, gone),
        Some((exit, out_of_memory)) => {
            let kind = if out_of_memory.is_some() { FailureKind::OutOfMemory } else { FailureKind::Exited };
            let how = out_of_memory.map_or_else(|| exit.to_string(), |why| why.to_string());
            Failure {
                exit_status: exit.status,
                signal: exit.signal,
                ..Failure::new(kind, format!("{gone}: {how}"))
            }
        }
    }
}

/// What is to be ended, and what is remembered of it.
pub(super) struct Remains {
    /// The process, if the actor knows it.
    pub(super) running: Option<Running>,
    /// How patiently it is ended.
    pub(super) ladder: StopLadder,
    /// Why it failed, for `last_failure`.
    pub(super) failure: Option<Failure>,
    /// Whom to tell when it takes longer.
    pub(super) waiting: Waiting,
}

/// Ends the process, wherever it is known from, and cleans up after it.
pub(super) async fn end(parts: Arc<Supervision>, identity: Identity, remains: Remains) -> Finding {
    let Remains { running, ladder, failure, waiting } = remains;
    let running = match running {
        Some(running) => Some(running),
        // The actor may not know the process: a launch was given up, or its predecessor panicked.
        None => match find(&parts, &identity, &waiting).await.running {
            Some(running) => Some(running),
            None => unrecorded(&parts, &identity).await,
        },
    };
    if let Some(running) = running {
        stop(&parts, &identity, &running, &ladder).await;
        running.end_group(ladder.terminate).await;
    }
    let failure = failure.map(Arc::new);
    let cleaned = waiting.for_database(&identity, || {
        let (row, failure) = (identity.clone(), failure.clone());
        parts.store.write(move |db| clean(db, &row, failure.as_deref()))
    });
    if let Err(failed) = cleaned.await {
        error!(server:? = identity.key, error:% = failed; "a stopped server is still recorded as running; the next start or check cleans up");
    }
    parts.now().servers.rules.stopped(&parts, &identity, failure.as_deref()).await;
    Event::Ended.into()
}

/// A process that was started and never written down, because the hub ended in that very moment.
async fn unrecorded(parts: &Supervision, identity: &Identity) -> Option<Running> {
    let found = parts.spawner.find_unrecorded(identity.id).await;
    let found = found.map_err(
        |failed| warn!(server:? = identity.key, error:% = failed; "nobody knows whether a server was left behind"),
    );
    let running = found.ok().flatten()?;
    info!(server:? = identity.key, pid = running.id().pid; "a process that was never recorded is ended");
    Some(running)
}

/// Ends the process. If that takes a while, it is written down, so that the next hub does not adopt what was to stop.
async fn stop(parts: &Supervision, identity: &Identity, running: &Running, ladder: &StopLadder) {
    let stopping = running.stop(ladder);
    tokio::pin!(stopping);
    if tokio::time::timeout(QUICK_STOP, &mut stopping).await.is_ok() {
        return;
    }
    let mut state = serde_json::to_value(running.id()).unwrap_or_default();
    if let Some(state) = state.as_object_mut() {
        state.insert(ENDING.to_owned(), Value::Bool(true));
    }
    let id = identity.id;
    let mark = parts.store.write(move |db| servers::set_state(db, id, &state));
    // the stop goes on meanwhile; without the mark, the next hub adopts what it finds
    let (_, marked) = tokio::join!(stopping, mark);
    if let Err(failed) = marked {
        warn!(server:? = identity.key, error:% = failed; "a stop under way could not be written down");
    }
}

/// Forgets what the database holds of a run.
pub(super) fn clean(db: &mut Db, identity: &Identity, failure: Option<&Failure>) -> Result<(), StoreError> {
    let now = Utc::now();
    if let Some(failure) = failure {
        servers::set_last_failure(db, identity.id, failure, now)?;
    }
    revoke(db, identity)?;
    servers::clear_address(db, identity.id)?;
    servers::touch(db, identity.id, now)?;
    users::touch(db, identity.user_id, now)?;
    Ok(())
}
