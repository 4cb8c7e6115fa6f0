//! The control socket of a running server: what it is, what it uses, signals, and how it ended.
//!
//! One connection for each question, so that an answer can be nobody else's; one more that only waits for the end.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use orrery_wire::ExitRecord;
use orrery_wire::control::{Ask, News, Signal, Usage};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::channel::{read, write};

/// How long a keeper may take to answer.
const TO_ANSWER: Duration = Duration::from_secs(20);

/// Why a keeper said nothing.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody is there: the server has ended, and its exit record says how.
    #[error("nothing keeps this server any more")]
    Gone,
    /// It gave no answer in time.
    #[error("the server's keeper did not answer within {} seconds", TO_ANSWER.as_secs())]
    TimedOut,
    /// It said what this hub does not understand.
    #[error("the server's keeper answered nonsense")]
    Malformed,
    /// The connection failed.
    #[error("the connection to the server's keeper failed: {0}")]
    Connection(#[source] io::Error),
}

/// An answer, unless the server ended meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered<T> {
    /// It runs.
    Running(T),
    /// It has ended.
    Ended(ExitRecord),
}

/// Which process the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks after boot.
    pub start_time: u64,
}

/// Asks which process the server is.
///
/// # Errors
/// [`ControlError`].
pub async fn status(socket: &Path) -> Result<Answered<Process>, ControlError> {
    match ask(socket, Ask::Status).await? {
        News::Running { pid, start_time } => Ok(Answered::Running(Process { pid, start_time })),
        News::Ended(record) => Ok(Answered::Ended(record)),
        News::Sent | News::Usage(_) => Err(ControlError::Malformed),
    }
}

/// Sends a signal. There may be nobody left to get it.
///
/// # Errors
/// [`ControlError`].
pub async fn signal(socket: &Path, signal: Signal) -> Result<Answered<()>, ControlError> {
    match ask(socket, Ask::Signal(signal)).await? {
        News::Sent => Ok(Answered::Running(())),
        News::Ended(record) => Ok(Answered::Ended(record)),
        News::Running { .. } | News::Usage(_) => Err(ControlError::Malformed),
    }
}

/// Asks what the server uses.
///
/// # Errors
/// [`ControlError`].
pub async fn usage(socket: &Path) -> Result<Answered<Usage>, ControlError> {
    match ask(socket, Ask::Usage).await? {
        News::Usage(usage) => Ok(Answered::Running(usage)),
        News::Ended(record) => Ok(Answered::Ended(record)),
        News::Running { .. } | News::Sent => Err(ControlError::Malformed),
    }
}

async fn ask(socket: &Path, ask: Ask) -> Result<News, ControlError> {
    let answer = async {
        let mut stream = connect(socket).await?;
        write(&mut stream, &ask.encode()).await.map_err(lost)?;
        news(&mut stream).await
    };
    timeout(TO_ANSWER, answer).await.map_err(|_| ControlError::TimedOut)?
}

/// A connection that waits for the end of the server.
#[derive(Debug)]
pub struct Watch(UnixStream);

impl Watch {
    /// Connects. As long as it stands, the end cannot be missed.
    ///
    /// # Errors
    /// [`ControlError::Gone`] if the server has ended already.
    pub async fn connect(socket: &Path) -> Result<Self, ControlError> {
        connect(socket).await.map(Self)
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// [`ControlError::Gone`] if the keeper itself was killed: nobody knows how the server fares.
    pub async fn ended(&mut self) -> Result<ExitRecord, ControlError> {
        loop {
            if let News::Ended(record) = news(&mut self.0).await? {
                return Ok(record);
            }
        }
    }
}

async fn connect(socket: &Path) -> Result<UnixStream, ControlError> {
    UnixStream::connect(socket).await.map_err(lost)
}

async fn news(stream: &mut UnixStream) -> Result<News, ControlError> {
    let content = read(stream).await.map_err(lost)?;
    News::decode(&content).map_err(|_| ControlError::Malformed)
}

fn lost(error: io::Error) -> ControlError {
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => ControlError::Gone,
        ErrorKind::InvalidData => ControlError::Malformed,
        _ => ControlError::Connection(error),
    }
}
