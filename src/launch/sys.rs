//! The system calls for which `nix` has no safe form: the only `unsafe` of this program, one call a block.

#![expect(unsafe_code, reason = "see above")]

use nix::errno::Errno;
use nix::libc;

/// How long a `sigset_t` is in the kernel, not in libc.
const KERNEL_SIGSET: usize = 8;

/// Empties the environment, which nobody has read yet.
pub(crate) fn clear_environment() -> Result<(), Errno> {
    // SAFETY: there is one thread, and nobody holds a pointer into the environment.
    unsafe { nix::env::clearenv() }.map_err(|_| Errno::ENOMEM)
}

/// Closes `first` and every descriptor above it.
pub(crate) fn close_from(first: libc::c_uint) -> Result<(), Errno> {
    // SAFETY: no `OwnedFd` of this process is that high yet.
    Errno::result(unsafe { libc::close_range(first, libc::c_uint::MAX, 0) }).map(drop)
}

/// Gives a signal its default action, also the two that libc keeps for itself.
pub(crate) fn default_action(signal: libc::c_int) -> Result<(), Errno> {
    // A kernel `sigaction` that is all zero: SIG_DFL, no flags, an empty mask. It has at most four words.
    let zero = [0_u64; 4];
    let old = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: `zero` is as long as the kernel reads, and it writes nothing back through a null pointer.
    Errno::result(unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, zero.as_ptr(), old, KERNEL_SIGSET) })
        .map(drop)
}

/// Stops one of the three interval timers, which outlive an exec.
pub(crate) fn stop_timer(which: libc::c_int) -> Result<(), Errno> {
    let none = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let never = libc::itimerval { it_interval: none, it_value: none };
    // SAFETY: `never` lives through the call, and the old value is not asked for.
    Errno::result(unsafe { libc::setitimer(which, &raw const never, std::ptr::null_mut()) }).map(drop)
}

/// Ordinary time sharing, instead of batch, idle or real time.
pub(crate) fn ordinary_scheduling() -> Result<(), Errno> {
    let ordinary = libc::sched_param { sched_priority: 0 };
    // SAFETY: `ordinary` lives through the call.
    Errno::result(unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const ordinary) }).map(drop)
}

/// Niceness 0.
pub(crate) fn ordinary_niceness() -> Result<(), Errno> {
    // SAFETY: takes numbers only.
    Errno::result(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 0) }).map(drop)
}

/// No class of disk access of its own.
pub(crate) fn ordinary_disk_priority() -> Result<(), Errno> {
    const THIS_PROCESS: libc::c_int = 1;
    // SAFETY: takes numbers only.
    Errno::result(unsafe { libc::syscall(libc::SYS_ioprio_set, THIS_PROCESS, 0, 0) }).map(drop)
}

/// A session keyring of its own instead of the caller's, into which a PAM module could put somebody's keys.
pub(crate) fn new_keyring() -> Result<(), Errno> {
    let unnamed = std::ptr::null::<libc::c_char>();
    // SAFETY: a null name stands for a keyring without a name.
    Errno::result(unsafe { libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, unnamed) })
        .map(drop)
}
