//! `orrery-session`: what `orrery-launch` becomes when it has found a request good. It runs as root and is not setuid; it
//! lets somebody sign in through PAM, starts a server as its user, or makes a user's tickets void.
//!
//! It looks at nothing that the caller of `orrery-launch` controls but the vetted request in descriptor 3 and, in a
//! login, the answers on descriptor 0.

#![deny(unsafe_code)]

mod account;
mod channel;
mod conversation;
mod deadline;
mod denial;
mod folders;
mod harden;
mod log;
mod login;
mod pam;
mod request;
mod revoke;
mod start;
#[expect(unsafe_code, reason = "the one place for system calls that no crate wraps")]
mod sys;
mod ticket;

use std::process::ExitCode;

use orrery_wire::{Refusal, Reply, Request};

use channel::Channel;

/// Wipes what it frees: answers and keys leave no copy behind.
#[global_allocator]
static ALLOCATOR: sys::Wiping = sys::Wiping;

fn main() -> ExitCode {
    let mut channel = match harden::harden() {
        Ok(channel) => channel,
        Err(refusal) => return ExitCode::from(refusal.exit_status()),
    };
    serve(&mut channel).unwrap_or_else(|refusal| refuse(&mut channel, refusal))
}

fn serve(channel: &mut Channel) -> Result<ExitCode, Refusal> {
    let handover = request::take()?;
    let policy = handover.policy;
    Ok(match handover.request {
        Request::Login(login) => login::run(channel, &policy, &login)?,
        Request::Start(start) => start::run(channel, policy, *start, handover.has_ticket),
        Request::Revoke { uid } => revoke::run(channel, &policy, uid)?,
    })
}

fn refuse(channel: &mut Channel, refusal: Refusal) -> ExitCode {
    log::warning(&format!("refused: {refusal}"));
    // The exit status says it, too.
    let _ = channel.send(&Reply::Refused(refusal));
    ExitCode::from(refusal.exit_status())
}
