//! Makes tickets void.

use std::process::ExitCode;

use orrery_wire::{Refusal, Reply};

use crate::channel::Channel;

/// Makes them void.
pub(crate) fn run(channel: &mut Channel, _uid: u32) -> ExitCode {
    let _ = channel.send(&Reply::Refused(Refusal::System));
    ExitCode::FAILURE
}
