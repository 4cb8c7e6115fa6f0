//! A server below a session keeper: another user's process, which the hub can neither signal nor wait for. Its keeper
//! does, and is asked through its control socket.
//!
//! The end is told on a connection that is held open. If the hub was away, the exit record says how it was; if the keeper
//! itself was killed, only the process's disappearance tells that it ended.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use orrery_wire::ExitRecord;
use orrery_wire::control::Signal as Step;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{KILLING, Running};
use crate::domain::usage::Usage;
use crate::privileged::control::{self, Answered, ControlError, Watch};
use crate::spawn::identity::Kept;
use crate::spawn::{Exit, OutOfMemory, ProcessId, SpawnError};

/// More than any exit record has.
const LONGEST_RECORD: u64 = 4096;
/// How long a record may come after the end.
const RECORD: Duration = Duration::from_secs(3);
/// How often something is looked at that nobody tells of.
const LOOK: Duration = Duration::from_millis(20);

/// What the handles of one kept server share.
#[derive(Debug)]
pub(super) struct Keeper {
    kept: Kept,
    /// Whether the memory limit ended it, once that is known.
    out_of_memory: OnceLock<bool>,
}

/// Follows a server until it ends, or until nobody wants to know.
pub(in crate::spawn) fn keep(id: ProcessId, kept: Kept) -> Running {
    let keeper = Arc::new(Keeper { kept, out_of_memory: OnceLock::new() });
    let id = Arc::new(id);
    let (news, exit) = watch::channel(None);
    let running = Running { id: Arc::clone(&id), exit, hold: super::Hold::Kept(Arc::clone(&keeper)) };
    tokio::spawn(async move {
        let record = tokio::select! {
            record = ended(&id, &keeper) => record,
            () = news.closed() => return,
        };
        let exit = record.map_or(Exit::UNKNOWN, |record| exit_of(&record));
        // nobody else sets it
        let _ = keeper.out_of_memory.set(record.is_some_and(|record| record.out_of_memory));
        news.send_replace(Some(exit));
    });
    running
}

/// Takes over a server that was started earlier; `None` if it has ended, even if another one has its place by now.
pub(in crate::spawn) async fn adopt(id: &ProcessId, kept: &Kept) -> Result<Option<Running>, SpawnError> {
    let failed = || SpawnError::io("The server's session keeper cannot be asked");
    match control::status(&kept.control).await {
        Ok(Answered::Running(process)) => {
            let found = ProcessId::of_kept(process.pid, process.start_time, id.log.clone(), kept.clone());
            let same = found.map_err(failed())?.is_same_process(id);
            Ok(same.then(|| keep(id.clone(), kept.clone())))
        }
        Ok(Answered::Ended(_)) => Ok(None),
        Err(ControlError::Gone) => {
            let looked = id.clone();
            let alive = tokio::task::spawn_blocking(move || looked.is_alive()).await;
            let alive = alive.map_err(io::Error::other).flatten().map_err(failed())?;
            if alive {
                log::error!(pid = id.pid; "a server runs without its session keeper, which was killed: it cannot be stopped from here");
            }
            Ok(alive.then(|| keep(id.clone(), kept.clone())))
        }
        Err(other) => Err(failed()(io::Error::other(other))),
    }
}

/// How a server ended while nobody asked, if its keeper wrote that down.
pub(in crate::spawn) async fn how_ended(id: &ProcessId, kept: &Kept) -> Option<(Exit, Option<OutOfMemory>)> {
    let record = record_of(id, kept).await?;
    let out_of_memory = record.out_of_memory.then(|| OutOfMemory::below(kept.memory_limit));
    Some((exit_of(&record), out_of_memory))
}

impl Keeper {
    /// Sends a signal through the keeper. SIGKILL reaches everything in the control group.
    pub(super) async fn send(&self, signal: Signal) -> Result<(), SpawnError> {
        let step = match signal {
            Signal::INT => Step::Interrupt,
            Signal::TERM => Step::Terminate,
            _ => Step::Kill,
        };
        match control::signal(&self.kept.control, step).await {
            Ok(_) => Ok(()),
            Err(failed) => Err(SpawnError::io("The server cannot be signalled")(io::Error::other(failed))),
        }
    }

    /// Waits until the keeper has ended what was left, closed the session and gone; not for long.
    pub(super) async fn gone(&self) {
        let begin = Instant::now();
        while begin.elapsed() < KILLING {
            match tokio::fs::symlink_metadata(&self.kept.control).await {
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                // a socket that nobody listens on was left behind by a keeper that was killed
                _ if matches!(Watch::connect(&self.kept.control).await, Err(ControlError::Gone)) => return,
                _ => sleep(LOOK).await,
            }
        }
        log::warn!(control:% = self.kept.control.display(); "a session keeper takes long to close its session");
    }

    pub(super) fn out_of_memory(&self) -> Option<OutOfMemory> {
        let was = self.out_of_memory.get().copied().unwrap_or(false);
        was.then(|| OutOfMemory::below(self.kept.memory_limit))
    }

    pub(super) async fn usage(&self) -> Option<Usage> {
        usage_of(&self.kept).await
    }
}

/// What a server uses; `None` if it has ended, or its keeper does not say.
pub(in crate::spawn) async fn usage_of(kept: &Kept) -> Option<Usage> {
    let used = match control::usage(&kept.control).await {
        Ok(Answered::Running(used)) => used,
        Ok(Answered::Ended(_)) | Err(ControlError::Gone) => return None,
        Err(failed) => {
            log::warn!(control:% = kept.control.display(), error:% = failed; "a session keeper does not say what its server uses");
            return None;
        }
    };
    let seconds = |micros: u64| Duration::from_micros(micros).as_secs_f64();
    Some(Usage {
        memory: used.memory,
        memory_limit: used.memory_limit,
        cpu: None,
        cpu_seconds: used.cpu_time.map(seconds),
        processes: used.processes,
        memory_kills: used.oom_kills,
    })
}

fn exit_of(record: &ExitRecord) -> Exit {
    let number = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
    Exit { status: number(record.status), signal: number(record.signal) }
}

/// Waits for the end, by the surest of the ways that are there.
async fn ended(id: &ProcessId, keeper: &Keeper) -> Option<ExitRecord> {
    match Watch::connect(&keeper.kept.control).await {
        Ok(mut watch) => match watch.ended().await {
            Ok(record) if is_of(&record, id) => return Some(record),
            Ok(_) | Err(ControlError::Gone) => {}
            Err(failed) => warn_of(id, &failed),
        },
        Err(ControlError::Gone) => {}
        Err(failed) => warn_of(id, &failed),
    }
    if let Some(record) = record_of(id, &keeper.kept).await {
        return Some(record);
    }
    vanished(id).await;
    let late = async {
        loop {
            if let Some(record) = record_of(id, &keeper.kept).await {
                return record;
            }
            sleep(LOOK).await;
        }
    };
    timeout(RECORD, late).await.ok()
}

fn warn_of(id: &ProcessId, failed: &ControlError) {
    log::warn!(pid = id.pid, error:% = failed; "a session keeper cannot be followed; its server's process is watched");
}

/// Waits until there is no such process any more. Anybody's process may be waited for.
async fn vanished(id: &ProcessId) {
    loop {
        let looked = id.clone();
        let open = tokio::task::spawn_blocking(move || -> io::Result<Option<OwnedFd>> {
            let number = Pid::from_raw(looked.pid.max(0)).ok_or(ErrorKind::InvalidInput)?;
            let pidfd = pidfd_open(number, PidfdFlags::empty())?;
            // looked at after the opening: the number cannot pass to another one now
            Ok(looked.is_alive()?.then_some(pidfd))
        });
        // nothing is known of a process that cannot be looked at
        let Ok(Ok(Some(pidfd))) = open.await else { return };
        let Ok(end) = super::watcher::register(Arc::new(pidfd)) else {
            sleep(Duration::from_secs(1)).await;
            continue;
        };
        let _ = end.readable().await;
        return;
    }
}

fn is_of(record: &ExitRecord, id: &ProcessId) -> bool {
    i32::try_from(record.pid).is_ok_and(|pid| pid == id.pid) && record.start_time == id.start_time
}

/// The record that the keeper left: `ended/<server id>` beside `control/<server id>`.
async fn record_of(id: &ProcessId, kept: &Kept) -> Option<ExitRecord> {
    let runtime = kept.control.parent()?.parent()?;
    let path: PathBuf = runtime.join("ended").join(kept.control.file_name()?);
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        File::open(path)?.take(LONGEST_RECORD).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    });
    let bytes = read.await.ok()?.ok()?;
    ExitRecord::decode(&bytes).ok().filter(|record| is_of(record, id))
}

#[cfg(test)]
mod tests;
