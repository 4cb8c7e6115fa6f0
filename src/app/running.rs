//! The hub at work: it answers signals and requests to stop, and ends in order.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use log::{info, warn};
use orrery_proxy::notify::{STOPPING, notify};
use tokio::sync::{Notify, mpsc};

use super::admin_socket::AdminSocket;
use super::{AppError, LAST_WORDS, SharedHub, observe, proxy, signals, start_servers, version};
use crate::actors::hub::HubActor;
use crate::actors::live::Live;
use crate::actors::reloader::Reloader;
use crate::actors::servers::Servers;
use crate::actors::services::Services;
use crate::actors::supervision::Supervision;
use crate::web::admin::{Facts, status};
use crate::web::state::Shutdown;

/// The hub, from the moment that everything runs.
pub(super) struct Running {
    pub(super) proxy: proxy::Opened,
    pub(super) web: actix_web::dev::ServerHandle,
    pub(super) servers: Servers,
    pub(super) services: Services,
    pub(super) root: Addr<HubActor>,
    pub(super) asked: mpsc::Receiver<Shutdown>,
    pub(super) supervision: Arc<Supervision>,
    pub(super) _measuring: observe::Measuring,
    pub(super) hub: Live<SharedHub>,
    pub(super) facts: Facts,
    pub(super) admin: Option<AdminSocket>,
    pub(super) reloader: Reloader,
    pub(super) certificates: Arc<Notify>,
}

impl Running {
    /// Until a signal, a request or a failure ends it.
    pub(super) async fn until_stopped(mut self, signals: &mut signals::Signals) -> Result<(), AppError> {
        let mut pulse = tokio::time::interval(Duration::from_secs(1));
        let services = self.services.clone();
        let failed = services.failed();
        tokio::pin!(failed);
        let mut outcome = Ok(());
        let cleanup = loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    signals::Signal::Stop(name) => {
                        info!(signal = name; "stopping");
                        break self.usual();
                    }
                    signals::Signal::Report => self.report(),
                    signals::Signal::Reload => self.reload(),
                },
                () = self.certificates.notified() => self.proxy.refresh(),
                Some(asked) = self.asked.recv() => break asked,
                (key, reason) = &mut failed => {
                    outcome = Err(AppError::Service { key, reason: format!("it cannot be started: {reason}") });
                    break self.usual();
                },
                _ = pulse.tick() => if !self.root.connected() {
                    return Err(AppError::SupervisorGone);
                },
            }
        };
        notify(STOPPING);
        // A second signal does not wait any longer.
        tokio::select! {
            () = self.stop(cleanup) => info!("done"),
            () = signals.stop_again() => warn!("stopped without waiting; some servers may still run"),
        }
        outcome
    }

    /// What the configuration says of servers and proxy, as it is now.
    fn usual(&self) -> Shutdown {
        let hub = self.hub.now();
        Shutdown { stop_servers: hub.settings.cleanup_servers, stop_proxy: hub.settings.cleanup_proxy }
    }

    /// The report is in the log.
    fn reload(&self) {
        let reloader = self.reloader.clone();
        actix::spawn(async move {
            if let Err(absent) = reloader.reload("signal:SIGHUP").await {
                warn!(error:% = absent; "the configuration was not read again");
            }
        });
    }

    /// What the hub does, in the log (LIFE-009). It is asked for when something seems wrong, so it is a warning.
    fn report(&self) {
        let (hub, facts) = (self.hub.now(), self.facts.clone());
        actix::spawn(async move {
            let status = status::gather(&hub, &facts).await;
            for line in status::lines(&status) {
                warn!("status: {line}");
            }
            warn!("status: that is all");
        });
    }

    /// Services first, which may use servers (SVC-007), then servers: pages and REST answer until they are down, and users
    /// see why theirs ended.
    async fn stop(self, cleanup: Shutdown) {
        self.services.stop_all().await;
        self.supervision.events.closing();
        if cleanup.stop_servers {
            start_servers::stop_all(&self.servers, self.supervision.now().ladder.longest()).await;
        } else {
            info!("user servers are left running");
        }
        // they would be waited for
        self.hub.now().streams.end();
        self.proxy.stop(cleanup.stop_proxy).await;
        // Unused connections of the proxy's are closed at once; what has begun is answered.
        self.web.stop(true).await;
        if let Some(admin) = self.admin {
            admin.stop().await;
        }
        self.supervision.journal.record("hub", "hub.stop", "hub", Some(version()));
        self.supervision.journal.flush(LAST_WORDS).await;
        self.supervision.events.flush(LAST_WORDS);
    }
}
