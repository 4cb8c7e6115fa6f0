//! A live process: waiting for its end, signalling it, and never losing it.
//!
//! One that the hub started as itself is its own; one that runs as its user is looked after by a session keeper
//! ([`kept`]). Of its own, everything goes through a pidfd, so neither a signal nor a wait can hit a stranger that was given the same number.
//! One watcher task per process learns of the end at once and, for a child, reaps it; it lives on when every handle
//! is dropped. Handles are made within a tokio runtime, and work as long as that runtime does.

pub(super) mod kept;
mod watcher;

use std::future;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal, test_kill_process_group,
};
use tokio::runtime::Handle;
use tokio::sync::watch;

use self::kept::Keeper;
use super::oom::OomCounter;
use super::{Exit, OutOfMemory, ProcessId, SpawnError, StopLadder, log_file, open_files};
use crate::domain::usage::Usage;

/// How long killed processes may take to go.
const KILLING: Duration = Duration::from_secs(5);
/// How often a group is looked at while it ends.
const GROUP_LOOK: Duration = Duration::from_millis(20);

/// A handle to one process, alive or ended. Clones mean the same process; dropping them all changes nothing for it.
#[derive(Debug, Clone)]
pub struct Running {
    id: Arc<ProcessId>,
    exit: watch::Receiver<Option<Exit>>,
    hold: Hold,
}

/// By what a process is held.
#[derive(Debug, Clone)]
enum Hold {
    /// One of the hub's own account.
    Own { pidfd: Arc<OwnedFd>, oom: Option<Arc<OomCounter>> },
    /// Another user's, below a session keeper.
    Kept(Arc<Keeper>),
}

impl Running {
    /// Starts a process and takes charge of it. Blocks: fork takes its time in a large process.
    pub(super) fn spawn(mut command: Command, log: PathBuf) -> Result<Self, SpawnError> {
        let mut child = command.spawn().map_err(SpawnError::io("The server's process cannot be started"))?;
        let pid = i32::try_from(child.id()).map_err(io::Error::other);
        pid.and_then(|pid| Self::child(pid, log)).map_err(|error| {
            end(&mut child);
            SpawnError::io("The server's process cannot be watched")(error)
        })
    }

    /// Takes charge of a child that nobody has waited for: its number is its own until the watcher reaps it.
    pub(super) fn child(pid: i32, log: PathBuf) -> io::Result<Self> {
        let number = Pid::from_raw(pid).ok_or(ErrorKind::InvalidInput)?;
        let pidfd = pidfd_open(number, PidfdFlags::empty())?;
        open_files::give_back(number);
        watcher::watch(ProcessId::of_child(pid, log)?, pidfd)
    }

    /// Finds a process that was started earlier; `None` if it has ended. Reads `/proc`, so it blocks.
    pub(super) fn find(id: &ProcessId) -> io::Result<Option<Self>> {
        if let Some(watched) = watcher::find_watched(id) {
            return Ok(Some(watched));
        }
        // what is stored may be damaged, and negative numbers mean groups
        let Some(number) = Pid::from_raw(id.pid.max(0)) else {
            return Ok(None);
        };
        if !id.is_alive()? {
            return Ok(None);
        }
        let pidfd = match pidfd_open(number, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // between the first look and the opening, the number may have passed to another process
        if !id.is_alive()? {
            return Ok(None);
        }
        watcher::watch(id.clone(), pidfd).map(Some)
    }

    /// What to store in order to [`adopt`](super::Spawner::adopt) it later.
    #[must_use]
    pub fn id(&self) -> &ProcessId {
        &self.id
    }

    /// Waits for the end. Any number of tasks may wait, also after it.
    pub async fn ended(&self) -> Exit {
        let mut news = self.exit.clone();
        let exit = news.wait_for(Option::is_some).await.map_or(None, |exit| *exit);
        match exit {
            Some(exit) => exit,
            // the watcher's runtime is shutting down: whether the process ends, nobody here will learn
            None => future::pending().await,
        }
    }

    /// How it ended, or `None` while it runs.
    #[must_use]
    pub fn try_ended(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Whether the process, which ended so, was killed by the kernel for want of memory, as far as its control group
    /// tells. To be asked once: each kill is told to one who asks.
    pub async fn out_of_memory(&self, exit: Exit) -> Option<OutOfMemory> {
        let killed = exit.signal == Some(Signal::KILL.as_raw()) || exit == Exit::UNKNOWN;
        match &self.hold {
            Hold::Kept(keeper) => keeper.out_of_memory(),
            Hold::Own { oom, .. } => {
                let counter = oom.clone().filter(|_| killed)?;
                let claimed = tokio::task::spawn_blocking(move || counter.claim()).await;
                claimed.unwrap_or(false).then_some(OutOfMemory::Machine)
            }
        }
    }

    /// What the server uses; `None` where nobody tells.
    pub async fn usage(&self) -> Option<Usage> {
        match &self.hold {
            Hold::Kept(keeper) => keeper.usage().await,
            Hold::Own { .. } => None,
        }
    }

    /// Sends a signal to the process alone, not to its children; but SIGKILL, where a session keeper sends it, to all of
    /// them. One that has ended is left in peace.
    ///
    /// # Errors
    /// [`SpawnError::Io`] if the hub may not signal it, or if its keeper is gone.
    pub async fn send(&self, signal: Signal) -> Result<(), SpawnError> {
        match &self.hold {
            _ if self.try_ended().is_some() => Ok(()),
            Hold::Own { .. } => self.signal(signal),
            Hold::Kept(keeper) => keeper.send(signal).await,
        }
    }

    /// The same without waiting for a session keeper, whose failure is only logged.
    ///
    /// # Errors
    /// [`SpawnError::Io`] if the hub may not signal it, because it has become another user's.
    pub fn signal(&self, signal: Signal) -> Result<(), SpawnError> {
        match &self.hold {
            Hold::Own { pidfd, .. } => match pidfd_send_signal(pidfd, signal) {
                Ok(()) | Err(Errno::SRCH) => Ok(()),
                Err(error) => Err(SpawnError::io("The server cannot be signalled")(error)),
            },
            Hold::Kept(keeper) => {
                let (keeper, pid) = (Arc::clone(keeper), self.id.pid);
                // there is none when the hub is just ending
                let runtime = Handle::try_current().map_err(io::Error::other);
                let runtime = runtime.map_err(SpawnError::io("The server cannot be signalled"))?;
                runtime.spawn(async move {
                    if let Err(error) = keeper.send(signal).await {
                        log::warn!(pid, error:% = error; "signal not sent");
                    }
                });
                Ok(())
            }
        }
    }

    /// Ends the process: SIGINT, SIGTERM, SIGKILL, each only if the one before did not end it in its time.
    /// [`Exit::UNKNOWN`] if it outlives even the last wait; [`Self::try_ended`] then still says `None`.
    pub async fn stop(&self, ladder: &StopLadder) -> Exit {
        for (signal, patience) in ladder.steps() {
            if let Some(exit) = self.signal_and_wait(signal, patience).await {
                return exit;
            }
        }
        log::warn!(pid = self.id.pid; "server process does not end, not even after SIGKILL");
        Exit::UNKNOWN
    }

    async fn signal_and_wait(&self, signal: Signal, patience: Duration) -> Option<Exit> {
        if let Some(exit) = self.try_ended() {
            return Some(exit);
        }
        if let Err(error) = self.send(signal).await {
            log::warn!(pid = self.id.pid, error:% = error; "stop signal not sent");
        }
        tokio::time::timeout(patience, self.ended()).await.ok()
    }

    /// Ends what the process, which has ended, left in its process group: SIGTERM, after `patience` SIGKILL. What made a
    /// session of its own is out of reach: without a control group nothing tells whose it was. A session keeper ends all of
    /// it by itself, and is only waited for.
    pub async fn end_group(&self, patience: Duration) {
        if let Hold::Kept(keeper) = &self.hold {
            return keeper.gone().await;
        }
        for (signal, patience) in [(Signal::TERM, patience), (Signal::KILL, KILLING)] {
            let Some(group) = self.group_left() else { return };
            if let Err(error) = kill_process_group(group, signal) {
                if error != Errno::SRCH {
                    log::warn!(pid = self.id.pid, error:% = error; "what a server left behind cannot be ended");
                }
                return;
            }
            let gone = async {
                while self.group_left().is_some() {
                    tokio::time::sleep(GROUP_LOOK).await;
                }
            };
            if tokio::time::timeout(patience, gone).await.is_ok() {
                return;
            }
        }
        log::warn!(pid = self.id.pid; "what a server left behind does not end");
    }

    /// The group that it led, if somebody is still in it. If its number is in use again, the group is a stranger's: the
    /// system gives no number away while a group has it.
    fn group_left(&self) -> Option<Pid> {
        let group = Pid::from_raw(self.id.pid.max(0))?;
        let is_used_again = std::path::Path::new("/proc").join(self.id.pid.to_string()).exists();
        (!is_used_again && test_kill_process_group(group).is_ok()).then_some(group)
    }

    /// The last lines of its output, at most `count` of them and never more than 200 or 32 KiB, without control
    /// characters and secrets. Empty if the log cannot be read.
    pub async fn last_lines(&self, count: usize) -> Vec<String> {
        let id = Arc::clone(&self.id);
        let read = tokio::task::spawn_blocking(move || log_file::last_lines(&id.log, count));
        match read.await {
            Ok(Ok(lines)) => lines,
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }

    /// Cuts the log back to its last 32 KiB if it is longer than `limit` bytes; whether it was. The server keeps
    /// writing to it undisturbed. A session keeper does that by itself. Blocks.
    ///
    /// # Errors
    /// [`SpawnError::Log`] if the file cannot be read or written.
    pub fn truncate_log_if_large(&self, limit: u64) -> Result<bool, SpawnError> {
        if matches!(self.hold, Hold::Kept(_)) {
            return Ok(false);
        }
        log_file::truncate_if_large(&self.id.log, limit)
            .map_err(|source| SpawnError::Log { path: self.id.log.clone(), source })
    }
}

/// Leaves nothing of a child that cannot be watched.
fn end(child: &mut Child) {
    if let Err(error) = child.kill().and_then(|()| child.wait()) {
        log::warn!(pid = child.id(), error:% = error; "unwatched server process not ended");
    }
}

#[cfg(test)]
mod tests;
