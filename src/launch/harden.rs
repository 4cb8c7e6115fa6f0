//! The first step: everything that a process inherits is put back to what it is after a boot.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::personality::{self, Persona};
use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid, alarm, chdir, dup2_stderr, dup2_stdout, geteuid, getuid, setsid};
use orrery_wire::{Refusal, Refused, paths};

use crate::refused::system;
use crate::{files, sys};

/// Nothing inherited is left but descriptor 0, the ids and the control group.
#[derive(Debug)]
pub struct Hardened {
    /// Who asks.
    pub(crate) caller: u32,
    /// [`paths::HANDOVER_FD`], made before another descriptor could take that number.
    pub(crate) parcel: OwnedFd,
}

/// Whatever happens, in so many seconds this is over; SIGALRM ends the process.
const LONGEST_LIFE: libc::c_uint = 30;
/// In nanoseconds: the kernel's own default. A caller could have set one that keeps timers from ever firing.
const TIMER_SLACK: libc::c_ulong = 50_000;

const UNLIMITED: &[Resource] = &[
    Resource::RLIMIT_AS,
    Resource::RLIMIT_CPU,
    Resource::RLIMIT_DATA,
    Resource::RLIMIT_FSIZE,
    Resource::RLIMIT_LOCKS,
    Resource::RLIMIT_RSS,
    Resource::RLIMIT_RTTIME,
];

/// Resets what was inherited.
///
/// # Errors
/// [`Refusal::Installation`] without root's rights; [`Refusal::Attributes`], [`Refusal::System`].
pub fn harden(caller: u32) -> Result<Hardened, Refused> {
    if !geteuid().is_root() {
        return Err(Refused::new(
            Refusal::Installation,
            "not setuid root, or started under no_new_privs or nosuid",
        ));
    }
    let reset = Reset { by_root: getuid().is_root() };
    must("environment", sys::clear_environment())?;
    must("descriptors", sys::close_from(3))?;
    reset.limits()?;
    reset.signals()?;
    reset.process()?;
    reset.scheduling()?;
    let parcel = parcel()?;
    reset.terminal()?;
    Ok(Hardened { caller, parcel })
}

fn must(what: &str, result: Result<(), Errno>) -> Result<(), Refused> {
    result.map_err(|errno| Refused::new(Refusal::Attributes, format_args!("{what}: {}", errno.desc())))
}

/// Resets attributes, one after the other.
struct Reset {
    /// Whether root started this.
    by_root: bool,
}

impl Reset {
    /// What root itself bequeathed, in a container that lacks the right to change it, stays.
    fn may(&self, what: &str, result: Result<(), Errno>) -> Result<(), Refused> {
        match result {
            Err(Errno::EPERM | Errno::EACCES | Errno::ENOSYS) if self.by_root => Ok(()),
            result => must(what, result),
        }
    }

    fn limits(&self) -> Result<(), Refused> {
        let threads = files::kernel("/proc/sys/kernel/threads-max").ok();
        let threads = threads.and_then(|text| String::from_utf8(text).ok()?.trim().parse::<rlim_t>().ok());
        let half_of_all = threads.map_or(RLIM_INFINITY, |threads| threads / 2);
        for (resource, soft, hard) in [
            (Resource::RLIMIT_NOFILE, 1024, 524_288),
            (Resource::RLIMIT_CORE, 0, RLIM_INFINITY),
            (Resource::RLIMIT_STACK, 8 << 20, RLIM_INFINITY),
            (Resource::RLIMIT_MEMLOCK, 8 << 20, 8 << 20),
            (Resource::RLIMIT_MSGQUEUE, 819_200, 819_200),
            (Resource::RLIMIT_NPROC, half_of_all, half_of_all),
            (Resource::RLIMIT_SIGPENDING, half_of_all, half_of_all),
            (Resource::RLIMIT_NICE, 0, 0),
            (Resource::RLIMIT_RTPRIO, 0, 0),
        ] {
            self.may("limits", limit(resource, soft, hard))?;
        }
        for resource in UNLIMITED {
            self.may("limits", limit(*resource, RLIM_INFINITY, RLIM_INFINITY))?;
        }
        Ok(())
    }

    fn signals(&self) -> Result<(), Refused> {
        for signal in (1..=64).filter(|signal| ![libc::SIGKILL, libc::SIGSTOP].contains(signal)) {
            must("signal actions", sys::default_action(signal))?;
        }
        for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
            must("timers", sys::stop_timer(timer))?;
        }
        must("signal mask", sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None))?;
        alarm::set(LONGEST_LIFE);
        Ok(())
    }

    fn process(&self) -> Result<(), Refused> {
        umask(Mode::from_bits_truncate(0o077));
        must("folder", chdir("/"))?;
        must("dumpable", prctl::set_dumpable(false))?;
        must("parent-death signal", prctl::set_pdeathsig(None))?;
        must("kept capabilities", prctl::set_keepcaps(false))?;
        must("subreaper", prctl::set_child_subreaper(false))?;
        must("timer slack", prctl::set_timerslack(TIMER_SLACK))?;
        must("personality", personality::set(Persona::empty()).map(drop))
    }

    fn scheduling(&self) -> Result<(), Refused> {
        self.may("scheduling", sys::ordinary_scheduling())?;
        self.may("niceness", sys::ordinary_niceness())?;
        self.may("disk priority", sys::ordinary_disk_priority())?;
        self.may("processors", every_processor())?;
        let written = fs::write("/proc/self/oom_score_adj", "0");
        self.may("oom_score_adj", written.map_err(|error| files::errno(&error)))
    }

    /// A terminal could be written to by a PAM module, and send signals. Nothing is ever said on 1 and 2.
    fn terminal(&self) -> Result<(), Refused> {
        let null =
            open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).map_err(system("null"))?;
        must("descriptor 1", dup2_stdout(&null))?;
        must("descriptor 2", dup2_stderr(&null))?;
        let alone = setsid(); // fails for the leader of a process group, which is fine without a terminal
        match open("/dev/tty", OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC, Mode::empty()) {
            Ok(_) => must("terminal", alone.map(drop).and(Err(Errno::ENOTTY))),
            Err(_) => Ok(()),
        }
    }
}

/// Without CAP_SYS_RESOURCE, as in many containers, a hard limit cannot be raised: fine, if it leaves room for the soft one.
fn limit(resource: Resource, soft: rlim_t, hard: rlim_t) -> Result<(), Errno> {
    setrlimit(resource, soft, hard).or_else(|refused| {
        let (_, most) = getrlimit(resource)?;
        setrlimit(resource, soft.min(most), hard.min(most))?;
        if soft <= most { Ok(()) } else { Err(refused) }
    })
}

/// The kernel leaves out those that there are not, and those that the control group forbids.
fn every_processor() -> Result<(), Errno> {
    let mut all = CpuSet::new();
    (0..CpuSet::count()).try_for_each(|number| all.set(number))?;
    sched_setaffinity(Pid::from_raw(0), &all)
}

/// An empty file in memory that cannot be executed, where the kernel knows that; with the number that `orrery-session`
/// expects, since all descriptors from there on have just been closed.
fn parcel() -> Result<OwnedFd, Refused> {
    let sealable = MFdFlags::MFD_ALLOW_SEALING;
    let not_executable = MFdFlags::from_bits_retain(libc::MFD_NOEXEC_SEAL);
    let file = match memfd_create(c"orrery-request", sealable | not_executable) {
        Err(Errno::EINVAL) => memfd_create(c"orrery-request", sealable),
        result => result,
    };
    let file = file.map_err(system("memfd_create"))?;
    if file.as_raw_fd() == paths::HANDOVER_FD {
        Ok(file)
    } else {
        Err(Refused::new(Refusal::Attributes, "descriptor 3 is taken"))
    }
}
