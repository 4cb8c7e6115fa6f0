//! Keeping a server company until it ends. One loop that waits for everything at once: signals come as data (`signalfd`),
//! so no code runs in a handler (SEC-049).

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use orrery_wire::ExitRecord;
use orrery_wire::control::{self, Ask, News, Usage};

use super::cgroup::Group;
use super::control::Control;
use super::output::Output;
use crate::sys::process;

/// A server that runs, and what belongs to it.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) server: Pid,
    pub(crate) start_time: u64,
    pub(crate) group: Option<Group>,
    pub(crate) output: Output,
    pub(crate) control: Control,
    pub(crate) signals: SignalFd,
    /// Whether we have sent SIGKILL.
    killed: bool,
    /// When a shutdown of the machine has had patience enough.
    kill_at: Option<Instant>,
    /// Processes that the memory limit had killed when it was last looked at.
    oom_kills: u32,
}

/// What a machine that shuts down gives a server between SIGTERM and SIGKILL.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);

/// Signals that come as data: those of children, and those that would end the keeper before its server.
pub(crate) fn take_signals() -> nix::Result<SignalFd> {
    process::ignore_broken_pipes();
    let mut set = SigSet::empty();
    for signal in [
        Signal::SIGCHLD,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGHUP,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGALRM,
    ] {
        set.add(signal);
    }
    set.thread_block()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

impl Keeper {
    pub(crate) fn new(
        server: Pid,
        group: Option<Group>,
        output: Output,
        control: Control,
        signals: SignalFd,
    ) -> Self {
        let start_time = start_time(server).unwrap_or(0);
        Self {
            server,
            start_time,
            group,
            output,
            control,
            signals,
            killed: false,
            kill_at: None,
            oom_kills: 0,
        }
    }

    /// The number of the server's process, as the hub is told.
    pub(crate) fn pid(&self) -> u32 {
        u32::try_from(self.server.as_raw()).unwrap_or(0)
    }

    /// Waits until the server ends, and does meanwhile what there is to do.
    pub(crate) fn serve(&mut self) -> ExitRecord {
        loop {
            // Of a failed wait the next one tells more; nothing here may end before the server.
            let _ = self.wait();
            self.read_signals();
            if let Some(status) = self.reap() {
                return self.record(status);
            }
            if self.kill_at.is_some_and(|moment| moment <= Instant::now()) {
                self.kill_at = None;
                self.kill();
            }
            self.output.pump();
            self.answer();
        }
    }

    fn wait(&self) -> nix::Result<i32> {
        let read = PollFlags::POLLIN;
        let mut sources = vec![PollFd::new(self.signals.as_fd(), read)];
        sources.extend(self.output.source().map(|source| PollFd::new(source, read)));
        sources.extend(self.control.sources().map(|(source, is_written)| {
            PollFd::new(source, if is_written { read | PollFlags::POLLOUT } else { read })
        }));
        let left = self.kill_at.map(|moment| moment.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        });
        poll(&mut sources, timeout)
    }

    fn read_signals(&mut self) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            let number = i32::try_from(signal.ssi_signo).unwrap_or(0);
            if [libc::SIGTERM, libc::SIGINT].contains(&number) && self.kill_at.is_none() {
                self.signal(Signal::SIGTERM);
                self.kill_at = Some(Instant::now() + SHUTDOWN_PATIENCE);
            }
        }
    }

    /// Takes leave of children that have ended: the server, and what was orphaned below it. The server's status, if it
    /// was among them.
    fn reap(&mut self) -> Option<libc::c_int> {
        while let Ok(Some((pid, status))) = process::reap_any() {
            if pid == self.server {
                return Some(status);
            }
            self.oom_kills = self.group.as_ref().map_or(0, Group::oom_kills);
        }
        None
    }

    fn answer(&mut self) {
        let Self { control, server, start_time, group, killed, oom_kills, .. } = self;
        control.serve(|ask| match ask {
            Ask::Status => {
                News::Running { pid: u32::try_from(server.as_raw()).unwrap_or(0), start_time: *start_time }
            }
            Ask::Usage => {
                let usage = group.as_ref().map_or_else(Usage::default, Group::usage);
                *oom_kills = usage.oom_kills;
                News::Usage(usage)
            }
            Ask::Signal(signal) => {
                match signal {
                    control::Signal::Interrupt => send(*server, Signal::SIGINT),
                    control::Signal::Terminate => send(*server, Signal::SIGTERM),
                    control::Signal::Kill => {
                        *killed = true;
                        kill_all(*server, group.as_ref());
                    }
                }
                News::Sent
            }
        });
    }

    fn signal(&self, signal: Signal) {
        send(self.server, signal);
    }

    /// Kills the server and all that is in its group.
    pub(crate) fn kill(&mut self) {
        self.killed = true;
        kill_all(self.server, self.group.as_ref());
    }

    fn record(&self, status: libc::c_int) -> ExitRecord {
        let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
        let by_memory_limit = signal == Some(libc::SIGKILL)
            && !self.killed
            && self.group.as_ref().is_some_and(|group| group.oom_kills() > self.oom_kills);
        ExitRecord {
            pid: self.pid(),
            start_time: self.start_time,
            status: libc::WIFEXITED(status)
                .then(|| libc::WEXITSTATUS(status))
                .and_then(|code| u32::try_from(code).ok()),
            signal: signal.and_then(|signal| u32::try_from(signal).ok()),
            out_of_memory: by_memory_limit,
            ended: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        }
    }
}

/// The server is our child and not reaped: its number is nobody else's (SEC-084).
fn send(server: Pid, signal: Signal) {
    let _ = kill(server, signal);
}

fn kill_all(server: Pid, group: Option<&Group>) {
    send(server, Signal::SIGKILL);
    if let Some(group) = group {
        group.kill();
    }
}

/// How long processes may take to die.
const DYING: Duration = Duration::from_secs(10);

/// Kills all children of this process, and theirs as they become ours (it is their reaper): what is left of a server
/// without a control group, however often it forked. Children cannot be mistaken for others: they are there until they
/// are reaped.
pub(crate) fn end_children() {
    let end = Instant::now() + DYING;
    loop {
        match process::reap_any() {
            Ok(Some(_)) => {}
            Ok(None) if Instant::now() < end => {
                for child in children() {
                    send(child, Signal::SIGKILL);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

fn children() -> Vec<Pid> {
    let list = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    list.split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .filter(|pid| *pid > 1)
        .map(Pid::from_raw)
        .collect()
}

/// When a process started, in clock ticks after boot.
fn start_time(pid: Pid) -> Option<u64> {
    parse_start_time(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Field 22. The second one is the program's name in parentheses, in which anything may stand (SEC-067).
fn parse_start_time(stat: &[u8]) -> Option<u64> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_067_the_name_of_a_program_does_not_move_its_start_time() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        for name in ["x", "a) S 1 (b", "))))))))))))))))", "\n)\n"] {
            assert_eq!(parse_start_time(format!("12 ({name}) {rest}").as_bytes()), Some(4711), "{name:?}");
        }
        assert_eq!(parse_start_time(b"12 (x S"), None);
        assert!(start_time(nix::unistd::getpid()).is_some());
    }
}
