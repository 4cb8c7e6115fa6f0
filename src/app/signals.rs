//! SIGTERM and SIGINT stop the hub, SIGUSR1 logs what it is doing, SIGHUP reads the configuration and certificates again.
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
    /// Read the configuration and certificates again.
    Reload,
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
        tokio::select! {
                _ = self.terminate.recv() => Signal::Stop("SIGTERM"),
                _ = self.interrupt.recv() => Signal::Stop("SIGINT"),
                _ = self.user.recv() => Signal::Report,
                _ = self.hang_up.recv() => Signal::Reload,
        }
    }

    /// What `work` gives; `None` if it is told to stop first.
    pub(super) async fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.stop_again() => None,
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
