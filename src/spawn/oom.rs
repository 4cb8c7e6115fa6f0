//! Whether the kernel killed a process for want of memory: its control group counts such kills.
//!
//! Several servers may share a group, so a kill is spent by the first server that is found dead by SIGKILL after it.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::domain::usage::bytes;

/// Kills that were seen, for each file that counts them.
static SEEN: Mutex<Option<HashMap<PathBuf, u64>>> = Mutex::new(None);

/// Why the kernel killed a server for want of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfMemory {
    /// It had as much as it may have, in bytes.
    Limit(u64),
    /// Nobody had any.
    Machine,
}

impl OutOfMemory {
    /// With a limit of so many bytes; 0 is none.
    pub(super) fn below(limit: u64) -> Self {
        if limit == 0 { Self::Machine } else { Self::Limit(limit) }
    }
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(limit) => write!(f, "The server was killed: memory limit {} reached", bytes(*limit)),
            Self::Machine => f.write_str("The server was killed because there was no memory left"),
        }
    }
}

/// The file that counts kills of a process's control group. `None` where there is no such group, or it cannot be read.
#[derive(Debug, Clone)]
pub(super) struct OomCounter(PathBuf);

impl OomCounter {
    /// The counter for a living process, which from now on counts.
    pub(super) fn of(pid: i32) -> Option<Self> {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        groups.lines().find_map(counter_of).and_then(Self::watching)
    }

    fn watching(file: PathBuf) -> Option<Self> {
        let now = count(&file)?;
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get_or_insert_default().entry(file.clone()).or_insert(now);
        Some(Self(file))
    }

    /// Whether there was a kill that nobody has claimed; claims it.
    pub(super) fn claim(&self) -> bool {
        let Some(now) = count(&self.0) else { return false };
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get_or_insert_default().get_mut(&self.0) {
            Some(seen) if *seen < now => {
                *seen += 1;
                true
            }
            _ => false,
        }
    }
}

/// The file for a line of `/proc/<pid>/cgroup`: `0::/path` is version 2, `4:memory:/path` is version 1.
fn counter_of(line: &str) -> Option<PathBuf> {
    let mut parts = line.splitn(3, ':');
    let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let path = Path::new(path.trim_start_matches('/'));
    let file = if controllers.is_empty() {
        Path::new("/sys/fs/cgroup").join(path).join("memory.events")
    } else if controllers.split(',').any(|controller| controller == "memory") {
        Path::new("/sys/fs/cgroup/memory").join(path).join("memory.oom_control")
    } else {
        return None;
    };
    file.is_file().then_some(file)
}

/// Both kinds of file have a line `oom_kill <count>`.
fn count(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_is_claimed_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("memory.events");
        let kills = |count: u64| fs::write(&file, format!("low 0\noom 9\noom_kill {count}\n")).unwrap();
        kills(3);
        let counter = OomCounter::watching(file.clone()).unwrap();
        assert!(!counter.claim(), "those were before it");
        kills(4);
        let neighbour = OomCounter::watching(file.clone()).unwrap();
        assert!(counter.claim());
        assert!(!counter.claim() && !neighbour.claim());
        fs::remove_file(&file).unwrap();
        assert!(!counter.claim());
    }

    #[test]
    fn a_process_without_a_group_has_no_counter() {
        assert!(OomCounter::of(0).is_none());
        assert!(counter_of("nonsense").is_none());
        assert!(counter_of("1:cpu:/").is_none());
    }
}
