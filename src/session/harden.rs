//! Makes this process depend on nothing that it inherited but descriptors 0 and 3. `orrery-launch` has done so already;
//! doing it again costs nothing and does not rely on it.

use std::fs::{File, OpenOptions};
use std::os::unix::net::UnixStream;

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::stat::{Mode, SFlag, fstat, umask};
use nix::unistd::{chdir, dup2_stderr, dup2_stdin, dup2_stdout, getgroups, getresgid, getresuid, setgroups};
use orrery_wire::{Refusal, paths};

use crate::channel::Channel;
use crate::sys;

/// Resets what was inherited and takes the channel to the hub off descriptor 0, so that neither a PAM module nor a
/// program that it starts can read or write there.
pub(crate) fn harden() -> Result<Channel, Refusal> {
    require_root()?;
    let refused = |_| Refusal::Attributes;
    let first_to_close = u32::try_from(paths::HANDOVER_FD + 1).map_err(|_| Refusal::Attributes)?;
    sys::close_from(first_to_close).map_err(refused)?;
    if !sys::clear_environment() {
        return Err(Refusal::Attributes);
    }
    sys::default_signals();
    sys::ignore_broken_pipes();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None).map_err(refused)?;
    umask(Mode::from_bits_truncate(0o077));
    chdir("/").map_err(refused)?;
    no_core()?;
    setgroups(&[]).map_err(refused)?;
    if !getgroups().map_err(refused)?.is_empty() {
        return Err(Refusal::Attributes);
    }
    let channel = take_channel()?;
    sys::open_log();
    Ok(channel)
}

fn require_root() -> Result<(), Refusal> {
    let (uids, gids) = (getresuid().map_err(|_| Refusal::System)?, getresgid().map_err(|_| Refusal::System)?);
    let all = [uids.real, uids.effective, uids.saved].iter().all(|uid| uid.is_root())
        && [gids.real, gids.effective, gids.saved].iter().all(|gid| gid.as_raw() == 0);
    if all && !sys::is_setuid() { Ok(()) } else { Err(Refusal::Installation) }
}

/// No core, and nothing of this process for a debugger of anybody else. Only the soft limit: servers inherit the hard one.
fn no_core() -> Result<(), Refusal> {
    let refused = |_| Refusal::Attributes;
    let (_, hard) = getrlimit(Resource::RLIMIT_CORE).map_err(refused)?;
    setrlimit(Resource::RLIMIT_CORE, 0, hard).map_err(refused)?;
    prctl::set_dumpable(false).map_err(refused)
}

fn take_channel() -> Result<Channel, Refusal> {
    let refused = |_| Refusal::Attributes;
    let input = sys::inherited(0).ok_or(Refusal::Attributes)?;
    let kind = SFlag::from_bits_truncate(fstat(&input).map_err(refused)?.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFSOCK {
        return Err(Refusal::Attributes);
    }
    // Both are close-on-exec and get numbers above 2, because the standard library opens 0 to 2 before `main`.
    let stream = UnixStream::from(input.try_clone().map_err(|_| Refusal::Attributes)?);
    let null: File =
        OpenOptions::new().read(true).write(true).open("/dev/null").map_err(|_| Refusal::Attributes)?;
    dup2_stdin(&null).map_err(refused)?;
    dup2_stdout(&null).map_err(refused)?;
    dup2_stderr(&null).map_err(refused)?;
    // It is `/dev/null` now, and is to stay open.
    std::mem::forget(input);
    Ok(Channel::new(stream))
}
