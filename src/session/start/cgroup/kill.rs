//! Killing everything in a group.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nix::unistd::Pid;

use super::Group;
use crate::sys::process;

/// How often the members are looked at: whoever forks between two looks is seen at the next.
const LOOKS: usize = 20;

impl Group {
    /// Sends SIGKILL to every process in it, also to those that are being forked.
    ///
    /// The kernel does it in one step (`cgroup.kill`, since 5.14). Where it cannot, members are frozen if possible, and
    /// killed one by one. A number may belong to somebody else by the time it is used (SEC-084), so each is first held
    /// by a descriptor and then looked for in the group again.
    pub(crate) fn kill(&self) {
        let at_once = self.file(true, "cgroup.kill").is_some_and(|file| fs::write(file, "1").is_ok());
        if !at_once {
            self.set_frozen(true);
            for _ in 0..LOOKS {
                if !self.kill_members() {
                    break;
                }
            }
            self.set_frozen(false);
        }
    }

    /// Whether there was somebody who had not been killed before.
    fn kill_members(&self) -> bool {
        let mut found = false;
        for folder in &self.folders {
            let file = folder.path.join("cgroup.procs");
            let members = members(&file);
            let held: Vec<_> = members
                .iter()
                .filter_map(|pid| Some((*pid, process::pidfd(Pid::from_raw(*pid)).ok()?)))
                .collect();
            let still = self::members(&file);
            for (pid, fd) in held {
                found |= still.contains(&pid) && process::kill_pidfd(&fd).is_ok();
            }
        }
        found
    }

    fn set_frozen(&self, frozen: bool) {
        if let Some(file) = self.file(false, "freezer.state") {
            let _ = fs::write(file, if frozen { "FROZEN" } else { "THAWED" });
        } else if let Some(file) = self.file(true, "cgroup.freeze") {
            let _ = fs::write(file, if frozen { "1" } else { "0" });
        }
    }
}

/// Its numbers; 0 stands for a process of another namespace.
fn members(file: &Path) -> BTreeSet<i32> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid > 1).collect()
}
