//! How many files this process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Below this, a busy hub runs out.
const FEW: u64 = 4096;

/// Raises the soft limit of open files to the hard one: every connection needs two.
/// The soft limit is low only for programs that use select(2).
pub(super) fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log::warn!(error:%; "the limit of open files was not raised");
        }
    }
    let limit = getrlimit(Resource::Nofile).current;
    if let Some(few) = limit.filter(|limit| *limit < FEW) {
        log::warn!(limit = few; "few files may be open (LimitNOFILE of systemd, ulimit -n): each connection needs two");
    }
}
