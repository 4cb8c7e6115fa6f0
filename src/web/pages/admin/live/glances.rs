//! What administration pages show that changes from one moment to the next, to be compared without a query.
//!
//! A page of the list may be one of many, with few of all servers on it: servers that it does not show change nothing.

use std::collections::HashSet;

use crate::actors::directory::ServerStatus;
use crate::domain::names::{ServerKey, Username};
use crate::web::pages::admin::list::Servers;
use crate::web::pages::failure;
use crate::web::pages::live::{Glance, digest};
use crate::web::state::Hub;

/// The servers of those who are shown, and who else belongs into a list that is narrowed by what servers do.
pub(super) fn users(hub: &Hub, servers: Servers, shown: &HashSet<Username>) -> u64 {
    let matters = |status: &ServerStatus| match servers {
        Servers::Any => false,
        // whose servers run does not belong there
        Servers::Inactive => Servers::Active.shows(failure::state(status)),
        narrow => narrow.shows(failure::state(status)),
    };
    sum(hub, |key, status| {
        let seen = shown.contains(&key.user).then(|| Glance::of(status));
        let belongs = matters(status);
        (seen.is_some() || belongs).then_some((seen, belongs))
    })
}

/// All servers of one user.
pub(super) fn user(hub: &Hub, name: &Username) -> u64 {
    sum(hub, |key, status| (key.user == *name).then(|| Glance::of(status)))
}

/// One server.
pub(super) fn server(hub: &Hub, key: &ServerKey) -> u64 {
    digest(&Glance::of(&hub.servers.status(key)))
}

/// How services do.
pub(super) fn services(hub: &Hub, names: &[String]) -> u64 {
    let status = |name: &String| {
        let status = hub.services.status(name);
        status.map(|status| (format!("{:?}", status.phase), status.starts, status.trouble))
    };
    digest(&names.iter().map(status).collect::<Vec<_>>())
}

/// What the hub counts, what it says, and what is on its way; what is written down, for who may read that.
pub(super) fn hub(hub: &Hub, reads_journal: bool) -> u64 {
    let servers = sum(hub, |_, status| {
        let counts = status.is_active() || status.failure().is_some();
        counts.then(|| Glance::of(status))
    });
    let notices = serde_json::to_vec(&hub.board.now().shown(chrono::Utc::now())).unwrap_or_default();
    digest(&(servers, notices, reads_journal.then(|| hub.journal.written())))
}

/// A digest of what `of` tells of servers, in whatever order they come.
fn sum<T: std::hash::Hash>(hub: &Hub, of: impl Fn(&ServerKey, &ServerStatus) -> Option<T>) -> u64 {
    let mut sum = 0_u64;
    hub.servers.directory().each(|key, status| {
        if let Some(seen) = of(key, status) {
            sum = sum.wrapping_add(digest(&(key, seen)));
        }
    });
    sum
}
