//! SIGTERM and SIGINT stop the hub, SIGUSR1 logs what it is doing, SIGHUP changes nothing (it would end the process).
//!
//! Catching SIGINT also matters to user servers: an ignored signal stays ignored in a child, a caught one is default
//! there, so that the first step of the stop ladder works however the hub was started (lifecycle.md 3).

use std::io;

use tokio::signal::unix::{self, SignalKind};

/// What a signal asks for.
pub(super) enum Signal {
    /// End, in order; holds the signal's name.
    Stop(&'static str),
    /// Log what is going on.
    Report,
}

/// The caught signals.
pub(super) struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    user: unix::Signal,
    hang_up: unix::Signal,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            user: unix::signal(SignalKind::user_defined1())?,
            hang_up: unix::signal(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return Signal::Stop("SIGTERM"),
                _ = self.interrupt.recv() => return Signal::Stop("SIGINT"),
                _ = self.user.recv() => return Signal::Report,
                _ = self.hang_up.recv() => log::info!("SIGHUP: nothing to reload; restart to change the configuration"),
            }
        }
    }

    /// Resolves at the next signal that means stop.
    pub(super) async fn stop_again(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
