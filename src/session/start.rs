//! Starts a server as its user, and stays as its parent until it ends (the session keeper).
//!
//! The process that `orrery-launch` became forks the keeper, watches over its preparations (a PAM module or a name service
//! may hang) and exits. Then the keeper belongs to init and is in a session of its own: whatever happens to the hub does
//! not reach it. Should the keeper itself be killed, so is the server (`PR_SET_PDEATHSIG`): none runs on that nobody
//! looks after, outside of its PAM session. What such a server leaves behind is found by its id at the user's next start.

mod cgroup;
mod child;
mod command;
mod control;
mod ending;
mod environment;
mod exit_record;
mod identity;
mod keeper;
mod lock;
mod output;
mod places;
mod preparation;
mod session;
#[cfg(test)]
mod testing;
mod watch;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use nix::unistd::{ForkResult, pipe2};
use orrery_wire::{Policy, Reply, Start, StartFailure, Started};

use crate::channel::Channel;
use crate::deadline::Deadline;
use crate::log;
use crate::sys::process;
use keeper::Keeper;
use preparation::Ground;
use session::Session;

/// Why nothing runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotStarted {
    reason: StartFailure,
    text: String,
}

impl NotStarted {
    fn new(reason: StartFailure, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }

    /// For `map_err`: what was to be done, and what the system said.
    fn because<E: std::fmt::Display>(reason: StartFailure, what: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::new(reason, format!("{what}: {error}"))
    }
}

/// How far a keeper has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It asks the name service.
    Account = 1,
    /// It opens the PAM session.
    Session = 2,
    /// It makes folders and groups, and starts the server.
    Server = 3,
    /// It has told the hub how it went.
    Told = 4,
}

impl Stage {
    fn from_number(number: u8) -> Option<Self> {
        [Self::Account, Self::Session, Self::Server, Self::Told]
            .into_iter()
            .find(|stage| stage.number() == number)
    }

    const fn number(self) -> u8 {
        match self {
            Self::Account => 1,
            Self::Session => 2,
            Self::Server => 3,
            Self::Told => 4,
        }
    }
}

/// Tells the watching process how far the keeper has got.
#[derive(Debug)]
struct Progress(Option<std::fs::File>);

impl Progress {
    fn reaches(&mut self, stage: Stage) {
        if let Some(pipe) = &mut self.0 {
            // The watching process may have been killed; the keeper's own deadline stands.
            let _ = pipe.write_all(&[stage.number()]);
        }
        if stage == Stage::Told {
            self.0 = None;
        }
    }
}

/// Starts it. Returns in two processes: in the watching one when the hub has been told, in the keeper at the very end.
pub(crate) fn run(channel: &mut Channel, policy: Policy, start: Start, has_ticket: bool) -> ExitCode {
    match begin(channel, policy, start, has_ticket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = format!("the session keeper could not be made: {error}");
            let _ = channel.send(&Reply::NotStarted { reason: StartFailure::System, text });
            ExitCode::FAILURE
        }
    }
}

fn begin(channel: &mut Channel, policy: Policy, start: Start, has_ticket: bool) -> io::Result<()> {
    let (told, tell) = pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    match process::fork()? {
        ForkResult::Parent { child } => {
            drop(tell);
            watch::watch(channel, &policy, &start, child, told.into());
        }
        ForkResult::Child => {
            drop(told);
            let mut progress = Progress(Some(tell.into()));
            let deadline = detach(&policy);
            match deadline {
                Ok(deadline) => keep(channel, policy, start, has_ticket, &mut progress, deadline),
                Err(error) => {
                    let reason = StartFailure::System;
                    tell_failure(
                        channel,
                        NotStarted::because(reason, "the keeper could not be set up")(error),
                        &mut progress,
                    );
                }
            }
        }
    }
    Ok(())
}

/// Leaves the hub's session, becomes the reaper of everything that the server will start, and dies if the preparations
/// do not end (the watching process reports that; this is for the case that it was killed).
fn detach(policy: &Policy) -> io::Result<Deadline> {
    nix::unistd::setsid()?;
    nix::sys::prctl::set_child_subreaper(true)?;
    let time = Duration::from_secs(u64::from(policy.session_timeout)) + watch::MARGIN;
    Ok(Deadline::after(time)?)
}

/// The life of the keeper.
fn keep(
    channel: &mut Channel,
    policy: Policy,
    start: Start,
    has_ticket: bool,
    progress: &mut Progress,
    deadline: Deadline,
) {
    progress.reaches(Stage::Account);
    let ground = match Ground::prepare(&policy, &start, has_ticket) {
        Ok(ground) => ground,
        Err(failure) => return tell_failure(channel, failure, progress),
    };
    progress.reaches(Stage::Session);
    let mut session = match Session::open(&policy, &ground.account) {
        Ok(session) => session,
        Err(text) => {
            return tell_failure(channel, NotStarted::new(StartFailure::PamSession, text), progress);
        }
    };
    progress.reaches(Stage::Server);
    let identity = session.identity.clone();
    match ground.start_server(&policy, &start, &mut session) {
        Ok(mut keeper) => {
            tell_started(channel, &ground, &mut keeper, &start, progress);
            drop((deadline, start));
            process::trim_memory();
            let record = keeper.serve();
            ending::end(keeper, ground, &identity, record);
        }
        Err(failure) => {
            tell_failure(channel, failure, progress);
            drop(ground);
        }
    }
    ending::close(session, &policy);
}

/// A hub that does not learn of its server will never stop it: then it is stopped at once.
fn tell_started(
    channel: &mut Channel,
    ground: &Ground,
    keeper: &mut Keeper,
    start: &Start,
    progress: &mut Progress,
) {
    let socket = ground.socket.as_deref().map(path_text).unwrap_or_default();
    let started = Started {
        pid: keeper.pid(),
        start_time: keeper.start_time,
        socket,
        control: path_text(&ground.places.control()),
        log: path_text(&ground.places.log()),
    };
    log::info(&format!("server {} of uid {} started, pid {}", start.server_id, start.uid, started.pid));
    if channel.send(&Reply::Started(started)).is_err() {
        keeper.kill();
    }
    let _ = channel.hang_up();
    progress.reaches(Stage::Told);
}

fn tell_failure(channel: &mut Channel, failure: NotStarted, progress: &mut Progress) {
    log::warning(&format!("a server was not started: {}", failure.text));
    let _ = channel.send(&Reply::NotStarted { reason: failure.reason, text: failure.text });
    let _ = channel.hang_up();
    progress.reaches(Stage::Told);
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
