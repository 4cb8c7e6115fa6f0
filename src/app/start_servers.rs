//! User servers at the hub's start and end: those that should run are verified, those that run are stopped.

use std::time::Duration;

use log::{error, info};

use crate::actors::server::Identity;
use crate::actors::servers::Servers;
use crate::domain::names::{ServerKey, Username};
use crate::domain::server_state::Pending;
use crate::store::{Store, servers};

/// How long the hub waits before it asks the database again which servers to look after.
const RETRY: Duration = Duration::from_secs(1);
/// How much longer than the longest stop the hub's own end waits for servers.
const MARGIN: Duration = Duration::from_secs(10);

/// Gives every server that runs or was starting an actor, which verifies and adopts it, or cleans up. Nothing here waits
/// for servers, and nothing is proportional to the number of users. A database that is away is waited for: what runs
/// must not stay without a route.
pub(super) async fn verify(running: &Servers, store: &Store) {
    let rows = loop {
        match store.read(servers::unfinished).await {
            Ok(rows) => break rows,
            Err(failed) => {
                error!(error:% = failed; "servers that may be running could not be looked up");
                tokio::time::sleep(RETRY).await;
            }
        }
    };
    info!(servers = rows.len(); "verifying servers of the last run");
    for (user, server) in rows {
        let key = ServerKey::new(user, server.name);
        let identity = Identity { id: server.id, user_id: server.user_id, key };
        if running.check(identity).await.is_err() {
            return; // the hub is going down already
        }
    }
}

/// Waits until the servers of an earlier run are verified, at most this long; those that are late are verified all the same.
pub(super) async fn wait_for_checks(servers: &Servers, at_most: Duration) {
    if at_most.is_zero() {
        return;
    }
    let under_way = servers.directory().select(|status| status.pending == Some(Pending::Check));
    futures_util::future::join_all(under_way.iter().map(|key| servers.settled(key, at_most))).await;
}

/// Stops the servers of users who are blocked now (AUTH-039); nobody waits for it. Every one that has an actor: those that
/// are still to be verified do not look active yet.
pub(super) async fn stop_of_blocked(servers: &Servers, blocked: &[Username]) {
    let theirs = servers.directory().select(|_| true);
    for key in theirs.iter().filter(|key| blocked.contains(&key.user)) {
        info!(server:? = key; "stopping the server of a blocked user");
        servers.by("hub: its owner is blocked").stop(key).await;
    }
}

/// Stops every server and waits until all have stopped, at most as long as the longest stop takes: with a database that
/// is away, what has stopped is cleaned up by the next hub.
pub(super) async fn stop_all(servers: &Servers, longest: Duration) {
    let active = servers.directory().select(|status| status.is_active());
    info!(servers = active.len(); "stopping servers");
    let ending = servers.by("hub: it ends");
    for key in &active {
        ending.stop(key).await;
    }
    let all_stopped = async {
        for key in &active {
            if let Some(mut status) = servers.watch(key) {
                // an error means that its actor is gone, and with it what there was to wait for
                let _ = status.wait_for(|now| !now.is_active()).await;
            }
        }
    };
    if tokio::time::timeout(longest.saturating_add(MARGIN), all_stopped).await.is_err() {
        error!("some servers have not stopped, or could not be cleaned up after; the next start does that");
    }
}
