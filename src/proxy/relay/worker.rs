//! What all connections of one worker share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::Clock;
use crate::admission::Admitted;
use crate::config::ProxyConfig;
use crate::metrics::WorkerMetrics;
use crate::pool::Pool;
use crate::table::Routes;

/// Bytes read at once.
const INPUT: usize = 64 * 1024;

/// Buffers that are used within one poll, and never across.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) input: Box<[u8]>,
    pub(crate) frame: Vec<u8>,
}

/// One worker's state.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) routes: Routes,
    pub(crate) config: Arc<ProxyConfig>,
    pub(crate) pool: Pool,
    pub(crate) clock: Rc<Clock>,
    pub(crate) scratch: RefCell<Scratch>,
    pub(crate) metrics: Arc<WorkerMetrics>,
    is_draining: Cell<bool>,
    cuts_tunnels: Cell<bool>,
    is_handing_over: Cell<bool>,
    connections: Cell<usize>,
    emptied: Notify,
}

impl Worker {
    pub(crate) fn new(routes: Routes, config: Arc<ProxyConfig>) -> Rc<Self> {
        let clock = Clock::new(shortest(&config));
        Rc::new(Self {
            routes,
            pool: Pool::new(&config, Rc::clone(&clock)),
            clock,
            scratch: RefCell::new(Scratch { input: vec![0; INPUT].into_boxed_slice(), frame: Vec::new() }),
            metrics: config.metrics.worker(),
            config,
            is_draining: Cell::new(false),
            cuts_tunnels: Cell::new(false),
            is_handing_over: Cell::new(false),
            connections: Cell::new(0),
            emptied: Notify::new(),
        })
    }

    /// Whether connections end with the request under way.
    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.get()
    }

    /// Whether tunnels end now.
    pub(crate) fn cuts_tunnels(&self) -> bool {
        self.cuts_tunnels.get()
    }

    /// Whether idle connections may send one more request, since another process takes the next ones.
    pub(crate) fn is_handing_over(&self) -> bool {
        self.is_handing_over.get()
    }

    /// Ends each connection with its next answer.
    pub(crate) fn hand_over(&self) {
        self.is_draining.set(true);
        self.is_handing_over.set(true);
        self.clock.wake_all();
    }

    /// Ends idle connections, and the others after the request under way. `cut_tunnels`: tunnels at once, too.
    pub(crate) fn drain(&self, cut_tunnels: bool) {
        self.is_draining.set(true);
        self.cuts_tunnels.set(cut_tunnels);
        self.is_handing_over.set(false);
        self.clock.wake_all();
    }

    /// Marks a connection as open until the mark is dropped.
    pub(crate) fn enter(self: &Rc<Self>, admitted: Option<Admitted>) -> Presence {
        self.connections.set(self.connections.get() + 1);
        self.metrics.connection_opened();
        Presence { worker: Rc::clone(self), _admitted: admitted }
    }

    /// Waits until no connection is open.
    pub(crate) async fn is_empty(&self) {
        while self.connections.get() > 0 {
            self.emptied.notified().await;
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Presence {
    worker: Rc<Worker>,
    _admitted: Option<Admitted>,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let left = self.worker.connections.get().saturating_sub(1);
        self.worker.connections.set(left);
        self.worker.metrics.connection_closed();
        if left == 0 {
            self.worker.emptied.notify_one();
        }
    }
}

/// The shortest time that a clock must be able to tell.
fn shortest(config: &ProxyConfig) -> Duration {
    let always = [config.header_timeout, config.keep_alive, config.body_timeout, config.idle_timeout];
    let sometimes = [config.client_timeout, config.response_timeout];
    always.into_iter().chain(sometimes.into_iter().flatten()).min().unwrap_or(config.header_timeout)
}
