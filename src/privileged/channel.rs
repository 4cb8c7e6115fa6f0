//! The socket to one `orrery-launch` (or what it became), run by the hub or by systemd: frames, and what its end means.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use orrery_wire::frame::LONGEST;
use orrery_wire::{Refusal, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{LaunchError, LaunchWay};

/// How long a program that has closed its socket may take to end.
const TO_END: Duration = Duration::from_secs(5);

/// The connection to one program that was started.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    /// None if systemd has started it.
    child: Option<Child>,
}

impl Channel {
    pub(super) async fn open(way: &LaunchWay) -> Result<Self, LaunchError> {
        match way {
            LaunchWay::Program(program) => Self::run(program),
            LaunchWay::Socket(socket) => Self::connect(socket).await,
        }
    }

    /// Connects to the socket on which systemd starts the program. Passwords are to come: nothing is said to a listener that
    /// is not root's.
    async fn connect(socket: &Path) -> Result<Self, LaunchError> {
        let unusable = |source: io::Error| match source.kind() {
            ErrorKind::WouldBlock => LaunchError::Busy, // more connections wait than the kernel keeps
            _ => LaunchError::Socket { socket: socket.to_owned(), source },
        };
        let stream = UnixStream::connect(socket).await.map_err(unusable)?;
        match stream.peer_cred().map_err(unusable)?.uid() {
            0 => Ok(Self { stream, child: None }),
            uid => Err(LaunchError::Impostor { socket: socket.to_owned(), uid }),
        }
    }

    /// Starts the program with one end of a socket pair as its standard input and nothing else of ours: no environment,
    /// no arguments, not our process group, so that a Ctrl-C for the hub is none for it.
    ///
    /// As root it runs on our behalf and is killed with the channel; setuid it cannot be killed by us, but notices that
    /// the socket is closed and has a deadline of its own.
    fn run(program: &Path) -> Result<Self, LaunchError> {
        let unusable = |source| LaunchError::Program { program: program.to_owned(), source };
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(unusable)?;
        ours.set_nonblocking(true).map_err(unusable)?;
        let child = Command::new(program)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(unusable)?;
        let stream = UnixStream::from_std(ours).map_err(unusable)?;
        Ok(Self { stream, child: Some(child) })
    }

    /// Sends one frame. A program that has refused already may be gone: its answer is still to be read.
    pub(super) async fn send(&mut self, content: &[u8]) -> Result<(), LaunchError> {
        match write(&mut self.stream, content).await {
            Err(error) if !is_gone(&error) => Err(LaunchError::Connection(error)),
            _ => Ok(()),
        }
    }

    /// The next frame, or what the end of the program means.
    pub(super) async fn receive(&mut self) -> Result<Reply, LaunchError> {
        match read(&mut self.stream).await {
            Ok(content) => Reply::decode(&content).map_err(|_| LaunchError::Malformed),
            Err(error) if is_gone(&error) => Err(self.ended().await),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(LaunchError::Malformed),
            Err(error) => Err(LaunchError::Connection(error)),
        }
    }

    /// Why the program ended without an answer: its exit status may be a refusal. systemd has the status of what it runs.
    async fn ended(&mut self) -> LaunchError {
        let Some(child) = &mut self.child else {
            return LaunchError::Died("the connection was closed".to_owned());
        };
        let Ok(Ok(status)) = timeout(TO_END, child.wait()).await else {
            return LaunchError::Died("it closed its socket".to_owned());
        };
        let refusal = status.code().and_then(|code| u8::try_from(code).ok());
        match refusal.and_then(Refusal::from_exit_status) {
            Some(refusal) => LaunchError::Refused(refusal),
            None => LaunchError::Died(in_words(status)),
        }
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}

/// Writes one frame, whose copy is wiped: it may be a password.
pub(super) async fn write(to: &mut UnixStream, content: &[u8]) -> io::Result<()> {
    if content.len() > LONGEST {
        return Err(ErrorKind::InvalidInput.into());
    }
    let length = u32::try_from(content.len()).map_err(|_| ErrorKind::InvalidInput)?;
    let mut frame = Zeroizing::new(Vec::with_capacity(content.len() + 4));
    frame.extend(length.to_be_bytes());
    frame.extend_from_slice(content);
    to.write_all(&frame).await
}

/// Reads one frame and not a byte more. Not to be dropped half-way: what follows would be read as a length.
pub(super) async fn read(from: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| ErrorKind::InvalidData)?;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut content = vec![0; length];
    from.read_exact(&mut content).await?;
    Ok(content)
}
