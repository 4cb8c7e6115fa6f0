//! What the system and administrators tell by signal.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// End: `SIGTERM`, `SIGINT`.
    End,
    /// Read certificates again: `SIGHUP`.
    Reload,
    /// Let another process take over: `SIGUSR2`.
    HandOver,
}

/// The signals from now on. Must be made inside a tokio runtime.
pub(super) struct Signals(Vec<(Signal, Order)>);

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        let orders = [
            (SignalKind::terminate(), Order::End),
            (SignalKind::interrupt(), Order::End),
            (SignalKind::hangup(), Order::Reload),
            (SignalKind::user_defined2(), Order::HandOver),
        ];
        orders
            .into_iter()
            .map(|(kind, order)| Ok((signal(kind)?, order)))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Waits for the next order.
    pub(super) async fn next(&mut self) -> Order {
        poll_fn(|cx| {
            let mut ready = self.0.iter_mut().filter_map(|(signal, order)| match signal.poll_recv(cx) {
                Poll::Ready(_) => Some(*order),
                Poll::Pending => None,
            });
            ready.next().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Waits for the next order to end; it is too late for others.
    pub(super) async fn end(&mut self) {
        while self.next().await != Order::End {}
    }
}
