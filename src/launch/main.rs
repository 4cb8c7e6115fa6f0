//! `orrery-launch`: root for the daemon, distrusts, and becomes `orrery-session`. Each step takes what the one before it gives,
//! so that none can be left out. Arguments and environment say nothing here.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use orrery_launch::{admit, become_root, caller, hand_over, harden, judge, listen, tell};

fn main() -> ExitCode {
    let caller = caller();
    let done = harden(caller)
        .and_then(admit)
        .and_then(listen)
        .and_then(become_root)
        .and_then(judge)
        .and_then(hand_over);
    match done {
        Ok(never) => match never {},
        Err(refused) => tell(&refused, caller),
    }
}
