//! Reads what `orrery-launch` has left: the request that it found good, and the policy by which.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use orrery_wire::handover::{self, Handover};
use orrery_wire::{Refusal, Request, frame, paths};

use crate::sys;

/// A policy may have this many bytes beside a request of the longest frame.
const LONGEST: usize = 2 * frame::LONGEST + 1024 * 1024;

/// Takes the handover off its descriptor. The first argument names the work; it chooses nothing, but has to agree.
pub(crate) fn take() -> Result<Handover, Refusal> {
    let file = sys::inherited(paths::HANDOVER_FD).ok_or(Refusal::Malformed)?;
    let handover = handover::decode(&read_sealed(file)?).map_err(|_| Refusal::Malformed)?;
    let named: Vec<_> = std::env::args_os().skip(1).collect();
    if named != [kind(&handover.request)] {
        return Err(Refusal::Malformed);
    }
    // once more what `orrery-launch` has found, by the policy that it has read: neither has to trust that the other did it
    handover.policy.permits(&handover.request).map_err(|refused| refused.code)?;
    Ok(handover)
}

/// What this work is called.
pub(crate) fn kind(request: &Request) -> &'static str {
    match request {
        Request::Login(_) => "login",
        Request::Start(_) => "start",
        Request::Revoke { .. } => "revoke",
    }
}

/// Reads a memory file that nobody can change any more.
fn read_sealed(file: OwnedFd) -> Result<Vec<u8>, Refusal> {
    let seals = fcntl(&file, FcntlArg::F_GET_SEALS).map_err(|_| Refusal::Malformed)?;
    let wanted = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK;
    if !SealFlag::from_bits_truncate(seals).contains(wanted) {
        return Err(Refusal::Malformed);
    }
    let file = File::from(file);
    let length = file.metadata().map_err(|_| Refusal::System)?.len();
    let length = usize::try_from(length).map_err(|_| Refusal::Malformed)?;
    if length > LONGEST {
        return Err(Refusal::Malformed);
    }
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0).map_err(|_| Refusal::System)?;
    Ok(bytes)
}
