//! The routes of a proxy in another process.
//!
//! Every write brings one route to what is wanted when its turn comes, and writes of one route wait for each other: a
//! slow add cannot overtake the removal that came after it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use log::{debug, warn};
use tokio::sync::Mutex as Turn;

use super::announce;
use super::wanted::WantedRoutes;
use crate::domain::route_check::{self, Change, Live};
use crate::domain::route_spec::{RouteSpec, Routing};
use crate::metrics::Metrics;
use crate::proxy_client::{Peer, ProxyClient, ProxyError};

/// Who runs the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// Someone else; the hub may be told to speak to another one.
    Operator,
    /// The hub, which started it.
    Hub,
}

/// A proxy in another process.
pub struct Remote {
    client: ProxyClient,
    keeper: Keeper,
    routing: Routing,
    wanted: WantedRoutes,
    /// What the proxy had when the hub came: such a route is not written again, which would count as its use.
    found: Mutex<Live>,
    turns: Mutex<HashMap<RouteSpec, Arc<Turn<()>>>>,
    checking: Turn<()>,
}

impl Remote {
    /// The proxy behind `client`, which is to have the `wanted` routes.
    #[must_use]
    pub fn new(client: ProxyClient, keeper: Keeper, routing: Routing, wanted: WantedRoutes) -> Self {
        Self {
            client,
            keeper,
            routing,
            wanted,
            found: Mutex::default(),
            turns: Mutex::default(),
            checking: Turn::default(),
        }
    }

    /// Who runs it.
    #[must_use]
    pub fn keeper(&self) -> Keeper {
        self.keeper
    }

    /// Looks whether the proxy answers, patiently, and what it has from an earlier run of the hub.
    ///
    /// # Errors
    /// [`ProxyError`] if it does not.
    pub async fn connect(&self) -> Result<(), ProxyError> {
        let live = self.list().await?;
        *self.found() = live;
        Ok(())
    }

    /// The hub's routes as they are.
    pub(super) async fn list(&self) -> Result<Live, ProxyError> {
        Ok(route_check::live(self.client.routes().await?, self.routing))
    }

    /// Speaks to another proxy from now on; what is not given stays.
    pub(super) fn switch(&self, change: impl FnOnce(Peer) -> Peer) {
        let peer = Peer::clone(&self.client.peer());
        self.client.switch(change(peer));
        self.found().clear();
    }

    /// Brings one route to what is wanted.
    pub(super) async fn settle(&self, spec: &RouteSpec) -> Result<(), ProxyError> {
        let turn = Arc::clone(lock(&self.turns).entry(spec.clone()).or_default());
        let settled = {
            let _turn = turn.lock().await;
            match self.wanted.get(spec) {
                Some(route) if self.found().remove(spec).is_some_and(|found| found.fits(&route)) => Ok(()),
                Some(route) => self.client.add(spec, &route).await,
                None => self.client.remove(spec).await,
            }
        };
        drop(turn);
        let mut turns = lock(&self.turns);
        if turns.get(spec).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(spec);
        }
        settled
    }

    /// Puts the proxy right, after what others have begun; `fresh` is its table if it has just been read.
    pub(super) async fn check(
        &self,
        fresh: Option<Live>,
        metrics: &Metrics,
        pending: impl FnOnce() -> BTreeSet<RouteSpec>,
    ) -> Result<(), ProxyError> {
        let _one_at_a_time = self.checking.lock().await;
        let begin = tokio::time::Instant::now();
        let live = match fresh {
            Some(live) if !live.is_empty() => live,
            _ => {
                let read = self.list().await;
                metrics.routes_read(begin.elapsed());
                read?
            }
        };
        self.found().clear();
        let mut changes = route_check::check(&self.wanted.all(), &live, &pending());
        changes.retain(|change| self.wanted.is_complete() || !matches!(change, Change::Remove(_)));
        let done = join_all(changes.iter().map(|change| {
            announce(change);
            self.settle(change.spec())
        }));
        let failed = changes.iter().zip(done.await).filter_map(|(change, done)| Some((change, done.err()?)));
        let mut first = None;
        for (change, error) in failed {
            warn!(route:% = change.spec(), error:% = error; "a route could not be put right");
            first.get_or_insert(error);
        }
        debug!(changes = changes.len(), took:? = begin.elapsed(); "routes checked");
        first.map_or(Ok(()), Err)
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Live> {
        lock(&self.found)
    }
}

// A poisoned lock only says that some thread panicked while it held it; the map itself is always whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
