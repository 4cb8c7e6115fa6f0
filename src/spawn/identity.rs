//! Which process is meant: a number alone is not enough, because the system uses numbers again.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Clock ticks a second, as `/proc` counts them on every Linux (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// A process of this machine, for ever: stored as JSON so that a restarted hub finds its servers again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The process number.
    pub pid: i32,
    /// When it started, in clock ticks after boot (field 22 of `/proc/<pid>/stat`).
    pub start_time: u64,
    /// The boot that `start_time` counts from (`/proc/sys/kernel/random/boot_id`).
    pub boot_id: String,
    /// Where its output goes.
    pub log: PathBuf,
    /// The session keeper that looks after it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// A server that runs as its user below a session keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The user's number: nobody else may listen on the server's socket.
    pub uid: u32,
    /// The keeper's control socket.
    pub control: PathBuf,
    /// The memory limit in bytes, 0 for none.
    #[serde(default)]
    pub memory_limit: u64,
}

impl ProcessId {
    /// The identity of a child that has not been reaped, so that `/proc` still tells about it.
    pub(super) fn of_child(pid: i32, log: PathBuf) -> io::Result<Self> {
        let stat = Stat::read(pid)?.ok_or(ErrorKind::NotFound)?;
        Ok(Self { pid, start_time: stat.start_time, boot_id: boot_id()?, log, kept: None })
    }

    /// The process that a session keeper names.
    pub(super) fn of_kept(pid: u32, start_time: u64, log: PathBuf, kept: Kept) -> io::Result<Self> {
        let pid = i32::try_from(pid).map_err(io::Error::other)?;
        Ok(Self { pid, start_time, boot_id: boot_id()?, log, kept: Some(kept) })
    }

    /// The session leader of the hub's own user whose output goes to this file, if one is alive. A process that hides its
    /// descriptors is another user's.
    pub(super) fn writing_to(log: &Path) -> io::Result<Option<Self>> {
        let Ok(log) = log.canonicalize() else { return Ok(None) };
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
            if fs::read_link(format!("/proc/{pid}/fd/1")).ok().as_ref() != Some(&log) {
                continue;
            }
            let Ok(Some(stat)) = Stat::read(pid) else { continue };
            if !stat.ended && stat.session == pid {
                return Ok(Some(Self {
                    pid,
                    start_time: stat.start_time,
                    boot_id: boot_id()?,
                    log,
                    kept: None,
                }));
            }
        }
        Ok(None)
    }

    /// Whether this very process is alive. One that only waits to be reaped is not.
    pub(super) fn is_alive(&self) -> io::Result<bool> {
        if self.boot_id != boot_id()? {
            return Ok(false);
        }
        let stat = Stat::read(self.pid)?;
        Ok(stat.is_some_and(|stat| !stat.ended && stat.start_time == self.start_time))
    }

    /// The living processes of the session that this one led, itself not among them. Looked up at the moment of its end,
    /// while nobody else can have its number.
    pub(super) fn rest_of_session(&self) -> io::Result<Vec<Self>> {
        let boot_id = boot_id()?;
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
            // one that ends meanwhile, or hides, is none of ours
            let Ok(Some(stat)) = Stat::read(pid) else { continue };
            if stat.session == self.pid
                && pid != self.pid
                && !stat.ended
                && stat.start_time >= self.start_time
            {
                let (boot_id, log) = (boot_id.clone(), PathBuf::new());
                found.push(Self { pid, start_time: stat.start_time, boot_id, log, kept: None });
            }
        }
        Ok(found)
    }

    /// Whether both mean one process, wherever its log is.
    pub(super) fn is_same_process(&self, other: &Self) -> bool {
        (self.pid, self.start_time, &self.boot_id) == (other.pid, other.start_time, &other.boot_id)
    }
}

/// The processor time that a server's living processes have used so far: those of its session and all that descend from
/// them, since a Jupyter server gives each kernel a session of its own. Reads `/proc`, so it blocks.
///
/// # Errors
/// If `/proc` cannot be read.
pub(super) fn session_cpu_seconds(leader: &ProcessId) -> io::Result<f64> {
    let ticks = family(leader)?.iter().fold(0_u64, |sum, (_, stat)| sum.saturating_add(stat.ticks));
    Ok(f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / TICKS_A_SECOND)
}

/// The numbers of the living processes of a server's session and of all that descend from them; none if the leader has
/// ended.
pub(super) fn family_of(leader: &ProcessId) -> io::Result<Vec<i32>> {
    Ok(family(leader)?.into_iter().map(|(pid, _)| pid).collect())
}

fn family(leader: &ProcessId) -> io::Result<Vec<(i32, Stat)>> {
    if !leader.is_alive()? {
        return Ok(Vec::new());
    }
    let mut living = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // one that ends meanwhile, or hides, is none of ours
        if let Ok(Some(stat)) = Stat::read(pid) {
            living.push((pid, stat));
        }
    }
    Ok(family_among(leader, living))
}

fn family_among(leader: &ProcessId, mut living: Vec<(i32, Stat)>) -> Vec<(i32, Stat)> {
    let (mut pids, mut family) = (HashSet::from([leader.pid]), Vec::new());
    loop {
        let (found, rest): (Vec<_>, Vec<_>) = living.into_iter().partition(|(pid, stat)| {
            let belongs = stat.session == leader.pid || pids.contains(pid) || pids.contains(&stat.parent);
            belongs && stat.start_time >= leader.start_time
        });
        if found.is_empty() {
            return family;
        }
        pids.extend(found.iter().map(|(pid, _)| *pid));
        family.extend(found);
        living = rest;
    }
}

fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// What matters of `/proc/<pid>/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    ended: bool,
    parent: i32,
    session: i32,
    /// Clock ticks of processor time, in its own code and in the kernel.
    ticks: u64,
    start_time: u64,
}

impl Stat {
    /// `None` if there is no such process.
    fn read(pid: i32) -> io::Result<Option<Self>> {
        match fs::read(format!("/proc/{pid}/stat")) {
            Ok(bytes) => Self::parse(&String::from_utf8_lossy(&bytes))
                .map(Some)
                .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat has an unknown form"))),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The second field, the program's name in parentheses, may itself hold spaces and parentheses; so the fields
    /// are counted from the last closing one: the first after it is number 3.
    fn parse(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(6 - 5)?.parse().ok()?;
        let own: u64 = fields.nth(14 - 7)?.parse().ok()?;
        let kernel: u64 = fields.next()?.parse().ok()?;
        let start_time = fields.nth(22 - 16)?.parse().ok()?;
        let ticks = own.saturating_add(kernel);
        Some(Self { ended: matches!(state, "Z" | "X" | "x"), parent, session, ticks, start_time })
    }
}

/// Reading `/proc` of a process that ends meanwhile gives ESRCH.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own() -> ProcessId {
        let pid = i32::try_from(std::process::id()).unwrap();
        ProcessId::of_child(pid, PathBuf::new()).unwrap()
    }

    #[test]
    fn a_process_is_itself_only_with_its_own_start_time_and_boot() {
        let own = own();
        assert!(own.is_alive().unwrap());
        let other_start = ProcessId { start_time: own.start_time + 1, ..own.clone() };
        assert!(!other_start.is_alive().unwrap());
        let other_boot = ProcessId { boot_id: "an earlier one".to_owned(), ..own };
        assert!(!other_boot.is_alive().unwrap());
    }

    #[test]
    fn a_number_that_no_process_has_is_not_alive() {
        let nobody = ProcessId { pid: i32::MAX, ..own() };
        assert!(!nobody.is_alive().unwrap());
    }

    #[test]
    fn the_stored_form_survives_a_round_trip() {
        let own = own();
        let stored = serde_json::to_string(&own).unwrap();
        assert_eq!(serde_json::from_str::<ProcessId>(&stored).unwrap(), own);
    }

    #[test]
    fn processor_time_is_that_of_the_session_and_of_all_that_descend_from_it() {
        let leader = ProcessId { pid: 10, start_time: 100, ..own() };
        let stat =
            |parent, session, ticks, start_time| Stat { ended: false, parent, session, ticks, start_time };
        let living = vec![
            (13, stat(12, 13, 8, 130)), // a kernel of the kernel below, listed before it
            (10, stat(1, 10, 1, 100)),
            (11, stat(10, 10, 2, 110)),
            (12, stat(11, 12, 4, 120)), // a session of its own
            (14, stat(1, 14, 1000, 130)),
            (15, stat(1, 10, 2000, 90)), // of an earlier session with that number
        ];
        let family = family_among(&leader, living);
        assert_eq!(family.iter().map(|(_, stat)| stat.ticks).sum::<u64>(), 15);
    }

    proptest! {
        #[test]
        fn the_start_time_is_found_behind_any_program_name(
            name in ".{0,15}", start: u64, session: i32, zombie: bool, used: (u32, u32)
        ) {
            let state = if zombie { "Z" } else { "S" };
            let (own, kernel) = used;
            let line =
                format!("7 ({name}) {state} 1 7 {session} 0 0 0 0 0 0 0 {own} {kernel} 0 0 0 0 0 0 {start} 1 2 3\n");
            let ticks = u64::from(own) + u64::from(kernel);
            prop_assert_eq!(Stat::parse(&line), Some(Stat { ended: zombie, parent: 1, session, ticks, start_time: start }));
        }

        #[test]
        fn no_text_breaks_the_parser(text: String) {
            let _ = Stat::parse(&text);
        }
    }
}
