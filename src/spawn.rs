//! How a server is started, watched and ended. One contract, [`Spawner`]; one kind so far, [`SimpleSpawner`].
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

use std::collections::BTreeMap;

pub use rustix::process::Signal;

pub use address::Address;
pub use error::SpawnError;
pub use exit::Exit;
pub use identity::{ProcessId, session_cpu_seconds};
pub use kernels::{KernelState, ask_kernels};
pub use ladder::StopLadder;
pub use listener::{Listener, listener_at};
pub use open_files::raise_open_files;
pub use ports::looks_like_port_conflict;
pub use program::in_shell;
pub use readiness::{ReadyError, ReadyUrl, Responded, answers, wait_ready};
pub use running::Running;
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

/// A way to run servers; one variant per `spawner.type`.
#[derive(Debug, Clone)]
pub enum Spawner {
    /// `simple`: every server runs as the hub's own user.
    Simple(SimpleSpawner),
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
        }
    }

    /// Takes over a process that an earlier run of the hub (or an earlier actor of this run) started. `None` if that
    /// process has ended, even when another one has its number now.
    ///
    /// # Errors
    /// [`SpawnError::Io`] if the operating system does not tell; the process may or may not be alive then.
    pub async fn adopt(&self, process: &ProcessId) -> Result<Option<Running>, SpawnError> {
        match self {
            Self::Simple(simple) => simple.adopt(process).await,
        }
    }

    /// The living process of a server that was started and never recorded, if there is one.
    ///
    /// # Errors
    /// [`SpawnError::Io`] if the operating system does not tell.
    pub async fn find_unrecorded(&self, server: ServerId) -> Result<Option<Running>, SpawnError> {
        match self {
            Self::Simple(simple) => simple.find_unrecorded(server).await,
        }
    }
}
