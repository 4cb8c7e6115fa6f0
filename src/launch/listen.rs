//! The third step: one request, from the caller's own socket.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, SockType, getsockopt, recv, sockopt};
use orrery_wire::{Refusal, Refused, Request, frame};

use crate::admit::Admitted;

/// A whole request, not yet judged.
#[derive(Debug)]
pub struct Asked {
    pub(crate) request: Request,
    /// The request as it was read.
    pub(crate) bytes: Vec<u8>,
}

/// How long a request may take to come in.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the request.
///
/// # Errors
/// [`Refusal::Malformed`].
pub fn listen(admitted: Admitted) -> Result<(Admitted, Asked), Refused> {
    let patient = Patient { socket: own_socket(admitted.caller)?, until: Instant::now() + PATIENCE };
    let bytes = frame::read(patient).map_err(|error| malformed(error.kind()))?;
    let request = Request::decode(&bytes).map_err(malformed)?;
    Ok((admitted, Asked { request, bytes }))
}

fn malformed(why: impl fmt::Display) -> Refused {
    Refused::new(Refusal::Malformed, why)
}

/// Who made the other end of descriptor 0; nobody if that is no socket.
pub(crate) fn peer() -> Option<u32> {
    getsockopt(&io::stdin(), sockopt::PeerCredentials).ok().map(|peer| peer.uid())
}

/// Descriptor 0, if it is a UNIX stream socket whose other end the caller made. Another user's end could make root say
/// things there that it never meant to.
pub(crate) fn own_socket(caller: u32) -> Result<UnixStream, Refused> {
    let is_own = peer() == Some(caller);
    let socket = io::stdin().as_fd().try_clone_to_owned().map_err(malformed)?;
    let is_stream = getsockopt(&socket, sockopt::SockType) == Ok(SockType::Stream);
    let socket = UnixStream::from(socket);
    if is_stream && is_own && socket.local_addr().is_ok() {
        Ok(socket)
    } else {
        Err(malformed("descriptor 0 is no UNIX stream socket of the caller's"))
    }
}

/// Reads until a deadline. Time-outs and modes of the socket itself are the caller's to change at any time.
struct Patient {
    socket: UnixStream,
    until: Instant,
}

impl Read for Patient {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            poll(&mut [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)], timeout)?;
            match recv(self.socket.as_raw_fd(), into, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EAGAIN) => {}
                result => return Ok(result?),
            }
        }
    }
}
