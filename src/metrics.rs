//! What the hub counts, in the text format of Prometheus (observability.md 1 to 4).
//!
//! Names, labels and buckets are those of JupyterHub, so that dashboards made for it work; what it has not starts with
//! `orrery_`. The atomics are the crate's; the text is ours, because no crate writes JupyterHub's numbers (`le="1.0"`),
//! nor the heads of families that nothing was counted in yet. Counting allocates nothing once a series exists.

mod buckets;
mod extra;
mod settings;
mod text;

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntGauge, IntGaugeVec, Opts};

use self::extra::Extra;
pub use self::extra::{HookOutcome, Loss, Total};
pub use self::settings::{Labels, MetricsError, Settings};

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Success,
    /// Not well.
    Failure,
}

impl Outcome {
    /// From a result's point of view.
    #[must_use]
    pub const fn of(well: bool) -> Self {
        if well { Self::Success } else { Self::Failure }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// How a start ended (observability.md 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpawnStatus {
    /// The server answers.
    Success,
    /// It was refused.
    Failure,
    /// It went wrong.
    Error,
}

impl SpawnStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

/// What a look at a server's process found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// It runs.
    Running,
    /// It does not.
    Stopped,
}

/// Spans for which active users are counted: label, days.
pub const PERIODS: [(&str, i64); 3] = [("24h", 1), ("7d", 7), ("30d", 30)];

/// Adds lines to the page when it is asked for.
type Source = Box<dyn Fn(&mut String) + Send + Sync>;

/// All numbers of the hub.
pub struct Metrics {
    labels: Labels,
    collectors: Vec<Box<dyn Collector>>,
    sources: RwLock<Vec<Source>>,
    requests: HistogramVec,
    spawns: HistogramVec,
    running_servers: IntGauge,
    total_users: IntGauge,
    active_users: IntGaugeVec,
    check_routes: Histogram,
    hub_startup: Histogram,
    init_spawners: Histogram,
    proxy_poll: Histogram,
    logins: HistogramVec,
    logout: Histogram,
    csp_reports: IntCounter,
    proxy_add: HistogramVec,
    server_poll: HistogramVec,
    server_stop: HistogramVec,
    proxy_delete: HistogramVec,
    loop_interval: Histogram,
    extra: Extra,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Makes families and keeps them in order.
struct Maker<'a> {
    settings: &'a Settings,
    made: Vec<Box<dyn Collector>>,
}

type Made<T> = Result<T, prometheus::Error>;

impl Maker<'_> {
    fn keep<C: Collector + Clone + 'static>(&mut self, made: C) -> C {
        self.made.push(Box::new(made.clone()));
        made
    }

    fn options(&self, name: &str, help: &str) -> Opts {
        Opts::new(name, help).namespace(self.settings.prefix.clone())
    }

    fn histogram(&mut self, name: &str, help: &str, buckets: &[f64]) -> Made<Histogram> {
        let options = HistogramOpts { common_opts: self.options(name, help), buckets: buckets.to_vec() };
        Histogram::with_opts(options).map(|made| self.keep(made))
    }

    fn histograms(&mut self, name: &str, help: &str, buckets: &[f64], labels: &[&str]) -> Made<HistogramVec> {
        let options = HistogramOpts { common_opts: self.options(name, help), buckets: buckets.to_vec() };
        HistogramVec::new(options, labels).map(|made| self.keep(made))
    }

    fn gauge(&mut self, name: &str, help: &str) -> Made<IntGauge> {
        IntGauge::with_opts(self.options(name, help)).map(|made| self.keep(made))
    }
}

impl Metrics {
    /// Everything at zero, with the series that exist before anything happened.
    ///
    /// # Errors
    /// If a name or buckets are none.
    pub fn new(settings: &Settings) -> Result<Self, MetricsError> {
        let metrics = Self::made(settings).map_err(|refused| MetricsError {
            variable: "JUPYTERHUB_METRICS_PREFIX and JUPYTERHUB_SERVER_…_BUCKETS",
            reason: refused.to_string(),
        })?;
        metrics.create_series();
        Ok(metrics)
    }

    fn made(settings: &Settings) -> Made<Self> {
        let usual = &buckets::STANDARD;
        let (spawn, stop) = (&settings.spawn_buckets, &settings.stop_buckets);
        let mut make = Maker { settings, made: Vec::new() };
        let status = ["status"];
        let requests = make.histograms(
            "request_duration_seconds",
            "How long HTTP requests took",
            usual,
            &["method", "handler", "code"],
        )?;
        let spawns = make.histograms(
            "server_spawn_duration_seconds",
            "How long starts of servers took",
            spawn,
            &["status", "reason"],
        )?;
        let running_servers = make.gauge("running_servers", "Servers that run and are routed")?;
        let total_users = make.gauge("total_users", "Users there are")?;
        let active_users = IntGaugeVec::new(
            make.options("active_users", "Users who were active in the period"),
            &["period"],
        )
        .map(|made| make.keep(made))?;
        let mut plain = |name, help| make.histogram(name, help, usual);
        let check_routes =
            plain("check_routes_duration_seconds", "How long checks of all routes of the proxy took")?;
        let hub_startup = plain("hub_startup_duration_seconds", "How long the hub took to start")?;
        let init_spawners = plain(
            "init_spawners_duration_seconds",
            "How long it took to find the servers of the hub's last run",
        )?;
        let proxy_poll = plain("proxy_poll_duration_seconds", "How long reading the proxy's routes took")?;
        let logins = make.histograms("login_duration_seconds", "How long sign-ins took", usual, &status)?;
        let logout = make.histogram("logout_duration_seconds", "How long sign-outs took", usual)?;
        let csp_reports = IntCounter::with_opts(
            make.options("csp_reports_total", "Reports of broken Content-Security-Policies"),
        )
        .map(|made| make.keep(made))?;
        let mut by_status = |name, help, buckets: &[f64]| make.histograms(name, help, buckets, &status);
        let proxy_add =
            by_status("proxy_add_duration_seconds", "How long adding a server's route took", usual)?;
        let server_poll =
            by_status("server_poll_duration_seconds", "How long looks at a server's process took", usual)?;
        let server_stop = by_status("server_stop_seconds", "How long stops of servers took", stop)?;
        let proxy_delete =
            by_status("proxy_delete_duration_seconds", "How long removing a server's route took", usual)?;
        let loop_interval = make.histogram(
            "event_loop_interval_seconds",
            "How late timers fire: intervals between two of them",
            &buckets::LOOP,
        )?;
        let extra = Extra::new(&mut make.made)?;
        Ok(Self {
            labels: settings.labels,
            collectors: make.made,
            sources: RwLock::default(),
            requests,
            spawns,
            running_servers,
            total_users,
            active_users,
            check_routes,
            hub_startup,
            init_spawners,
            proxy_poll,
            logins,
            logout,
            csp_reports,
            proxy_add,
            server_poll,
            server_stop,
            proxy_delete,
            loop_interval,
            extra,
        })
    }

    /// Series that are there from the start, so that rates over them begin at zero (OBS-004).
    fn create_series(&self) {
        for status in [SpawnStatus::Success, SpawnStatus::Failure, SpawnStatus::Error] {
            self.spawns.with_label_values(&[status.as_str(), ""]);
        }
        for reason in ["throttled", "too-many-users", "already-pending"] {
            self.spawns.with_label_values(&["failure", reason]);
        }
        for outcome in [Outcome::Success, Outcome::Failure] {
            for family in [&self.proxy_add, &self.server_stop, &self.proxy_delete] {
                family.with_label_values(&[outcome.as_str()]);
            }
        }
        for found in [Poll::Running, Poll::Stopped] {
            self.server_poll.with_label_values(&[self.poll_label(found)]);
        }
        for (period, _) in PERIODS {
            self.active_users.with_label_values(&[period]);
        }
    }

    const fn poll_label(&self, found: Poll) -> &'static str {
        match (self.labels, found) {
            (Labels::Compatible, Poll::Running) => "ServerPollStatus.running",
            (Labels::Compatible, Poll::Stopped) => "ServerPollStatus.stopped",
            (Labels::Plain, Poll::Running) => "running",
            (Labels::Plain, Poll::Stopped) => "stopped",
        }
    }

    const fn login_label(&self, outcome: Outcome) -> &'static str {
        match (self.labels, outcome) {
            (Labels::Compatible, Outcome::Success) => "LoginStatus.success",
            (Labels::Compatible, Outcome::Failure) => "LoginStatus.failure",
            (Labels::Plain, outcome) => outcome.as_str(),
        }
    }

    /// The whole page.
    #[must_use]
    pub fn text(&self) -> String {
        let mut page = String::with_capacity(64 << 10);
        for collector in &self.collectors {
            for family in collector.collect() {
                text::write(&family, &mut page);
            }
        }
        for source in self.sources.read().unwrap_or_else(PoisonError::into_inner).iter() {
            source(&mut page);
        }
        page
    }

    /// Has `source` add its lines to every page.
    pub fn add_source(&self, source: impl Fn(&mut String) + Send + Sync + 'static) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(source));
    }

    /// An HTTP request was answered. Methods that nobody has heard of share one label value: anybody can invent one.
    pub fn request(&self, method: &str, handler: &'static str, code: &str, took: Duration) {
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let method = known.into_iter().find(|known| *known == method).unwrap_or("OTHER");
        self.requests.with_label_values(&[method, handler, code]).observe(took.as_secs_f64());
    }

    /// A start ended. The reason is empty, one of the hub's own or one that a hook gave.
    pub fn spawn(&self, status: SpawnStatus, reason: &str, took: Duration) {
        self.spawns.with_label_values(&[status.as_str(), reason]).observe(took.as_secs_f64());
    }

    /// A stop that somebody asked for ended.
    pub fn stop(&self, outcome: Outcome, took: Duration) {
        self.server_stop.with_label_values(&[outcome.as_str()]).observe(took.as_secs_f64());
    }

    /// A look at a process, by something else than the clock.
    pub fn poll(&self, found: Poll, took: Duration) {
        self.server_poll.with_label_values(&[self.poll_label(found)]).observe(took.as_secs_f64());
    }

    /// A new server's route was given to the proxy.
    pub fn route_added(&self, outcome: Outcome, took: Duration) {
        self.proxy_add.with_label_values(&[outcome.as_str()]).observe(took.as_secs_f64());
    }

    /// A server's route was taken from the proxy.
    pub fn route_removed(&self, outcome: Outcome, took: Duration) {
        self.proxy_delete.with_label_values(&[outcome.as_str()]).observe(took.as_secs_f64());
    }

    /// All routes were checked.
    pub fn routes_checked(&self, took: Duration) {
        self.check_routes.observe(took.as_secs_f64());
    }

    /// The proxy's routes were read.
    pub fn routes_read(&self, took: Duration) {
        self.proxy_poll.observe(took.as_secs_f64());
    }

    /// Somebody tried to sign in.
    pub fn login(&self, outcome: Outcome, took: Duration) {
        self.logins.with_label_values(&[self.login_label(outcome)]).observe(took.as_secs_f64());
    }

    /// Somebody signed out.
    pub fn logout(&self, took: Duration) {
        self.logout.observe(took.as_secs_f64());
    }

    /// A browser reported that a page broke its policy.
    pub fn csp_report(&self) {
        self.csp_reports.inc();
    }

    /// The hub answers.
    pub fn started(&self, took: Duration) {
        self.hub_startup.observe(took.as_secs_f64());
    }

    /// The servers of the last run are known.
    pub fn servers_found(&self, took: Duration) {
        self.init_spawners.observe(took.as_secs_f64());
    }

    /// The time between two ticks of a timer.
    pub fn loop_interval(&self, interval: Duration) {
        self.loop_interval.observe(interval.as_secs_f64());
    }

    /// How many servers run now.
    pub fn set_running_servers(&self, count: usize) {
        self.running_servers.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// How many users there are now.
    pub fn set_total_users(&self, count: i64) {
        self.total_users.set(count);
    }

    /// How many users were active in one of [`PERIODS`].
    pub fn set_active_users(&self, period: &str, count: i64) {
        self.active_users.with_label_values(&[period]).set(count);
    }

    /// An actor was rebuilt after a panic.
    pub fn actor_restarted(&self, actor: &str) {
        self.extra.actor_restarts.with_label_values(&[actor]).inc();
    }

    /// A hook ended.
    pub fn hook(&self, hook: &str, outcome: HookOutcome, took: Duration) {
        self.extra.hooks.with_label_values(&[hook, outcome.as_str()]).observe(took.as_secs_f64());
    }

    /// A managed service was started again.
    pub fn service_restarted(&self, service: &str) {
        self.extra.service_restarts.with_label_values(&[service]).inc();
    }

    /// Something was stopped or removed because nobody used it.
    pub fn culled(&self, kind: &str) {
        self.extra.culled.with_label_values(&[kind]).inc();
    }

    /// Processes of servers were killed at a memory limit.
    pub fn memory_kills(&self, count: u32) {
        self.extra.memory_kills.inc_by(count.into());
    }

    /// What all servers use.
    pub fn usage(&self, total: Total) {
        let amount = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        self.extra.servers_memory.set(amount(total.memory));
        self.extra.servers_processes.set(amount(total.processes));
    }

    /// Records that could not be kept.
    pub fn lost(&self, what: Loss, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.extra.lost.with_label_values(&[what.as_str()]).inc_by(count);
    }
}

#[cfg(test)]
mod tests;
