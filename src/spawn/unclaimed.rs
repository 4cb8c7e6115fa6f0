//! A launched server that nobody has yet.

use rustix::process::Signal;

use super::Launched;

/// Dropped because the launch was cancelled, it takes its process along.
pub(super) struct Unclaimed {
    pub(super) launched: Launched,
    claimed: bool,
}

impl Unclaimed {
    pub(super) fn new(launched: Launched) -> Self {
        Self { launched, claimed: false }
    }

    pub(super) fn claim(mut self) -> Launched {
        self.claimed = true;
        self.launched.clone()
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if self.claimed {
            return;
        }
        let running = &self.launched.running;
        if let Err(error) = running.signal(Signal::KILL) {
            log::warn!(pid = running.id().pid, error:% = error; "server of a cancelled launch not ended");
        }
    }
}
