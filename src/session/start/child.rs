//! From the keeper's fork to the server's first instruction: one step after the other, each checked. What fails is told
//! to the keeper through a pipe that closes when the program begins, and then nothing has run.
//!
//! The keeper has one thread, so the child may allocate.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{self, ForkResult, Pid};

use super::identity::Identity;
use crate::sys::{self, process};

/// Everything that the server is started with.
#[derive(Debug)]
pub(crate) struct Child<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) no_new_privs: bool,
    /// The entrances of its control group.
    pub(crate) gates: Vec<File>,
    /// Where stdout and stderr go.
    pub(crate) output: OwnedFd,
    pub(crate) umask: Mode,
    /// Its own session keyring, where no PAM module has made one.
    pub(crate) new_keyring: bool,
    /// The socket that an earlier run may have left.
    pub(crate) socket: Option<PathBuf>,
    /// The working directory.
    pub(crate) folder: PathBuf,
    pub(crate) program: CString,
    pub(crate) arguments: Vec<CString>,
    pub(crate) environment: Vec<CString>,
}

macro_rules! steps {
    ($($step:ident = $number:literal $text:literal,)+) => {
        /// What can fail on the way.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Step { $($step,)+ }

        impl Step {
            const fn number(self) -> u8 {
                match self { $(Self::$step => $number,)+ }
            }

            const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$step),)+ _ => None }
            }

            /// What was not possible.
            pub(crate) const fn text(self) -> &'static str {
                match self { $(Self::$step => $text,)+ }
            }
        }
    };
}

steps! {
    Fork = 1 "a process could not be made",
    ControlGroup = 2 "the control group could not be entered",
    Session = 3 "the process could not be taken out of its surroundings",
    Descriptors = 4 "descriptors could not be set up",
    Drop = 5 "privileges could not be dropped",
    Folder = 6 "no working directory could be entered",
    Program = 7 "the program could not be run",
}

/// What failed, and what the system said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) step: Step,
    pub(crate) error: Errno,
}

/// How one step went.
type Done<T = ()> = Result<T, Failed>;

fn at<T>(step: Step, result: io::Result<T>) -> Done<T> {
    result.map_err(|error| Failed { step, error: Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)) })
}

impl Child<'_> {
    /// Starts it; returns when the program runs.
    ///
    /// # Errors
    /// [`Failed`]; nothing runs then.
    pub(crate) fn start(self) -> Done<Pid> {
        let keeper = unistd::getpid();
        let (told, tell) = at(Step::Fork, unistd::pipe2(OFlag::O_CLOEXEC).map_err(Into::into))?;
        match at(Step::Fork, process::fork().map_err(Into::into))? {
            ForkResult::Child => self.become_server(keeper, tell),
            ForkResult::Parent { child } => {
                drop((tell, self));
                let mut text = Vec::new();
                let read = File::from(told).read_to_end(&mut text);
                match (read, failure(&text)) {
                    (Ok(_), None) if text.is_empty() => Ok(child),
                    (_, failure) => {
                        reap(child);
                        Err(failure.unwrap_or(Failed { step: Step::Fork, error: Errno::EIO }))
                    }
                }
            }
        }
    }

    fn become_server(mut self, keeper: Pid, tell: OwnedFd) -> ! {
        let Err(failed) = self.prepare_and_run(keeper, &tell);
        let [a, b, c, d] = number(failed.error).to_be_bytes();
        let _ = unistd::write(&tell, &[failed.step.number(), a, b, c, d]);
        process::exit_now(1);
    }

    fn prepare_and_run(&mut self, keeper: Pid, tell: &OwnedFd) -> Done<std::convert::Infallible> {
        // Into the group first: whatever happens later, it can be ended.
        for gate in &mut self.gates {
            at(Step::ControlGroup, gate.write_all(b"0"))?;
        }
        at(Step::Session, reset_surroundings())?;
        at(Step::Descriptors, self.set_up_descriptors(tell.as_raw_fd()))?;
        umask(self.umask);
        at(Step::Drop, self.identity.assume(self.no_new_privs))?;
        // A change of identity takes this away, so it comes after it. Without its keeper a server would run on unseen.
        at(Step::Session, die_with(keeper))?;
        if self.new_keyring {
            // Not every kernel has keys, and then there are none to be kept apart.
            let _ = process::join_new_keyring();
        }
        at(Step::Folder, enter(&self.folder))?;
        if let Some(socket) = &self.socket {
            let _ = fs::remove_file(socket);
        }
        let Err(error) = unistd::execve(&self.program, &self.arguments, &self.environment);
        Err(Failed { step: Step::Program, error })
    }

    /// 0 is `/dev/null`, 1 and 2 are the log; nothing else reaches the server.
    fn set_up_descriptors(&self, tell: RawFd) -> io::Result<()> {
        let null = File::open("/dev/null")?;
        unistd::dup2_stdin(&null)?;
        unistd::dup2_stdout(&self.output)?;
        unistd::dup2_stderr(&self.output)?;
        // All owners of descriptors live on until this process is another program or none: nothing is closed twice.
        std::mem::forget(null);
        if tell > 3 {
            process::close_range(3, tell - 1)?;
        }
        process::close_range(tell + 1, RawFd::MAX)
    }
}

/// A session of its own without a terminal, default signals, plain scheduling and memory priority.
fn reset_surroundings() -> io::Result<()> {
    unistd::setsid()?;
    sys::default_signals();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    // A daemon may be protected from the kernel's out-of-memory killer. A server is not.
    fs::write("/proc/self/oom_score_adj", "0")
}

fn die_with(keeper: Pid) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // It may have died before.
    if unistd::getppid() == keeper { Ok(()) } else { Err(Errno::ESRCH.into()) }
}

/// Enters the working directory as the user, or the nearest folder above it that lets the user in.
fn enter(folder: &Path) -> io::Result<()> {
    let mut first = None;
    for place in folder.ancestors().filter(|place| place.is_absolute()) {
        match unistd::chdir(place) {
            Ok(()) => {
                if let Some(error) = first {
                    say(&format!(
                        "{} cannot be entered ({error}); working in {}",
                        folder.display(),
                        place.display()
                    ));
                }
                return Ok(());
            }
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or(Errno::ENOENT).into())
}

/// To the server's log.
fn say(line: &str) {
    let plain: String = line.chars().map(|char| if char.is_control() { '?' } else { char }).collect();
    let _ = writeln!(io::stderr(), "[orrery] {plain}");
}

fn failure(text: &[u8]) -> Option<Failed> {
    let (step, error) = text.split_first()?;
    let error = Errno::from_raw(i32::from_be_bytes(error.try_into().ok()?));
    Some(Failed { step: Step::from_number(*step)?, error })
}

fn reap(child: Pid) {
    while waitpid(child, Some(WaitPidFlag::empty())) == Err(Errno::EINTR) {}
}

/// The longest that a user's file system may take to remove a name.
const PATIENCE: Duration = Duration::from_secs(5);

/// As [`reap`], for a child that works in a folder of the user: one that hangs there (FUSE) is killed.
fn reap_in_time(child: Pid) {
    let end = Instant::now() + PATIENCE;
    while waitpid(child, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive) {
        if Instant::now() >= end {
            let _ = kill(child, Signal::SIGKILL);
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Removes a file as its user: root touches nothing in a folder of somebody else.
pub(crate) fn remove_as(identity: &Identity, file: &Path) {
    match process::fork() {
        Ok(ForkResult::Child) => {
            let removed = identity.assume(true).and_then(|()| fs::remove_file(file));
            process::exit_now(i32::from(removed.is_err()));
        }
        Ok(ForkResult::Parent { child }) => reap_in_time(child),
        Err(_) => {}
    }
}

/// A pipe for the server's output, whose reading end does not block.
pub(crate) fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = unistd::pipe2(OFlag::O_CLOEXEC)?;
    fcntl(reader.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((reader, writer))
}

#[expect(clippy::as_conversions, reason = "an enum of the system's numbers")]
fn number(error: Errno) -> i32 {
    error as i32
}
