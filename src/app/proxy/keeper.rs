//! Keeps a proxy that the hub started running: its end is noticed at once, it is started again and gets its routes back.

use std::time::Duration;

use log::{error, info};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::actors::registry::{Check, RegistryActor};
use crate::actors::slot::Slot;
use crate::proxy_child::{ProxyPlan, RunningProxy};

/// What becomes of the proxy when the hub ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Ending {
    Stop,
    Leave,
}

/// The proxy's supervisor.
pub(in crate::app) struct Keeper {
    ending: oneshot::Sender<Ending>,
    task: JoinHandle<()>,
}

impl Keeper {
    /// Keeps `running` alive; between two starts there is at least `interval`.
    pub(super) fn new(
        running: RunningProxy,
        plan: ProxyPlan,
        interval: Duration,
        registry: Slot<RegistryActor>,
    ) -> Self {
        let (ending, told) = oneshot::channel();
        Self { ending, task: actix::spawn(keep(running, plan, interval, registry, told)) }
    }

    /// Ends the supervision, and the proxy if it is to be.
    pub(super) async fn end(self, ending: Ending) {
        // a supervisor that is gone has nothing left to end
        let _ = self.ending.send(ending);
        let _ = self.task.await;
    }
}

async fn keep(
    mut running: RunningProxy,
    plan: ProxyPlan,
    interval: Duration,
    registry: Slot<RegistryActor>,
    mut told: oneshot::Receiver<Ending>,
) {
    loop {
        let since = Instant::now();
        let ending = tokio::select! {
            status = running.ended() => {
                error!(status = status.as_str(), pid = running.pid(); "the proxy ended by itself and is started again");
                None
            }
            ending = &mut told => Some(ending),
        };
        match ending {
            None => {}
            Some(Ok(Ending::Leave)) => return running.leave(),
            Some(Ok(Ending::Stop) | Err(_)) => return running.stop().await,
        }
        // one that ends at once must not keep the machine busy
        let first = interval.saturating_sub(since.elapsed());
        let Some(next) = start_again(&plan, first, interval, &mut told).await else { return };
        running = next;
        match registry.ask(Check).await {
            Ok(Ok(())) => info!("the proxy has its routes back"),
            Ok(Err(failed)) => error!(error:% = failed; "the proxy's routes could not be given back"),
            Err(absent) => error!(error:% = absent; "the proxy's routes are given back at the next check"),
        }
    }
}

/// Starts the proxy until it runs; `None` if the hub ends first.
async fn start_again(
    plan: &ProxyPlan,
    first: Duration,
    interval: Duration,
    told: &mut oneshot::Receiver<Ending>,
) -> Option<RunningProxy> {
    let mut pause = first;
    loop {
        tokio::select! {
            () = sleep(pause) => {}
            _ = &mut *told => return None,
        }
        match RunningProxy::start(plan).await {
            Ok(running) => return Some(running),
            Err(failed) => {
                error!(error:% = failed; "the proxy could not be started again; the next try follows")
            }
        }
        pause = interval.max(Duration::from_millis(100));
    }
}
