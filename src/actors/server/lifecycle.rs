//! The effects of a server's life that need the process: launch, wait for an answer, wait for the end. Each returns a
//! finding for the state machine; none of them decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::{error, warn};
use serde_json::Value;
use tokio::sync::oneshot;

use super::Identity;
use super::prepare::{Prepared, hub_failure, prepare};
use super::reports::Finding;
use crate::actors::addresses;
use crate::actors::supervision::Supervision;
use crate::domain::server_state::{Event, Failure, FailureKind, Rejection};
use crate::spawn::{
    Address, LaunchRequest, Launched, Listener, ReadyError, ReadyUrl, Running, SpawnError, StopLadder,
    listener_at, looks_like_port_conflict, wait_ready,
};
use crate::store::{StoreError, servers};

/// How many of a process's last lines are kept.
const LAST_LINES: usize = 200;
/// How long the end of a process may take that cannot be seen any more. One that is hidden from the hub is believed after it.
const ENDING: Duration = Duration::from_secs(2);

/// What a launch needs to know.
pub(super) struct Order {
    pub(super) identity: Identity,
    pub(super) options: Option<Value>,
    pub(super) prepared: Option<Arc<Prepared>>,
    pub(super) given_up: GivenUp,
    /// Ends when the start is given up.
    pub(super) cancelled: oneshot::Receiver<()>,
    /// Hears what was prepared before the process is started.
    pub(super) tuned: Box<dyn FnOnce(Arc<Prepared>)>,
}

/// Whether nobody waits for a launch any more. Its transactions look after they have locked the server's row: either
/// they are done before the cleaning up, or they do nothing.
pub(super) type GivenUp = Arc<AtomicBool>;

/// Why a process could not be recorded.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the start was given up meanwhile")]
    GivenUp,
}

/// Creates token and client unless that was done before, and starts the process.
pub(super) async fn launch(parts: Arc<Supervision>, order: Order) -> Finding {
    let Order { identity, options, prepared, given_up, cancelled, tuned } = order;
    let prepared = match prepared {
        Some(prepared) => prepared,
        None => match prepare(&parts, &identity, options, (cancelled, &given_up)).await {
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
        local: settings.local.clone(),
    };
    let launched = match parts.spawner.launch(request).await {
        Ok(launched) => launched,
        Err(refused) => {
            let failure = not_launched(&parts, &refused);
            return Finding { prepared: Some(prepared), ..Event::LaunchFailed(failure).into() };
        }
    };
    if let Err(failed) = record(&parts, &identity, &launched, prefix, given_up).await {
        error!(server:? = identity.key, error:% = failed; "a started process could not be recorded and is ended");
        launched.running.stop(&parts.now().ladder.of_a_start()).await;
        return Event::LaunchFailed(hub_failure()).into();
    }
    Finding {
        running: Some(launched.running),
        address: Some(launched.address),
        prepared: Some(prepared),
        ..Event::Launched.into()
    }
}

/// What is told of a refused launch. Somebody who only has to sign in again finds the way on the page.
fn not_launched(parts: &Supervision, refused: &SpawnError) -> Failure {
    let message = refused.to_string();
    let rejection = refused.is_no().map(|(status, reason)| {
        let message_html = matches!(refused, SpawnError::SignIn { .. }).then(|| {
            let (text, way) = (encode_text(&message), format!("{}hub/logout", parts.base_url));
            format!("{text}. <a href=\"{}\">Sign out</a>, and in again.", encode_text(&way))
        });
        Box::new(Rejection { status, reason: Some(reason.to_owned()), message_html })
    });
    Failure { rejection, ..Failure::new(FailureKind::Launch, message) }
}

fn encode_text(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => encoded.push_str("&amp;"),
            '<' => encoded.push_str("&lt;"),
            '>' => encoded.push_str("&gt;"),
            '"' => encoded.push_str("&quot;"),
            '\'' => encoded.push_str("&#39;"),
            plain => encoded.push(plain),
        }
    }
    encoded
}

/// Writes down the process, so that the next hub finds it.
async fn record(
    parts: &Supervision,
    identity: &Identity,
    launched: &Launched,
    prefix: String,
    given_up: GivenUp,
) -> Result<(), RecordError> {
    let id = identity.id;
    let state = serde_json::to_value(launched.running.id()).unwrap_or_default();
    let address = addresses::stored(&launched.address, prefix);
    let write = parts.store.write(move |db| {
        servers::set_state(db, id, &state)?;
        servers::set_address(db, id, &address)?;
        if given_up.load(Ordering::SeqCst) { Err(RecordError::GivenUp) } else { Ok(()) }
    });
    write.await
}

/// Asks the server until it answers, its time is over, or its process ends. If somebody else answers in its stead, it is
/// ended: `ladder` says how.
pub(super) async fn await_response(
    patience: Duration,
    prefix: String,
    (running, address): (Running, Address),
    ladder: StopLadder,
) -> Finding {
    let url = ReadyUrl::new(&address, &prefix);
    match wait_ready(&url, patience, running.ended()).await {
        Ok(_) => answered(&running, &address, &ladder).await.into(),
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

/// Somebody answers at the server's address: the server, unless the system says otherwise.
async fn answered(running: &Running, address: &Address, ladder: &StopLadder) -> Event {
    let uid = match listener_at(address, running.id()).await {
        Listener::Stranger { uid } => uid,
        Listener::Server | Listener::Unknown => return Event::Responded,
        // one that found its port taken and is just ending: whoever answers is not it
        Listener::Unseen => {
            return match tokio::time::timeout(ENDING, ended(running)).await {
                // its own sockets went with it
                Ok(failure) if listener_at(address, running.id()).await == Listener::Unseen => {
                    Event::PortTaken(failure)
                }
                Ok(failure) => Event::ResponseFailed(failure),
                Err(_) => Event::Responded,
            };
        }
    };
    warn!(pid = running.id().pid, address:% = address, uid; "another program listens where a server should");
    running.stop(ladder).await;
    running.end_group(ladder.terminate).await;
    let last_lines = running.last_lines(LAST_LINES).await;
    let message = format!("Another program of this machine listens at {address}, the address of this server");
    Event::PortTaken(Failure { last_lines, ..Failure::new(FailureKind::Launch, message) })
}

/// Waits for the end of the process; what to tell about it.
pub(super) async fn ended(running: &Running) -> Failure {
    let exit = running.ended().await;
    let last_lines = running.last_lines(LAST_LINES).await;
    let (kind, message) = match running.out_of_memory(exit).await {
        Some(why) => (FailureKind::OutOfMemory, why.to_string()),
        None => (FailureKind::Exited, format!("The server's process ended: {exit}")),
    };
    Failure { exit_status: exit.status, signal: exit.signal, last_lines, ..Failure::new(kind, message) }
}
