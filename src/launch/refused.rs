//! How a refusal leaves the program: a frame on descriptor 0, a line in the system's log, an exit status.

use std::os::fd::AsRawFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use orrery_wire::{Refusal, Refused, Reply, frame};

use crate::{listen, log};

/// A system call failed, where that must not be.
pub(crate) fn system(what: &'static str) -> impl FnOnce(Errno) -> Refused {
    move |errno| Refused::new(Refusal::System, format_args!("{what}: {}", errno.desc()))
}

/// Tells the caller the code, the log everything, and gives the exit status.
#[must_use]
pub fn tell(refused: &Refused, caller: u32) -> ExitCode {
    reply(refused.code, caller);
    log::refusal(caller, refused);
    ExitCode::from(refused.code.exit_status())
}

/// Only into a socket that is the caller's own: bytes from root could mean something to another one. Whoever does not take
/// the frame at once goes without.
fn reply(code: Refusal, caller: u32) {
    let Ok(socket) = listen::own_socket(caller) else { return };
    let mut bytes = Vec::new();
    if frame::write(&mut bytes, &Reply::Refused(code).encode()).is_ok() {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        let _ = send(socket.as_raw_fd(), &bytes, flags);
    }
}
