//! The machine: room on disk, the clock, limits of the process.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::statvfs::statvfs;

use super::Finding;
use crate::config::Config;
use crate::config::database::Database;

/// Less room than this stops databases and servers soon; less than the second is worth a look.
const NO_ROOM: u64 = 50 << 20;
const LITTLE_ROOM: u64 = 1 << 30;
/// No clock that is right shows an earlier time: 2026-01-01.
const EARLIEST: Duration = Duration::from_secs(1_767_225_600);
/// How far ahead of the clock a file may be that was written a moment ago.
const AHEAD: Duration = Duration::from_secs(60);
/// Files that a small hub needs: sockets, the database, logs.
const FEW_FILES: u64 = 1024;
const ENOUGH_FILES: u64 = 4096;
/// Each server is watched, and each of its visitors has two connections in an embedded proxy.
const FILES_A_SERVER: u64 = 8;

pub(super) fn examine(config: Option<&Config>, running: Option<u32>) -> Vec<Finding> {
    let database = config.and_then(|config| match config.database.target() {
        Ok(Database::Sqlite(file)) => Some(file),
        _ => None,
    });
    let mut places: Vec<PathBuf> = config.map(Config::server_log_dir).into_iter().collect();
    places.extend(database.clone());
    let mut folders: Vec<PathBuf> = places.iter().map(|place| existing(place)).collect();
    folders.dedup();
    let mut findings: Vec<Finding> = folders.iter().map(|folder| disk(folder)).collect();
    let written = database.and_then(|file| fs::metadata(file).ok()?.modified().ok());
    findings.push(clock(SystemTime::now(), written));
    let of = running.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
    let servers = config.map_or(0, |config| config.hub.limits.active_servers);
    findings.extend(fs::read_to_string(format!("/proc/{of}/limits")).ok().map(|text| limits(&text, servers)));
    findings
}

/// The folder of `place`, or the nearest one above that is there.
fn existing(place: &Path) -> PathBuf {
    let mut above = place.ancestors().filter(|folder| folder.is_dir());
    above.next().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn disk(folder: &Path) -> Finding {
    const CHECK: &str = "disk";
    let shown = folder.display();
    let found = match statvfs(folder) {
        Ok(found) => found,
        Err(failed) => {
            let advice = "check that the file system is mounted";
            return Finding::wrong(CHECK, format!("{shown}: {failed}"), advice);
        }
    };
    let free = found.blocks_available().saturating_mul(found.fragment_size());
    let megabytes = free >> 20;
    let no_files = found.files() > 0 && found.files_available() < 1000;
    let advice = "make room: old server logs and copies of the database are first candidates";
    if free < NO_ROOM || no_files {
        let what = if no_files {
            "hardly any new files are possible".to_owned()
        } else {
            format!("{megabytes} MB free")
        };
        return Finding::wrong(CHECK, format!("{shown}: {what}"), advice);
    }
    if free < LITTLE_ROOM {
        return Finding::warning(CHECK, format!("{shown}: {megabytes} MB free"), advice);
    }
    Finding::ok(CHECK, format!("{shown}: {megabytes} MB free"))
}

/// Tokens and cookies expire by the clock; files that were written in the future say that it was set back.
fn clock(now: SystemTime, written: Option<SystemTime>) -> Finding {
    const CHECK: &str = "clock";
    let advice = "set it, and let it be kept: `timedatectl set-ntp true`";
    if now.duration_since(UNIX_EPOCH).unwrap_or_default() < EARLIEST {
        return Finding::wrong(CHECK, "it shows a time before this program was written", advice);
    }
    let ahead = written.and_then(|written| written.duration_since(now).ok()).unwrap_or_default();
    if ahead > AHEAD {
        let found =
            format!("the database was written {} seconds in the future: it was set back", ahead.as_secs());
        return Finding::wrong(CHECK, found, advice);
    }
    Finding::ok(CHECK, "it is plausible")
}

/// The limits of a process as `/proc` shows them.
fn limits(text: &str, servers: u32) -> Finding {
    const CHECK: &str = "limits";
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()).unwrap_or("unknown");
    let advice = "raise LimitNOFILE of the unit, or `ulimit -n`";
    let needed = ENOUGH_FILES.max(u64::from(servers).saturating_mul(FILES_A_SERVER));
    match soft.parse::<u64>() {
        Ok(files) if files < FEW_FILES => {
            Finding::wrong(CHECK, format!("{files} open files are too few even for a small hub"), advice)
        }
        Ok(files) if files < needed => {
            let found =
                format!("{files} open files may be too few; {needed} are enough for this configuration");
            Finding::warning(CHECK, found, advice)
        }
        _ => Finding::ok(CHECK, format!("open files: {soft}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::Level;

    #[test]
    fn a_clock_that_was_set_back_is_noticed() {
        let now = UNIX_EPOCH + EARLIEST + Duration::from_secs(1000);
        let after = |seconds| Some(now + Duration::from_secs(seconds));
        assert_eq!(clock(now, after(30)).level, Level::Ok);
        assert_eq!(clock(now, None).level, Level::Ok);
        assert_eq!(clock(now, after(3600)).level, Level::Wrong);
        assert_eq!(clock(UNIX_EPOCH, None).level, Level::Wrong);
    }

    #[test]
    fn open_files_are_compared_with_what_the_configuration_may_need() {
        let text = |files: &str| {
            format!("Max processes  1 1 processes\nMax open files            {files} 4096 files\n")
        };
        assert_eq!(limits(&text("256"), 0).level, Level::Wrong);
        assert_eq!(limits(&text("1024"), 0).level, Level::Warning);
        assert_eq!(limits(&text("8192"), 0).level, Level::Ok);
        assert_eq!(limits(&text("8192"), 5000).level, Level::Warning);
        assert_eq!(limits(&text("unlimited"), 5000).level, Level::Ok);
    }

    #[test]
    fn room_is_looked_for_where_the_nearest_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(existing(&folder.path().join("a/b")), folder.path());
        assert_eq!(existing(Path::new("x.sqlite")), Path::new("."));
        assert_eq!(disk(folder.path()).check, "disk");
        assert_eq!(disk(Path::new("/nowhere")).level, Level::Wrong);
    }
}
