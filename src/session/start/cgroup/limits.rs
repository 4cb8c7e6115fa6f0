//! What a group may use, and what it does use.

use std::fs;
use std::path::PathBuf;

use orrery_wire::control::Usage;

use super::Group;

/// Limits; 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Limits {
    /// Bytes of memory.
    pub(crate) memory: u64,
    /// Thousandths of a core.
    pub(crate) cpu: u32,
    /// Processes and threads.
    pub(crate) processes: u32,
}

/// Microseconds within which a share of processor time is measured.
const PERIOD: u64 = 100_000;
/// The kernel takes no smaller share.
const LEAST_QUOTA: u64 = 1000;

impl Group {
    /// Sets limits; returns those that could not be set, in words.
    ///
    /// `memory.oom.group` is off: who needs too much loses one process (a kernel), not the server (SEC-086).
    pub(crate) fn limit(&self, limits: &Limits) -> Vec<&'static str> {
        let quota = (u64::from(limits.cpu) * PERIOD / 1000).max(LEAST_QUOTA);
        let memory = limits.memory == 0
            || self.set(true, "memory.max", &limits.memory.to_string())
                && self.set(true, "memory.oom.group", "0")
            || self.set(false, "memory.limit_in_bytes", &limits.memory.to_string());
        let cpu = limits.cpu == 0
            || self.set(true, "cpu.max", &format!("{quota} {PERIOD}"))
            || self.set(false, "cpu.cfs_period_us", &PERIOD.to_string())
                && self.set(false, "cpu.cfs_quota_us", &quota.to_string());
        let processes = limits.processes == 0
            || self.set(true, "pids.max", &limits.processes.to_string())
            || self.set(false, "pids.max", &limits.processes.to_string());
        [(memory, "memory limit"), (cpu, "CPU limit"), (processes, "limit of processes")]
            .iter()
            .filter_map(|(is_set, name)| (!is_set).then_some(*name))
            .collect()
    }

    fn set(&self, unified: bool, name: &str, value: &str) -> bool {
        self.file(unified, name).is_some_and(|file| fs::write(file, value).is_ok())
    }

    /// What it uses now.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            memory: self.memory(),
            memory_limit: self.memory_limit(),
            cpu_time: self.cpu_time(),
            processes: self.number("pids.current").and_then(|count| u32::try_from(count).ok()),
            oom_kills: self.oom_kills(),
        }
    }

    /// How many processes the memory limit has killed.
    pub(crate) fn oom_kills(&self) -> u32 {
        let kills = self
            .entry(true, "memory.events", "oom_kill")
            .or_else(|| self.entry(false, "memory.oom_control", "oom_kill"));
        kills.and_then(|kills| u32::try_from(kills).ok()).unwrap_or(0)
    }

    /// Without file contents that the kernel can drop at once: those would make every server look full.
    fn memory(&self) -> Option<u64> {
        let (all, cached) = match self.number_in(true, "memory.current") {
            Some(all) => (all, self.entry(true, "memory.stat", "inactive_file")),
            None => (
                self.number_in(false, "memory.usage_in_bytes")?,
                self.entry(false, "memory.stat", "total_inactive_file"),
            ),
        };
        Some(all.saturating_sub(cached.unwrap_or(0)))
    }

    /// Without a limit, v2 says `max` and v1 a number near 2^63.
    fn memory_limit(&self) -> Option<u64> {
        let limit =
            self.number_in(true, "memory.max").or_else(|| self.number_in(false, "memory.limit_in_bytes"));
        limit.filter(|limit| *limit < 1 << 60)
    }

    fn cpu_time(&self) -> Option<u64> {
        let nanoseconds = || Some(self.number_in(false, "cpuacct.usage")? / 1000);
        self.entry(true, "cpu.stat", "usage_usec").or_else(nanoseconds)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.number_in(true, name).or_else(|| self.number_in(false, name))
    }

    fn number_in(&self, unified: bool, name: &str) -> Option<u64> {
        read(self.file(unified, name)?)?.trim().parse().ok()
    }

    /// The number after `key` in a file of such lines.
    fn entry(&self, unified: bool, name: &str, key: &str) -> Option<u64> {
        let text = read(self.file(unified, name)?)?;
        let value = text.lines().filter_map(|line| line.split_once(' ')).find(|(name, _)| *name == key);
        value.and_then(|(_, value)| value.trim().parse().ok())
    }
}

fn read(file: PathBuf) -> Option<String> {
    fs::read_to_string(file).ok()
}
