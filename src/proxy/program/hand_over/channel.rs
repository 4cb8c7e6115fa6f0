//! What a proxy and its successor say to each other: JSON, one object a message, over a socket that keeps messages whole.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recv, recvmsg, send, sendmsg, socketpair,
};
use serde_json::Value;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Longest message, in bytes.
pub(in crate::program) const LONGEST: usize = 64 * 1024;
/// Most files with one message: the kernel's own limit.
const MOST_FILES: usize = 253;

/// Two ends; the second one is for another process.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one message without waiting.
pub(super) fn send_now(socket: BorrowedFd<'_>, message: &Value) -> io::Result<()> {
    send(socket, message.to_string().as_bytes(), SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Sends one message with files.
pub(super) fn send_files(
    socket: BorrowedFd<'_>,
    message: &Value,
    files: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if files.len() > MOST_FILES || !control.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::Error::other("too many listeners"));
    }
    let text = message.to_string();
    sendmsg(socket, &[IoSlice::new(text.as_bytes())], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Waits, blocking, for one message with files.
pub(super) fn receive_files(socket: BorrowedFd<'_>) -> io::Result<(Value, Vec<OwnedFd>)> {
    let mut text = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut text)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut files = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(found) = message {
            files.extend(found);
        }
    }
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if received.flags.intersects(ReturnFlags::CTRUNC | ReturnFlags::TRUNC) {
        return Err(io::Error::other("a message was cut off; is the limit of open files too low?"));
    }
    Ok((parse(text.get(..received.bytes).unwrap_or_default())?, files))
}

fn parse(text: &[u8]) -> io::Result<Value> {
    serde_json::from_slice(text).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))
}

/// One end, for tasks. A stream only by its type: that keeps no messages apart, but the socket does.
#[derive(Debug)]
pub(in crate::program) struct Channel(UnixStream);

impl Channel {
    /// Must be made inside a tokio runtime.
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        UnixStream::from_std(socket.into()).map(Self)
    }

    /// Sends one message, when the other end takes it.
    pub(super) async fn send(&self, message: &Value) -> io::Result<()> {
        loop {
            self.0.writable().await?;
            match self.0.try_io(Interest::WRITABLE, || send_now(self.as_fd(), message)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
        }
    }

    /// Waits for the next message; `None` when the other end is gone.
    pub(super) async fn receive(&self) -> io::Result<Option<Value>> {
        let mut text = vec![0; LONGEST];
        loop {
            self.0.readable().await?;
            let take = || Ok(recv(self.as_fd(), text.as_mut_slice(), RecvFlags::empty())?.0);
            match self.0.try_io(Interest::READABLE, take) {
                Ok(0) => return Ok(None),
                Ok(length) => return parse(text.get(..length).unwrap_or_default()).map(Some),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn messages_and_files_arrive_whole_and_in_order_and_the_end_is_seen() {
        let (near, far) = pair().unwrap();
        let file = tempfile::tempfile().unwrap();
        send_now(near.as_fd(), &json!({"first": 1})).unwrap();
        send_files(near.as_fd(), &json!({"second": "x".repeat(1000)}), &[file.as_fd(), file.as_fd()])
            .unwrap();
        let (message, files) = receive_files(far.as_fd()).unwrap();
        assert!(message == json!({"first": 1}) && files.is_empty());
        let (message, files) = receive_files(far.as_fd()).unwrap();
        assert_eq!((message["second"].as_str().unwrap().len(), files.len()), (1000, 2));
        let (near, far) = (Channel::new(near).unwrap(), Channel::new(far).unwrap());
        near.send(&json!({"third": 3})).await.unwrap();
        drop(near);
        assert_eq!(far.receive().await.unwrap(), Some(json!({"third": 3})));
        assert_eq!(far.receive().await.unwrap(), None);
    }
}
