//! Managed services: started like servers, but with the hub's own output, the folder and the account that the operator
//! chose, and no port of the hub's choice (services.md 6).
//!
//! Code between fork and exec is forbidden here, so the service becomes what it is to be step by step, under one process
//! number: `setsid` makes it the leader of a session of its own, `setpriv` gives it its account, then it is the service.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use nix::unistd::User;
use rustix::process::Signal;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{ProcessId, Running, SpawnError, program};

const SETSID: &str = "/usr/bin/setsid";
/// How often a session is searched for further processes.
const ROUNDS: usize = 5;
/// How long SIGKILL may take.
const KILLING: Duration = Duration::from_secs(5);
const SETPRIV: [&str; 2] = ["/usr/bin/setpriv", "/bin/setpriv"];

/// A system account that a service is to run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its home folder.
    pub home: String,
    /// Its shell.
    pub shell: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// Looks an account up, and whether the hub may become it. Blocks: the name service may be a remote one.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn find(name: &str) -> Result<Self, AccountError> {
        let found = User::from_name(name).map_err(|source| AccountError::LookUp(source.into()))?;
        let user = found.ok_or_else(|| AccountError::Unknown(name.to_owned()))?;
        let own = nix::unistd::geteuid();
        if !own.is_root() && own != user.uid {
            return Err(AccountError::NotRoot(name.to_owned()));
        }
        if own != user.uid && setpriv().is_none() {
            return Err(AccountError::NoSetpriv);
        }
        Ok(Self {
            name: user.name,
            home: user.dir.to_string_lossy().into_owned(),
            shell: user.shell.to_string_lossy().into_owned(),
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
        })
    }

    fn is_own(&self) -> bool {
        nix::unistd::geteuid().as_raw() == self.uid
    }
}

/// Why a service cannot run as an account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The hub is not root.
    #[error(
        "the hub does not run as root, so it cannot start a service as {0}; leave the key out and let {0} start it, or \
         run the hub as root"
    )]
    NotRoot(String),
    /// There is no such account.
    #[error("there is no account {0} on this machine")]
    Unknown(String),
    /// The program that changes accounts is missing.
    #[error("/usr/bin/setpriv is missing, with which a service gets its account; install util-linux")]
    NoSetpriv,
    /// The name service failed.
    #[error("the account cannot be looked up: {0}")]
    LookUp(io::Error),
}

/// A service to be started.
#[derive(Clone)]
pub struct ServiceCommand {
    /// Program and arguments, as executed: no shell, no expansion.
    pub command: Vec<String>,
    /// The whole environment.
    pub environment: BTreeMap<String, String>,
    /// The working folder; the hub's own if `None`.
    pub folder: Option<PathBuf>,
    /// Whom it runs as; the hub's own account if `None`.
    pub account: Option<Account>,
}

impl std::fmt::Debug for ServiceCommand {
    /// Leaves the environment out: it holds the service's API token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceCommand")
            .field("command", &self.command)
            .field("folder", &self.folder)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Why a service could not be started, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No such program.
    #[error("{command} was not found {place}; install it, or write its full path")]
    NotFound {
        /// As configured.
        command: String,
        /// Where it was looked for.
        place: String,
    },
    /// A script of which the interpreter is gone.
    #[error("{} cannot be started: its interpreter, {}, does not exist", script.display(), interpreter.display())]
    NoInterpreter {
        /// The script.
        script: PathBuf,
        /// What its first line asks for.
        interpreter: PathBuf,
    },
    /// The program may not be executed.
    #[error("{} cannot be started: permission denied", path.display())]
    PermissionDenied {
        /// The program.
        path: PathBuf,
    },
    /// The working folder cannot be used.
    #[error("the working folder {} cannot be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system refused something else.
    #[error("the operating system refused: {0}")]
    System(String),
}

impl From<SpawnError> for ServiceError {
    /// The texts of [`SpawnError`] are for owners of servers and name keys of `[spawner]`.
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::NotFound { command, place } => Self::NotFound { command, place },
            SpawnError::NoInterpreter { script, interpreter } => Self::NoInterpreter { script, interpreter },
            SpawnError::PermissionDenied { path } => Self::PermissionDenied { path },
            other => Self::System(other.to_string()),
        }
    }
}

/// Starts a service's process. Dropping the future does not cancel it; a caller that goes away leaves a process that
/// nobody looks after, so let it finish.
///
/// # Errors
/// [`ServiceError`]; no process is left behind.
pub async fn launch_service(service: ServiceCommand) -> Result<Running, ServiceError> {
    let started = spawn_blocking(move || start(&service)).await;
    started.unwrap_or_else(|interrupted| Err(ServiceError::System(interrupted.to_string())))
}

/// Finds the process of an earlier run; `None` if it has ended, even when another one has its number now.
///
/// # Errors
/// If the operating system does not tell.
pub async fn find_process(id: ProcessId) -> io::Result<Option<Running>> {
    spawn_blocking(move || Running::find(&id)).await.map_err(io::Error::other)?
}

/// Ends what is left of a service's session now that its first process has ended: a child that still has the port would
/// keep the service from coming back. SIGTERM, then, after `patience`, SIGKILL. How many there were.
pub async fn end_rest(leader: &ProcessId, patience: Duration) -> usize {
    let mut ended = 0;
    // one that is just being ended may still start another
    for round in 0..ROUNDS {
        let rest = rest_of(leader.clone()).await;
        if rest.is_empty() {
            break;
        }
        ended += rest.len();
        let patience = if round == 0 { patience } else { Duration::ZERO };
        end_all(&rest, patience).await;
    }
    ended
}

async fn rest_of(leader: ProcessId) -> Vec<Running> {
    let found = spawn_blocking(move || {
        let rest = leader.rest_of_session()?;
        rest.iter().filter_map(|id| Running::find(id).transpose()).collect::<io::Result<Vec<Running>>>()
    });
    found.await.unwrap_or_else(|error| Err(io::Error::other(error))).unwrap_or_else(|error| {
        log::warn!(error:% = error; "what a service left of its session could not be looked up");
        Vec::new()
    })
}

async fn end_all(processes: &[Running], patience: Duration) {
    for (signal, patience) in [(Signal::TERM, patience), (Signal::KILL, KILLING)] {
        for process in processes.iter().filter(|process| process.try_ended().is_none()) {
            if let Err(error) = process.signal(signal) {
                log::warn!(pid = process.id().pid, error:% = error; "a process of a service cannot be ended");
            }
        }
        if timeout(patience, join_all(processes.iter().map(Running::ended))).await.is_ok() {
            return;
        }
    }
}

fn start(service: &ServiceCommand) -> Result<Running, ServiceError> {
    let folder = match &service.folder {
        Some(folder) => usable(folder)?,
        None => std::env::current_dir().map_err(|error| ServiceError::System(error.to_string()))?,
    };
    let mut command = command(service, &folder)?;
    command.current_dir(&folder).env_clear().envs(&service.environment);
    // output goes where the hub's goes
    command.stdin(Stdio::null()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    Ok(Running::spawn(command, PathBuf::new())?)
}

fn usable(folder: &Path) -> Result<PathBuf, ServiceError> {
    let refused = |source| ServiceError::Folder { path: folder.to_owned(), source };
    let found = folder.metadata().map_err(refused)?;
    if found.is_dir() { Ok(folder.to_owned()) } else { Err(refused(io::ErrorKind::NotADirectory.into())) }
}

fn command(service: &ServiceCommand, folder: &Path) -> Result<Command, ServiceError> {
    let missing = || ServiceError::System("there is no command".to_owned());
    let (name, arguments) = service.command.split_first().ok_or_else(missing)?;
    let path = service.environment.get("PATH").map(String::as_str);
    let mut words = Vec::new();
    let has_setsid = Path::new(SETSID).exists();
    if has_setsid {
        words.push(SETSID.to_owned());
    }
    if let Some(account) = service.account.as_ref().filter(|account| !account.is_own()) {
        let setpriv = setpriv().ok_or_else(|| ServiceError::System(AccountError::NoSetpriv.to_string()))?;
        let (uid, gid) = (format!("--reuid={}", account.uid), format!("--regid={}", account.gid));
        words.extend([setpriv.to_owned(), uid, gid, "--init-groups".to_owned(), "--".to_owned()]);
    }
    words.push(program::find(name, path, folder)?.to_string_lossy().into_owned());
    words.extend(arguments.iter().cloned());
    let (first, rest) = words.split_first().ok_or_else(missing)?;
    let mut command = Command::new(first);
    command.args(rest);
    if !has_setsid {
        command.process_group(0);
    }
    Ok(command)
}

fn setpriv() -> Option<&'static str> {
    SETPRIV.into_iter().find(|program| Path::new(program).exists())
}

#[cfg(test)]
mod tests;
