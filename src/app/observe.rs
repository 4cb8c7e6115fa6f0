//! Numbers, events and log of a running hub: set up from the configuration, measured by the clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use log::{info, warn};
use tokio::time::MissedTickBehavior;

use super::AppError;
use crate::config::events::SinkType;
use crate::config::{Config, MetricsConfig};
use crate::events::{Events, Sessions, Sink};
use crate::metrics::{Labels, Metrics, PERIODS, Settings};
use crate::store::{Store, StoreError, users};

/// The numbers as the configuration and the environment ask for them.
pub(super) fn metrics(config: &Config) -> Result<Arc<Metrics>, AppError> {
    let labels = if config.metrics.compat_labels { Labels::Compatible } else { Labels::Plain };
    let made =
        Settings::new(labels, |name| std::env::var(name).ok()).and_then(|settings| Metrics::new(&settings));
    let metrics = made.map_err(|wrong| AppError::Setting { key: wrong.variable, reason: wrong.reason })?;
    metrics.add_source(|page| page.push_str(&orrery_proxy::process_metrics()));
    Ok(Arc::new(metrics))
}

/// The event log.
pub(super) fn events(config: &Config, metrics: &Metrics) -> Result<Events, AppError> {
    let sink = |sink: &crate::config::events::EventSink| match sink.r#type {
        SinkType::File => Sink::File(sink.path.clone()),
        SinkType::Stdout => Sink::Stdout,
        SinkType::Stderr => Sink::Stderr,
    };
    let sinks: Vec<Sink> = config.events.sinks.iter().map(sink).collect();
    let sessions = if config.events.sessions { Sessions::Written } else { Sessions::Ignored };
    let events = Events::open(&sinks, sessions).map_err(|(path, source)| AppError::File { path, source })?;
    let counted = events.clone();
    metrics.add_source(move |page| {
        let name = "orrery_events_dropped_total";
        page.push_str(&format!(
            "# HELP {name} Events dropped because a sink was too slow\n# TYPE {name} counter\n{name} {}\n",
            counted.dropped()
        ));
    });
    Ok(events)
}

/// Adds the use of the database's connections to the numbers.
pub(super) fn count_connections(metrics: &Metrics, store: &Store) {
    let store = store.clone();
    metrics.add_source(move |page| {
        for (name, help) in [
            ("orrery_store_connections", "Connections to the database that there may be"),
            ("orrery_store_connections_busy", "Connections to the database in use"),
        ] {
            page.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
            for (pool, usage) in store.usage() {
                let value = if name.ends_with("busy") { usage.busy } else { usage.width };
                page.push_str(&format!("{name}{{pool=\"{pool}\"}} {value}\n"));
            }
        }
    });
}

/// What the clock measures, until it is dropped.
pub(super) struct Measuring(Vec<tokio::task::JoinHandle<()>>);

impl Measuring {
    pub(super) fn start(config: &MetricsConfig, metrics: &Arc<Metrics>, store: &Store) -> Self {
        let mut tasks = Vec::new();
        if config.active_users {
            let interval = config.active_users_interval.max(Duration::from_secs(1));
            tasks.push(actix::spawn(count_active(interval, Arc::clone(metrics), store.clone())));
        }
        if config.loop_latency && !config.loop_resolution.is_zero() {
            tasks.push(actix::spawn(measure_loop(
                config.loop_resolution,
                config.loop_log_threshold,
                Arc::clone(metrics),
            )));
        }
        Self(tasks)
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// At the start and at every interval: who was active.
async fn count_active(interval: Duration, metrics: Arc<Metrics>, store: Store) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = Utc::now();
        let counted = store.read(move |db| {
            let mut counts = Vec::new();
            for (period, days) in PERIODS {
                let since = now - chrono::Duration::days(days);
                counts.push((period, users::count_active_since(db, since)?));
            }
            Ok::<_, StoreError>(counts)
        });
        match counted.await {
            Ok(counts) => {
                counts.into_iter().for_each(|(period, count)| metrics.set_active_users(period, count));
            }
            Err(failed) => warn!(error:% = failed; "active users could not be counted"),
        }
    }
}

/// How late timers fire: a handler that blocks this thread shows here.
async fn measure_loop(resolution: Duration, threshold: Duration, metrics: Arc<Metrics>) {
    loop {
        let begun = Instant::now();
        tokio::time::sleep(resolution).await;
        let took = begun.elapsed();
        // what a timer is late by itself is no news
        metrics.loop_interval(if took < resolution * 2 { resolution } else { took });
        if took > threshold.max(resolution) {
            let seconds = took.as_secs_f64();
            info!(seconds; "a timer was late: something kept the hub's main thread busy");
        }
    }
}
