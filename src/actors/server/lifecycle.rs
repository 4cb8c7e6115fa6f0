//! The effects of a server's life that need the database or the process: launch, adopt, wait for an
//! answer, end and clean up. Each returns a finding for the state machine; none of them decides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use log::{error, warn};
use serde_json::Value;
use tokio::sync::oneshot;

use super::Identity;
use super::prepare::{Prepared, hub_failure, prepare, revoke};
use super::reports::Finding;
use crate::actors::supervision::Supervision;
use crate::domain::server_state::{Event, Failure, FailureKind};
use crate::metrics::Poll;
use crate::spawn::{
    Address, LaunchRequest, Launched, ProcessId, ReadyError, ReadyUrl, Running, StopLadder,
    looks_like_port_conflict, wait_ready,
};
use crate::store::{Db, StoreError, servers, users};

/// How many of a process's last lines are kept.
const LAST_LINES: usize = 200;
/// How often cleaning up is tried again when the database is busy.
const CLEANING_TRIES: u32 = 5;

/// What a launch needs to know.
pub(super) struct Order {
    pub(super) identity: Identity,
    pub(super) options: Option<Value>,
    pub(super) prepared: Option<Arc<Prepared>>,
    /// Ends when the start is given up.
    pub(super) cancelled: oneshot::Receiver<()>,
    /// Hears what was prepared before the process is started.
    pub(super) tuned: Box<dyn FnOnce(Arc<Prepared>)>,
}

/// Creates token and client unless that was done before, and starts the process.
pub(super) async fn launch(parts: Arc<Supervision>, order: Order) -> Finding {
    let Order { identity, options, prepared, cancelled, tuned } = order;
    let prepared = match prepared {
        Some(prepared) => prepared,
        None => match prepare(&parts, &identity, options, cancelled).await {
            Ok(prepared) => Arc::new(prepared),
            Err(failure) => return Event::LaunchFailed(failure).into(),
        },
    };
    tuned(Arc::clone(&prepared));
    let prefix = parts.prefix(&identity.key);
    let settings = &prepared.settings;
    let request = LaunchRequest {
        key: identity.key.clone(),
        server_id: identity.id,
        command: settings.command.clone(),
        environment: prepared.environment.clone(),
        ip: settings.ip.clone(),
        port: settings.port,
        service_url_prefix: prefix.clone(),
    };
    let launched = match parts.spawner.launch(request).await {
        Ok(launched) => launched,
        Err(refused) => {
            let failure = Failure::new(FailureKind::Launch, refused.to_string());
            return Finding { prepared: Some(prepared), ..Event::LaunchFailed(failure).into() };
        }
    };
    if let Err(failed) = record(&parts, &identity, &launched, prefix).await {
        error!(server:? = identity.key, error:% = failed; "a started process could not be recorded and is ended");
        launched.running.stop(&parts.ladder.of_a_start()).await;
        return Event::LaunchFailed(hub_failure()).into();
    }
    Finding {
        running: Some(launched.running),
        address: Some(launched.address),
        prepared: Some(prepared),
        ..Event::Launched.into()
    }
}

/// Writes down the process, so that the next hub finds it.
async fn record(
    parts: &Supervision,
    identity: &Identity,
    launched: &Launched,
    prefix: String,
) -> Result<(), StoreError> {
    let id = identity.id;
    let state = serde_json::to_value(launched.running.id()).unwrap_or_default();
    let address = servers::Address {
        proto: "http".to_owned(),
        ip: launched.address.ip.clone(),
        port: launched.address.port,
        base_url: prefix,
    };
    let write = parts.store.write(move |db| {
        servers::set_state(db, id, &state)?;
        servers::set_address(db, id, &address)
    });
    write.await
}

/// Finds the process that the store names.
pub(super) async fn adopt(parts: Arc<Supervision>, identity: Identity) -> Finding {
    let not_adopted = |reason: &str| -> Finding {
        Event::NotAdopted(Failure::new(FailureKind::Exited, reason.to_owned())).into()
    };
    let (id, user_id) = (identity.id, identity.user_id);
    let read = parts
        .store
        .read(move |db| Ok::<_, StoreError>((servers::find_by_id(db, id)?, users::groups_of(db, user_id)?)));
    let (row, groups) = match read.await {
        Ok((Some(row), groups)) => (row, groups),
        Ok((None, _)) => return not_adopted("its row was removed"),
        Err(failed) => {
            error!(server:? = identity.key, error:% = failed; "a server could not be looked up");
            return not_adopted("the hub's database did not say where it runs");
        }
    };
    let process: Option<ProcessId> = serde_json::from_value(row.state).ok();
    let (Some(process), Some(address)) = (process, row.address) else {
        return not_adopted("it was still starting when the hub stopped");
    };
    let asked = Instant::now();
    let found = parts.spawner.adopt(&process).await;
    let running = if matches!(found, Ok(Some(_))) { Poll::Running } else { Poll::Stopped };
    parts.metrics.poll(running, asked.elapsed());
    match found {
        Ok(Some(running)) => Finding {
            running: Some(running),
            address: Some(Address { ip: address.ip, port: address.port }),
            groups: Some(groups.into()),
            ..Event::Adopted.into()
        },
        Ok(None) => not_adopted("it ended while the hub was not running"),
        Err(failed) => not_adopted(&failed.to_string()),
    }
}

/// Asks the server until it answers, its time is over, or its process ends.
pub(super) async fn await_response(
    patience: Duration,
    prefix: String,
    running: Running,
    address: Address,
) -> Finding {
    let url = ReadyUrl::new(&address, &prefix);
    match wait_ready(&url, patience, running.ended()).await {
        Ok(_) => Event::Responded.into(),
        Err(ReadyError::Ended { .. }) => {
            let failure = ended(&running).await;
            if looks_like_port_conflict(&failure.last_lines) {
                Event::PortTaken(failure).into()
            } else {
                Event::ResponseFailed(failure).into()
            }
        }
        Err(silent) => {
            let last_lines = running.last_lines(LAST_LINES).await;
            let failure = Failure { last_lines, ..Failure::new(FailureKind::TimedOut, silent.to_string()) };
            Event::ResponseFailed(failure).into()
        }
    }
}

/// Waits for the end of the process; what to tell about it.
pub(super) async fn ended(running: &Running) -> Failure {
    let exit = running.ended().await;
    let last_lines = running.last_lines(LAST_LINES).await;
    let (kind, message) = if running.was_out_of_memory(exit).await {
        (FailureKind::OutOfMemory, "The server was killed because there was no memory left".to_owned())
    } else {
        (FailureKind::Exited, format!("The server's process ended: {exit}"))
    };
    Failure { exit_status: exit.status, signal: exit.signal, last_lines, ..Failure::new(kind, message) }
}

/// What is to be ended, and what is remembered of it.
pub(super) struct Remains {
    /// The process, if the actor knows it.
    pub(super) running: Option<Running>,
    /// How patiently it is ended.
    pub(super) ladder: StopLadder,
    /// Why it failed, for `last_failure`.
    pub(super) failure: Option<Failure>,
}

/// Ends the process, wherever it is known from, and cleans up after it.
pub(super) async fn end(parts: Arc<Supervision>, identity: Identity, remains: Remains) -> Finding {
    let Remains { running, ladder, failure } = remains;
    let running = match running {
        Some(running) => Some(running),
        // The actor may not know the process: a launch was given up, or its predecessor panicked.
        None => adopt(Arc::clone(&parts), identity.clone()).await.running,
    };
    if let Some(running) = running {
        running.stop(&ladder).await;
    }
    let failure = failure.map(Arc::new);
    for again in 0..CLEANING_TRIES {
        let (row, cause) = (identity.clone(), failure.clone());
        match parts.store.write(move |db| clean(db, &row, cause.as_deref())).await {
            Ok(()) => {
                parts.servers.rules.stopped(&parts, &identity, failure.as_deref()).await;
                return Event::Ended.into();
            }
            Err(failed) => {
                warn!(server:? = identity.key, error:% = failed; "cleaning up after a server failed");
                tokio::time::sleep(Duration::from_millis(200) * 2_u32.pow(again)).await;
            }
        }
    }
    parts.servers.rules.stopped(&parts, &identity, failure.as_deref()).await;
    error!(server:? = identity.key; "a stopped server is still recorded as running; the next start or check cleans up");
    Event::Ended.into()
}

fn clean(db: &mut Db, identity: &Identity, failure: Option<&Failure>) -> Result<(), StoreError> {
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
