//! `orrery-launch` refuses every request: its work is not part of this build, and it is not installed.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use orrery_wire::Refusal;

fn main() -> ExitCode {
    let refusal = Refusal::System;
    eprintln!("orrery-launch: {refusal}");
    ExitCode::from(refusal.exit_status())
}
