//! How a process ended.

use std::fmt;

use rustix::process::WaitIdStatus;
use serde::{Deserialize, Serialize};

/// How a process ended. At most one field is set; none if the process was not a child of this hub, so that only the
/// fact of its end is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The status that it exited with, 0 to 255.
    pub status: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
}

impl Exit {
    /// It ended; nobody knows how.
    pub const UNKNOWN: Self = Self { status: None, signal: None };

    /// The reference's number for it: the status, or minus the signal; `None` if unknown.
    #[must_use]
    pub fn code(self) -> Option<i32> {
        self.status.or_else(|| self.signal.map(|signal| -signal))
    }

    pub(super) fn from_wait(status: &WaitIdStatus) -> Self {
        Self { status: status.exit_status(), signal: status.terminating_signal() }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, self.signal) {
            (Some(status), _) => write!(f, "exit status {status}"),
            (None, Some(signal)) => match nix::sys::signal::Signal::try_from(signal) {
                Ok(named) => write!(f, "killed by signal {signal} ({named})"),
                Err(_) => write!(f, "killed by signal {signal}"),
            },
            (None, None) => f.write_str("exit status unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_reads_as_a_person_would_say_it() {
        let status = Exit { status: Some(7), ..Exit::UNKNOWN };
        let killed = |signal| Exit { signal: Some(signal), ..Exit::UNKNOWN };
        assert_eq!(status.to_string(), "exit status 7");
        assert_eq!(killed(9).to_string(), "killed by signal 9 (SIGKILL)");
        assert_eq!(killed(40).to_string(), "killed by signal 40");
        assert_eq!(Exit::UNKNOWN.to_string(), "exit status unknown");
        assert_eq!((status.code(), killed(15).code(), Exit::UNKNOWN.code()), (Some(7), Some(-15), None));
    }
}
