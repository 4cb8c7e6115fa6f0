//! Bytes on their way to a peer that has not taken them yet.

use std::io;
use std::task::{Context, Poll, ready};

use crate::stream::Stream;

/// Capacity that is kept for the next message.
const KEPT: usize = 8 * 1024;

/// Bytes to be sent, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Where further bytes are put.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Sends until all is sent; ready at once if there is nothing.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>, to: &mut Stream) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.sent..).filter(|rest| !rest.is_empty()) {
            self.sent += ready!(to.poll_write(cx, rest))?;
        }
        self.clear();
        Poll::Ready(Ok(()))
    }

    /// Sends `bytes` after what is there, and keeps what the peer does not take now.
    pub(crate) fn send(&mut self, cx: &mut Context<'_>, to: &mut Stream, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        if let Poll::Ready(outcome) = self.poll_send(cx, to) {
            outcome?;
            while !rest.is_empty() {
                match to.poll_write(cx, rest)? {
                    Poll::Ready(written) => rest = rest.get(written..).unwrap_or_default(),
                    Poll::Pending => break,
                }
            }
        }
        self.bytes.extend_from_slice(rest);
        Ok(())
    }

    fn clear(&mut self) {
        self.sent = 0;
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        } else {
            self.bytes.clear();
        }
    }

    /// Gives back the memory of an empty outbox.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}
