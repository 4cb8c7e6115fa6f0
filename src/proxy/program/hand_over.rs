//! Another process of the same program takes over, and no connection notices (SIGUSR2).
//!
//! | Old process | Successor |
//! | --- | --- |
//! | starts its program anew, with a channel as standard input | reads certificates, says `hello` |
//! | holds changes of routes, gives sockets and routes | accepts on the public port, says `ready` |
//! | tells systemd, accepts nothing more, says `go` | serves the API, says `serving` |
//! | ends when its last connection has | |
//!
//! Until `go` the old process goes on as before if anything goes wrong. Afterwards the channel stays: the old one tells of
//! the use of routes by connections that it still has, and hears of changes to routes.

mod channel;
mod heritage;
mod invocation;
mod last_words;
mod predecessor;
mod progress;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::register::Register;
use super::role::Role;
use crate::api::{Gate, Held};
use crate::socket::Socket;
pub(super) use channel::{Channel, LONGEST};
pub(super) use invocation::Invocation;
pub(super) use last_words::{LastWords, changed, listen, removed};
pub use predecessor::start_successor;
pub(super) use predecessor::{Predecessor, serving};
pub(super) use progress::Progress;
pub use progress::{OrderError, order};

/// How long a successor may take until it is ready, unless told otherwise.
pub(super) const LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to serve the API after `go`; nothing depends on it.
const SERVING: Duration = Duration::from_secs(5);

/// Why there is no successor.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandOverError {
    #[error("{} cannot be started: {source}", program.display())]
    Start { program: std::path::PathBuf, source: io::Error },
    #[error("it ended before it was ready; what it said stands above")]
    Ended,
    #[error("it is not ready after {0:?}")]
    Late(Duration),
    #[error("it cannot be talked to: {0}")]
    Talk(#[from] io::Error),
    #[error("it is of another kind and said {0}")]
    Stranger(Value),
    #[error("this is process 1, with which everything would end")]
    First,
}

/// What this process would hand over.
pub(super) struct Estate {
    pub(super) invocation: Invocation,
    pub(super) sockets: Vec<(Role, Socket)>,
    pub(super) register: Arc<Register>,
    pub(super) gate: Gate,
    pub(super) progress: Progress,
    pub(super) limit: Duration,
}

/// A process that is ready, while changes of routes wait.
pub(super) struct Successor {
    pub(super) pid: u32,
    channel: Channel,
    held: Held,
}

/// The first process of a successor: ended and waited for when dropped.
struct Starting(Option<Child>);

impl Drop for Starting {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        // Its usual end has come before; waiting for it takes a moment, or longer if the program is another one.
        let _ = child.kill();
        let waiting = std::thread::Builder::new().name("wait".to_owned());
        if let Err(error) = waiting.spawn(move || child.wait().map(drop)) {
            log::debug!(error:%; "an ended process stays in the list of processes");
        }
    }
}

impl Estate {
    /// Starts a successor and gives it everything, unless it fails: then nothing has changed.
    pub(super) async fn hand_over(&mut self) -> Result<Successor, HandOverError> {
        if std::process::id() == 1 {
            return Err(HandOverError::First);
        }
        let (near, far) = channel::pair()?;
        let failed = |source| HandOverError::Start { program: self.invocation.program().to_owned(), source };
        let child = self.invocation.start(invocation::FIRST, far).map_err(failed)?;
        let _starting = Starting(Some(child));
        let ready = tokio::time::timeout(self.limit, self.converse(near)).await;
        ready.unwrap_or(Err(HandOverError::Late(self.limit)))
    }

    async fn converse(&self, near: OwnedFd) -> Result<Successor, HandOverError> {
        let channel = Channel::new(near)?;
        let hello = next(&channel).await?;
        let number = |name| hello.pointer(&format!("/hello/{name}")).and_then(Value::as_u64);
        let pid = number("pid").and_then(|pid| u32::try_from(pid).ok());
        let Some(pid) = pid.filter(|_| number("version") == Some(heritage::VERSION)) else {
            return Err(HandOverError::Stranger(hello));
        };
        let held = self.gate.hold();
        let elders = self.register.elders();
        let elders: Vec<_> = elders.iter().map(|elder| elder.as_fd()).collect();
        self.register.write_down(|routes| heritage::send(channel.as_fd(), &self.sockets, routes, &elders))?;
        let answer = next(&channel).await?;
        match answer.get("ready") {
            Some(_) => Ok(Successor { pid, channel, held }),
            None => Err(HandOverError::Stranger(answer)),
        }
    }

    /// Remembers how it went, for who waits.
    pub(super) fn note(&mut self, successor: Option<u32>) {
        let written = match successor {
            Some(pid) => self.progress.done(pid),
            None => self.progress.failed(),
        };
        if let Err(error) = written {
            log::warn!(error:%; "the outcome of the hand-over was not written down");
        }
    }
}

async fn next(channel: &Channel) -> Result<Value, HandOverError> {
    channel.receive().await?.ok_or(HandOverError::Ended)
}

impl Successor {
    /// Gives it the rest; changes that wait are refused, and come again to the successor. Nothing may accept any more.
    pub(super) async fn go(self) -> Channel {
        self.held.gone();
        if let Err(error) = self.channel.send(&json!({ "go": true })).await {
            log::warn!(error:%; "the successor is gone");
            return self.channel;
        }
        if tokio::time::timeout(SERVING, self.channel.receive()).await.is_err() {
            log::warn!("the successor takes its time");
        }
        self.channel
    }
}
