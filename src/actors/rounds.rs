//! Looks after all running servers together, every `spawner.poll_interval`: one timer and one blocking job for all of
//! them, rather than of each its own. A thousand servers that do nothing must not wake the hub a thousand times.
//!
//! Each server's actor checks that it knows of the end of its process (LIFE-021: the safety net below the immediate
//! notice); logs that grew too large are cut.

use std::sync::Arc;

use futures_util::future::join_all;
use log::{error, warn};
use tokio::task::spawn_blocking;

use super::server::Poll;
use super::supervision::Supervision;
use crate::spawn::Running;

/// Bytes of output that a running server may leave in its log between two rounds.
const LARGEST_LOG: u64 = 4 << 20;

/// Makes its rounds until it is dropped. One at a time: a slow one delays the next.
pub(super) async fn make(parts: Arc<Supervision>) {
    let interval = parts.intervals.poll;
    if interval.is_zero() {
        return;
    }
    loop {
        tokio::time::sleep(interval).await;
        round(&parts).await;
    }
}

async fn round(parts: &Supervision) {
    let asked = parts.directory.ready().into_iter().map(|server| async move {
        // an actor that is gone has no server, or is being replaced by one that verifies it
        server.send(Poll).await.ok().flatten()
    });
    let running: Vec<Running> = join_all(asked).await.into_iter().flatten().collect();
    if running.is_empty() {
        return;
    }
    let cut = spawn_blocking(move || running.iter().for_each(cut_log));
    if let Err(failed) = cut.await {
        error!(error:% = failed; "servers' logs could not be looked at");
    }
}

fn cut_log(running: &Running) {
    let pid = running.id().pid;
    match running.truncate_log_if_large(LARGEST_LOG) {
        Ok(true) => warn!(pid; "a server's log grew too large and was cut"),
        Ok(false) => {}
        Err(failed) => warn!(pid, error:% = failed; "a server's log could not be cut"),
    }
}
