//! The socket to the hub: one reply or one answer per frame, none of them waited for longer than the deadline.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use orrery_wire::{Answer, Reply, frame};

/// The socket to the hub.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: UnixStream,
    deadline: Option<Instant>,
}

/// How long a hub may take to accept a frame.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

impl Channel {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self { stream, deadline: None }
    }

    /// Nothing is waited for beyond this moment.
    pub(crate) fn end_by(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Sends one frame.
    pub(crate) fn send(&mut self, reply: &Reply) -> io::Result<()> {
        self.stream.set_write_timeout(Some(SEND_TIMEOUT))?;
        frame::write(&self.stream, &reply.encode())
    }

    /// Lets go of the socket; the hub sees its end when nobody else holds it.
    pub(crate) fn hang_up(&mut self) -> io::Result<()> {
        let (dead, _) = UnixStream::pair()?;
        self.stream = dead;
        Ok(())
    }

    /// Waits for the hub's answer: [`ErrorKind::UnexpectedEof`] if it went away, [`ErrorKind::TimedOut`] at the deadline.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let mut from = Timed { stream: &self.stream, deadline: self.deadline };
        let bytes = frame::read(&mut from)?;
        Answer::decode(&bytes).map_err(|_| ErrorKind::InvalidData.into())
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Reads with the time that is left, so that a byte now and then prolongs nothing.
struct Timed<'a> {
    stream: &'a UnixStream,
    deadline: Option<Instant>,
}

impl io::Read for Timed<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(left)?;
        let mut stream = self.stream;
        stream.read(into).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn an_answer_is_waited_for_until_the_deadline_only() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut channel = Channel::new(ours);
        frame::write(&theirs, &Answer(b"yes".to_vec()).encode()).unwrap();
        channel.end_by(Instant::now() + Duration::from_secs(60));
        assert_eq!(channel.answer().unwrap(), Answer(b"yes".to_vec()));

        channel.end_by(Instant::now());
        assert_eq!(channel.answer().unwrap_err().kind(), ErrorKind::TimedOut);

        theirs.write_all(&[0, 0, 0, 9, 1]).unwrap();
        drop(theirs);
        channel.end_by(Instant::now() + Duration::from_secs(60));
        assert_eq!(channel.answer().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
