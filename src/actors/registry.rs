//! The only writer of the proxy's routes.
//!
//! What the hub wants is kept apart from what a proxy has: [`WantedRoutes`] outlives this actor, and whoever is asked
//! to change a route brings it to what is wanted at that moment. So it does not matter in which order requests to a
//! slow proxy are done, and a route that someone else changed is put right at the next check.

mod embedded;
mod messages;
mod remote;
mod wanted;

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::{Actor, AsyncContext, Context};
use log::warn;
use orrery_proxy::{RouteError, Routes};

use super::obituary::Obituary;
use super::supervision::Supervision;
use crate::domain::route_check::Change;
use crate::domain::route_spec::RouteSpec;
use crate::proxy_client::ProxyError;

#[cfg(test)]
pub(crate) use messages::Crash;
pub use messages::{Check, List, Publish, Survey, SwitchError, SwitchProxy, Unpublish};
pub use remote::{Keeper, Remote};
pub use wanted::WantedRoutes;

/// The proxy that has the routes.
#[derive(Clone)]
pub enum Proxy {
    /// In this process: the table is published for it.
    Embedded(Routes),
    /// Another process, spoken to over its REST API.
    Remote(Arc<Remote>),
}

impl Proxy {
    /// The table that the data plane in this process reads, if it is in this process.
    #[must_use]
    pub fn embedded(&self) -> Option<&Routes> {
        match self {
            Self::Embedded(routes) => Some(routes),
            Self::Remote(_) => None,
        }
    }
}

/// Why a route is not live.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It cannot be one.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The proxy does not take it.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// Owns the routes.
pub struct RegistryActor {
    parts: Arc<Supervision>,
    _obituary: Obituary,
}

impl RegistryActor {
    /// Takes over what its predecessor wanted, without servers that are neither ready nor about to be.
    pub(crate) fn new(parts: Arc<Supervision>, obituary: Obituary) -> Self {
        let directory = &parts.directory;
        parts.wanted.keep_servers(|key| directory.status(key).is_some_and(|status| status.is_active()));
        Self { parts, _obituary: obituary }
    }
}

impl Actor for RegistryActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        if !self.parts.wanted.is_empty() {
            // a predecessor died: it may have left something half done
            context.notify(Check);
        }
    }
}

/// The routes of servers that are about to change.
fn pending(parts: &Supervision) -> BTreeSet<RouteSpec> {
    let servers = parts.directory.select(|status| status.pending.is_some());
    servers.iter().map(|key| parts.route(key)).collect()
}

/// What a check is about to do, for the log; the very first one has nobody to warn.
fn announce(change: &Change) {
    match change {
        Change::Add(spec) => warn!(route:% = spec; "a route is missing at the proxy and is added"),
        Change::Replace(spec, led_to) => {
            warn!(route:% = spec, led_to; "a route leads elsewhere and is replaced")
        }
        Change::Remove(spec) => warn!(route:% = spec; "a stale route is removed from the proxy"),
    }
}
