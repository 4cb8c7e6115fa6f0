//! How a server is started, watched and ended. One contract, [`Spawner`]; two kinds, [`SimpleSpawner`] and [`LocalSpawner`].
//!
//! A launched server is a [`Running`]: a handle that any number of tasks may hold, wait on, signal and stop. What is
//! worth writing to the database is its [`ProcessId`]; after a restart of the hub [`Spawner::adopt`] turns that back
//! into a `Running`, if the process is still the same one. [`wait_ready`] tells when the server answers.
//!
//! This layer keeps no state machine, no timers of its own and no records: the server actor decides when to launch,
//! how long to wait and what to store. It only promises that no process it started is ever lost: it is reaped with
//! its exact status, and killed if nobody is left to take the launch's result.
//!
//! Signals of the child: `exec` resets every signal that the hub *catches* to its default, so a hub that installs its
//! handlers (`tokio::signal`) before the first launch gives its servers a default SIGINT even when a shell started
//! the hub in the background with SIGINT ignored (LIFE-043). A signal that the hub ignores stays ignored.

mod address;
mod error;
mod exchange;
mod exit;
mod home;
mod identity;
mod kernels;
mod ladder;
mod listener;
mod local;
mod log_file;
mod oom;
mod open_files;
mod ports;
mod program;
mod readiness;
mod redact;
mod running;
mod service;
mod simple;
#[cfg(test)]
mod testing;
mod unclaimed;

use std::collections::{BTreeMap, BTreeSet};

pub use rustix::process::Signal;

pub use address::Address;
pub use error::SpawnError;
pub use exit::Exit;
pub use identity::{Kept, ProcessId};
pub use kernels::{KernelState, ask_kernels};
pub use ladder::StopLadder;
pub use listener::{Listener, listener_at};
pub use local::{AccountRule, LocalSpawner};
pub use oom::OutOfMemory;
pub use open_files::raise_open_files;
pub use ports::looks_like_port_conflict;
pub use program::in_shell;
pub use readiness::{ReadyError, ReadyUrl, Responded, answers, wait_ready};
pub use running::Running;
use running::kept;
pub use service::{
    Account, AccountError, ServiceCommand, ServiceError, end_rest, find_process, launch_service,
};
pub use simple::SimpleSpawner;

use crate::domain::ids::ServerId;
use crate::domain::names::ServerKey;

/// Everything that a spawner needs to know about the server it starts.
#[derive(Clone)]
pub struct LaunchRequest {
    /// Whose server it is; `USER` and the home folder follow from it.
    pub key: ServerKey,
    /// The row of the server; names its log file.
    pub server_id: ServerId,
    /// Program and arguments, as executed: no shell (but see [`in_shell`]), no expansion.
    pub command: Vec<String>,
    /// The environment, complete but for what the spawner adds: `JUPYTERHUB_SERVICE_URL` (unless it is already in
    /// here, because configured values win) and the account's `USER`, `HOME`, `SHELL` (which always win).
    pub environment: BTreeMap<String, String>,
    /// What the server binds to (`spawner.ip`): an address without brackets, a host name, or empty for all.
    pub ip: String,
    /// What the server binds to; 0 lets the spawner choose a free port.
    pub port: u16,
    /// The server's URL path, e.g. `/user/ada/`; percent-encoded, starts and ends with a slash.
    pub service_url_prefix: String,
    /// What is special about servers that are processes of this machine.
    pub local: LocalOptions,
}

/// On what a server listens (`spawner.transport`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// A TCP port.
    #[default]
    Tcp,
    /// A UNIX socket that only its user and the hub can reach.
    Unix,
}

/// What is special about servers that are processes of this machine. Type `simple` heeds `folder` and `shell` alone.
#[derive(Debug, Clone, Default)]
pub struct LocalOptions {
    /// On what it listens.
    pub transport: Transport,
    /// Arguments that make the program listen on a socket; `{socket}` stands for its path.
    pub socket_arguments: Vec<String>,
    /// The working folder; empty for the home folder.
    pub folder: String,
    /// A shell and its arguments that run the command; empty for none.
    pub shell: Vec<String>,
    /// Whether the user's login shell runs the command, with the login environment.
    pub login_shell: bool,
    /// The umask.
    pub umask: Option<u32>,
    /// The memory limit in bytes; 0 for none.
    pub memory_limit: u64,
    /// The limit of processor time in thousandths of a core; 0 for none.
    pub cpu_limit: u32,
    /// The limit of processes and threads; 0 for none.
    pub process_limit: u32,
    /// Variables that nobody configured and a server works without, as those of the hub's own environment: they are left out
    /// where the policy does not permit them.
    pub dispensable: BTreeSet<String>,
    /// Whose account it is, and who may have a server.
    pub accounts: AccountRule,
}

impl std::fmt::Debug for LaunchRequest {
    /// Leaves the environment out: it holds the server's API token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LaunchRequest")
            .field("key", &self.key)
            .field("server_id", &self.server_id)
            .field("command", &self.command)
            .field("ip", &self.ip)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// A server whose process has been started; it need not answer yet.
#[derive(Debug, Clone)]
pub struct Launched {
    /// The process. [`Running::id`] is what to store.
    pub running: Running,
    /// Where the hub and the proxy reach it.
    pub address: Address,
}

/// The processor time that a server's processes have used so far, in seconds: as its session keeper counts it, or as
/// `/proc` tells of the hub's own. 0 if nobody tells.
pub async fn cpu_seconds(process: &ProcessId) -> f64 {
    if let Some(kept) = &process.kept {
        return kept::usage_of(kept).await.and_then(|usage| usage.cpu_seconds).unwrap_or_default();
    }
    let process = process.clone();
    let counted = tokio::task::spawn_blocking(move || identity::session_cpu_seconds(&process));
    counted.await.ok().and_then(Result::ok).unwrap_or_default()
}

/// A way to run servers; one variant per `spawner.type`.
#[derive(Debug, Clone)]
pub enum Spawner {
    /// `simple`: every server runs as the hub's own user.
    Simple(SimpleSpawner),
    /// `local`: every server runs as its own user.
    Local(LocalSpawner),
}

impl Spawner {
    /// Starts the server's process and returns as soon as it exists. Dropping the future cancels the launch: a
    /// process that has been started already is killed.
    ///
    /// The chosen port may be taken by somebody else before the server binds it; a caller that sees the process end
    /// before it is ready asks [`looks_like_port_conflict`] and, if so, launches once more.
    ///
    /// # Errors
    /// [`SpawnError`], in words for the owner of the server; no process is left behind.
    pub async fn launch(&self, request: LaunchRequest) -> Result<Launched, SpawnError> {
        match self {
            Self::Simple(simple) => simple.launch(request).await,
            Self::Local(local) => local.launch(request).await,
        }
    }

    /// Takes over a process that an earlier run of the hub (or an earlier actor of this run) started. `None` if that
    /// process has ended, even when another one has its number now.
    ///
    /// # Errors
    /// [`SpawnError::Io`] if the operating system does not tell; the process may or may not be alive then.
    pub async fn adopt(&self, process: &ProcessId) -> Result<Option<Running>, SpawnError> {
        if let Some(kept) = &process.kept {
            return kept::adopt(process, kept).await;
        }
        // of this kind, or of the time before `spawner.type` was changed
        SimpleSpawner::adopt_process(process).await
    }

    /// How a process ended that cannot be adopted, where a session keeper wrote it down.
    pub async fn how_ended(&self, process: &ProcessId) -> Option<(Exit, Option<OutOfMemory>)> {
        let kept = process.kept.as_ref()?;
        kept::how_ended(process, kept).await
    }

    /// The living process of a server that was started and never recorded, if there is one.
    ///
    /// # Errors
    /// [`SpawnError::Io`] if the operating system does not tell.
    pub async fn find_unrecorded(&self, server: ServerId) -> Result<Option<Running>, SpawnError> {
        match self {
            Self::Simple(simple) => simple.find_unrecorded(server).await,
            Self::Local(local) => local.find_unrecorded(server).await,
        }
    }
}
