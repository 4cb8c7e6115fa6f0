//! User servers at the hub's start and end: those that should run are verified, those that run are stopped.

use log::{error, info};

use crate::actors::server::Identity;
use crate::actors::servers::Servers;
use crate::domain::names::{ServerKey, Username};
use crate::store::{Store, servers};

/// Gives every server that has an address an actor, which verifies and adopts it. Nothing here waits for servers, and
/// nothing is proportional to the number of users. Whether all of them have one now.
pub(super) async fn verify(running: &Servers, store: &Store) -> bool {
    let rows = match store.read(servers::with_address).await {
        Ok(rows) => rows,
        Err(failed) => {
            error!(error:% = failed; "servers that may be running could not be looked up");
            return false;
        }
    };
    info!(servers = rows.len(); "verifying servers of the last run");
    for (user, server) in rows {
        let key = ServerKey::new(user, server.name);
        let identity = Identity { id: server.id, user_id: server.user_id, key };
        if running.check(identity).await.is_err() {
            return false; // the hub is going down already
        }
    }
    true
}

/// Stops the servers of users who are blocked now (AUTH-039); nobody waits for it.
pub(super) async fn stop_of_blocked(servers: &Servers, blocked: &[Username]) {
    let theirs = servers.directory().select(|status| status.is_active());
    for key in theirs.iter().filter(|key| blocked.contains(&key.user)) {
        info!(server:? = key; "stopping the server of a blocked user");
        servers.by("hub: its owner is blocked").stop(key).await;
    }
}

/// Stops every server and waits until all have stopped; each has its own deadline.
pub(super) async fn stop_all(servers: &Servers) {
    let active = servers.directory().select(|status| status.is_active());
    info!(servers = active.len(); "stopping servers");
    let ending = servers.by("hub: it ends");
    for key in &active {
        ending.stop(key).await;
    }
    for key in &active {
        if let Some(mut status) = servers.watch(key) {
            // an error means that its actor is gone, and with it what there was to wait for
            let _ = status.wait_for(|now| !now.is_active()).await;
        }
    }
}
