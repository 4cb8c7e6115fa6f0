//! The successor's side: it finds its predecessor at the other end of its standard input.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;

use super::channel::{self, Channel};
use super::heritage::{self, Heritage};
use super::invocation::{FIRST, Invocation, SECOND, VARIABLE};
use crate::cli::Environment;

/// The first of a successor's two processes starts the second and ends, with this status; `None` in any other process.
#[must_use]
pub fn start_successor(environment: Environment<'_>) -> Option<ExitCode> {
    environment(VARIABLE).filter(|stage| stage == FIRST)?;
    let started = Invocation::own()
        .and_then(|invocation| invocation.start(SECOND, io::stdin().as_fd().try_clone_to_owned()?));
    Some(match started {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the successor cannot be started: {error}");
            ExitCode::FAILURE
        }
    })
}

/// The process that has served so far.
pub(in crate::program) struct Predecessor {
    channel: OwnedFd,
    elders: Vec<OwnedFd>,
}

impl Predecessor {
    /// Asks it for everything; `None` if there is none. Blocks for as long as the answer takes.
    pub(in crate::program) fn meet(environment: Environment<'_>) -> io::Result<Option<(Self, Heritage)>> {
        if environment(VARIABLE).is_none_or(|stage| stage != SECOND) {
            return Ok(None);
        }
        let channel = io::stdin().as_fd().try_clone_to_owned()?;
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        let hello = json!({ "hello": { "pid": std::process::id(), "version": heritage::VERSION } });
        channel::send_now(channel.as_fd(), &hello)?;
        let mut heritage = heritage::receive(channel.as_fd())?;
        let elders = std::mem::take(&mut heritage.elders);
        Ok(Some((Self { channel, elders }, heritage)))
    }

    /// Tells it that everything is ready, and waits until it accepts nothing more; the channels to it and to those before
    /// it. An error means that it goes on, or has ended: then this process must end.
    pub(in crate::program) async fn take_over(self) -> io::Result<Vec<Arc<Channel>>> {
        let channel = Channel::new(self.channel)?;
        channel.send(&json!({ "ready": true })).await?;
        let go = channel.receive().await?.and_then(|message| message.get("go").cloned());
        go.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut elders = vec![Arc::new(channel)];
        for elder in self.elders {
            elders.push(Arc::new(Channel::new(elder)?));
        }
        Ok(elders)
    }
}

/// Tells the predecessor, the first of these, that all is done.
pub(in crate::program) async fn serving(elders: &[Arc<Channel>]) {
    if let Some(predecessor) = elders.first()
        && let Err(error) = predecessor.send(&json!({ "serving": true })).await
    {
        log::debug!(error:%; "the predecessor is gone");
    }
}
