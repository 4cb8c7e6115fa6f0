//! What the process that forked the keeper does: it waits until the hub has been told how the start went, and ends a
//! keeper that takes too long.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use orrery_wire::{Policy, Reply, Start, StartFailure};

use super::cgroup::{Group, Hierarchies};
use super::{NotStarted, Stage};
use crate::channel::Channel;
use crate::log;

/// How much longer than `session_timeout` the keeper's own deadline is: the one here comes first.
pub(crate) const MARGIN: Duration = Duration::from_secs(5);

/// Waits for the keeper; reports for it if it cannot.
pub(crate) fn watch(channel: &mut Channel, policy: &Policy, start: &Start, keeper: Pid, stages: File) {
    let end = Instant::now() + Duration::from_secs(u64::from(policy.session_timeout));
    let (stage, in_time) = follow(stages, end);
    if stage == Some(Stage::Told) {
        return;
    }
    // It is our child: its number is nobody else's until it is reaped.
    let _ = kill(keeper, Signal::SIGKILL);
    let _ = waitpid(keeper, None);
    if let Ok(hierarchies) = Hierarchies::find() {
        Group::named(&hierarchies, &policy.cgroup_parent, start.uid, &start.server_id).clear();
    }
    let failure = failure(stage, in_time, policy.session_timeout);
    log::warning(&format!("a server of uid {} was not started: {}", start.uid, failure.text));
    let _ = channel.send(&Reply::NotStarted { reason: failure.reason, text: failure.text });
}

/// The last stage, and whether it was reached or the pipe closed before the end.
fn follow(mut stages: File, end: Instant) -> (Option<Stage>, bool) {
    let mut last = None;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        let ready = poll(&mut [PollFd::new(stages.as_fd(), PollFlags::POLLIN)], timeout);
        if left.is_zero() && ready.is_ok_and(|count| count == 0) {
            return (last, false);
        }
        if ready.is_ok_and(|count| count > 0) {
            let mut number = [0];
            match stages.read(&mut number) {
                Ok(1) => last = number.first().and_then(|number| Stage::from_number(*number)).or(last),
                _ => return (last, true),
            }
        }
        if last == Some(Stage::Told) {
            return (last, true);
        }
    }
}

fn failure(stage: Option<Stage>, in_time: bool, timeout: u32) -> NotStarted {
    let (reason, what) = match stage {
        Some(Stage::Session) => (StartFailure::PamSession, "opening the PAM session"),
        Some(Stage::Account) => (StartFailure::NoAccount, "asking the name service"),
        _ => (StartFailure::System, "starting the server"),
    };
    let text = if in_time {
        format!("{what} ended the session keeper")
    } else {
        format!("{what} took longer than {timeout} s (session_timeout)")
    };
    NotStarted::new(reason, text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn pipe() -> (File, File) {
        let (read, write) = nix::unistd::pipe().unwrap();
        (read.into(), write.into())
    }

    #[test]
    fn the_last_stage_tells_where_a_keeper_hung_or_died() {
        let (stages, mut keeper) = pipe();
        keeper.write_all(&[1, 2]).unwrap();
        assert_eq!(follow(stages, Instant::now()), (Some(Stage::Session), false));
        let (stages, mut keeper) = pipe();
        keeper.write_all(&[1]).unwrap();
        drop(keeper);
        let end = Instant::now() + Duration::from_secs(60);
        assert_eq!(follow(stages, end), (Some(Stage::Account), true));
        let (stages, mut keeper) = pipe();
        keeper.write_all(&[1, 2, 3, 4]).unwrap();
        assert_eq!(follow(stages, end), (Some(Stage::Told), true));
    }

    #[test]
    fn a_hung_module_is_told_with_the_policys_key() {
        let failure = failure(Some(Stage::Session), false, 30);
        assert_eq!(failure.reason, StartFailure::PamSession);
        assert_eq!(failure.text, "opening the PAM session took longer than 30 s (session_timeout)");
    }
}
