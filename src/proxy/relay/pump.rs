//! A body on its way from one connection to another. Nothing is collected: what comes is passed on.

use std::cell::RefMut;
use std::io::{self, Write};
use std::task::{Context, Poll, ready};

use super::outbox::Outbox;
use super::slot::Use;
use super::worker::Scratch;
use crate::http1::chunked::{ChunkError, Decoder, allowed_trailers};
use crate::http1::request::Framing;
use crate::stream::Stream;

/// Bytes that may wait for a peer before the source is left alone.
const ENOUGH: usize = 64 * 1024;
/// Reads in a row before other connections have their turn.
const TURN: usize = 16;

/// Where a body comes from: what has arrived already, then the stream.
pub(crate) struct Source<'a> {
    pub(crate) stream: &'a mut Stream,
    pub(crate) early: &'a mut Vec<u8>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As it is: its end is told otherwise.
    Plain,
    Chunked,
}

/// Why a body did not arrive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The source ended before the body did, or failed.
    #[error("the source broke off: {0}")]
    Source(#[source] io::Error),
    /// The source does not keep to its own framing.
    #[error(transparent)]
    Malformed(#[from] ChunkError),
    /// The peer takes no more.
    #[error("the peer is gone: {0}")]
    Sink(#[source] io::Error),
}

#[derive(Debug)]
enum Inbound {
    Remaining(u64),
    Chunked(Decoder),
    UntilClose,
}

/// What of a body counts as use of its route (proxy.md section 10). Recorded before anybody can see the bytes.
#[derive(Debug)]
pub(crate) enum Counts {
    Nothing,
    EachPiece(Use),
    Completion(Use),
}

/// Carries one body.
#[derive(Debug)]
pub(crate) struct Pump {
    counts: Counts,
    inbound: Inbound,
    coding: Coding,
    is_complete: bool,
    /// Bytes of the body itself so far.
    carried: u64,
    progress: bool,
    is_blocked: bool,
}

impl Pump {
    pub(crate) fn new(framing: Framing, coding: Coding, counts: Counts) -> Self {
        let inbound = match framing {
            Framing::Empty => Inbound::Remaining(0),
            Framing::Length(length) => Inbound::Remaining(length),
            Framing::Chunked => Inbound::Chunked(Decoder::default()),
            Framing::UntilClose => Inbound::UntilClose,
        };
        let mut pump = Self {
            counts,
            inbound,
            coding,
            is_complete: false,
            carried: 0,
            progress: false,
            is_blocked: false,
        };
        if framing == Framing::Empty {
            pump.complete();
        }
        pump
    }

    /// Whether the source has sent the whole body, though not all may have been passed on.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Bytes of the body itself that were read.
    pub(crate) fn carried(&self) -> u64 {
        self.carried
    }

    /// Whether the peer takes no more for now: the source is not what is waited for. TLS may hold what it does not take.
    pub(crate) fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Whether something moved since the last call.
    pub(crate) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progress)
    }

    /// Passes on what there is. `outbox` is what waits for `to`: before the body stands what is to precede it. Ready when
    /// everything has been handed to the peer.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut from: Source<'_>,
        outbox: &mut Outbox,
        to: &mut Stream,
        mut scratch: RefMut<'_, Scratch>,
    ) -> Poll<Result<(), Broken>> {
        for _ in 0..TURN {
            if !self.is_complete && !from.early.is_empty() && outbox.len() < ENOUGH {
                let used = self.take(from.early, outbox.buffer())?;
                discard(from.early, used);
                self.progress = true;
                continue;
            }
            self.is_blocked = true;
            if !outbox.is_empty() {
                ready!(outbox.poll_send(cx, to)).map_err(Broken::Sink)?;
                self.progress = true;
            }
            if self.is_complete {
                return to.poll_flush(cx).map_err(Broken::Sink);
            }
            if !from.early.is_empty() {
                continue;
            }
            // What TLS keeps back must not wait for the next piece.
            if to.poll_flush(cx).map_err(Broken::Sink)?.is_pending() {
                return Poll::Pending;
            }
            self.is_blocked = false;
            let read = ready!(from.stream.poll_read(cx, &mut scratch.input)).map_err(Broken::Source)?;
            self.progress = true;
            self.pass(cx, read, &mut from, outbox, to, &mut scratch)?;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn pass(
        &mut self,
        cx: &mut Context<'_>,
        read: usize,
        from: &mut Source<'_>,
        outbox: &mut Outbox,
        to: &mut Stream,
        scratch: &mut Scratch,
    ) -> Result<(), Broken> {
        let input = scratch.input.get(..read).unwrap_or_default();
        let used = match (&self.inbound, self.coding) {
            _ if read == 0 => return self.end(outbox.buffer()),
            (Inbound::Remaining(_) | Inbound::UntilClose, Coding::Plain) => {
                let used = self.count(input.len());
                outbox.send(cx, to, input.get(..used).unwrap_or_default()).map_err(Broken::Sink)?;
                used
            }
            _ => {
                scratch.frame.clear();
                let used = self.take(input, &mut scratch.frame)?;
                outbox.send(cx, to, &scratch.frame).map_err(Broken::Sink)?;
                used
            }
        };
        from.early.extend_from_slice(input.get(used..).unwrap_or_default());
        Ok(())
    }

    /// The source has ended.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Broken> {
        if !matches!(self.inbound, Inbound::UntilClose) {
            return Err(Broken::Source(io::ErrorKind::UnexpectedEof.into()));
        }
        self.finish(out);
        Ok(())
    }

    /// Counts up to `available` bytes as body; how many are.
    fn count(&mut self, available: usize) -> usize {
        let data = match &mut self.inbound {
            Inbound::Remaining(remaining) => {
                let data = usize::try_from(*remaining).unwrap_or(usize::MAX).min(available);
                *remaining = remaining.saturating_sub(u64::try_from(data).unwrap_or(u64::MAX));
                if *remaining == 0 {
                    self.complete();
                }
                data
            }
            Inbound::UntilClose | Inbound::Chunked(_) => available,
        };
        if let Counts::EachPiece(used) = &self.counts {
            used.record();
        }
        self.carried += u64::try_from(data).unwrap_or_default();
        data
    }

    /// Writes what `input` holds of the body to `out`, and the end if it is there; how much was used.
    pub(crate) fn take(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, ChunkError> {
        if !matches!(self.inbound, Inbound::Chunked(_)) {
            let used = self.count(input.len());
            self.write(input.get(..used).unwrap_or_default(), out);
            if self.is_complete {
                self.finish(out);
            }
            return Ok(used);
        }
        if let Counts::EachPiece(used) = &self.counts {
            used.record();
        }
        let mut used = 0;
        while let (Some(rest), Inbound::Chunked(decoder)) = (input.get(used..), &mut self.inbound) {
            if rest.is_empty() || decoder.is_complete() {
                break;
            }
            let piece = decoder.take(rest)?;
            let data = rest.get(piece.framing..piece.framing + piece.data).unwrap_or_default();
            used += piece.framing + piece.data;
            self.carried += u64::try_from(data.len()).unwrap_or_default();
            self.write(data, out);
        }
        if matches!(&self.inbound, Inbound::Chunked(decoder) if decoder.is_complete()) {
            self.finish(out);
        }
        Ok(used)
    }

    fn write(&self, data: &[u8], out: &mut Vec<u8>) {
        if data.is_empty() {
            return;
        }
        match self.coding {
            Coding::Plain => out.extend_from_slice(data),
            Coding::Chunked => {
                // Writing to memory does not fail.
                let _ = write!(out, "{:x}\r\n", data.len());
                out.extend_from_slice(data);
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    fn complete(&mut self) {
        self.is_complete = true;
        if let Counts::Completion(used) = &self.counts {
            used.record();
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.is_complete {
            self.complete();
        }
        if self.coding == Coding::Chunked {
            out.extend_from_slice(b"0\r\n");
            if let Inbound::Chunked(decoder) = &self.inbound {
                allowed_trailers(decoder.trailers(), out);
            }
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Removes the first `count` bytes; gives the memory back when nothing is left.
pub(crate) fn discard(bytes: &mut Vec<u8>, count: usize) {
    if count >= bytes.len() {
        match bytes.capacity() > 4096 {
            true => *bytes = Vec::new(),
            false => bytes.clear(),
        }
    } else {
        bytes.drain(..count);
    }
}
