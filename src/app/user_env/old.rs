//! Environments that were replaced: the last one stays, as the way back; those before it go if no process uses them.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::{NaiveDateTime, TimeDelta, Utc};

/// When the environment in this folder was built, by the folder's name: `<name>-YYYYMMDD-HHMMSS`.
fn built_at(folder: &Path, name: &str) -> Option<NaiveDateTime> {
    let time = folder.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix('-')?;
    (time.len() == 15).then(|| NaiveDateTime::parse_from_str(time, "%Y%m%d-%H%M%S").ok())?
}

/// Removes what nothing uses any more beside `current`, and says what that was. What cannot be removed stays.
pub(super) fn remove(current: &Path) -> Vec<PathBuf> {
    let Some((parent, file)) = current.parent().zip(current.file_name().and_then(|file| file.to_str())) else {
        return Vec::new();
    };
    // without the time
    let Some(name) = file.len().checked_sub(16).and_then(|end| file.get(..end)) else { return Vec::new() };
    let entries = fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut old: Vec<(NaiveDateTime, PathBuf)> =
        entries.filter(|path| path != current).filter_map(|path| Some((built_at(&path, name)?, path))).collect();
    old.sort();
    let uses = uses();
    let is_of = |path: &Path, who: fn(u32) -> bool| {
        path.symlink_metadata().is_ok_and(|found| found.is_dir() && who(found.uid()))
    };
    let (complete, broken): (Vec<_>, Vec<_>) = old.into_iter().partition(|(_, path)| is_of(path, |uid| uid == 0));
    let yesterday = Utc::now().naive_utc() - TimeDelta::days(1);
    // a build that was cut short, and not one that is under way
    let broken =
        broken.into_iter().filter(|(time, path)| *time < yesterday && is_of(path, |uid| super::BUILDERS.contains(&uid)));
    let before_last = complete.len().saturating_sub(1);
    let unused = complete.into_iter().take(before_last).chain(broken).map(|(_, path)| path);
    unused
        .filter(|path| !uses.iter().any(|text| contains(text, path.as_os_str().as_bytes())))
        .filter(|path| fs::remove_dir_all(path).is_ok())
        .collect()
}

/// What all processes have mapped, and their command lines: a Python from an environment is in both.
fn uses() -> Vec<Vec<u8>> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter(|entry| entry.file_name().as_bytes().first().is_some_and(u8::is_ascii_digit));
    processes
        .flat_map(|entry| ["maps", "cmdline"].map(|file| fs::read(entry.path().join(file)).unwrap_or_default()))
        .collect()
}

/// Whether `path` stands in `text`, as a whole name.
fn contains(text: &[u8], path: &[u8]) -> bool {
    let ends = |rest: &[u8]| rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'.');
    text.windows(path.len()).enumerate().any(|(at, window)| {
        window == path && text.get(at + path.len()..).is_none_or(ends)
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_last_environment_stays_and_older_ones_go_unless_a_process_uses_them() {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: needs root");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let names = ["e-20260101-000000", "e-20260102-000000", "e-20260103-000000", "e-20260104-000000"];
        let others = ["e-mine", "f-20260101-000000", "e-20260101-0000000", "e-20260199-000000"];
        for name in names.iter().chain(&others) {
            fs::create_dir(at(name)).unwrap();
        }
        let sleep = at("e-20260102-000000").join("sleep");
        fs::copy("/bin/sleep", &sleep).unwrap();
        let mut server = Command::new(&sleep).arg("600").spawn().unwrap();
        let current = at("e-20260105-000000");
        fs::create_dir(&current).unwrap();
        assert_eq!(remove(&current), [at("e-20260101-000000"), at("e-20260103-000000")]);
        server.kill().unwrap();
        server.wait().unwrap();
        assert_eq!(remove(&current), [at("e-20260102-000000")]);
        assert!(at("e-20260104-000000").exists() && current.exists(), "the way back");
        assert!(others.iter().all(|name| at(name).exists()), "nobody else's");
    }

    #[test]
    fn a_name_is_found_as_a_whole_one_only() {
        assert!(contains(b"7f0-7f1 r-xp /opt/e-1/bin/x\n", b"/opt/e-1"));
        assert!(contains(b"/opt/e-1", b"/opt/e-1") && !contains(b"/opt/e-12/x", b"/opt/e-1"));
        assert!(!contains(b"", b"/opt/e-1"));
    }
}
