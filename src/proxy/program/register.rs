//! Who writes routes: into the table, into its file, and to the processes before us that still have connections.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::future::BoxFuture;

use super::hand_over::{Channel, changed, removed};
use super::route_file::RouteFile;
use crate::api::RouteWriter;
use crate::route::Route;
use crate::table::Routes;

/// The table and what else holds it.
#[derive(Debug)]
pub(super) struct Register {
    routes: Routes,
    file: Mutex<RouteFile>,
    elders: Mutex<Vec<Arc<Channel>>>,
}

impl Register {
    /// Writes the table as it is.
    pub(super) fn new(routes: Routes, mut file: RouteFile) -> io::Result<Self> {
        file.write(&routes.load())?;
        Ok(Self { routes, file: Mutex::new(file), elders: Mutex::default() })
    }

    /// The table.
    pub(super) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Writes the whole table, with the last use of each route, for `give`.
    pub(super) fn write_down<T>(&self, give: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write(&self.routes.load())?;
        give(file.as_fd())
    }

    /// The processes before us.
    pub(super) fn elders(&self) -> Vec<Arc<Channel>> {
        self.elders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds some of them.
    pub(super) fn follow(&self, elders: &[Arc<Channel>]) {
        self.elders.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(elders);
    }

    /// One of them has ended.
    pub(super) fn outlive(&self, elder: &Arc<Channel>) {
        let mut elders = self.elders.lock().unwrap_or_else(PoisonError::into_inner);
        elders.retain(|known| !Arc::ptr_eq(known, elder));
    }

    /// Somebody else follows them now.
    pub(super) fn forget(&self) {
        self.elders.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn note(&self, line: impl FnOnce(&mut RouteFile) -> io::Result<()>) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = match file.is_worn() {
            true => file.write(&self.routes.load()),
            false => line(&mut file),
        };
        if let Err(error) = written {
            log::warn!(error:%; "a route was not written down; it would be lost if this process crashed");
        }
    }
}

impl RouteWriter for Register {
    fn add(&self, route: Arc<Route>) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            self.routes.add(Arc::clone(&route));
            self.note(|file| file.add(&route));
            self.elders().iter().for_each(|elder| changed(elder, &route));
            Ok(())
        })
    }

    fn remove<'a>(&'a self, spec: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Some(key) = self.routes.load().get(spec).map(|route| route.key()) else { return false };
            let was_there = self.routes.remove(spec);
            self.note(|file| file.remove(&key));
            self.elders().iter().for_each(|elder| removed(elder, &key));
            was_there
        })
    }
}
