//! Looks after all running servers together, every `spawner.poll_interval`: one timer and one blocking job for all of
//! them, rather than of each its own. A thousand servers that do nothing must not wake the hub a thousand times.
//!
//! What servers use is asked of their session keepers, and told to their actors. Each server's actor checks that it knows of the end of its process (LIFE-021: the safety net below the immediate
//! notice); logs that grew too large are cut.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use log::{error, warn};
use tokio::task::spawn_blocking;

use super::server::{Poll, ServerActor, Used};
use super::supervision::Supervision;
use crate::domain::usage::Usage;
use crate::metrics::Total;
use crate::secret::random_bytes;
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
        tokio::time::sleep(varied(interval, parts.intervals.poll_jitter, random())).await;
        round(&parts).await;
    }
}

/// `interval`, longer or shorter by up to `jitter` of it; `chance` is between 0 and 1.
fn varied(interval: Duration, jitter: f64, chance: f64) -> Duration {
    let factor = 1.0 + jitter.clamp(0.0, 1.0) * (2.0 * chance - 1.0);
    Duration::try_from_secs_f64(interval.as_secs_f64() * factor).unwrap_or(interval)
}

/// Between 0 and 1. Without randomness, nothing varies.
fn random() -> f64 {
    random_bytes::<4>().map_or(0.5, |bytes| f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_varies_by_its_jitter_and_no_more() {
        let (interval, seconds) = (Duration::from_secs(30), |chance| {
            varied(Duration::from_secs(30), 0.1, chance).as_secs_f64().round()
        });
        assert_eq!([0.0, 0.5, 1.0].map(seconds), [27.0, 30.0, 33.0]);
        for _ in 0..100 {
            assert_eq!(varied(interval, 0.0, random()), interval);
            assert!(varied(interval, 1.0, random()) <= interval * 2);
        }
    }
}
