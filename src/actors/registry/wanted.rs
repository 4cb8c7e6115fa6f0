//! The routes that the hub wants: shared with whatever is still writing them when the registry is replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::names::ServerKey;
use crate::domain::route_check::{Purpose, Wanted, WantedRoute};
use crate::domain::route_spec::RouteSpec;

/// The routes that the hub wants.
#[derive(Clone, Default)]
pub struct WantedRoutes(Arc<Inner>);

#[derive(Default)]
struct Inner {
    routes: Mutex<Wanted>,
    complete: AtomicBool,
}

impl WantedRoutes {
    /// Every server of an earlier run has its actor now, so a route that nobody wants is stale. Until then checks
    /// remove nothing.
    pub fn complete(&self) {
        self.0.complete.store(true, Ordering::Release);
    }

    pub(super) fn is_complete(&self) -> bool {
        self.0.complete.load(Ordering::Acquire)
    }

    pub(super) fn insert(&self, spec: RouteSpec, route: WantedRoute) {
        self.with(|routes| routes.insert(spec, route));
    }

    pub(super) fn remove(&self, spec: &RouteSpec) -> bool {
        self.with(|routes| routes.remove(spec).is_some())
    }

    pub(super) fn get(&self, spec: &RouteSpec) -> Option<WantedRoute> {
        self.with(|routes| routes.get(spec).cloned())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.with(|routes| routes.is_empty())
    }

    /// A copy of all of them.
    pub(super) fn all(&self) -> Wanted {
        self.with(|routes| routes.clone())
    }

    /// Forgets servers that are not to be kept.
    pub(super) fn keep_servers(&self, keep: impl Fn(&ServerKey) -> bool) {
        self.with(|routes| {
            routes.retain(|_, route| match &route.purpose {
                Purpose::Server(key) => keep(key),
                Purpose::Hub | Purpose::Service(_) | Purpose::Extra => true,
            });
        });
    }

    // A poisoned lock only says that some thread panicked while it held it; the map itself is always whole.
    fn with<T>(&self, look: impl FnOnce(&mut Wanted) -> T) -> T {
        look(&mut self.0.routes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
