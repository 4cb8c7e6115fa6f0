//! `spawner.type = "local"`: every server is a process of its own user, started by `orrery-launch` and looked after by a
//! session keeper. The hub chooses nothing that the root-owned policy does not name, and no user without a ticket.
//!
//! What the policy says is read here only to find the program and to refuse in words; it is enforced over there.

mod account;
mod plan;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use orrery_wire::{Listen, Refusal, StartFailure, Started, paths};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use self::account::Account;
use super::identity::{Kept, ProcessId};
use super::unclaimed::Unclaimed;
use super::{Address, LaunchRequest, Launched, Running, SpawnError, Transport, kept, ports};
use crate::domain::ids::ServerId;
use crate::privileged::control::{self, Answered, ControlError};
use crate::privileged::{LaunchError, Launcher, policy};

pub use self::account::AccountRule;

/// How long the keeper of the server's last run may take to go.
const LAST_KEEPER: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(100);

/// Starts servers as their users.
#[derive(Debug, Clone)]
pub struct LocalSpawner {
    launcher: Launcher,
    runtime: PathBuf,
}

impl LocalSpawner {
    /// With the privileged program behind `launcher`.
    #[must_use]
    pub fn new(launcher: Launcher) -> Self {
        Self { launcher, runtime: PathBuf::from(paths::RUNTIME) }
    }

    pub(super) async fn launch(&self, request: LaunchRequest) -> Result<Launched, SpawnError> {
        let (tell, told) = oneshot::channel();
        let spawner = self.clone();
        // goes on if nobody waits any more: what has been started by then must be known to be ended
        tokio::spawn(async move {
            // dropped there, it is ended
            drop(tell.send(spawner.start(request).await));
        });
        let lost = |_| SpawnError::io("The start was interrupted")(std::io::ErrorKind::Interrupted);
        Ok(told.await.map_err(lost)??.claim())
    }

    /// A server that nobody recorded has a control socket of its name.
    pub(super) async fn find_unrecorded(&self, server: ServerId) -> Result<Option<Running>, SpawnError> {
        let failed = || SpawnError::io("The server's session keeper cannot be asked");
        let control = self.runtime.join("control").join(server.to_string());
        let process = match control::status(&control).await {
            Ok(Answered::Running(process)) => process,
            Ok(Answered::Ended(_)) | Err(ControlError::Gone) => return Ok(None),
            Err(other) => return Err(failed()(std::io::Error::other(other))),
        };
        // it is to be ended, not to be routed: nobody's number is as good as any
        let kept = Kept { uid: u32::MAX, control, memory_limit: 0 };
        let id = ProcessId::of_kept(process.pid, process.start_time, PathBuf::new(), kept.clone());
        Ok(Some(kept::keep(id.map_err(failed())?, kept)))
    }

    async fn start(&self, request: LaunchRequest) -> Result<Unclaimed, SpawnError> {
        let rule = request.local.accounts.clone();
        let user = request.key.user.clone();
        let account = spawn_blocking(move || rule.account_of(&user)).await.map_err(interrupted)??;
        let listen = listen(&request).await?;
        let known = policy::read().await;
        let (request, uid, wanted) = (Arc::new(request), account.uid, listen.clone());
        let asked = Arc::clone(&request);
        // programs are looked for, and their folders may be remote
        let planned = spawn_blocking(move || plan::plan(&asked, uid, wanted, known.policy()));
        let order = planned.await.map_err(interrupted)??;
        let begin = Instant::now();
        let started = loop {
            match self.launcher.start(order.clone()).await {
                // the keeper of the last run is just closing its session
                Err(LaunchError::NotStarted { reason: StartFailure::Running, .. })
                    if begin.elapsed() < LAST_KEEPER && !self.runs(request.server_id).await =>
                {
                    sleep(LOOK).await;
                }
                other => break other.map_err(|error| in_words(&request, error))?,
            }
        };
        let running = follow(&started, &account, request.local.memory_limit)?;
        let address = match listen {
            Listen::Tcp { ip, port } => Address::reaching(&ip, port),
            Listen::Unix => Address::Unix { path: started.socket, uid: account.uid },
        };
        Ok(Unclaimed::new(Launched { running, address }))
    }

    async fn runs(&self, server: ServerId) -> bool {
        let control = self.runtime.join("control").join(server.to_string());
        matches!(control::status(&control).await, Ok(Answered::Running(_)))
    }
}

/// Takes charge of what was started.
fn follow(started: &Started, account: &Account, memory_limit: u64) -> Result<Running, SpawnError> {
    let kept = Kept { uid: account.uid, control: PathBuf::from(&started.control), memory_limit };
    let id = ProcessId::of_kept(started.pid, started.start_time, PathBuf::from(&started.log), kept.clone());
    match id {
        Ok(id) => Ok(kept::keep(id, kept)),
        Err(error) => {
            let control = kept.control;
            tokio::spawn(async move { control::signal(&control, orrery_wire::control::Signal::Kill).await });
            Err(SpawnError::io("The server's process cannot be followed")(error))
        }
    }
}

async fn listen(request: &LaunchRequest) -> Result<Listen, SpawnError> {
    if request.local.transport == Transport::Unix {
        return Ok(Listen::Unix);
    }
    let ip = request.ip.clone();
    let port = match request.port {
        0 => spawn_blocking(move || ports::find_free(&ip)).await.map_err(interrupted)??,
        configured => configured,
    };
    Ok(Listen::Tcp { ip: request.ip.clone(), port })
}

fn interrupted(error: tokio::task::JoinError) -> SpawnError {
    SpawnError::io("The start was interrupted")(error)
}

/// What a refusal means for the owner of the server, and for the operator.
fn in_words(request: &LaunchRequest, error: LaunchError) -> SpawnError {
    let installs = |text: &str| text.contains("singleuser") && text.contains("No such file");
    let reason = match &error {
        LaunchError::NotStarted { reason: StartFailure::Program, text } if installs(text) => {
            return SpawnError::NotInstalled { problem: text.clone() };
        }
        LaunchError::Refused(refusal) => of_ticket(*refusal),
        LaunchError::NotStarted { reason: StartFailure::Unattended, .. } => Some(
            "nobody may start it without their login, because of unattended_group in /etc/orrery/launch.policy",
        ),
        _ => None,
    };
    match reason {
        Some(reason) => SpawnError::SignIn { user: request.key.user.to_string(), reason },
        None => SpawnError::Launcher(error),
    }
}

fn of_ticket(refusal: Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::Unattended => {
            "the hub has no login of theirs, and nobody may start it without (unattended_uids in /etc/orrery/launch.policy)"
        }
        Refusal::TicketExpired => {
            "their last login is too long ago (ticket_lifetime in /etc/orrery/launch.policy)"
        }
        Refusal::TicketOfEarlierBoot => "the machine was restarted since their last login",
        Refusal::TicketRevoked => "their logins were revoked",
        Refusal::TicketForged => "their last login is not valid on this machine",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
