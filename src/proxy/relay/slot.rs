//! What the proxy keeps of a route while it is used: how many requests and tunnels are under way, and when the last use was.

use std::sync::Arc;
use std::time::Instant;

use crate::metrics::WorkerMetrics;
use crate::route::Route;

/// One request or tunnel of a route, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Route>);

impl Slot {
    pub(crate) fn route(&self) -> &Route {
        &self.0
    }

    /// Counts one more; `None` if `most` are under way. 0: there is no limit.
    pub(crate) fn take(route: &Arc<Route>, most: usize) -> Option<Self> {
        let before = route.begin();
        let slot = Self(Arc::clone(route));
        (most == 0 || before < most).then_some(slot)
    }
}

/// Records that a route is used.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) route: Arc<Route>,
    pub(crate) metrics: Arc<WorkerMetrics>,
}

impl Use {
    pub(crate) fn record(&self) {
        let start = Instant::now();
        self.route.touch();
        self.metrics.activity_updated(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_099_a_route_has_no_more_under_way_than_it_may() {
        let route = Route::new("/", "http://127.0.0.1:1", serde_json::Value::Null).unwrap();
        let first = Slot::take(&route, 2);
        let second = Slot::take(&route, 2);
        assert!(first.is_some() && second.is_some() && Slot::take(&route, 2).is_none());
        assert!(Slot::take(&route, 0).is_some());
        drop(first);
        assert!(Slot::take(&route, 2).is_some());
    }
}
