//! How a refusal leaves the program: a frame on descriptor 0, a line in the system's log, an exit status.

use std::fmt;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use orrery_wire::{Refusal, Reply, frame};

use crate::{listen, log};

/// A refusal: the code is for whoever called, the detail for the system's log alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub code: Refusal,
    /// What exactly; no secret.
    pub detail: String,
}

impl Refused {
    pub(crate) fn new(code: Refusal, detail: impl fmt::Display) -> Self {
        Self { code, detail: detail.to_string() }
    }

    /// A system call failed, where that must not be.
    pub(crate) fn system(what: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::new(Refusal::System, format_args!("{what}: {}", errno.desc()))
    }

    /// Puts before the detail what was asked for.
    #[must_use]
    pub(crate) fn about(self, request: &str) -> Self {
        Self { detail: format!("{request}: {}", self.detail), ..self }
    }

    /// Tells the caller the code, the log everything, and gives the exit status.
    #[must_use]
    pub fn tell(&self, caller: u32) -> ExitCode {
        self.reply(caller);
        log::refusal(caller, self.code, &self.detail);
        ExitCode::from(self.code.exit_status())
    }

    /// Only into a socket that is the caller's own: bytes from root could mean something to another one. Whoever does
    /// not take the frame at once goes without.
    fn reply(&self, caller: u32) {
        let Ok(socket) = listen::own_socket(caller) else { return };
        let mut bytes = Vec::new();
        if frame::write(&mut bytes, &Reply::Refused(self.code).encode()).is_ok() {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            let _ = send(std::os::fd::AsRawFd::as_raw_fd(&socket), &bytes, flags);
        }
    }
}
