//! Counters into the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::Summary;
use super::{Metrics, locked, process};

/// In thousandths, and as CHP writes them.
const QUANTILES: [(u64, &str); 7] =
    [(10, "0.01"), (50, "0.05"), (500, "0.5"), (900, "0.9"), (950, "0.95"), (990, "0.99"), (999, "0.999")];

pub(super) fn render(metrics: &Metrics) -> String {
    let mut page = Page::new(Names::Chp);
    of_process(&mut page);
    of_chp(metrics, &mut page);
    of_ours(metrics, &mut page);
    page.text
}

/// The proxy's part of the page of a program that has more to say.
pub(super) fn render_part(metrics: &Metrics) -> String {
    let mut page = Page::new(Names::Prefixed);
    of_chp(metrics, &mut page);
    of_ours(metrics, &mut page);
    page.text
}

/// What the system knows about this process, alone.
pub(super) fn render_process() -> String {
    let mut page = Page::new(Names::Prefixed);
    of_process(&mut page);
    page.text
}

fn of_process(page: &mut Page) {
    for sample in process::samples() {
        page.single(sample.name, sample.kind, sample.help, &sample.value);
    }
}

fn of_chp(metrics: &Metrics, page: &mut Page) {
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    page.counter("api_route_get", "Count of API route get requests", load(&metrics.listed));
    page.counter("api_route_add", "Count of API route add requests", load(&metrics.added));
    page.counter("api_route_delete", "Count of API route delete requests", load(&metrics.deleted));
    let (mut find, mut activity) = (Summary::default(), Summary::default());
    let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
    for worker in locked(&metrics.workers).iter() {
        worker.add_to(&mut find, &mut activity);
        worker.statuses().for_each(|(status, count)| *statuses.entry(status).or_default() += count);
    }
    page.summary("find_target_for_req", "Summary of find target requests", &find);
    page.summary("last_activity_updating", "Summary of last activity updating requests", &activity);
    page.counter("requests_ws", "Count of websocket requests", metrics.sum(|worker| load(&worker.ws)));
    page.counter("requests_web", "Count of web requests", metrics.sum(|worker| load(&worker.web)));
    page.by_status("requests_proxy", "Count of proxy requests", &statuses);
    page.by_status("requests_api", "Count of API requests", &locked(&metrics.api));
}

fn of_ours(metrics: &Metrics, page: &mut Page) {
    let sum = |pick: fn(&super::WorkerMetrics) -> &AtomicU64| {
        metrics.sum(|worker| pick(worker).load(Ordering::Relaxed))
    };
    // Closed first: a connection that ends in between must not make the gauge negative.
    let (closed, tunnels_closed) = (sum(|worker| &worker.closed), sum(|worker| &worker.tunnels_closed));
    let (opened, tunnels_opened) = (sum(|worker| &worker.opened), sum(|worker| &worker.tunnels_opened));
    page.counter("orrery_proxy_connections_total", "Client connections accepted", opened);
    page.gauge("orrery_proxy_connections", "Client connections open now", opened.saturating_sub(closed));
    page.counter("orrery_proxy_tunnels_total", "Connections that became tunnels", tunnels_opened);
    page.gauge(
        "orrery_proxy_tunnels",
        "Tunnels (WebSockets) open now",
        tunnels_opened.saturating_sub(tunnels_closed),
    );
    page.counter(
        "orrery_proxy_refused_total",
        "Malformed or ambiguous requests, and connections beyond a limit",
        sum(|worker| &worker.refused),
    );
    page.counter(
        "orrery_proxy_access_log_dropped_total",
        "Lines of the access log lost because the disk was too slow",
        metrics.access_log_dropped.load(Ordering::Relaxed),
    );
}

/// How the counters that CHP has are called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// As CHP calls them.
    Chp,
    /// With a prefix, and counters with `_total`, as is usual.
    Prefixed,
}

struct Page {
    names: Names,
    text: String,
}

impl Page {
    fn new(names: Names) -> Self {
        Self { names, text: String::new() }
    }

    fn name(&self, name: &str, kind: &str) -> String {
        let ours = name.starts_with("orrery_") || name.starts_with("process_");
        if self.names == Names::Chp || ours {
            return name.to_owned();
        }
        format!("orrery_proxy_{name}{}", if kind == "counter" { "_total" } else { "" })
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: impl Display) {
        // Writing to a string never fails.
        let _ = writeln!(self.text, "{line}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        let name = &self.name(name, kind);
        self.head(name, kind, help);
        self.line(format_args!("{name} {value}\n"));
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.single(name, "counter", help, value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.single(name, "gauge", help, value);
    }

    fn by_status(&mut self, name: &str, help: &str, counts: &BTreeMap<u16, u64>) {
        let name = &self.name(name, "counter");
        self.head(name, "counter", help);
        for (status, count) in counts {
            self.line(format_args!("{name}{{status=\"{status}\"}} {count}"));
        }
        self.line("");
    }

    fn summary(&mut self, name: &str, help: &str, summary: &Summary) {
        let name = &self.name(name, "summary");
        self.head(name, "summary", help);
        for (per_mille, shown) in QUANTILES {
            let value = seconds(summary.quantile(per_mille));
            self.line(format_args!("{name}{{quantile=\"{shown}\"}} {value}"));
        }
        self.line(format_args!("{name}_sum {}", seconds(summary.nanos())));
        self.line(format_args!("{name}_count {}\n", summary.count()));
    }
}

/// Nanoseconds in seconds, exactly.
fn seconds(nanos: u64) -> String {
    let (whole, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let digits = format!("{whole}.{rest:09}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_019_names_labels_and_kinds_are_those_of_chp() {
        let metrics = Metrics::new();
        let (first, second) = (metrics.worker(), metrics.worker());
        first.request_web();
        second.request_web();
        second.request_ws();
        first.answered(200);
        second.answered(200);
        second.answered(503);
        first.found_target(1_500);
        metrics.api_answered(201);
        metrics.api_route_added();
        let text = metrics.text();
        for line in [
            "# TYPE api_route_get counter",
            "api_route_get 0",
            "api_route_add 1",
            "api_route_delete 0",
            "# TYPE find_target_for_req summary",
            "find_target_for_req{quantile=\"0.01\"} 0.000001472",
            "find_target_for_req{quantile=\"0.999\"} 0.000001472",
            "find_target_for_req_sum 0.0000015",
            "find_target_for_req_count 1",
            "last_activity_updating{quantile=\"0.5\"} 0",
            "last_activity_updating_count 0",
            "requests_ws 1",
            "requests_web 2",
            "# TYPE requests_proxy counter",
            "requests_proxy{status=\"200\"} 2",
            "requests_proxy{status=\"503\"} 1",
            "requests_api{status=\"201\"} 1",
            "# TYPE process_resident_memory_bytes gauge",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn beside_others_all_names_say_that_they_are_the_proxys() {
        let metrics = Metrics::new();
        metrics.worker().answered(200);
        let text = metrics.part_text();
        for line in
            ["orrery_proxy_requests_ws_total 0", "orrery_proxy_requests_proxy_total{status=\"200\"} 1"]
        {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        let named =
            |line: &str| line.starts_with("orrery_proxy_") || line.starts_with('#') || line.is_empty();
        assert!(text.lines().all(named), "{text}");
        assert!(crate::process_metrics().contains("# TYPE process_open_fds gauge\n"));
    }

    #[test]
    fn open_connections_are_those_opened_and_not_closed() {
        let metrics = Metrics::new();
        let (first, second) = (metrics.worker(), metrics.worker());
        first.connection_opened();
        second.connection_opened();
        second.connection_closed();
        first.tunnel_opened();
        let text = metrics.text();
        assert!(
            text.contains("\norrery_proxy_connections 1\n") && text.contains("\norrery_proxy_tunnels 1\n")
        );
    }

    #[test]
    fn an_unheard_of_status_counts_as_the_nearest() {
        let metrics = Metrics::new();
        metrics.worker().answered(999);
        metrics.worker().answered(0);
        let text = metrics.text();
        assert!(text.contains("{status=\"599\"} 1") && text.contains("{status=\"100\"} 1"), "{text}");
    }
}
