//! What one worker thread counts. Only that thread writes, with relaxed atomics.

use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::{Histogram, Summary};

/// Statuses that have a counter of their own; others count as the nearest of them.
const STATUSES: std::ops::RangeInclusive<u16> = 100..=599;
const STATUS_COUNT: usize = 500;

/// The counters of one worker.
#[derive(Debug)]
pub struct WorkerMetrics {
    pub(super) web: AtomicU64,
    pub(super) ws: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) opened: AtomicU64,
    pub(super) closed: AtomicU64,
    pub(super) tunnels_opened: AtomicU64,
    pub(super) tunnels_closed: AtomicU64,
    statuses: [AtomicU64; STATUS_COUNT],
    find: Histogram,
    activity: Histogram,
}

impl Default for WorkerMetrics {
    fn default() -> Self {
        Self {
            web: AtomicU64::new(0),
            ws: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            closed: AtomicU64::new(0),
            tunnels_opened: AtomicU64::new(0),
            tunnels_closed: AtomicU64::new(0),
            statuses: std::array::from_fn(|_| AtomicU64::new(0)),
            find: Histogram::default(),
            activity: Histogram::default(),
        }
    }
}

fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl WorkerMetrics {
    /// A request came that asks for no other protocol.
    pub fn request_web(&self) {
        bump(&self.web);
    }

    /// A request came that asks for another protocol.
    pub fn request_ws(&self) {
        bump(&self.ws);
    }

    /// A server answered with this status, or the proxy had to answer for it.
    pub fn answered(&self, status: u16) {
        let nearest = status.clamp(*STATUSES.start(), *STATUSES.end());
        if let Some(counter) = self.statuses.get(usize::from(nearest - STATUSES.start())) {
            bump(counter);
        }
    }

    /// Looking for a route took this long.
    pub fn found_target(&self, nanos: u64) {
        self.find.record(nanos);
    }

    /// Recording a route's use took this long.
    pub fn activity_updated(&self, nanos: u64) {
        self.activity.record(nanos);
    }

    /// A request was malformed or ambiguous, or a connection one too many.
    pub fn refused(&self) {
        bump(&self.refused);
    }

    /// A client's connection began.
    pub fn connection_opened(&self) {
        bump(&self.opened);
    }

    /// A client's connection ended.
    pub fn connection_closed(&self) {
        bump(&self.closed);
    }

    /// A connection became a tunnel.
    pub fn tunnel_opened(&self) {
        bump(&self.tunnels_opened);
    }

    /// A tunnel ended.
    pub fn tunnel_closed(&self) {
        bump(&self.tunnels_closed);
    }

    /// Statuses that have occurred.
    pub(super) fn statuses(&self) -> impl Iterator<Item = (u16, u64)> {
        let counts = self.statuses.iter().map(|count| count.load(Ordering::Relaxed));
        STATUSES.zip(counts).filter(|(_, count)| *count > 0)
    }

    pub(super) fn add_to(&self, find: &mut Summary, activity: &mut Summary) {
        find.add(&self.find);
        activity.add(&self.activity);
    }
}
