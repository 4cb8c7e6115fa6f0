//! The data plane as a program of its own.
//!
//! This build only knows its version: the hub runs the data plane inside itself.

use std::process::ExitCode;

/// `EX_UNAVAILABLE` of sysexits.h.
const UNAVAILABLE: u8 = 69;

fn main() -> ExitCode {
    let asks_version = std::env::args_os().skip(1).any(|word| word == "--version" || word == "-V");
    if asks_version {
        println!("orrery-proxy {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "orrery-proxy: the stand-alone proxy is not available in this build.\n\
         Let the hub run its own: set `proxy.type = \"embedded\"` in orrery.toml."
    );
    ExitCode::from(UNAVAILABLE)
}
