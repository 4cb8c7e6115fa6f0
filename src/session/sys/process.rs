//! System calls of a start that neither the standard library nor `nix` offers without `unsafe`: each function is one
//! call long.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::libc;
use nix::unistd::{ForkResult, Pid};

/// The most capabilities that a kernel can have (they are bits of 64).
pub(crate) const MOST_CAPABILITIES: libc::c_ulong = 64;

fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Forks.
pub(crate) fn fork() -> nix::Result<ForkResult> {
    // SAFETY: this program has one thread only, so the child may do whatever the parent may.
    unsafe { nix::unistd::fork() }
}

/// Ends this process at once: no destructor and no exit handler runs, which a forked child must not run twice.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: `_exit` has no precondition.
    unsafe { libc::_exit(status) }
}

/// Closes all descriptors from `first` to `last`.
pub(crate) fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    // SAFETY: only numbers are passed. Whoever calls gives up every owner of these descriptors: it execs or ends next.
    checked(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }).map(drop)
}

/// Ignores SIGPIPE: who writes to a peer that has gone is told so by the call.
pub(crate) fn ignore_broken_pipes() {
    // SAFETY: ignoring is no code of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// A child that has ended and is no more: its number and its raw status. `None` if all others go on.
///
/// `nix` knows no statuses of real-time signals, and any user can send those to an own process.
pub(crate) fn reap_any() -> io::Result<Option<(Pid, libc::c_int)>> {
    let mut status = 0;
    // SAFETY: `status` lives as long as the call.
    let pid = checked(unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) }.into())?;
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    Ok((pid > 0).then(|| (Pid::from_raw(pid), status)))
}

/// Replaces all capabilities of this thread by none (`capset`).
pub(crate) fn clear_capabilities() -> io::Result<()> {
    let header = [CAPABILITIES_VERSION_3, 0];
    let none = [0_u32; 6];
    // SAFETY: version 3 reads a header of two and data of six numbers, which is what both are.
    checked(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) }).map(drop)
}

/// The effective, permitted and inheritable capabilities, low words first.
pub(crate) fn capabilities() -> io::Result<[u32; 6]> {
    let mut header = [CAPABILITIES_VERSION_3, 0];
    let mut sets = [0_u32; 6];
    // SAFETY: version 3 writes at most a header of two and data of six numbers, which is what both are.
    checked(unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) })?;
    Ok(sets)
}

const CAPABILITIES_VERSION_3: u32 = 0x2008_0522;

/// Whether a capability is in the bounding set; `None` beyond the last one that the kernel knows.
pub(crate) fn in_bounding_set(capability: libc::c_ulong) -> Option<bool> {
    // SAFETY: only numbers are passed.
    match unsafe { libc::prctl(libc::PR_CAPBSET_READ, capability, 0, 0, 0) } {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Takes a capability out of the bounding set.
pub(crate) fn leave_bounding_set(capability: libc::c_ulong) -> io::Result<()> {
    // SAFETY: only numbers are passed.
    checked(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) }.into()).map(drop)
}

/// Empties the ambient set.
pub(crate) fn clear_ambient_set() -> io::Result<()> {
    // SAFETY: only numbers are passed.
    checked(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) }.into())
        .map(drop)
}

/// A descriptor that means this process and no later one with its number.
pub(crate) fn pidfd(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: only numbers are passed.
    let fd = checked(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends SIGKILL to the process of a [`pidfd`].
pub(crate) fn kill_pidfd(to: &OwnedFd) -> io::Result<()> {
    // SAFETY: a null pointer stands for no further facts about the signal.
    checked(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            to.as_raw_fd(),
            libc::SIGKILL,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    })
    .map(drop)
}

/// Leaves the session keyring that was inherited for a new one.
pub(crate) fn join_new_keyring() -> io::Result<()> {
    // SAFETY: a null pointer stands for a keyring without a name.
    checked(unsafe {
        libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>())
    })
    .map(drop)
}

/// The number of a group. Other than `getgrnam_r`, this never fails because a group has too many members.
pub(crate) fn group_number(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: the name ends with NUL; this program has one thread, and what is pointed to is read at once.
    unsafe { libc::getgrnam(name.as_ptr()).as_ref().map(|group| group.gr_gid) }
}

/// Gives memory that is no longer used back to the system.
pub(crate) fn trim_memory() {
    // SAFETY: only a number is passed.
    unsafe { libc::malloc_trim(0) };
}
