//! Starts a server as its user.

use std::process::ExitCode;

use orrery_wire::{Policy, Reply, Start, StartFailure};

use crate::channel::Channel;

/// Starts it.
pub(crate) fn run(channel: &mut Channel, _policy: Policy, _start: Start, _has_ticket: bool) -> ExitCode {
    let text = "this build starts no servers".to_owned();
    let _ = channel.send(&Reply::NotStarted { reason: StartFailure::System, text });
    ExitCode::FAILURE
}
