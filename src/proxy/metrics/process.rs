//! What the system knows about this process. Outside Linux, or without `/proc`, there
//! is nothing to say.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// One measurement: name, kind, help, value.
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) help: &'static str,
    pub(super) value: String,
}

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |name, kind, help, value: Option<String>| {
        samples.extend(value.map(|value| Sample { name, kind, help, value }));
    };
    let stat = Stat::read();
    let of_stat = |pick: fn(&Stat) -> String| stat.as_ref().map(pick);
    add(
        "process_cpu_user_seconds_total",
        "counter",
        "Total user CPU time spent in seconds.",
        of_stat(|stat| seconds(stat.user)),
    );
    add(
        "process_cpu_system_seconds_total",
        "counter",
        "Total system CPU time spent in seconds.",
        of_stat(|stat| seconds(stat.system)),
    );
    add(
        "process_cpu_seconds_total",
        "counter",
        "Total user and system CPU time spent in seconds.",
        of_stat(|stat| seconds(stat.user.saturating_add(stat.system))),
    );
    add(
        "process_start_time_seconds",
        "gauge",
        "Start time of the process since unix epoch in seconds.",
        stat.as_ref().and_then(Stat::start_time),
    );
    add(
        "process_resident_memory_bytes",
        "gauge",
        "Resident memory size in bytes.",
        of_stat(|stat| stat.resident_pages.saturating_mul(wide(page_size())).to_string()),
    );
    add(
        "process_virtual_memory_bytes",
        "gauge",
        "Virtual memory size in bytes.",
        of_stat(|stat| stat.virtual_bytes.to_string()),
    );
    add("process_open_fds", "gauge", "Number of open file descriptors.", open_fds());
    add(
        "process_max_fds",
        "gauge",
        "Maximum number of open file descriptors.",
        getrlimit(Resource::Nofile).current.map(|limit| limit.to_string()),
    );
    samples
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn seconds(ticks: u64) -> String {
    let per_second = clock_ticks_per_second().max(1);
    let hundredths = ticks.saturating_mul(100) / per_second;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn open_fds() -> Option<String> {
    // One of them is the directory being read.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1).to_string())
}

/// Fields of `/proc/self/stat`, proc(5).
struct Stat {
    user: u64,
    system: u64,
    started: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn read() -> Option<Self> {
        let text = fs::read_to_string("/proc/self/stat").ok()?;
        // The name, in parentheses, may hold anything.
        let (_, fields) = text.rsplit_once(')')?;
        let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse().ok();
        Some(Self {
            user: field(14)?,
            system: field(15)?,
            started: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }

    fn start_time(&self) -> Option<String> {
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let uptime: u64 = uptime.split('.').next()?.parse().ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let since_boot = self.started / clock_ticks_per_second().max(1);
        Some(now.saturating_sub(uptime).saturating_add(since_boot).to_string())
    }
}
