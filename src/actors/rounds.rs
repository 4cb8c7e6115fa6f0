//! Looks after all running servers together, every `spawner.poll_interval`: one timer and one blocking job for all of
//! them, rather than of each its own. A thousand servers that do nothing must not wake the hub a thousand times.
//!
//! What servers use is asked of their session keepers, and told to their actors. Each server's actor checks that it knows of the end of its process (LIFE-021: the safety net below the immediate
//! notice); logs that grew too large are cut.

use std::sync::Arc;

use actix::Addr;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use log::{error, warn};
use tokio::task::spawn_blocking;

use super::server::{Poll, ServerActor, Used};
use super::supervision::Supervision;
use crate::domain::usage::Usage;
use crate::metrics::Total;
use crate::spawn::Running;

/// Bytes of output that a running server may leave in its log between two rounds.
const LARGEST_LOG: u64 = 4 << 20;
/// How many session keepers are asked at the same time.
const AT_ONCE: usize = 32;

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
        let running = server.send(Poll).await.ok().flatten()?;
        Some((server, running))
    });
    let found: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
    parts.metrics.usage(look(&found).await);
    let running: Vec<Running> = found.into_iter().map(|(_, running)| running).collect();
    if running.is_empty() {
        return;
    }
    let cut = spawn_blocking(move || running.iter().for_each(cut_log));
    if let Err(failed) = cut.await {
        error!(error:% = failed; "servers' logs could not be looked at");
    }
}

/// Asks what all of them use; what it is together.
async fn look(found: &[(Addr<ServerActor>, Running)]) -> Total {
    let looks = found.iter().map(|(server, running)| async move {
        let usage = running.usage().await?;
        server.do_send(Used { pid: running.id().pid, usage });
        Some(usage)
    });
    let used: Vec<Option<Usage>> = stream::iter(looks).buffer_unordered(AT_ONCE).collect().await;
    let mut total = Total::default();
    for usage in used.into_iter().flatten() {
        total.memory = total.memory.saturating_add(usage.memory.unwrap_or_default());
        total.processes = total.processes.saturating_add(usage.processes.unwrap_or_default().into());
    }
    total
}

fn cut_log(running: &Running) {
    let pid = running.id().pid;
    match running.truncate_log_if_large(LARGEST_LOG) {
        Ok(true) => warn!(pid; "a server's log grew too large and was cut"),
        Ok(false) => {}
        Err(failed) => warn!(pid, error:% = failed; "a server's log could not be cut"),
    }
}
