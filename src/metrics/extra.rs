//! What JupyterHub does not count (observability.md 4). Never under its prefix.

use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};

use super::buckets;

/// How a hook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookOutcome {
    /// It answered.
    Success,
    /// It said no.
    Rejected,
    /// It went wrong or took too long.
    Error,
}

impl HookOutcome {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Rejected => "rejected",
            Self::Error => "error",
        }
    }
}

/// Records of which some could not be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The journal.
    Journal,
    /// Refused sign-ins beyond those that the journal takes in a minute.
    RefusedSignIns,
    /// Reports of the Content-Security-Policy beyond those that the log takes in a minute.
    CspReports,
}

impl Loss {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::RefusedSignIns => "refused-sign-ins",
            Self::CspReports => "csp-reports",
        }
    }
}

/// What all servers use together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Bytes of memory.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
}

pub(super) struct Extra {
    pub(super) memory_kills: IntCounter,
    pub(super) servers_memory: IntGauge,
    pub(super) servers_processes: IntGauge,
    pub(super) actor_restarts: IntCounterVec,
    pub(super) service_restarts: IntCounterVec,
    pub(super) culled: IntCounterVec,
    pub(super) lost: IntCounterVec,
    pub(super) hooks: HistogramVec,
}

impl Extra {
    pub(super) fn new(made: &mut Vec<Box<dyn Collector>>) -> Result<Self, prometheus::Error> {
        let options = |name: &str, help: &str| Opts::new(name, help).namespace("orrery");
        let mut counter = |name, help, label| -> Result<IntCounterVec, prometheus::Error> {
            let counter = IntCounterVec::new(options(name, help), &[label])?;
            made.push(Box::new(counter.clone()));
            Ok(counter)
        };
        let actor_restarts =
            counter("actor_restarts_total", "Actors rebuilt after a panic; each is a defect", "actor")?;
        let service_restarts =
            counter("service_restarts_total", "Managed services started again", "service")?;
        let culled = counter("culled_total", "Servers and users removed because nobody used them", "kind")?;
        let lost = counter("records_lost_total", "Records dropped so that nobody had to wait", "of")?;
        let kills = "Processes that were killed because their server reached its memory limit";
        let memory_kills = IntCounter::with_opts(options("server_memory_kills_total", kills))?;
        made.push(Box::new(memory_kills.clone()));
        let mut gauge = |name, help| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::with_opts(options(name, help))?;
            made.push(Box::new(gauge.clone()));
            Ok(gauge)
        };
        let servers_memory = gauge("servers_memory_bytes", "Memory of all servers that run as their users")?;
        let servers_processes =
            gauge("servers_processes", "Processes and threads of all servers that run as their users")?;
        let common_opts = options("hook_duration_seconds", "How long hooks took");
        let options_of_hooks = HistogramOpts { common_opts, buckets: buckets::STANDARD.to_vec() };
        let hooks = HistogramVec::new(options_of_hooks, &["hook", "status"])?;
        made.push(Box::new(hooks.clone()));
        let build = IntGaugeVec::new(options("build_info", "The running program"), &["version", "contract"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), "6.1.1"]).set(1);
        made.push(Box::new(build));
        for what in [Loss::Journal, Loss::RefusedSignIns, Loss::CspReports] {
            lost.with_label_values(&[what.as_str()]);
        }
        Ok(Self {
            memory_kills,
            servers_memory,
            servers_processes,
            actor_restarts,
            service_restarts,
            culled,
            lost,
            hooks,
        })
    }
}
