//! How patiently a server is asked to end before it is killed.

use std::time::Duration;

use rustix::process::Signal;

/// How long each signal is given to work (lifecycle.md 14). Each wait ends as soon as the process does; a wait of zero
/// sends the signal and goes on to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopLadder {
    /// After SIGINT, which lets a server save and shut its kernels down; `None` begins at SIGTERM.
    pub interrupt: Option<Duration>,
    /// After SIGTERM.
    pub terminate: Duration,
    /// After SIGKILL, which only a process stuck in the kernel survives.
    pub kill: Duration,
}

impl Default for StopLadder {
    fn default() -> Self {
        Self {
            interrupt: Some(Duration::from_secs(30)),
            terminate: Duration::from_secs(30),
            kill: Duration::from_secs(5),
        }
    }
}

impl StopLadder {
    /// The ladder for a server that never became ready, which has nothing to save. It begins at SIGTERM: an interpreter
    /// that is still starting may swallow SIGINT (Python does when it arrives inside a callback), and would then be
    /// waited for in vain.
    #[must_use]
    pub const fn of_a_start(self) -> Self {
        Self { interrupt: None, ..self }
    }

    /// How long all of it may take.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.steps().fold(Duration::ZERO, |sum, (_, patience)| sum.saturating_add(patience))
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = (Signal, Duration)> + use<> {
        let first = self.interrupt.map(|patience| (Signal::INT, patience));
        first.into_iter().chain([(Signal::TERM, self.terminate), (Signal::KILL, self.kill)])
    }
}
