//! systemd's watchdog: it hears that the hub is well as long as this thread turns and the root supervisor answers.

use actix::Addr;
use orrery_proxy::notify::{self, ALIVE};

use crate::actors::hub::HubActor;
use crate::actors::pulse::{self, Ping};

/// Reports to systemd from now on, if it watches this process.
pub(super) fn start(root: Addr<HubActor>) {
    let Some(pause) = notify::watchdog_pause() else { return };
    actix::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            // a silent supervisor is what systemd restarts the hub for: servers run on and are adopted
            if pulse::timed(root.send(Ping)).await.is_some() {
                notify::notify(ALIVE);
            }
        }
    });
}
