//! How many files may be open. Each running server costs the hub one, each connection through the embedded proxy two,
//! and 1024, the usual soft limit, is made for programs that use `select(2)`: the hub uses all that it may have.
//! Servers get back what the hub was given.

use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// Below this, a busy hub runs out.
const FEW: u64 = 4096;

/// The limit that the hub was started with, if it was raised.
static GIVEN: OnceLock<Rlimit> = OnceLock::new();

/// Raises the soft limit of the hub to the hard one. To be called before the first launch.
pub fn raise_open_files() {
    let given = getrlimit(Resource::Nofile);
    if given.current != given.maximum {
        match setrlimit(Resource::Nofile, Rlimit { current: given.maximum, ..given }) {
            // only the first call finds the limit as it was given
            Ok(()) => drop(GIVEN.set(given)),
            Err(error) => log::warn!(error:%; "the limit of open files was not raised"),
        }
    }
    if let Some(few) = getrlimit(Resource::Nofile).current.filter(|limit| *limit < FEW) {
        log::warn!(limit = few; "few files may be open (LimitNOFILE of systemd, ulimit -n): each server needs one, each connection two");
    }
}

/// Gives a process that was just started the limit that the hub was started with. There is no code of ours between fork
/// and exec, so for a moment the process has the hub's.
pub(super) fn give_back(process: Pid) {
    let Some(given) = GIVEN.get() else { return };
    match limit(process, given) {
        // it has ended already
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => {
            log::warn!(pid = process.as_raw_nonzero().get(), error:%; "a process keeps the hub's limit of open files")
        }
    }
}

fn limit(process: Pid, given: &Rlimit) -> Result<(), Errno> {
    prlimit(Some(process), Resource::Nofile, *given).map(drop)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_gets_the_soft_limit_that_it_is_given() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let given = Rlimit { current: Some(123), ..getrlimit(Resource::Nofile) };
        limit(process, &given).unwrap();
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        assert_eq!(line.split_whitespace().nth(3), Some("123"), "{line}");
        assert!(limit(process, &given).is_err(), "it is gone");
    }
}
