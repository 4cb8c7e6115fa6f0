//! The task that learns of a process's end, and the table of all processes that have such a task.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

use super::{Hold, Running};
use crate::spawn::oom::OomCounter;
use crate::spawn::{Exit, ProcessId};

/// The processes that are watched and have not ended. An actor that is rebuilt adopts its server from here, and so
/// still learns the exact exit status of a child.
static WATCHED: Mutex<Option<HashMap<i32, Running>>> = Mutex::new(None);

/// Watches the process behind `pidfd` until it ends, and reaps it if it is our child.
pub(super) fn watch(id: ProcessId, pidfd: OwnedFd) -> io::Result<Running> {
    let pidfd = Arc::new(pidfd);
    let end = register(Arc::clone(&pidfd))?;
    let (news, exit) = watch::channel(None);
    let oom = OomCounter::of(id.pid).map(Arc::new);
    let running = Running { id: Arc::new(id), exit, hold: Hold::Own { pidfd, oom } };
    let watched = running.clone();
    watched_now().get_or_insert_default().insert(running.id.pid, running.clone());
    tokio::spawn(async move {
        // fails only when the runtime ends, and then nothing is known
        if let Ok(status) = reap(&end, &watched.id).await {
            news.send_replace(Some(status));
        }
    });
    Ok(running)
}

/// The handle of a process that is being watched already.
pub(super) fn find_watched(id: &ProcessId) -> Option<Running> {
    let found = watched_now().as_ref().and_then(|all| all.get(&id.pid).cloned())?;
    // a watcher ends without news when its runtime does
    let alive = found.exit.has_changed().is_ok();
    (alive && found.id.is_same_process(id)).then_some(found)
}

fn watched_now() -> MutexGuard<'static, Option<HashMap<i32, Running>>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn forget(id: &Arc<ProcessId>) {
    if let Some(all) = watched_now().as_mut() {
        // the number may be another one's meanwhile
        all.retain(|pid, running| *pid != id.pid || !Arc::ptr_eq(&running.id, id));
    }
}

/// Makes the end of a process something to await: its pidfd becomes readable then.
#[expect(
    deprecated,
    reason = "its successor is unsafe, for types whose descriptor may change or close; an Arc<OwnedFd> does neither"
)]
pub(super) fn register(pidfd: Arc<OwnedFd>) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    AsyncFd::with_interest(pidfd, Interest::READABLE)
}

/// Waits for the end and takes the status, so that no zombie stays; a process that is not our child has none for us.
async fn reap(end: &AsyncFd<Arc<OwnedFd>>, id: &Arc<ProcessId>) -> io::Result<Exit> {
    loop {
        let mut ready = end.readable().await?;
        // before the number is free for the next process
        forget(id);
        let process = WaitId::PidFd(end.get_ref().as_fd());
        match waitid(process, WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(Some(status)) => return Ok(Exit::from_wait(&status)),
            Ok(None) => ready.clear_ready(),
            Err(Errno::INTR) => {}
            Err(_) => return Ok(Exit::UNKNOWN),
        }
    }
}
