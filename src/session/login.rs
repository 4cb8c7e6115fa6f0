//! Lets somebody sign in.

use std::process::ExitCode;

use orrery_wire::{Denial, Login, Policy, Reply};

use crate::channel::Channel;

/// Lets somebody sign in.
pub(crate) fn run(channel: &mut Channel, _policy: &Policy, _login: &Login) -> ExitCode {
    let _ = channel.send(&Reply::Denied { reason: Denial::System, text: String::new() });
    ExitCode::FAILURE
}
