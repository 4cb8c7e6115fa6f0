//! The third step: one request, from the caller's own socket.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, SockType, getsockopt, recv, sockopt};
use orrery_wire::{Policy, Refusal, Request, frame};

use crate::admit::Admitted;
use crate::refused::Refused;

/// A whole request, not yet judged.
#[derive(Debug)]
pub struct Asked {
    pub(crate) parcel: OwnedFd,
    pub(crate) policy: Policy,
    pub(crate) text: String,
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
pub fn listen(admitted: Admitted) -> Result<Asked, Refused> {
    let Admitted { caller, parcel, policy, text } = admitted;
    let socket = own_socket(caller)?;
    let patient = Patient { socket, until: Instant::now() + PATIENCE };
    let malformed = |why: ErrorKind| Refused::new(Refusal::Malformed, format_args!("no request: {why}"));
    let bytes = frame::read(patient).map_err(|error| malformed(error.kind()))?;
    let request = Request::decode(&bytes).map_err(|why| Refused::new(Refusal::Malformed, why))?;
    Ok(Asked { parcel, policy, text, request, bytes })
}

/// Descriptor 0, if it is a UNIX stream socket whose other end the caller made. Another user's end could make root say
/// things there that it never meant to.
pub(crate) fn own_socket(caller: u32) -> Result<UnixStream, Refused> {
    let malformed = |why: &str| Refused::new(Refusal::Malformed, format_args!("descriptor 0: {why}"));
    let socket = io::stdin().as_fd().try_clone_to_owned().map_err(|_| malformed("cannot be used"))?;
    if getsockopt(&socket, sockopt::SockType) != Ok(SockType::Stream) {
        return Err(malformed("not a stream socket"));
    }
    let peer =
        getsockopt(&socket, sockopt::PeerCredentials).map_err(|_| malformed("nobody at its other end"))?;
    let socket = UnixStream::from(socket);
    if socket.local_addr().is_err() {
        return Err(malformed("not a UNIX socket"));
    }
    if peer.uid() == caller { Ok(socket) } else { Err(malformed("another user is at its other end")) }
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
