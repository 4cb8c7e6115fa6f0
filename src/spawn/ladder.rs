//! How patiently a server is asked to end before it is killed.

use std::time::Duration;

use rustix::process::Signal;

/// How long each signal is given to work (lifecycle.md 14). Each wait ends as soon as the process does; a wait of zero
/// sends the signal and goes on to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopLadder {
    /// After SIGINT, which lets a server save and shut its kernels down.
    pub interrupt: Duration,
    /// After SIGTERM.
    pub terminate: Duration,
    /// After SIGKILL, which only a process stuck in the kernel survives.
    pub kill: Duration,
}

impl Default for StopLadder {
    fn default() -> Self {
        Self {
            interrupt: Duration::from_secs(30),
            terminate: Duration::from_secs(30),
            kill: Duration::from_secs(5),
        }
    }
}

impl StopLadder {
    pub(super) fn steps(&self) -> [(Signal, Duration); 3] {
        [(Signal::INT, self.interrupt), (Signal::TERM, self.terminate), (Signal::KILL, self.kill)]
    }
}
