//! What is left of a connection after `101 Switching Protocols`: bytes, both ways.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::clock::Deadline;
use super::outbox::Outbox;
use super::slot::Slot;
use super::worker::{Presence, Worker};
use crate::stream::Stream;

/// How long one direction may go on after the other has ended: long enough for the last words, short enough that
/// half-closed tunnels do not pile up (SEC-097).
const LINGER: Duration = Duration::from_secs(3);
/// Reads in a row before other connections have their turn.
const TURN: usize = 16;

/// Two joined connections.
pub(crate) struct Tunnel {
    pub(crate) client: Stream,
    pub(crate) server: Stream,
    /// Bytes that came together with the heads.
    pub(crate) from_client: Vec<u8>,
    pub(crate) from_server: Vec<u8>,
    pub(crate) deadline: Rc<Deadline>,
    pub(crate) presence: Option<Presence>,
    /// Keeps the route's count.
    pub(crate) slot: Slot,
}

/// One direction.
struct Lane {
    outbox: Outbox,
    state: LaneState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LaneState {
    Open,
    /// The source has ended; what is left is being sent.
    Closing,
    Closed,
}

impl Lane {
    fn new(early: Vec<u8>) -> Self {
        let mut outbox = Outbox::default();
        *outbox.buffer() = early;
        Self { outbox, state: LaneState::Open }
    }

    /// Moves what can be moved; whether bytes came from the source.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Stream,
        to: &mut Stream,
        input: &mut [u8],
    ) -> io::Result<bool> {
        let mut came = false;
        for _ in 0..TURN {
            if self.outbox.poll_send(cx, to)?.is_pending() || to.poll_flush(cx)?.is_pending() {
                return Ok(came);
            }
            match self.state {
                LaneState::Closed => return Ok(came),
                LaneState::Closing => match to.poll_shutdown(cx) {
                    Poll::Pending => return Ok(came),
                    Poll::Ready(_) => self.state = LaneState::Closed,
                },
                LaneState::Open => match from.poll_read(cx, input)? {
                    Poll::Pending => {
                        self.outbox.release();
                        return Ok(came);
                    }
                    Poll::Ready(0) => self.state = LaneState::Closing,
                    Poll::Ready(read) => {
                        came = true;
                        self.outbox.send(cx, to, input.get(..read).unwrap_or_default())?;
                    }
                },
            }
        }
        cx.waker().wake_by_ref();
        Ok(came)
    }
}

impl Tunnel {
    /// Carries bytes until both directions have ended, or a draining proxy cuts it.
    pub(crate) async fn run(self, worker: Rc<Worker>) {
        let Self { mut client, mut server, from_client, from_server, deadline, presence, slot } = self;
        worker.metrics.tunnel_opened();
        let route = slot.route();
        deadline.set(None);
        let (mut up, mut down) = (Lane::new(from_client), Lane::new(from_server));
        let mut is_lingering = false;
        let outcome: io::Result<()> = poll_fn(|cx| {
            if deadline.is_over(cx) || worker.cuts_tunnels() {
                return Poll::Ready(Ok(()));
            }
            let input = &mut worker.scratch.borrow_mut().input;
            if up.poll(cx, &mut client, &mut server, input)? {
                route.touch();
            }
            if down.poll(cx, &mut server, &mut client, input)? {
                route.touch_by_server();
            }
            match (up.state, down.state) {
                (LaneState::Closed, LaneState::Closed) => return Poll::Ready(Ok(())),
                (LaneState::Open, LaneState::Open) => {}
                _ if !is_lingering => {
                    is_lingering = true;
                    deadline.set(Some(LINGER));
                    // Registers with the new deadline.
                    cx.waker().wake_by_ref();
                }
                _ => {}
            }
            Poll::Pending
        })
        .await;
        if let Err(error) = outcome {
            log::debug!(route = route.spec(), error:%; "tunnel broke");
        }
        worker.metrics.tunnel_closed();
        drop((presence, slot));
    }
}
