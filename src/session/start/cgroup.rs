//! The control group of a server: its limits, what it uses, and the one way to end everything that it has started
//! (SEC-083). One group is a folder in each hierarchy of the machine: in cgroup v2, in the v1 hierarchies of the
//! controllers that are needed, or (hybrid) in both. All of them belong to root, so nobody can leave or change a group.

mod hierarchy;
mod kill;
mod limits;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use hierarchy::Hierarchies;
pub(crate) use limits::Limits;

/// The group of one server.
#[derive(Debug)]
pub(crate) struct Group {
    folders: Vec<Folder>,
}

/// The group in one hierarchy.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Whether it is one of cgroup v2.
    unified: bool,
}

/// How long it may take until killed processes are gone.
const PATIENCE: Duration = Duration::from_secs(10);

impl Group {
    /// Makes the group `<parent>/<uid>/<id>` in every hierarchy. What a dead keeper has left in one of that name is
    /// killed.
    ///
    /// # Errors
    /// When there is no hierarchy at all, or one refuses.
    pub(crate) fn make(hierarchies: &Hierarchies, parent: &str, uid: u32, id: &str) -> io::Result<Self> {
        let group = Self::named(hierarchies, parent, uid, id);
        if group.folders.is_empty() {
            return Err(io::Error::new(ErrorKind::Unsupported, "no control groups are mounted"));
        }
        group.clear();
        for (hierarchy, folder) in hierarchies.all().iter().zip(&group.folders) {
            hierarchy.make(parent, uid, &folder.path)?;
        }
        Ok(group)
    }

    /// The group of that name, whether it exists or not.
    pub(crate) fn named(hierarchies: &Hierarchies, parent: &str, uid: u32, id: &str) -> Self {
        let folder = |hierarchy: &hierarchy::Hierarchy| Folder {
            path: hierarchy.mount().join(parent).join(uid.to_string()).join(id),
            unified: hierarchy.is_unified(),
        };
        Self { folders: hierarchies.all().iter().map(folder).collect() }
    }

    /// The ids of all groups of a user.
    pub(crate) fn ids(hierarchies: &Hierarchies, parent: &str, uid: u32) -> Vec<String> {
        let folders = hierarchies.all().iter().map(|one| one.mount().join(parent).join(uid.to_string()));
        let entries = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().filter_map(Result::ok);
        let mut ids: Vec<String> = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The files through which a process enters the group: it writes `0` into each.
    ///
    /// # Errors
    /// What opening them said.
    pub(crate) fn gates(&self) -> io::Result<Vec<File>> {
        let open = |folder: &Folder| OpenOptions::new().write(true).open(folder.path.join("cgroup.procs"));
        self.folders.iter().map(open).collect()
    }

    /// Kills whatever is in it and removes it, as far as that is possible.
    pub(crate) fn clear(&self) {
        if self.folders.iter().any(|folder| folder.path.exists()) {
            self.kill();
            self.wait_until_empty(PATIENCE);
            self.remove();
        }
    }

    /// Whether no process is left in it.
    pub(crate) fn is_empty(&self) -> bool {
        let empty = |folder: &Folder| {
            fs::read_to_string(folder.path.join("cgroup.procs")).map_or(true, |pids| pids.is_empty())
        };
        self.folders.iter().all(empty)
    }

    /// Waits until it is; whether it is.
    pub(crate) fn wait_until_empty(&self, patience: Duration) -> bool {
        let end = std::time::Instant::now() + patience;
        while !self.is_empty() {
            if std::time::Instant::now() >= end {
                return false;
            }
            // A kill reaches a process within microseconds, but not one that waits for a disk.
            std::thread::sleep(Duration::from_millis(5));
            self.kill();
        }
        true
    }

    /// Removes it, and the user's group if it was the last one.
    pub(crate) fn remove(&self) {
        for folder in &self.folders {
            // A group that still has dying processes is busy for a moment.
            for _ in 0..50 {
                match fs::remove_dir(&folder.path) {
                    Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    _ => break,
                }
            }
            // Busy or not empty: another server of the user is in it.
            let _ = folder.path.parent().map(fs::remove_dir);
        }
    }

    /// The file of that name in whichever hierarchy has it.
    fn file(&self, unified: bool, name: &str) -> Option<PathBuf> {
        let fitting = self.folders.iter().filter(|folder| folder.unified == unified);
        fitting.map(|folder| folder.path.join(name)).find(|path| path.exists())
    }
}

/// Makes a folder that has to be root's: a hierarchy that was handed to somebody is not for us.
fn make_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let found = fs::symlink_metadata(path)?;
    if found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw() && found.mode() & 0o022 == 0 {
        Ok(())
    } else {
        Err(io::Error::new(ErrorKind::PermissionDenied, "a control group belongs to somebody else"))
    }
}

/// Moves this process into `<parent>/keepers`, so that neither the hub's unit nor a server's limits hold for it. Not
/// possible everywhere, and not needed.
pub(crate) fn leave_hubs_group(hierarchies: &Hierarchies, parent: &str) {
    for hierarchy in hierarchies.all().iter().filter(|one| one.is_unified() || one.is_systemds()) {
        let group = hierarchy.mount().join(parent).join("keepers");
        if hierarchy.make_keepers(parent, &group).is_ok() {
            let _ = fs::write(group.join("cgroup.procs"), "0");
        }
    }
}

#[cfg(test)]
mod tests;
