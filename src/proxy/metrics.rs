//! What the proxy counts, in the text format of Prometheus (proxy.md section 11).
//!
//! Workers count in blocks of their own, so no two threads write to one cache line;
//! the blocks are summed when somebody asks. CHP's names come without prefix or
//! `_total`, ours start with `orrery_proxy_`.

mod histogram;
mod process;
mod text;
mod worker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use worker::WorkerMetrics;

/// All counters of a proxy.
#[derive(Debug, Default)]
pub struct Metrics {
    listed: AtomicU64,
    added: AtomicU64,
    deleted: AtomicU64,
    access_log_dropped: AtomicU64,
    /// By status. The API is no hot path.
    api: Mutex<BTreeMap<u16, u64>>,
    workers: Mutex<Vec<Arc<WorkerMetrics>>>,
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A block for one worker thread. It counts until the end, even after the worker.
    pub fn worker(&self) -> Arc<WorkerMetrics> {
        let block = Arc::new(WorkerMetrics::default());
        locked(&self.workers).push(Arc::clone(&block));
        block
    }

    /// Everything as text.
    pub fn text(&self) -> String {
        text::render(self)
    }

    /// Everything but the process's own numbers, under names that can stand beside others'.
    pub fn part_text(&self) -> String {
        text::render_part(self)
    }

    pub(crate) fn api_answered(&self, status: u16) {
        *locked(&self.api).entry(status).or_default() += 1;
    }

    pub(crate) fn api_route_added(&self) {
        self.added.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn api_route_deleted(&self) {
        self.deleted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn api_routes_listed(&self) {
        self.listed.fetch_add(1, Ordering::Relaxed);
    }

    /// Entries of the access log that nobody could write down.
    pub(crate) fn access_log_dropped(&self) {
        self.access_log_dropped.fetch_add(1, Ordering::Relaxed);
    }

    fn sum(&self, counter: impl Fn(&WorkerMetrics) -> u64) -> u64 {
        locked(&self.workers).iter().map(|worker| counter(worker)).fold(0, u64::wrapping_add)
    }
}

/// What the system knows about this process, as text.
pub fn process_metrics() -> String {
    text::render_process()
}

/// A poisoned lock is fine: counters have no invariants.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
